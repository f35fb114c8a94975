"""Settle: what the archive and AMI say of an attempt becomes its result, and the job's next state.

Also here: taking a call file back. That it was not started is only known some seconds after it was moved out,
when it holds no StartRetry, its name did not come back to `outgoing`, and AMI saw nothing of it
(docs/INTERNALS.md).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from dialerd.core.model import Disposition, Result, Trace
from dialerd.core.signals import CallSeen, Place, Sighting
from dialerd.core.states import Step
from dialerd.engine.asterisk import Asterisk
from dialerd.engine.conclude import Closer, overdue
from dialerd.engine.flights import Flight, Flights, Leg, Wish
from dialerd.engine.ledger import Ledger
from dialerd.engine.ports import CallFiles, EngineSettings
from dialerd.engine.trunks import Trunks
from dialerd.log import get_logger

log = get_logger(__name__)

TAKEN_BACK_S = 2
"""How long a job waits after its file was taken back because Asterisk did not begin the call."""

Judge = Callable[..., Result]
"""core/disposition.py's judge."""


class Settler:
    """Brings attempts to their end."""

    def __init__(
        self,
        ledger: Ledger,
        flights: Flights,
        asterisk: Asterisk,
        files: CallFiles,
        hang_up: Callable[[str, str], None] | None,
        judge: Judge,
        settings: EngineSettings,
        closer: Closer,
        trunks: Trunks,
    ) -> None:
        self.ledger, self.flights, self.asterisk, self.files = ledger, flights, asterisk, files
        self.hang_up, self.judge, self.settings = hang_up, judge, settings
        self.closer, self.trunks = closer, trunks
        self.newest_started = 0

    def seen(self, signal: CallSeen) -> None:
        """AMI showed something of a call."""
        flight = self.flights.named(signal.name)
        if flight is None:
            return
        before, flight.trace = flight.trace, signal.trace
        if flight.leg is Leg.LEASED:  # the hand-over is not written yet; catch_up() tells of it then
            return
        self._begin(flight)
        self._tell_progress(flight, before, signal.trace)
        if flight.hanging_up and before is None:
            self._ask_to_hang_up(flight)
        if signal.trace.ended is not None and flight.archived is None:
            self.look(flight)
        self.settle_if_over(flight)

    def follow(self, flight: Flight) -> None:
        """Its hand-over is on disk: what was seen and wished in the meantime counts now."""
        self.catch_up(flight)
        if flight.wish is not None and self.flights.named(flight.name) is flight:
            self.pursue(flight, flight.wish)

    def pursue(self, flight: Flight, wish: Wish) -> bool:
        """Takes the call file back, or hangs a call up that has begun. False where neither is possible."""
        return self.take_back(flight, wish) or (wish is Wish.CANCEL and self.cancel_started(flight))

    def catch_up(self, flight: Flight) -> None:
        """Tells what AMI showed of a call while its hand-over was being written."""
        if flight.trace is not None:
            self._begin(flight)
            self._tell_progress(flight, None, flight.trace)
        if flight.trace is not None or flight.stirred:
            self.look(flight)

    def look(self, flight: Flight) -> None:
        """Looks where the call file is, and takes in what it says."""
        if flight.leg in (Leg.STAGING, Leg.LEASED) or flight.archived is not None:
            flight.stirred = True
            return
        sighting = self.files.look(flight.name)
        if sighting.started:
            self._note_process(flight, sighting)
            self._begin(flight)
        if sighting.place is Place.DONE and sighting.status is not None:
            flight.archived, flight.archived_since = sighting, self.ledger.clock.mono()
            self._begin(flight)
            self.settle_if_over(flight)
        elif sighting.place is Place.GONE and flight.leg is Leg.OUT:
            self._missing(flight)
        else:
            flight.missing_since = None

    def settle_if_over(self, flight: Flight) -> None:
        """Settles an attempt whose file is archived, once AMI told the rest or had time enough to."""
        under_way = self.flights.named(flight.name) is flight and flight.leg in (Leg.OUT, Leg.TAKING)
        if flight.archived is None or not under_way:
            return
        trace = flight.trace
        waited = self.ledger.clock.mono() - flight.archived_since
        if (
            flight.ami_whole
            and self.asterisk.up
            and waited < self.settings.grace_s
            and not (trace and trace.ended)
        ):
            return
        by_us = flight.hanging_up and not (trace is not None and trace.answered)
        ami = flight.ami_whole or (trace is not None and trace.complete and trace.ended is not None)
        result = self.judge(
            flight.archived.status,
            trace,
            ami=ami,
            at_limit=self.asterisk.near_limit(),
            cancelled=by_us,
            in_dialplan=flight.job.call.context is not None,
        )
        self._end(flight, result, flight.archived)

    def take_back(self, flight: Flight, wish: Wish) -> bool:
        """Begins to take a call file back; what is wished is done once it is certain. False: it is too
        late."""
        if flight.leg is not Leg.OUT:
            flight.wish = wish
            return True
        flight.wish = None
        self.look(flight)
        if flight.started or flight.archived is not None or not self.files.take_out(flight.name):
            return False
        flight.wish = wish
        flight.leg, flight.look_at = Leg.TAKING, self.ledger.clock.mono() + self.settings.take_back_pause_s
        return True

    def taken(self, flight: Flight) -> None:
        """The pause is over: was the file taken back in time?"""
        sighting = self.files.look(flight.name)
        alone = sighting.place is Place.TAKEN and not sighting.also
        if alone and not sighting.started and flight.trace is None:
            self._fulfil(flight)
            return
        if not (alone and self.files.put_back(flight.name)):  # its archive is made from the name in outgoing
            self.files.drop_taken(flight.name)
        wish, flight.wish, flight.leg = flight.wish, None, Leg.OUT
        self._begin(flight)
        if wish is Wish.CANCEL:
            self.cancel_started(flight)
        self.look(flight)

    def cancel_started(self, flight: Flight) -> bool:
        """Asks Asterisk to hang up a call that has begun. False where there is no way to."""
        if self.hang_up is None or not self.asterisk.up:
            return False
        flight.hanging_up = True
        self._ask_to_hang_up(flight)
        return True

    def lose(self, flight: Flight, why: str, **evidence: Any) -> None:
        """Nobody can know what became of the call: the job's on_doubt decides, and by default it is held."""
        self.closer.doubt(flight.job, flight.attempt, why, evidence)
        self.land(flight)

    def land(self, flight: Flight, result: Result | None = None) -> None:
        """The attempt is no longer under way: what it used is free, and its trunk learns from the result."""
        self.flights.remove(flight)
        self.closer.gate.spending.release(flight.attempt)
        mono = self.ledger.clock.mono()
        self.trunks.ended(flight.attempt.trunk or "", flight.begun, mono, result, flight.job.call.phones)

    def _begin(self, flight: Flight) -> None:
        if flight.started:
            return
        self.flights.start(flight)
        self.asterisk.count_start(self.ledger.clock.mono())
        self.newest_started = max(self.newest_started, flight.serial)
        self.ledger.note(flight.job, "started", attempt=flight.attempt.number)

    def _tell_progress(self, flight: Flight, before: Trace | None, trace: Trace) -> None:
        for type_ in ("rang", "answered"):
            if getattr(trace, type_) is not None and (before is None or getattr(before, type_) is None):
                name = {"rang": "ringing"}.get(type_, type_)
                mono = self.ledger.clock.mono()
                self.trunks.took(flight.attempt.trunk or "", flight.begun, mono)
                self.ledger.note(flight.job, name, attempt=flight.attempt.number)

    def _ask_to_hang_up(self, flight: Flight) -> None:
        hang_up, trace, name = self.hang_up, flight.trace, flight.name
        if hang_up is not None and trace is not None and trace.channel is not None and trace.ended is None:
            channel = trace.channel
            self.ledger.later.append(lambda: hang_up(name, channel))

    def _note_process(self, flight: Flight, sighting: Sighting) -> None:
        """Without AMI a restart of Asterisk shows in the process id that it writes into the files."""
        for line in sighting.lines:
            if line.startswith("StartRetry:"):
                flight.asterisk_pid = line.split()[1]

    def _missing(self, flight: Flight) -> None:
        mono = self.ledger.clock.mono()
        if flight.missing_since is None:
            flight.missing_since = mono
        elif mono - flight.missing_since >= self.settings.missing_s:
            self.lose(flight, "the call file is gone from outgoing and not in outgoing_done")

    def _fulfil(self, flight: Flight) -> None:
        """The file is certainly back: nothing was done."""
        wish = flight.wish or Wish.DEFER
        attempt = flight.attempt.number
        if wish is Wish.POKE and not overdue(flight.job, self.ledger.clock.now()):
            self._poke(flight)
            return
        ended = self.ledger.clock.now()
        self.ledger.later.append(lambda: self.files.drop_taken(flight.name))
        self.ledger.note(flight.job, "taken_back", attempt=attempt)
        result = Result(
            Disposition.CANCELLED, detail="the call file was taken back before Asterisk began the call"
        )
        self.ledger.save(replace(flight.attempt, ended=ended, result=result))
        self.closer.gate.spending.undo(flight.job, flight.attempt, ended)
        self.land(flight)
        why = self.asterisk.silence() or "Asterisk did not begin the call"
        if wish is Wish.GIVE_UP and flight.job.requested is None:
            why = "Asterisk did not begin the call, even after a second hand-over"
            self.ledger.move(flight.job, Step.LOSE, why)
            return
        if flight.closes is not None and flight.closes <= ended:
            why = "the calling hours are over"
        again = ended + timedelta(seconds=TAKEN_BACK_S)
        self.closer.undone(flight.job, f"taken back: {why}", again, cancel=wish is Wish.CANCEL)

    def _poke(self, flight: Flight) -> None:
        flight.wish, flight.poked = None, True
        flight.leg, flight.out_since = Leg.OUT, self.ledger.clock.mono()
        if self.files.put_back(flight.name):
            self.ledger.note(flight.job, "poked", attempt=flight.attempt.number)
        else:
            self.files.drop_taken(flight.name)

    def _end(self, flight: Flight, result: Result, sighting: Sighting) -> None:
        ended = self.ledger.clock.now()
        if sighting.ended is not None:
            ended = min(ended, datetime.fromtimestamp(sighting.ended, UTC))
        evidence = {"status": sighting.status, "lines": list(sighting.lines)}
        attempt = replace(flight.attempt, ended=ended, result=result, evidence=evidence)
        self.closer.conclude(flight.job, attempt, result, hung_up=flight.hanging_up)
        self.land(flight, result)
        self.ledger.later.append(lambda: self.files.remove([flight.name]))
