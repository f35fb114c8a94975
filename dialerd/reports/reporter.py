"""The reporter: follows the events, and brings each to the sinks that want it.

One thread writes what is to be delivered and what became of it; each try runs in a thread of its own, a
bounded number for each sink. After a crash the same is done as always: what the store has is tried.
"""

import queue
import random
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from dialerd.core.errors import Broken, NoSuchJob
from dialerd.core.meters import NOBODY, Meters, Outcome
from dialerd.core.model import Event, Job
from dialerd.core.reporting import Delivery, ReportSettings
from dialerd.log import get_logger
from dialerd.reports import ports
from dialerd.reports.http import Post
from dialerd.reports.lane import Lane
from dialerd.reports.ports import Desk, Present, Report, Sink, Store, Undelivered
from dialerd.reports.schedule import LONGEST_DELAY_S, delay
from dialerd.reports.sinks import build

log = get_logger(__name__)

PAGE = 500
"""Events that are read at once."""

GATHER_S = 0.02
"""How long commits of the engine are let come together, so that they share a sync to disk."""

IDLE_S = 30.0
TROUBLE_S = 5.0
SWEEP_S = 60.0
FAILING = 3
"""Tries in a row after which a sink's failing is a problem of the daemon's."""

_BUG = "dialerd made a mistake of its own; its log says more."


class _Gone(Exception):
    """The event or its job is not in the store any more."""


