"""The desk: the engine's face to the ways in. Safe from any thread; refuses at a bound before anything is
accepted."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from time import monotonic
from typing import Any

from dialerd.core.errors import NoSuchJob, Overloaded
from dialerd.core.model import Attempt, Draft, Event, Job
from dialerd.core.signals import JobFilter, Order, Preview, ProviderTold, Submission
from dialerd.core.states import ENDED, State
from dialerd.engine.engine import Engine
from dialerd.engine.foresee import describe, foresee
from dialerd.engine.inbox import Command, GiveOrder, Reconfigure, Submit, Tell
from dialerd.engine.ports import Policy
from dialerd.engine.retention import Tidy
from dialerd.store.base import Reader
from dialerd.store.figures import Figures

DISK_LIMIT_S = 15.0
MAX_WAITING = 20_000
"""Messages in the inbox beyond which a submit is refused."""

_STANDS_STILL = (
    "The queue has stood still for a while, most likely because the disk of the state folder does not answer:"
    " nothing is accepted and no call begins until it does. Look at that disk."
)


class Desk:
    """What intake/ is handed."""

    def __init__(self, engine: Engine, reader: Reader, figures: Figures | None = None) -> None:
        self._engine, self._reader, self.figures = engine, reader, figures
        self._lock = threading.Lock()
        self._subscribers: list[Callable[[int], None]] = []
        self._started = engine.clock.mono()
        self._free_checked, self._free = -1e9, 0
        self.folder_problems: Sequence[str] = ()
        self.stopping = False
        engine.on_commit = self._committed

    def submit(self, submissions: Sequence[Submission]) -> "Future[list[Any]]":
        """Hands in drafts. The answers are durable when the future resolves. Raises Overloaded at a bound."""
        self._check_bounds()
        message = Submit(submissions)
        begun = monotonic()
        message.answer.add_done_callback(
            lambda _: self._engine.ledger.meters.taken(len(submissions), monotonic() - begun)
        )
        self._engine.post(message)
        return message.answer

    def command(self, job_id: str, verb: str, actor_uid: int, as_: str | None = None) -> "Future[Job]":
        """Asks for something to be done with a job. The future raises NoSuchJob or NotAllowed."""
        message = Command(job_id, verb, actor_uid, as_)
        self._engine.post(message)
        return message.answer

    def order(self, scope: str, word: str | None, actor_uid: int, reason: str = "") -> "Future[None]":
        """Gives a standing order, or ends it (`word` None). The future raises NotAllowed for what is not
        there."""
        message = GiveOrder(scope, word, actor_uid, reason)
        self._engine.post(message)
        return message.answer

    def orders(self) -> list[Order]:
        """The standing orders."""
        return self._engine.orders.all()

    def tidy(
        self, verb: str, before: datetime, states: tuple[State, ...], place: tuple[int, int]
    ) -> "Future[Any]":
        """Does one step of purging or redacting (`verb`) what ended before a time. The future's result is a
        Tidied."""
        message = Tidy(verb, before, states, place)
        self._engine.post(message)
        return message.answer

    def tell(self, told: ProviderTold) -> "Future[None]":
        """Hands in what a provider says. It is on disk when the future resolves. Raises Overloaded."""
        if self.stopping or len(self._engine.inbox) > MAX_WAITING:
            raise Overloaded("dialerd is stopping, or has too much to do.", 5)
        if self._free_bytes() < self._engine.settings.min_free_bytes:
            raise Overloaded("The disk is nearly full.", 60)
        message = Tell(told)
        self._engine.post(message)
        return message.answer

    def reconfigure(self, policy: Policy) -> "Future[None]":
        """Puts a new policy in the place of the old one, all at once."""
        message = Reconfigure(policy)
        self._engine.post(message)
        return message.answer

    def trunks(self) -> list[dict[str, Any]]:
        """Each trunk as it stands."""
        return describe(self._engine)

    def preview(self, drafts: Sequence[Draft], owner: int) -> list[Preview]:
        """What would become of these drafts if they were accepted now."""
        return [foresee(self._engine, draft, owner) for draft in drafts]

    def job(self, job_id: str) -> tuple[Job, list[Attempt]]:
        """A job and its attempts. Raises NoSuchJob."""
        found = self._reader.job(job_id)
        if found is None:
            raise NoSuchJob(job_id)
        return found

    def jobs(self, wanted: JobFilter) -> list[Job]:
        """One page of jobs, newest first."""
        return self._reader.jobs(wanted)

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
        """Events after an id, oldest first."""
        return self._reader.events(after, limit, job, batch, types, owner, upto)

    def last_event(self) -> int:
        """The newest event's id."""
        return self._reader.last_event()

    def subscribe(self, callback: Callable[[int], None]) -> Callable[[], None]:
        """Calls back, in the engine's thread, with the newest event id after each commit that made any."""
        with self._lock:
            self._subscribers = [*self._subscribers, callback]
        return lambda: self._unsubscribe(callback)

    def status(self) -> dict[str, Any]:
        """How the daemon is, at a glance."""
        engine, asterisk = self._engine, self._engine.asterisk
        line: dict[str, Any] = {"ami": "off", "takes_calls": asterisk.takes_calls}
        if asterisk.ami:
            word = (
                "up"
                if asterisk.up
                else "refused"
                if asterisk.refused
                else "down"
                if asterisk.known
                else "connecting"
            )
            line |= {"ami": word, "version": asterisk.version, "started": asterisk.run}
            line |= {"calls": asterisk.calls, "max_calls": asterisk.max_calls, "reason": asterisk.reason}
        if asterisk.unit is not None:
            line |= {"service": asterisk.unit.unit, "service_state": asterisk.unit.state}
        return {
            "version": engine.settings.version,
            "uptime_seconds": round(engine.clock.mono() - self._started),
            "jobs": {str(state): count for state, count in _snapshot(engine.store.counts()).items() if count},
            "asterisk": {name: value for name, value in line.items() if value not in ("", None)},
            "spool": {
                "under_way": len(engine.flights),
                "not_begun": engine.flights.unstarted(),
                "free_bytes": self._free_bytes(),
            },
            "orders": len(self._engine.orders.all()),
            "problems": self._problems(),
        }

    def _problems(self) -> list[str]:
        engine = self._engine
        asterisk = engine.asterisk
        found = [engine.broken, engine.dispatcher.trouble, *self.folder_problems]
        found += asterisk.problems()
        if engine.trunks.paused:
            found.append(f"Everything is {engine.trunks.paused}.")
        if not engine.turned_within(DISK_LIMIT_S):
            found.append(_STANDS_STILL)
        if engine.spool_waits() > DISK_LIMIT_S:
            found.append("The spool's disk has not answered for a while; calls wait for it.")
        found += [f"{_way(each)}: {why}." for each in self.trunks() if (why := each.get("trouble"))]
        if asterisk.stalled:
            found.append("Asterisk does not take call files up: is it running, and is pbx_spool.so loaded?")
        if self._free_bytes() < engine.settings.min_free_bytes:
            found.append("The disk is nearly full: nothing is accepted until there is room.")
        return [problem for problem in found if problem]

    def _check_bounds(self) -> None:
        engine = self._engine
        if self.stopping:
            raise Overloaded("dialerd is stopping; send the same again when it is back.", 5)
        if engine.broken:
            raise Overloaded(engine.broken, 10)
        if len(engine.inbox) > MAX_WAITING:
            raise Overloaded("Too many requests wait for the disk.", 1)
        if not engine.turned_within(DISK_LIMIT_S):
            raise Overloaded(_STANDS_STILL, 10)
        counts = engine.store.counts()
        if sum(count for state, count in counts.items() if state not in ENDED) >= engine.settings.max_jobs:
            raise Overloaded(f"The queue is full ({engine.settings.max_jobs} jobs).", 60)
        if self._free_bytes() < engine.settings.min_free_bytes:
            raise Overloaded("The disk is nearly full.", 60)

    def _free_bytes(self) -> int:
        mono = self._engine.clock.mono()
        if mono - self._free_checked > 1.0:
            free = min(self._engine.files.free_bytes(), self._engine.store.free_bytes())
            self._free_checked, self._free = mono, free
        return self._free

    def _committed(self, newest: int) -> None:
        for callback in self._subscribers:
            callback(newest)

    def _unsubscribe(self, callback: Callable[[int], None]) -> None:
        with self._lock:
            self._subscribers = [other for other in self._subscribers if other is not callback]


def _way(line: Mapping[str, Any]) -> str:
    return f"{'Provider' if line.get('provider') else 'Trunk'} {line['name']}"


def _snapshot(counts: Mapping[Any, int]) -> dict[Any, int]:
    return dict(counts)
