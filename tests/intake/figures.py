"""Figures of a desk in memory, as store/figures.py has them of the store."""

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

from dialerd.core.figures import BatchFigures, remaining_seconds
from dialerd.core.model import Attempt, Job
from dialerd.core.signals import JobFilter
from dialerd.core.states import WAITING

if TYPE_CHECKING:
    from tests.intake.desk import MemoryDesk


class MemoryFigures:
    """What the routes for figures ask, of batches only."""

    def __init__(self, desk: "MemoryDesk") -> None:
        self._desk = desk

    def batches(self, owner: int | None, limit: int, now: datetime) -> list[BatchFigures]:
        """All of them, the newest first."""
        jobs = self._desk.jobs(JobFilter(owner=owner, limit=10**6))
        names = dict.fromkeys((job.owner, job.batch) for job in jobs if job.batch)
        found = [self.batch(uid, str(name), now) for uid, name in names]
        return [each for each in found if each is not None][:limit]

    def batch(self, owner: int, name: str, now: datetime) -> BatchFigures | None:
        """One batch."""
        jobs = self._desk.jobs(JobFilter(owner=owner, batch=name, limit=10**6))
        if not jobs:
            return None
        ends = [self._desk.job(job.id)[1][-1] for job in jobs if job.attempts]
        states = Counter(job.state.value for job in jobs)
        paused = f"batch:{owner}:{name}" in self._desk.standing
        ended = [each.ended for each in ends if each.ended is not None]
        return BatchFigures(
            batch=name,
            owner=owner,
            jobs=len(jobs),
            states=dict(states),
            dispositions=dict(Counter(each.result.disposition.value for each in ends if each.result)),
            created=min(job.created for job in jobs),
            first_dialled=min((each.begun for each in ends), default=None),
            last_ended=max(ended, default=None),
            ended_last_minute=len(ended),
            waiting=sum(states[state] for state in WAITING),
            paused=paused,
            next=None,
            eta_seconds=remaining_seconds(states, len(ended), paused),
        )

    def owners_of_batch(self, name: str) -> list[int]:
        """Who has one of this name."""
        return sorted({job.owner for job in self._desk.jobs(JobFilter(batch=name, limit=10**6))})

    def jobs_with_last(self, wanted: JobFilter) -> list[tuple[Job, Attempt | None]]:
        """Jobs with their newest attempts."""
        jobs = self._desk.jobs(wanted)
        return [(job, self._desk.job(job.id)[1][-1] if job.attempts else None) for job in jobs]
