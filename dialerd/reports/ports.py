"""What the reporter is handed, and what it hands on."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from dialerd.core.errors import DeliveryError
from dialerd.core.model import Attempt, Event, Job
from dialerd.core.reporting import Delivery, SinkFigures

Present = Callable[[Job, Sequence[Attempt]], dict[str, Any]]
"""A job with its attempts as users see it."""


class Undelivered(DeliveryError):
    """A try that did not deliver. `wide`: it says something of the sink, not only of this report; `final`:
    no other try would do better."""

    def __init__(self, why: str, *, wide: bool = False, final: bool = False) -> None:
        super().__init__(why)
        self.wide, self.final = wide, final


@dataclass(frozen=True, slots=True)
class Report:
    """An event, with its job and the job's attempts as they are now."""

    event: Event
    job: Job
    attempts: Sequence[Attempt]


class Sink(Protocol):
    """Somebody who is told. `at_once`: how many reports may be on their way; `give_up_after`: seconds, None
    for never; `events`: the types asked for."""

    name: str
    events: Sequence[str]
    at_once: int
    give_up_after: int | None

    def chooses(self) -> bool:
        """Whether takes() looks at the job too, and not only at the event's type."""

    def takes(self, event: Event, job: Job) -> bool:
        """Whether this is for it."""

    def deliver(self, report: Report) -> None:
        """One try. Returns when it is delivered; raises Undelivered."""

    def stop(self) -> None:
        """Ends what is under way, as far as that can be."""


class Desk(Protocol):
    """The engine's face, as far as the reporter reads it. Safe from any thread."""

    def job(self, job_id: str, /) -> tuple[Job, list[Attempt]]:
        """A job with its attempts. Raises NoSuchJob."""

    def events(
        self,
        after: int,
        limit: int,
        job: str | None = None,
        batch: str | None = None,
        types: Sequence[str] = (),
    ) -> list[Event]:
        """The oldest events behind `after` that fit, oldest first."""

    def last_event(self) -> int:
        """The id of the newest event, 0 where there is none."""

    def subscribe(self, callback: Callable[[int], None], /) -> Callable[[], None]:
        """Calls back in the engine's thread after each commit. Returns what ends that."""


class Store(Protocol):
    """The reporter's memory (store/reports.py). Every function may raise Broken."""

    def transaction(self) -> AbstractContextManager[object]: ...
    def sinks(self) -> dict[str, int]: ...
    def add_sink(self, sink: str, cursor: int) -> None: ...
    def forget_sink(self, sink: str) -> int: ...
    def set_cursor(self, sink: str, cursor: int) -> None: ...
    def take_up(self, sink: str, events: Sequence[tuple[int, str]], cursor: int, now: datetime) -> None: ...
    def due(self, sink: str, now: datetime, limit: int) -> list[Delivery]: ...
    def next_due(self, sink: str) -> datetime | None: ...
    def delivered(self, sink: str, event: int) -> None: ...
    def drop(self, sink: str, event: int) -> bool: ...
    def failed(self, sink: str, event: int, why: str, next_at: datetime) -> None: ...
    def give_up(self, sink: str, event: int, why: str) -> None: ...
    def lapse(self, sink: str, before: datetime, why: str) -> int: ...
    def retry(self, sink: str, now: datetime) -> int: ...
    def bring_forward(self, beyond: datetime, now: datetime) -> None: ...
    def listing(
        self, sink: str | None = None, dead: bool | None = None, after: str = "", limit: int = 100
    ) -> list[Delivery]: ...
    def figures(self) -> dict[str, SinkFigures]: ...
    def oldest_needed(self) -> int: ...


def now() -> datetime:
    """The time: aware UTC, to the millisecond."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
