"""What the engine and the ways in ask of a store. The embedded SQLite store is one; a second can stand behind
this."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from dialerd.core.model import Attempt, Event, Job
from dialerd.core.signals import JobFilter
from dialerd.core.states import State


class Store(Protocol):
    """The writing side. Used by one thread, inside transaction(). Every function may raise
    core.errors.Broken."""

    def transaction(self) -> AbstractContextManager[None]:
        """Everything done inside is on disk when it ends well, and undone when it raises."""

    def new_id(self, now: datetime) -> str:
        """An id that no job had before."""

    def add_job(self, job: Job, digest: bytes) -> None:
        """Puts a new job in, with its key where it has one."""

    def find_key(self, owner: int, key: str) -> tuple[str, bytes] | None:
        """The job id and the digest that this owner used the key for."""

    def save_job(self, job: Job) -> None:
        """Writes what may change in a job: state, times, counts, reason."""

    def save_attempt(self, attempt: Attempt) -> None:
        """Writes an attempt, new or known."""

    def add_event(self, at: datetime, job: str, type: str, data: Mapping[str, Any]) -> int:
        """Appends an event; returns its id."""

    def find_job(self, job_id: str) -> Job | None:
        """The job, or None."""

    def last_attempt(self, job_id: str) -> Attempt | None:
        """The newest attempt of a job, or None."""

    def due(self, now: datetime, limit: int) -> list[Job]:
        """The jobs to lease now, the most urgent and then the oldest first."""

    def next_due(self) -> datetime | None:
        """When the next waiting job falls due, or None."""

    def overdue(self, now: datetime, limit: int) -> list[Job]:
        """Waiting jobs whose not_after has passed."""

    def in_flight(self) -> list[tuple[Job, Attempt]]:
        """Every active or submitted job, with its attempt."""

    def counts(self) -> Mapping[State, int]:
        """How many jobs are in each state."""

    def close(self) -> None:
        """Ends the use of the store."""


class Reader(Protocol):
    """The reading side. Safe to use from any thread; sees what is committed."""

    def job(self, job_id: str) -> tuple[Job, list[Attempt]] | None:
        """A job and all its attempts."""

    def jobs(self, wanted: JobFilter) -> list[Job]:
        """One page of jobs, newest first."""

    def events(
        self,
        after: int,
        limit: int,
        job: str | None = None,
        batch: str | None = None,
        types: Sequence[str] = (),
    ) -> list[Event]:
        """Events with an id above `after`, oldest first."""

    def last_event(self) -> int:
        """The id of the newest event, 0 where there is none."""

    def close(self) -> None:
        """Ends the use of the reader."""
