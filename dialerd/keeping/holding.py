"""What becomes of jobs in a restored queue: nobody knows what was done since the backup, so nothing that was
not over goes on by itself."""

from dataclasses import replace
from datetime import datetime

from dialerd.core.model import Job
from dialerd.core.states import WAITING, State, Step, step
from dialerd.core.times import format_when
from dialerd.store.sqlite import SqliteStore

RESTORED = "restored from a backup of"
"""So begins the reason of every job that a restore holds."""

CHUNK = 1000


def hold_all(store: SqliteStore, taken: datetime, now: datetime) -> int:
    """Holds every job that is not over, whatever it says of doubts; returns how many. An attempt that was
    under way stays open: a late answer, or its call file, may still say what became of it."""
    why = f"{RESTORED} {format_when(taken)}: it may have been done since"
    count, place = 0, 0
    while True:
        with store.transaction():
            jobs, place = store.not_over(place, CHUNK)
            for job in jobs:
                _hold(store, job, why, now)
        count += len(jobs)
        if len(jobs) < CHUNK:
            return count


def _hold(store: SqliteStore, job: Job, why: str, now: datetime) -> None:
    state = job.state
    if state is State.HELD:
        why = f"{why}; before that: {job.reason}" if job.reason and RESTORED not in job.reason else why
    else:
        state = step(state, Step.HOLD if state in WAITING else Step.LOSE)
    store.save_job(replace(job, state=state, updated=now, reason=why, requested=None))
    store.add_event(now, job.id, "held", {"state": state, "reason": why})
