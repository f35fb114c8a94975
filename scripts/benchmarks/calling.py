"""Real calls on a real Asterisk, from submit to the last result known; and a re-creation of the old way to do
it."""

import os
import time
from collections import Counter
from time import perf_counter

from dialerd.client import Client
from dialerd.engine.dispatch import BATCH
from dialerd.pbx.spool import Spool, SpoolSettings
from scripts.benchmarks.figures import Figure, folder
from scripts.benchmarks.raw import files_per_second
from scripts.benchmarks.rig import Rig

CONTENT = b"""Channel: Local/answer@sim
Application: NoOp
Account: reference
MaxRetries: 0
Archive: yes
"""
HANDOVER = 3000


def run() -> list[Figure]:
    """calls.2000, calls.20000."""
    with Rig(asterisk=True, max_calls=4000) as rig:
        reference = _reference(rig, 2000)
        ours = _ours(rig, 2000, "small")[0]
        _, done, once = _ours(rig, 20_000, "large")
    rates = f"{ours:.0f}/s, reference {reference:.0f}/s"
    return [
        Figure("calls.2000", ours / reference, 0.5, "higher", rates),
        Figure(
            "calls.20000", min(done, once), 1.0, "higher", f"completed {done:.4f}, dialled once {once:.4f}"
        ),
    ]


def handover() -> list[Figure]:
    """handover: staging and handing over, in the engine's batches."""
    raw = files_per_second(HANDOVER, CONTENT)
    with folder() as path:
        (path / "outgoing").mkdir()
        spool = Spool(SpoolSettings(path, str(os.geteuid())))
        spool.check()
        names = [f"{number:013d}.1.call" for number in range(HANDOVER)]
        begin = perf_counter()
        for start in range(0, HANDOVER, BATCH):
            batch = names[start : start + BATCH]
            failures = spool.stage(dict.fromkeys(batch, CONTENT)) | spool.hand_over(batch)
            assert not failures, failures
        rate = HANDOVER / (perf_counter() - begin)
    return [Figure("handover", rate / raw, 0.5, "higher", f"{rate:.0f} files/s, raw {raw:.0f}/s")]


def _reference(rig: Rig, count: int) -> float:
    """What pycall's spool() does, with Archive: yes, and a loop that looks for the results."""
    spool = rig.asterisk.spool
    begin = perf_counter()
    for number in range(count):
        path = spool / "tmp" / f"reference-{number}.call"
        path.write_bytes(CONTENT)
        rig.give_to_asterisk(path)
        path.rename(spool / "outgoing" / path.name)
    done: set[str] = set()
    while len(done) < count:
        done.update(name for name in os.listdir(spool / "outgoing_done") if name.startswith("reference"))
        time.sleep(0.02)
    return count / (perf_counter() - begin)


def _ours(rig: Rig, count: int, name: str) -> tuple[float, float, float]:
    """Calls a second, and the shares that were completed, and dialled just once by Asterisk's own records."""
    client = rig.daemon.client()
    documents = (
        {
            "channel": "Local/answer@sim",
            "application": "NoOp",
            "account": f"{name}-{number}",
            "batch": name,
            "key": f"{name}-{number}",
        }
        for number in range(count)
    )
    begin = perf_counter()
    for _ in client.submit_many(documents):
        pass
    _wait_for_the_end(client)
    took = perf_counter() - begin
    states = Counter(job["state"] for job in client.jobs(batch=name))
    dialled = Counter(row["accountcode"] for row in rig.asterisk.cdr_rows() if row["channel"].endswith(";1"))
    once = sum(dialled[f"{name}-{number}"] == 1 for number in range(count))
    return count / took, states["completed"] / count, once / count


def _wait_for_the_end(client: Client) -> None:
    """Until nothing is under way, or nothing has moved for a minute."""
    last, since = {}, perf_counter()
    while perf_counter() - since < 60:
        jobs = client.status()["jobs"]
        if not any(jobs.get(state) for state in ("queued", "deferred", "active", "submitted")):
            return
        if jobs != last:
            last, since = jobs, perf_counter()
        time.sleep(0.02)
