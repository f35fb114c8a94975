"""How exactly a trunk's rate is kept, on a real Asterisk, seen from outside: by the renames of its call
files."""

from collections.abc import Sequence

from scripts.benchmarks.figures import Figure
from scripts.benchmarks.moves import Moves
from scripts.benchmarks.rig import Rig
from tests.waiting import until

RATE, SECONDS = 100, 25
TRUNK = {"channel": "Local/{digits}@sim", "extensions": ["X."], "calls_per_second": RATE}


def run(seconds: int = SECONDS) -> list[Figure]:
    """pacing.error, pacing.jitter_p99_ms. The first second is left out: what lay ready goes out at once."""
    count = RATE * (seconds + 1)
    with Rig(asterisk=True, sections={"trunks.paced": TRUNK}, max_calls=1000) as rig:
        assert rig.asterisk is not None
        client = rig.daemon.client()
        documents = (
            {"to": f"1{number:07d}00", "trunk": "paced", "application": "NoOp", "not_before": "in 5s"}
            for number in range(count)
        )
        with Moves(rig.asterisk.outgoing) as moves:
            for _ in client.submit_many(documents, batch="paced"):
                pass
            until(lambda: moves.count() >= count, 3 * seconds + 30)
            times = sorted(moves.all().values())[RATE:]
        inside = next(each for each in client.trunks() if each["name"] == "paced")["late_p99_ms"]
    rate, late = rate_of(times), lateness(times, RATE)
    p99, most = (1000 * each for each in (late[int(0.99 * len(late))], late[-1]))
    return [
        Figure("pacing.error", abs(rate / RATE - 1), 0.01, "lower", f"{rate:.2f}/s, asked {RATE}/s"),
        Figure(
            "pacing.jitter_p99_ms", p99, 50, "lower", f"ms; worst {most:.0f}; dialerd's own p99 {inside:.0f}"
        ),
    ]


def rate_of(times: Sequence[float]) -> float:
    """Calls a second, of the sorted times at which they began."""
    return (len(times) - 1) / (times[-1] - times[0])


def lateness(times: Sequence[float], rate: float) -> list[float]:
    """How many seconds each call began after its place in a grid of 1 / rate, sorted.

    No call goes out before it is due, so the grid is the latest one that none of them is ahead of.
    """
    ahead = [at - number / rate for number, at in enumerate(times)]
    return sorted(each - min(ahead) for each in ahead)
