"""Runs the benchmarks named on the command line, or all."""

import argparse
import json
import sys
from collections.abc import Callable

from dialerd import log
from scripts.benchmarks import (
    accepting,
    calling,
    checking,
    delays,
    fairness,
    overloading,
    pacing,
    queueing,
    sending,
    watching,
)
from scripts.benchmarks.figures import Figure

GROUPS: dict[str, Callable[[], list[Figure]]] = {
    "accept": accepting.run,
    "handover": calling.handover,
    "latency": delays.run,
    "calls": calling.run,
    "queue": queueing.run,
    "policy": checking.run,
    "pacing": pacing.run,
    "fairness": fairness.run,
    "overload": overloading.run,
    "provider": sending.run,
    "watch": watching.run,
}


def main() -> None:
    """Prints a table, or JSON."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("names", nargs="*", choices=[*GROUPS, []], metavar="NAME", help=", ".join(GROUPS))
    asked = parser.parse_args()
    log.setup("warning", "text")
    figures = []
    for name in asked.names or GROUPS:
        print(f"bench: {name} ...", file=sys.stderr)
        figures += GROUPS[name]()
    if asked.json:
        told = {each.name: {"value": each.value, "aim": each.aim, "better": each.better} for each in figures}
        print(json.dumps(told, indent=1))
        return
    for each in figures:
        sign = "≥" if each.better == "higher" else "≤"
        verdict = "met" if each.met else "MISSED"
        print(f"{each.name:<26}{each.value:>10.3f}  {sign} {each.aim:<6g}{verdict:<8}{each.note}")


if __name__ == "__main__":
    main()
