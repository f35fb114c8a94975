"""Sweep: what time brings. Every state has a limit, and every hint that was missed is made good by a
listing."""

from dataclasses import replace
from datetime import UTC, datetime

from dialerd.core.attempts import LONGEST
from dialerd.core.model import Attempt, Disposition, Job
from dialerd.core.signals import (
    AsteriskDown,
    AsteriskLoad,
    AsteriskTold,
    AsteriskUp,
    Place,
    Sighting,
    UnitSeen,
)
from dialerd.core.states import IN_FLIGHT, State, Step
from dialerd.engine.asterisk import Asterisk
from dialerd.engine.conclude import overdue
from dialerd.engine.flights import Flight, Flights, Leg, Wish
from dialerd.engine.ledger import Ledger
from dialerd.engine.ports import CallFiles, EngineSettings
from dialerd.engine.settle import Judge, Settler
from dialerd.log import get_logger

log = get_logger(__name__)

EXPIRE_BATCH = 500


class Sweeper:
    """Looks after attempts under way, as time passes and as Asterisk comes and goes."""

    def __init__(
        self,
        ledger: Ledger,
        flights: Flights,
        asterisk: Asterisk,
        settler: Settler,
        files: CallFiles,
        judge: Judge,
        settings: EngineSettings,
    ) -> None:
        self.ledger, self.flights, self.asterisk, self.settler = ledger, flights, asterisk, settler
        self.files, self.judge, self.settings = files, judge, settings
        self._foreign: set[str] = set()

    def tick(self) -> None:
        """Everything whose time has come."""
        now, mono = self.ledger.clock.now(), self.ledger.clock.mono()
        self.settler.closer.gate.spending.turn_day(now)
        for job in self.ledger.store.overdue(now, EXPIRE_BATCH):
            self.ledger.move(job, Step.EXPIRE, "not_after has passed")
        for flight in self.flights:
            if flight.leg is Leg.TAKING and mono >= flight.look_at:
                self.settler.taken(flight)
            elif flight.leg is Leg.OUT and flight.archived is not None:
                self.settler.settle_if_over(flight)
            elif flight.leg is Leg.OUT and mono >= flight.deadline:
                self.settler.lose(flight, "the longest call's time has passed and there is no result")
        for flight in self.flights.waiting_for_start():
            self._mind_unstarted(flight, mono)

    def sweep(self) -> None:
        """One listing of the spool's folders against what is under way."""
        listing = self.files.listing()
        outgoing = listing.get(Place.OUTGOING, frozenset())
        for flight in self.flights:
            known_running = flight.started and flight.name in outgoing
            if flight.leg is Leg.OUT and not known_running:
                self.settler.look(flight)
        for name in listing.get(Place.DONE, frozenset()):
            if self.flights.named(name) is None:
                self.stray(name)
        lost = [name for name in listing.get(Place.STAGED, frozenset()) if self.flights.named(name) is None]
        if lost:
            self.ledger.later.append(lambda: self.files.discard(lost))

    def stirred(self, names: frozenset[str]) -> None:
        """A hint that something happened to these files; the empty name means any of them."""
        if "" in names:
            self.sweep()
        for name in names:
            flight = self.flights.named(name)
            if flight is not None:
                self.settler.look(flight)

    def stray(self, name: str) -> None:
        """An archived file of no attempt under way: a late answer to a doubt, or what a crash left behind."""
        job_id, _, number = name.removesuffix(".call").partition(".")
        job = self.ledger.store.find_job(job_id)
        attempt = None if job is None else self.ledger.store.last_attempt(job_id)
        known = number.isdecimal() and len(number) <= LONGEST
        if job is not None and known and int(number) > job.attempts:
            self._forgotten(job, int(number), self.files.look(name))
            return
        if job is None or attempt is None:
            self._leave_alone(name)
            return
        sighting = self.files.look(name)
        late = attempt.ended is None and str(attempt.number) == number and job.state not in IN_FLIGHT
        if late and sighting.status is not None:
            self._late_answer(job, attempt, sighting)
        if sighting.status is not None or not late:
            self.ledger.later.append(lambda: self.files.remove([name]))

    def _forgotten(self, job: Job, number: int, sighting: Sighting) -> None:
        """An attempt between a backup and its restore: the job was held, and this tells what became of it."""
        if sighting.status is None or job.state in IN_FLIGHT:
            return
        at = self.ledger.clock.now()
        if sighting.ended is not None:
            at = min(at, datetime.fromtimestamp(sighting.ended, UTC))
        evidence = {"found": "its call file, after a restore from a backup that did not have it"}
        attempt = Attempt(job.id, number, job.way or None, "", begun=at, handed_over=at, evidence=evidence)
        job = replace(job, attempts=number)
        self.ledger.store.save_job(job)
        self._late_answer(job, attempt, sighting)
        self.ledger.later.append(lambda: self.files.remove([sighting.name]))

    def _late_answer(self, job: Job, attempt: Attempt, sighting: Sighting) -> None:
        """A doubt is settled after all. A job that has ended, or waits for its next try, keeps its state,
        unless that try would be a second call."""
        result = self.judge(sighting.status, None, ami=False)
        over = self.ledger.clock.now()
        if sighting.ended is not None:
            over = min(over, datetime.fromtimestamp(sighting.ended, UTC))
        ended = replace(attempt, ended=over, result=result)
        answered = result.disposition is Disposition.ANSWERED
        if job.state is State.HELD or (answered and job.state is State.DEFERRED):
            self.settler.closer.conclude(job, ended, result)
        else:
            self.settler.closer.record(job, ended, result)

    def asterisk_told(self, signal: AsteriskTold) -> None:
        """AMI came, went, or said how full Asterisk is; or systemd told of its unit."""
        was_up, before = self.asterisk.up, self.asterisk.run
        self.asterisk.tell(signal, len(self.flights))
        match signal:
            case AsteriskUp():
                self._after_restart(signal.run)
                self._ask_again()
            case AsteriskDown():
                self.settler.trunks.heard({}, self._trunk_of)
                if was_up:
                    self._without_ami()
            case AsteriskLoad(on_trunks=on_trunks) if on_trunks is not None:
                self.settler.trunks.heard(on_trunks, self._trunk_of)
            case UnitSeen(run=run) if run is not None:
                if not self.asterisk.ami and run != before:
                    self._after_restart(run)
                self.sweep()

    def _trunk_of(self, attempt: str) -> str | None:
        flight = self.flights.named(f"{attempt}.call")
        return None if flight is None else flight.attempt.trunk

    def _after_restart(self, run: str) -> None:
        """Which calls did Asterisk have when it went away? Those that began are over, and nobody saw how."""
        for flight in self.flights:
            if flight.leg not in (Leg.OUT, Leg.TAKING) or flight.attempt.asterisk in (run, None):
                continue
            self.settler.look(flight)
            if self.flights.named(flight.name) is None or flight.archived is not None:
                continue
            if flight.started:
                self.crashed(flight)
            elif flight.leg is Leg.OUT:
                self.settler.take_back(flight, Wish.DEFER)

    def crashed(self, flight: Flight) -> None:
        """Asterisk went down in this call. Its file must not lie where the next Asterisk would find it."""
        lines = list(self.files.look(flight.name).lines)
        self.files.keep_evidence(flight.name)
        self.settler.lose(flight, "Asterisk was restarted while it had this call", lines=lines)

    def _ask_again(self) -> None:
        """Cancelled calls that could not be hung up while AMI was away."""
        for flight in self.flights:
            if flight.job.requested == "cancel" and flight.leg is Leg.OUT and flight.archived is None:
                self.settler.pursue(flight, Wish.CANCEL)

    def _without_ami(self) -> None:
        for flight in self.flights:
            flight.ami_whole = False

    def _mind_unstarted(self, flight: Flight, mono: float) -> None:
        """Asterisk should begin a call within moments. What it does not begin is taken back, poked, or given
        up."""
        age = mono - flight.out_since
        overtaken = flight.serial < self.settler.newest_started and age > self.settings.unstarted_s
        now = self.ledger.clock.now()
        if overdue(flight.job, now):
            self.settler.take_back(flight, Wish.EXPIRE)
        elif (flight.closes is not None and flight.closes <= now) or (
            not self.asterisk.takes_calls and age > self.settings.grace_s
        ):
            self.settler.take_back(flight, Wish.DEFER)
        elif overtaken:
            self.settler.take_back(flight, Wish.GIVE_UP if flight.poked else Wish.POKE)
        elif age > self.settings.idle_unstarted_s:
            self.asterisk.stalled = True
            self.settler.take_back(flight, Wish.DEFER)

    def _leave_alone(self, name: str) -> None:
        if name not in self._foreign:
            self._foreign.add(name)
            self.ledger.later.append(lambda: log.warning("unknown_call_file_left_alone", name=name))
