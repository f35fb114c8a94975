"""Ten times as many calls as a real Asterisk with a call limit can carry, and no max_channels to help.

What it can carry is measured first, without dialerd: as many calls as its `maxcalls` lets through, each
replaced as soon as it is over. All is counted by Asterisk's own call records.
"""

import contextlib
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from time import monotonic, sleep, time

from scripts.benchmarks.figures import Figure
from scripts.benchmarks.rig import Rig
from tests.asterisk import Asterisk
from tests.waiting import until

MAX_CALLS, TIMES = 30, 10
LEAST_S, MEAN_S = 1.0, 1.5
"""How long calls last: by chance, so that they do not all end at once."""

RAW_S, FIRST_S, SECONDS = 12, 6, 20
"""Of a run, so many seconds count; the FIRST_S before them are for the search."""

EVERY_S = 0.2
TRUNK = {"extensions": ["X."]}
FAR = """
[far]
type = endpoint
context = sim
transport = loopback
aors = far
disallow = all
allow = ulaw
[far]
type = aor
contact = sip:127.0.0.1:{port}
"""


@dataclass(frozen=True, slots=True)
class Case:
    """`channel` leads to the Asterisk with the limit: the one whose spool is used, or with `far` another one
    behind it. `ami`: whether dialerd has it."""

    name: str
    channel: str
    ami: bool = True
    far: bool = False


CASES = (
    Case("overload", "Local/{digits}@sim"),
    Case("overload.far", "PJSIP/{digits}@far", far=True),
    Case("overload.blind", "Local/{digits}@sim", ami=False),
)


def run() -> list[Figure]:
    """overload, overload.far, overload.blind."""
    return [measure(each) for each in CASES]


def measure(case: Case, seconds: int = SECONDS) -> Figure:
    """Calls answered per second, of those that Asterisk can carry."""
    limit = {"maxcalls": str(MAX_CALLS)}
    sections = {"trunks.tight": {**TRUNK, "channel": case.channel}}
    with _far(limit if case.far else None) as more, Rig(
        asterisk=True, options=None if case.far else limit, sections=sections, ami=case.ami, max_calls=2000,
        pjsip=more,
    ) as rig:  # fmt: skip
        assert rig.asterisk is not None
        end = _drive(rig, case.channel.format(digits="1000"))
        carried = _answered(rig.asterisk, "raw", end, RAW_S)
        end = _offer(rig, seconds + FIRST_S)
        rig.daemon.client().pause("all")
        until(lambda: not _under_way(rig), 60)
        answered = _answered(rig.asterisk, "load", end, seconds)
        counts = rig.daemon.client().status()["jobs"]
    tried = counts.get("completed", 0) + counts.get("failed", 0) + counts.get("deferred", 0)
    note = f"{answered:.1f}/s, carries {carried:.1f}/s; {counts.get('completed', 0)} of {tried} got through"
    return Figure(case.name, answered / carried, 0.95, "higher", note)


@contextlib.contextmanager
def _far(limit: dict[str, str] | None) -> Iterator[str]:
    """Where it is wanted, an Asterisk behind the other one; and what that one's pjsip.conf says of it."""
    if limit is None:
        yield ""
        return
    asterisk = Asterisk(22, limit).start()
    try:
        ports = dict(line.split("=") for line in (asterisk.folder / "ports").read_text().split())
        yield FAR.format(port=ports["SIP_PORT"])
    finally:
        asterisk.remove()


def _under_way(rig: Rig) -> int:
    counts = rig.daemon.client().status()["jobs"]
    return int(counts.get("active", 0) + counts.get("submitted", 0))


def _drive(rig: Rig, channel: str) -> float:
    """MAX_CALLS calls at once, for RAW_S and a little more. Returns, when all are over, the time at
    which the last ones began."""
    assert rig.asterisk is not None
    spool, end, made, free = rig.asterisk.spool, monotonic() + RAW_S + 4, 0, MAX_CALLS
    seen: set[str] = set()
    lengths = _lengths()
    while monotonic() < end:
        for number in range(made, made + free):
            path = spool / "tmp" / f"raw-{number}.call"
            action = f"Application: Wait\nData: {next(lengths)}\n"
            path.write_text(f"Channel: {channel}\n{action}Account: raw\nArchive: yes\n")
            rig.give_to_asterisk(path)
            path.rename(spool / "outgoing" / path.name)
        made += free
        done = {name for name in os.listdir(spool / "outgoing_done") if name.startswith("raw")} - seen
        seen |= done
        free = len(done)
        sleep(0.005)
    stopped = time()
    while len(seen) < made:
        seen = {name for name in os.listdir(spool / "outgoing_done") if name.startswith("raw")}
        sleep(0.05)
    return stopped


def _lengths() -> Iterator[str]:
    """The same for both: seconds of one call after the other."""
    chance = random.Random(1)
    while True:
        yield f"{chance.uniform(LEAST_S, 2 * MEAN_S - LEAST_S):.2f}"


def _offer(rig: Rig, seconds: int) -> float:
    """TIMES as many jobs a second as can be carried, for so many seconds. Returns the time at the end."""
    client, lengths = rig.daemon.client(), _lengths()
    count = int(MAX_CALLS / MEAN_S * TIMES * EVERY_S)
    begin = monotonic()
    for turn in range(int(seconds / EVERY_S)):
        sleep(max(0.0, begin + turn * EVERY_S - monotonic()))
        for _ in client.submit_many(
            {
                "to": f"1{turn * count + number:07d}00",
                "trunk": "tight",
                "application": "Wait",
                "data": next(lengths),
                "account": "load",
            }
            for number in range(count)
        ):
            pass
    sleep(max(0.0, begin + seconds - monotonic()))
    return time()


def _answered(asterisk: Asterisk, account: str, end: float, seconds: int) -> float:
    """Calls answered per second in so many whole seconds before `end` (since the epoch)."""
    rows = (row for row in asterisk.cdr_rows(account) if not row["channel"].endswith(";2"))
    answered = [datetime.fromisoformat(row["answer"]).timestamp() for row in rows if row["answer"]]
    return sum(int(end) - seconds <= each < int(end) for each in answered) / seconds
