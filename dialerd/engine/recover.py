"""Recover: after a start we look, we do not guess. Where each call file lies says how far its attempt had
come."""

from collections.abc import Callable
from dataclasses import replace

from dialerd.core.model import Attempt, Job
from dialerd.core.signals import Place, Sighting
from dialerd.core.states import State, Step
from dialerd.engine.dispatch import Dispatcher
from dialerd.engine.flights import Flight, Flights, Leg, Wish
from dialerd.engine.ledger import Ledger
from dialerd.engine.ports import CallFiles
from dialerd.engine.settle import Settler
from dialerd.engine.sweep import Sweeper
from dialerd.log import get_logger

log = get_logger(__name__)


class Recovery:
    """Brings table and spool together (the crash table of docs/INTERNALS.md)."""

    def __init__(
        self,
        ledger: Ledger,
        flights: Flights,
        dispatcher: Dispatcher,
        settler: Settler,
        sweeper: Sweeper,
        files: CallFiles,
        reset: Callable[[], None],
    ) -> None:
        self.ledger, self.flights, self.files, self.reset = ledger, flights, files, reset
        self.dispatcher, self.settler, self.sweeper = dispatcher, settler, sweeper

    def recover(self) -> None:
        """Looks at every attempt that was under way, then at what lies about."""
        self.dispatcher.reset()
        self.reset()
        for flight in self.flights:
            self.flights.remove(flight)
        sightings = {sighting.name: sighting for sighting in self.files.survey()}
        in_flight = self.ledger.store.in_flight()
        for job, attempt in in_flight:
            self._recover(job, attempt, sightings.get(attempt.name) or Sighting(attempt.name, Place.GONE))
        for name, sighting in sightings.items():
            if self.flights.named(name) is None:
                self._tidy(sighting)
        self.ledger.later.append(lambda: log.info("recovered", attempts=len(in_flight), files=len(sightings)))

    def _recover(self, job: Job, attempt: Attempt, sighting: Sighting) -> None:
        if job.state is State.ACTIVE and sighting.place is Place.STAGED:
            self._still_staged(job, attempt)
        elif sighting.place is Place.GONE:
            self.settler.closer.doubt(
                job,
                attempt,
                "the call file is nowhere in the spool after a restart of dialerd",
                {},
            )
        else:
            self._resume(job, attempt, sighting)

    def _still_staged(self, job: Job, attempt: Attempt) -> None:
        """After a power cut the rename itself may be lost, so that a file that was called lies in staging
        again."""
        if attempt.boot == self.settler.settings.boot:
            self._never_handed_over(job, attempt)
            return
        self.settler.closer.doubt(job, attempt, "the machine went down as the call file was handed over", {})
        self.ledger.later.append(lambda: self.files.discard([attempt.name]))

    def _never_handed_over(self, job: Job, attempt: Attempt) -> None:
        """The rename had not happened: certainly nothing was done."""
        now = self.ledger.clock.now()
        self.ledger.save(replace(attempt, ended=now))
        self.settler.closer.gate.spending.undo(job, attempt, now)
        self.settler.closer.undone(job, "dialerd stopped before the hand-over", now)
        self.ledger.later.append(lambda: self.files.discard([attempt.name]))

    def _resume(self, job: Job, attempt: Attempt, sighting: Sighting) -> None:
        """It was handed over. Watch it on, from where it lies."""
        if job.state is State.ACTIVE:
            attempt = self.ledger.save(replace(attempt, handed_over=self.ledger.clock.now()))
            job = self.ledger.move(job, Step.HAND_OVER, "found in the spool after a restart of dialerd")
        flight = Flight(job, attempt, leg=Leg.OUT, started=sighting.started)
        self.flights.add(flight)
        self.settler.closer.gate.spending.hold(job, attempt)
        if sighting.place is not Place.TAKEN:
            flight.stirred = True
            flight.wish = Wish(job.requested) if job.requested else None
            self.dispatcher.follow(flight, serial=0)
        else:
            self.dispatcher.follow(flight, serial=0)
            flight.leg, flight.wish = Leg.TAKING, Wish(job.requested) if job.requested else Wish.DEFER
            flight.look_at = self.ledger.clock.mono() + self.settler.settings.take_back_pause_s

    def _tidy(self, sighting: Sighting) -> None:
        """A file of no attempt under way: its result is on disk already, or it was never leased."""
        name = sighting.name
        match sighting.place:
            case Place.STAGED:
                self.ledger.later.append(lambda: self.files.discard([name]))
            case Place.TAKEN:
                self.ledger.later.append(lambda: self.files.drop_taken(name))
            case Place.DONE:
                self.sweeper.stray(name)
            case Place.OUTGOING:
                self.ledger.later.append(lambda: log.warning("unknown_call_file_in_outgoing", name=name))