class Reporter:
    """Tells every sink. start() and stop() belong to one thread, the rest is safe from any."""

    def __init__(
        self,
        settings: ReportSettings,
        desk: Desk,
        store: Store,
        present: Present,
        *,
        now: Callable[[], datetime] = ports.now,
        noise: Callable[[], float] = random.random,
        post: Post | None = None,
        sinks: list[Sink] | None = None,
        meters: Meters = NOBODY,
    ) -> None:
        self._meters = meters
        made = build(settings, present, post or Post(), now) if sinks is None else sinks
        self._lanes = {sink.name: Lane(sink) for sink in made}
        self._desk, self._store, self._now, self._noise = desk, store, now, noise
        self._landed: queue.SimpleQueue[tuple[Delivery, Exception | None]] = queue.SimpleQueue()
        self._unwritten: list[tuple[Delivery, Exception | None]] = []
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="reports", daemon=True)
        self._unsubscribe: Callable[[], None] | None = None
        self._swept = self._seen = now()
        self._trouble = ""

    def start(self) -> None:
        """Begins to report. Raises Broken."""
        self._settle_sinks()
        self._store.bring_forward(self._now() + timedelta(seconds=LONGEST_DELAY_S), self._now())
        self._unsubscribe = self._desk.subscribe(lambda _newest: self._wake.set())
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Ends. What is on its way has until `timeout`; what is not delivered then is sent again at the next
        start."""
        deadline = time.monotonic() + timeout
        if self._unsubscribe is not None:
            self._unsubscribe()
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
        self._land_rest(deadline)

    def wake(self) -> None:
        """Looks now at what is to be done."""
        self._wake.set()

    def retry(self, sink: str | None = None) -> int:
        """Makes all that waits for a sink (or for any) due now, the dead ones too; returns how many dead ones
        live again."""
        revived = 0
        for lane in self._lanes.values():
            if sink is None or lane.name == sink:
                revived += self._store.retry(lane.name, self._now())
                lane.wake()
        self._wake.set()
        return revived

    def listing(
        self, sink: str | None = None, dead: bool | None = None, after: str = "", limit: int = 100
    ) -> list[Delivery]:
        """One page of what is not delivered, by sink and event (store/reports.py)."""
        return self._store.listing(sink, dead, after, limit)

    def figures(self) -> dict[str, dict[str, Any]]:
        """Of each sink: how many reports are pending, dead and delivered, and why it fails, if it does."""
        found = self._store.figures()
        return {
            name: {
                "pending": found[name].pending,
                "dead": found[name].dead,
                "delivered": found[name].delivered,
                **({"failing": lane.why} if lane.failures else {}),
            }
            for name, lane in self._lanes.items()
            if name in found
        }

    def problems(self) -> list[str]:
        """What a person must look at, in sentences."""
        problems = [self._trouble] if self._trouble else []
        for name, each in self.figures().items():
            if self._lanes[name].failures >= FAILING and each["pending"]:
                problems.append(f"{each['pending']} reports wait for {name}: {each['failing']}")
            if each["dead"]:
                problems.append(
                    f"{each['dead']} reports to {name} were given up: see dialerctl reports list --dead."
                )
        return problems

    def oldest_needed(self) -> int:
        """The event up to which the queue may forget all; what comes after it is still to be told."""
        try:
            return self._store.oldest_needed()
        except Broken:
            return 0

    def _settle_sinks(self) -> None:
        known, newest = self._store.sinks(), self._desk.last_event()
        for name in known.keys() - self._lanes.keys():
            dropped = self._store.forget_sink(name)
            log.warning("sink_removed", sink=name, reports_dropped=dropped)
        for name, lane in self._lanes.items():
            if name not in known:
                self._store.add_sink(name, newest)
                log.info("sink_added", sink=name, from_event=newest)
            elif known[name] > newest:
                log.warning("cursor_set_back", sink=name, from_event=known[name], to_event=newest)
                self._store.set_cursor(name, newest)
            lane.cursor = lane.written = min(known.get(name, newest), newest)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                patience = self._turn()
                self._trouble = ""
            except Broken as error:
                if self._trouble != str(error):
                    log.error("reports_broken", why=str(error))
                self._trouble, patience = str(error), TROUBLE_S
            except Exception:
                log.exception("reports_failed")
                self._trouble, patience = f"Reports wait: {_BUG}", TROUBLE_S
            self._wake.wait(patience)
            self._wake.clear()
            self._stopping.wait(GATHER_S)

    def _turn(self) -> float:
        """Does all that can be done now; returns for how many seconds there is nothing more."""
        now = self._now()
        if now < self._seen - timedelta(seconds=SWEEP_S):
            self._store.bring_forward(now + timedelta(seconds=LONGEST_DELAY_S), now)
        self._seen = now
        self._land()
        jobs: dict[str, Job | None] = {}
        more = [self._take_up(lane, jobs, now) for lane in self._lanes.values()]
        if abs((now - self._swept).total_seconds()) >= SWEEP_S:
            self._sweep(now)
        for lane in self._lanes.values():
            self._send_off(lane, now)
        return 0.0 if any(more) else self._patience(now)

    def _take_up(self, lane: Lane, jobs: dict[str, Job | None], now: datetime) -> bool:
        """Writes down what one page of events brings for a sink. Whether there is more."""
        newest = self._desk.last_event()
        if newest <= lane.cursor:
            return False
        page = self._desk.events(lane.cursor, PAGE, types=lane.sink.events)
        full = len(page) == PAGE
        cursor = page[-1].id if full else max([newest, *(event.id for event in page)])
        wanted = [(event.id, event.job) for event in page if self._wants(lane, event, jobs)]
        if wanted:
            self._store.take_up(lane.name, wanted, cursor, now)
            lane.written = cursor
        lane.cursor = cursor
        return full

    def _wants(self, lane: Lane, event: Event, jobs: dict[str, Job | None]) -> bool:
        if not lane.sink.chooses():
            return True
        if event.job not in jobs:
            try:
                jobs[event.job] = self._desk.job(event.job)[0]
            except NoSuchJob:
                jobs[event.job] = None
        job = jobs[event.job]
        return job is not None and lane.sink.takes(event, job)

    def _send_off(self, lane: Lane, now: datetime) -> None:
        room = lane.room()
        if room <= 0 or lane.rests(now) > 0:
            return
        due = self._store.due(lane.name, now, room + len(lane.flying))
        for delivery in [each for each in due if each.event not in lane.flying][:room]:
            lane.flying.add(delivery.event)
            name = f"report {lane.name} {delivery.event}"
            threading.Thread(target=self._fly, args=(lane, delivery), name=name, daemon=True).start()

    def _fly(self, lane: Lane, delivery: Delivery) -> None:
        """One try, in a thread of its own."""
        failure: Exception | None = None
        try:
            lane.sink.deliver(self._report(delivery))
        except Exception as error:
            failure = error
            if not isinstance(error, (Undelivered, _Gone)) and not self._stopping.is_set():
                log.exception("delivery_failed", sink=lane.name, report=delivery.event)
        self._landed.put((delivery, failure))
        self._wake.set()

    def _report(self, delivery: Delivery) -> Report:
        found = self._desk.events(delivery.event - 1, 1)
        if not found or found[0].id != delivery.event:
            raise _Gone
        try:
            job, attempts = self._desk.job(delivery.job)
        except NoSuchJob:
            raise _Gone from None
        return Report(found[0], job, attempts)

    def _land(self) -> None:
        """Writes down what became of tries: all that came together in one transaction."""
        while not self._landed.empty():
            self._unwritten.append(self._landed.get())
        if not self._unwritten:
            return
        now = self._now()
        with self._store.transaction():
            for delivery, failure in self._unwritten:
                self._write(delivery, failure, now)
        for delivery, failure in self._unwritten:
            self._judge(self._lanes[delivery.sink], delivery, failure, now)
        self._unwritten = []

    def _write(self, delivery: Delivery, failure: Exception | None, now: datetime) -> None:
        sink, event = delivery.sink, delivery.event
        if failure is None:
            self._store.delivered(sink, event)
        elif isinstance(failure, _Gone):
            self._store.drop(sink, event)
            log.warning(
                "report_dropped", sink=sink, job=delivery.job, why="the queue has forgotten its event"
            )
        elif (next_at := self._next_try(delivery, failure, now)) is None:
            self._store.give_up(sink, event, _words(failure))
            log.error("report_given_up", sink=sink, job=delivery.job, report=event, why=_words(failure))
        else:
            self._store.failed(sink, event, _words(failure), next_at)

    def _next_try(self, delivery: Delivery, failure: Exception, now: datetime) -> datetime | None:
        if isinstance(failure, Undelivered) and failure.final:
            return None
        next_at = now + timedelta(seconds=delay(delivery.tries + 1, self._noise))
        most = self._lanes[delivery.sink].sink.give_up_after
        if most is not None and next_at > delivery.first_at + timedelta(seconds=most):
            return None
        return next_at

    def _judge(self, lane: Lane, delivery: Delivery, failure: Exception | None, now: datetime) -> None:
        lane.flying.discard(delivery.event)
        self._meters.reported(lane.name, _outcome(failure))
        if isinstance(failure, Undelivered) and failure.wide:
            lane.failed(str(failure), now)
            if lane.failures == FAILING:
                log.warning("sink_failing", sink=lane.name, why=lane.why)
        elif failure is None or isinstance(failure, Undelivered):
            if lane.failures >= FAILING:
                log.info("sink_recovered", sink=lane.name)
            lane.succeeded()

    def _sweep(self, now: datetime) -> None:
        """Gives up what waited too long for failing sinks; writes how far the quiet ones were read."""
        self._swept = now
        for lane in self._lanes.values():
            if lane.cursor != lane.written:
                self._store.set_cursor(lane.name, lane.cursor)
                lane.written = lane.cursor
            most = lane.sink.give_up_after
            if most is not None and lane.failures >= FAILING:
                before = now - timedelta(seconds=most)
                while given_up := self._store.lapse(lane.name, before, lane.why):
                    log.error("reports_given_up", sink=lane.name, count=given_up, why=lane.why)

    def _patience(self, now: datetime) -> float:
        waits = [IDLE_S]
        for lane in self._lanes.values():
            due = self._store.next_due(lane.name) if lane.room() else None
            if due is not None:
                waits.append(max(lane.rests(now), (due - now).total_seconds(), 0.0))
        return min(waits)

    def _land_rest(self, deadline: float) -> None:
        """Waits for what is on its way, then ends it, and writes what became of it."""
        flying = sum(len(lane.flying) for lane in self._lanes.values())
        landed: list[tuple[Delivery, Exception | None]] = []
        while len(landed) + len(self._unwritten) < flying:
            try:
                landed.append(self._landed.get(timeout=max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                break
        for lane in self._lanes.values():
            lane.sink.stop()
        for each in landed:
            self._landed.put(each)
        try:
            self._land()
            self._sweep(self._now())
        except Broken as error:
            log.error("reports_broken", why=str(error))


def _outcome(failure: Exception | None) -> Outcome:
    if failure is None:
        return "delivered"
    return "dropped" if isinstance(failure, _Gone) else "failed"


def _words(failure: Exception) -> str:
    return str(failure) if isinstance(failure, Undelivered) else _BUG
