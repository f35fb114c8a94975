"""Dispatch: due job → staged call file → lease → hand-over. The lease is on disk before the file can be
called."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from dialerd.core.errors import Broken, DialerError, Rejected, Unconfirmed
from dialerd.core.model import Attempt, Job
from dialerd.core.states import WAITING, Step
from dialerd.engine.asterisk import Asterisk
from dialerd.engine.flights import Flight, Flights, Leg
from dialerd.engine.inbox import HandedOver, Inbox, Staged
from dialerd.engine.ledger import Ledger
from dialerd.engine.pick import Picker
from dialerd.engine.ports import CallFiles, Dial, EngineSettings, Render
from dialerd.engine.settle import Settler
from dialerd.engine.worker import Worker

BATCH = 200
"""Call files in one round of staging."""

TRY_AGAIN_S = 10
"""How long a job waits after its hand-over failed for a reason outside itself."""

PAUSE_S = 5.0
SHORT_PAUSE_S = 1.0
"""How long dispatch rests after the spool was found broken, or could not take a file."""


class Dispatcher:
    """Takes due jobs out of the store and brings their call files into the spool."""

    def __init__(
        self,
        ledger: Ledger,
        flights: Flights,
        asterisk: Asterisk,
        settler: Settler,
        files: CallFiles,
        worker: Worker,
        inbox: Inbox,
        dial: Dial,
        render: Render,
        settings: EngineSettings,
        picker: Picker,
    ) -> None:
        self.picker, self.busy = picker, False
        self.next_time: float | None = None
        self.ledger, self.flights, self.asterisk, self.settler = ledger, flights, asterisk, settler
        self.files, self.worker, self.inbox = files, worker, inbox
        self.dial, self.render, self.settings = dial, render, settings
        self.trouble = ""
        self._resume_at = 0.0
        self._serial = 0
        self._staging: set[str] = set()

    def dispatch(self) -> None:
        """Stages as many due jobs as there is room for now, urgent ones first. One batch at a time: what
        comes meanwhile shares the next one's syncs."""
        self.busy = self.ledger.store.promote(self.ledger.clock.now(), self.picker.line.renewed)
        self.next_time = None
        room = 0 if self._staging else self._room()
        if room <= 0 and not self.picker.gate.rules.providers:
            return
        files = self.picker.pick(max(room, 0), self._prepare, not self.asterisk.takes_calls)
        self.next_time = self.picker.next_time()
        self.busy = self.busy or self.picker.passed_over
        self._staging.update(files)
        if files:
            self.ledger.later.append(lambda: self.worker.run(lambda: self._stage(files)))

    def reset(self) -> None:
        """Forgets what is on its way: recovery begins from what is on disk."""
        self._staging.clear()

    def staged(self, message: Staged) -> None:
        """Leases what was staged, unless the job was changed meanwhile; the hand-over follows the commit."""
        self._staging.difference_update(message.names)
        leased, unwanted = [], []
        for flight in self._at(Leg.STAGING, message.names):
            trouble = message.failures.get(flight.name)
            if trouble is not None:
                self._stumble(flight, trouble)
            elif self._lease(flight):
                leased.append(flight.name)
            else:
                unwanted.append(flight.name)
        if unwanted:
            self.ledger.later.append(lambda: self.files.discard(unwanted))
        if leased:
            self.ledger.later.append(lambda: self.worker.run(lambda: self._hand_over(leased)))

    def handed_over(self, message: HandedOver) -> None:
        """Notes what Asterisk has now."""
        clock = self.ledger.clock
        for flight in self._at(Leg.LEASED, message.names):
            trouble = message.failures.get(flight.name)
            if trouble is not None:
                self._stumble(flight, trouble)
                continue
            self._serial += 1
            self.trouble = ""
            if flight.due is not None:
                self.settler.trunks.late(flight.attempt.trunk or "", message.at - flight.due)
            attempt = replace(flight.attempt, handed_over=clock.now(), asterisk=self.asterisk.run)
            flight.attempt = self.ledger.save(attempt)
            flight.job = self.ledger.move(flight.job, Step.HAND_OVER, data={"attempt": attempt.number})
            self.follow(flight, self._serial)

    def follow(self, flight: Flight, serial: int) -> None:
        """Starts to watch a call file that lies in the spool; `serial` 0 is one of before a restart."""
        mono = self.ledger.clock.mono()
        flight.leg, flight.serial, flight.out_since = Leg.OUT, serial, mono
        flight.deadline = mono + flight.job.call.wait_time + self.settings.longest_call_s
        flight.ami_whole = serial > 0 and self.asterisk.up and flight.attempt.asterisk == self.asterisk.run
        self.settler.follow(flight)

    def _at(self, leg: Leg, names: Sequence[str]) -> Iterator[Flight]:
        """Those flights that are where a message of the spool's thread finds them; it may be a stale one."""
        for name in names:
            flight = self.flights.named(name)
            if flight is not None and flight.leg is leg:
                yield flight

    def _room(self) -> int:
        if not self.asterisk.takes_calls or self.ledger.clock.mono() < self._resume_at:
            return 0
        room = min(
            self.asterisk.window() - self.flights.unstarted(),
            self.settings.max_calls - len(self.flights),
            BATCH,
        )
        limit = self.asterisk.room(len(self.flights), self.flights.dialplans)
        return room if limit is None else min(room, limit)

    def _prepare(self, job: Job, way: str, closes: datetime | None, due: float) -> tuple[str, bytes] | None:
        """A job's next attempt and its call file; a job that can't be rendered is refused for good."""
        number = self.ledger.store.next_attempt(job)
        attempt = Attempt(job.id, number, way or None, "", begun=self.ledger.clock.now())
        try:
            channel, variables = self.dial(job.call, way, self.picker.gate.rules)
            attempt = replace(attempt, channel=channel)
            content = self.render(job.call, channel, f"{job.id}.{attempt.number}", variables)
        except Rejected as error:
            leased = self.ledger.move(job, Step.LEASE, attempts=attempt.number)
            self.ledger.save(replace(attempt, ended=attempt.begun))
            self.ledger.move(leased, Step.REJECT, str(error))
            return None
        self.flights.add(Flight(job, attempt, begun=self.ledger.clock.mono(), due=due, closes=closes))
        self.picker.gate.spending.hold(job, attempt, begun=False)
        return attempt.name, content

    def _lease(self, flight: Flight) -> bool:
        """Whether the attempt has begun. A job that was cancelled or held while its file was staged is left
        alone, and one that the rules are against by now."""
        job = self.ledger.store.find_job(flight.job.id)
        now = self.ledger.clock.now()
        if job is None or job.state not in WAITING or not self.picker.may_begin(job, flight.attempt):
            self.settler.land(flight)
            return False
        if job.not_after is not None and job.not_after <= now:
            self.ledger.move(job, Step.EXPIRE, "not_after has passed")
            self.settler.land(flight)
            return False
        flight.attempt = self.ledger.save(replace(flight.attempt, begun=now, boot=self.settings.boot))
        data = {"attempt": flight.attempt.number}
        way = flight.attempt.trunk or ""
        flight.job = self.ledger.move(job, Step.LEASE, data=data, attempts=flight.attempt.number, way=way)
        flight.leg = Leg.LEASED
        self.picker.begun(flight, job)
        return True

    def _stumble(self, flight: Flight, trouble: DialerError) -> None:
        """The file did not get into the spool: nothing was done, and the job waits. Unless that is not
        certain."""
        if isinstance(trouble, Unconfirmed):
            self.settler.lose(flight, str(trouble))
            return
        self.settler.land(flight)
        self.trouble = str(trouble)
        pause = PAUSE_S if isinstance(trouble, Broken) else SHORT_PAUSE_S
        self._resume_at = self.ledger.clock.mono() + pause
        if flight.leg is not Leg.LEASED:
            return
        now = self.ledger.clock.now()
        self.ledger.later.append(lambda: self.files.discard([flight.name]))
        self.ledger.save(replace(flight.attempt, ended=now))
        self.picker.gate.spending.undo(flight.job, flight.attempt, now)
        again = now + timedelta(seconds=TRY_AGAIN_S)
        self.settler.closer.undone(flight.job, f"not handed over: {trouble}", again)

    def _stage(self, files: dict[str, bytes]) -> None:
        self.inbox.put(Staged(list(files), _tried(lambda: self.files.stage(files), list(files))))

    def _hand_over(self, names: Sequence[str]) -> None:
        failures = _tried(lambda: self.files.hand_over(names), names)
        self.inbox.put(HandedOver(names, failures, self.ledger.clock.mono()))


def _tried(act: Callable[[], dict[str, DialerError]], names: Sequence[str]) -> dict[str, DialerError]:
    try:
        return act()
    except DialerError as error:
        return dict.fromkeys(names, error)
