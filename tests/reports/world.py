"""What the tests of reports share: a desk in memory, a clock that a test moves, and a reporter between."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dialerd.core import ids
from dialerd.core.errors import NoSuchJob
from dialerd.core.model import Attempt, Call, Disposition, Event, Job, Result, Terms
from dialerd.core.reporting import Delivery, ReportSettings
from dialerd.core.states import State
from dialerd.intake.present import present
from dialerd.reports.http import Post
from dialerd.reports.ports import Report, Sink, Undelivered
from dialerd.reports.reporter import Reporter
from dialerd.store.reports import ReportStore

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class ReportDesk:
    """Jobs and events in memory, as the engine's desk shows them."""

    def __init__(self) -> None:
        self.log: list[Event] = []
        self.kept: dict[str, tuple[Job, list[Attempt]]] = {}
        self.pages: list[int] = []
        self.callbacks: list[Callable[[int], None]] = []

    def job(self, job_id: str) -> tuple[Job, list[Attempt]]:
        if job_id not in self.kept:
            raise NoSuchJob(job_id)
        return self.kept[job_id]

    def events(
        self,
        after: int,
        limit: int,
        job: str | None = None,
        batch: str | None = None,
        types: Sequence[str] = (),
    ) -> list[Event]:
        found: list[Event] = []
        for event in self.log[after:]:
            if len(found) == limit:
                break
            if not types or event.type in types:
                found.append(event)
        self.pages.append(limit)
        return found

    def last_event(self) -> int:
        return len(self.log)

    def subscribe(self, callback: Callable[[int], None]) -> Callable[[], None]:
        self.callbacks.append(callback)
        return lambda: self.callbacks.remove(callback)

    def add(self, type: str = "completed", job: Job | None = None, at: datetime = NOW, **data: Any) -> Job:
        """An event, of a new job where none is given."""
        job = job or a_job(len(self.kept) + 1)
        state = State(type) if type in list(State) else job.state
        job = replace(job, state=state)
        self.kept[job.id] = job, [an_attempt(job)]
        self.log.append(Event(len(self.log) + 1, at, job.id, type, {"state": state.value, **data}))
        for callback in list(self.callbacks):
            callback(len(self.log))
        return job


def a_job(number: int = 1, report_url: str | None = None, **changes: Any) -> Job:
    call = Call(to=("+4930123456",), trunk="main", play="hello-world", variables=(("PIN", "1234"),))
    job = Job(ids.to_text(number), 1000, State.SUBMITTED, call, created=NOW, updated=NOW)
    return replace(job, terms=Terms(report_url=report_url), **changes)


def an_attempt(job: Job, number: int = 1, begun: datetime = NOW - timedelta(seconds=9)) -> Attempt:
    result = Result(Disposition.ANSWERED, hangup_cause=16, ring_seconds=1.5, talk_seconds=4.0)
    return Attempt(job.id, number, "main", "PJSIP/1@main", begun, begun, NOW, result=result)


@dataclass
class StubSink:
    """A sink whose every try a test decides. `says` raises, or returns when it is delivered."""

    name: str = "stub"
    events: Sequence[str] = ("completed", "failed", "held")
    at_once: int = 4
    give_up_after: int | None = 3 * 86400
    says: Callable[[Report], object] = lambda _: None
    told: list[Report] = field(default_factory=list)
    most: int = 0
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def chooses(self) -> bool:
        return False

    def takes(self, event: Event, job: Job) -> bool:
        return True

    def deliver(self, report: Report) -> None:
        with self._lock:
            self.told.append(report)
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            self.says(report)
        finally:
            with self._lock:
                self._now -= 1

    def stop(self) -> None:
        pass

    def told_events(self) -> list[int]:
        return [report.event.id for report in self.told]


class Dead:
    """Says no, until it is `well`."""

    def __init__(self, wide: bool = True, final: bool = False) -> None:
        self.wide, self.final, self.well = wide, final, False

    def __call__(self, _report: Report) -> None:
        if not self.well:
            raise Undelivered("it is away", wide=self.wide, final=self.final)


class World:
    """A reporter that runs, and what it stands between."""

    def __init__(self, folder: Path, desk: ReportDesk | None = None, clock: Clock | None = None) -> None:
        self.folder, self.desk, self.clock = folder, desk or ReportDesk(), clock or Clock()
        self.store = ReportStore(folder)

    def make(
        self, *sinks: Sink, settings: ReportSettings | None = None, post: Post | None = None
    ) -> Reporter:
        """A reporter that is not started: of these sinks, or of those of the settings."""
        self.reporter = Reporter(
            settings or ReportSettings(),
            self.desk,
            self.store,
            present,
            now=self.clock,
            noise=lambda: 0.0,
            post=post,
            sinks=list(sinks) if settings is None else None,
        )
        return self.reporter

    @contextmanager
    def reporting(
        self, *sinks: Sink, settings: ReportSettings | None = None, post: Post | None = None
    ) -> Iterator[Reporter]:
        """A reporter that runs as long as the block lasts."""
        reporter = self.make(*sinks, settings=settings, post=post)
        reporter.start()
        try:
            yield reporter
        finally:
            reporter.stop(5.0)

    def move(self, seconds: float) -> None:
        """Lets time go by."""
        self.clock.move(seconds)
        self.reporter.wake()

    def waiting(self) -> list[Delivery]:
        """What is not delivered and not dead."""
        return self.store.listing(dead=False)

    def dead(self) -> list[Delivery]:
        return self.store.listing(dead=True)

    def tries(self) -> list[int]:
        return [delivery.tries for delivery in self.waiting()]
