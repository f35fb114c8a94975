"""What the engine and the ways in ask of a store. The embedded SQLite store is one; a second can stand behind
this."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from dialerd.core.budget import Used
from dialerd.core.model import Attempt, Event, Job
from dialerd.core.signals import JobFilter, Order
from dialerd.core.states import State
from dialerd.store.retention import Tidied


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

    def next_attempt(self, job: Job) -> int:
        """The number of a job's next attempt, which none of its attempts ever had."""

    def find_job(self, job_id: str) -> Job | None:
        """The job, or None."""

    def last_attempt(self, job_id: str) -> Attempt | None:
        """The newest attempt of a job, or None."""

    def attempts(self, job_id: str) -> list[Attempt]:
        """All attempts of a job, oldest first."""

    def promote(self, now: datetime, renewed: Callable[[str, int, int, str | None, int], int]) -> bool:
        """Marks the jobs whose not_before has come as due; whether there may be more of them. Those that
        were never tried get the turn that `renewed` says (store/standing.py)."""

    def trunks_due(self) -> list[str]:
        """The trunks that due jobs wait for ("" for literal channels)."""

    def due(self, trunk: str, limit: int, least: int = 0, most: int = 9, skip: int = 0) -> list[Job]:
        """The jobs of a trunk to lease now, of these priorities, the most urgent and then by turn, behind the
        first `skip`."""

    def first_turns(self) -> Mapping[tuple[str, int], int]:
        """The least turn of the due jobs of each trunk and priority."""

    def last_turn(self, owner: int, batch: str) -> int | None:
        """The turn that the batch's newest job has, or None."""

    def park(self, job_id: str) -> None:
        """Takes a due job of a paused batch out of the way, until unpark()."""

    def park_batch(self, owner: int, batch: str, limit: int) -> int:
        """Parks waiting jobs of a batch; how many it were, 0 at the end."""

    def unpark_batch(
        self, owner: int, batch: str, limit: int, renewed: Callable[[str, int, int, str | None, int], int]
    ) -> int:
        """Makes parked jobs wait again; how many it were, 0 at the end."""

    def waiting_of_batch(self, owner: int, batch: str, limit: int) -> list[Job]:
        """Some jobs of a batch that wait, or are held."""

    def recall_batch(self, owner: int, batch: str, kinds: Collection[str]) -> list[Job]:
        """Writes of all jobs of a batch that providers have that their end is asked for; returns those of
        some kinds."""

    def wake(self, reason: str, now: datetime) -> int:
        """Makes jobs due that wait for a time and a reason that begins so; how many it were."""

    def has_batch(self, owner: int, batch: str) -> bool:
        """Whether any job has this batch."""

    def orders(self) -> list[Order]:
        """The standing orders."""

    def save_order(self, order: Order) -> None:
        """Writes a standing order."""

    def remove_order(self, scope: str) -> None:
        """Ends a standing order."""

    def usage(self, day: str) -> Mapping[str, Used]:
        """What was used on a day, by scope."""

    def add_usage(self, day: str, scope: str, used: Used) -> None:
        """Counts to what was used on a day."""

    def is_new_area(self, trunk: str, area: str, now: datetime) -> bool:
        """Whether a trunk never called this area before; from now on it has."""

    def next_due(self) -> datetime | None:
        """When the next waiting job falls due, or None."""

    def overdue(self, now: datetime, limit: int) -> list[Job]:
        """Waiting jobs whose not_after has passed."""

    def in_flight(self) -> list[tuple[Job, Attempt]]:
        """Every active or submitted job that Asterisk has, with its attempt."""

    def sending(self) -> list[tuple[Job, Attempt]]:
        """The jobs that were being handed to a provider, with their attempts: bounded by its connections."""

    def carried(self) -> list[tuple[Job, Attempt]]:
        """The calls that providers have."""

    def to_look_at(self, now: datetime, limit: int) -> list[tuple[Job, Attempt]]:
        """Submitted and held jobs whose provider is to be asked by now, those that wait longest first."""

    def find_ref(self, provider: str, ref: str) -> tuple[str, int] | None:
        """The job and the number of the newest attempt that this provider knows by this id."""

    def find_shared(self, provider: str, ref: str, number: str) -> tuple[str, int] | None:
        """The same, where several attempts went in one request: that of this number."""

    def find_attempt(self, job_id: str, number: int) -> Attempt | None:
        """One attempt of a job, or None."""

    def find_session(self, provider: str, session: str) -> str | None:
        """The job that has this session."""

    def save_session(self, provider: str, session: str, job_id: str) -> None:
        """Notes whose session it is."""

    def end_session(self, provider: str, session: str) -> None:
        """Forgets a session."""

    def save_block(self, provider: str, until: datetime) -> None:
        """Notes that nothing is sent to a provider before a time."""

    def blocks(self, now: datetime) -> Mapping[str, datetime]:
        """The providers that must wait, and until when."""

    def free_bytes(self) -> int:
        """Free space on the store's file system. Safe from any thread."""

    def kinds(self) -> Mapping[tuple[State, str], int]:
        """How many jobs of each kind are in each state. Safe from any thread."""

    def counts(self) -> Mapping[State, int]:
        """How many jobs are in each state."""

    def purge(
        self,
        now: datetime,
        before: datetime,
        states: Collection[State],
        limit: int,
        place: tuple[int, int] = ...,
        needed: int | None = None,
    ) -> Tidied:
        """Removes some jobs that ended before a time (store/retention.py)."""

    def redact(
        self, before: datetime, limit: int, place: tuple[int, int] = ..., needed: int | None = None
    ) -> Tidied:
        """Takes the people out of some jobs that ended before a time."""

    def forget_keys(self, before: datetime, limit: int) -> int:
        """Frees some keys of jobs that were purged before a time."""

    def overstayed(self, state: State, before: datetime, after: int, limit: int) -> tuple[list[Job], int]:
        """Some jobs that have been in a state since before a time, and of which nothing was said yet."""

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
        owner: int | None = None,
        upto: int | None = None,
    ) -> list[Event]:
        """Events with an id above `after`, oldest first."""

    def last_event(self) -> int:
        """The id of the newest event, 0 where there is none."""

    def close(self) -> None:
        """Ends the use of the reader."""
