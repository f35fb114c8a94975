"""How long an idle dialerd takes to hand a call over, and to know its result; and how long the client takes
to start."""

import subprocess
import sys
from datetime import datetime
from time import perf_counter

from scripts.benchmarks.figures import Figure
from scripts.benchmarks.rig import Rig

CALLS, STARTS = 100, 15


def run() -> list[Figure]:
    """latency.handover_p99_ms, latency.result_p99_ms, client.start."""
    with Rig(asterisk=True) as rig:
        client = rig.daemon.client()
        handed, known = [], []
        for number in range(CALLS):
            job_id = client.submit(
                channel="Local/answer@sim", application="NoOp", account=f"delay-{number}"
            ).id
            client.wait(job_id, timeout=20)
            at = {
                event["type"]: _time(event["at"])
                for event in client.events(job=job_id, after=0, follow=False)
            }
            attempt = client.job(job_id)["attempts"][0]
            handed.append(_time(attempt["handed_over"]) - at["accepted"])
            known.append(at["completed"] - _time(attempt["ended"]))
        ours = _quickest([*rig.daemon.ctl_command(), "status"], rig.daemon.ctl_environment())
        bare = _quickest([sys.executable, "-c", "pass"], None)
    note = f"{ours * 1000:.0f} ms, bare {bare * 1000:.0f} ms"
    return [
        Figure("latency.handover_p99_ms", _p99(handed), 50, "lower", "ms"),
        Figure("latency.result_p99_ms", _p99(known), 50, "lower", "ms"),
        Figure("client.start", ours / bare, 6, "lower", note),
    ]


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99) - 1] * 1000


def _quickest(command: list[str], environment: dict[str, str] | None) -> float:
    """The median of some runs as whole processes."""
    took = []
    for _ in range(STARTS):
        begin = perf_counter()
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
        took.append(perf_counter() - begin)
    return sorted(took)[STARTS // 2]
