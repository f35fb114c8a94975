"""host-test: boots a host, plays the scenarios on it, and leaves nothing behind.

    python -m scripts.lib.host FOLDER PACKAGE [--transcript FILE] [--keep] [SCENARIO ..]

Exit codes: 0 all is as it should be, 1 something is not, 77 the machine can't boot a container.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from scripts.lib.host import being, confined, ending, lifecycle, seen, world
from scripts.lib.host.machine import Host, NoBoot
from scripts.lib.host.scenario import SCENARIOS, Scenario, played
from scripts.lib.host.stage import Stage

SKIPPED = 77
ORDER = [each.__name__ for each in (lifecycle, being, world, seen, confined, ending)]
"""The modules with scenarios, as they are played; in a module, as they are written."""


class Transcript:
    """What is said on the terminal, and beside it all that was noted, in a file."""

    def __init__(self, path: Path | None) -> None:
        self._file = path.open("w") if path else None

    def say(self, text: str) -> None:
        """On the terminal too."""
        print(text, flush=True)
        self.note(text)

    def note(self, text: str) -> None:
        """In the file only."""
        if self._file:
            self._file.write(f"{text}\n")
            self._file.flush()


def _chosen(names: list[str]) -> list[Scenario]:
    """The scenarios of these names, and those that all others stand on, in the order of the list."""
    listed = sorted(SCENARIOS, key=lambda each: ORDER.index(each.play.__module__))
    known = {each.name for each in listed}
    if wrong := sorted(set(names) - known):
        sys.exit(
            f"host-test: there is no scenario {', '.join(wrong)}."
            f" There are: {', '.join(each.name for each in listed)}"
        )
    return [each for each in listed if each.always or each.name in names or not names]


def _play(stage: Stage, scenarios: list[Scenario], say: Callable[[str], None]) -> int:
    """How many scenarios were not as they should be. Without those that the others stand on there is no going
    on."""
    right = 0
    for each in scenarios:
        stage.note(f"\n== {each.name}: {each.sentence}")
        if played(each, stage, say):
            right += 1
        elif each.always:
            say("host-test: without this nothing else can be tried")
            break
    return len(scenarios) - right


def main() -> int:
    """Plays them; see above."""
    parser = argparse.ArgumentParser(prog="host-test")
    parser.add_argument("folder", type=Path)
    parser.add_argument("package", type=Path)
    parser.add_argument("--transcript", type=Path)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("scenarios", nargs="*")
    asked = parser.parse_intermixed_args()
    scenarios, begun = _chosen(asked.scenarios), time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    transcript = Transcript(asked.transcript)
    place = Path(tempfile.mkdtemp(prefix="dialerd-host-", dir="/var/tmp"))
    host = Host(asked.folder.resolve(), place)
    try:
        host.mount()
        try:
            state = host.boot()
        except NoBoot as error:
            print(f"this machine can't boot a container: {error}", file=sys.stderr)
            return SKIPPED
        transcript.say(
            f"host-test: a Debian with systemd and Asterisk is {state} ({time.monotonic() - begun:.1f} s)"
        )
        stage = Stage(host, asked.package.resolve(), transcript.note)
        failed = _play(stage, scenarios, transcript.say)
        if asked.keep:
            _hold(host)
        if host.init:
            host.poweroff()
    except KeyboardInterrupt:
        return 130
    finally:
        host.remove()
    took = time.monotonic() - begun
    transcript.say(
        f"host-test: {len(scenarios) - failed} of {len(scenarios)} scenarios as they should be ({took:.0f} s)"
    )
    return 1 if failed else 0


def _hold(host: Host) -> None:
    print(
        "host-test: the host is kept. Enter it, in another terminal, with\n"
        f"  {' '.join(host.enter(['bash']))}"
    )
    if sys.stdin.isatty():
        input("Return ends it. ")
    else:
        signal.pause()


if __name__ == "__main__":
    sys.exit(main())
