"""Operate: what a person asks of a job: cancel, hold, release, requeue, resolve."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from dialerd.core.errors import NoSuchJob, NotAllowed
from dialerd.core.model import Job
from dialerd.core.states import WAITING, State, Step, allows
from dialerd.engine.flights import Flight, Flights, Wish
from dialerd.engine.inbox import Command
from dialerd.engine.ledger import Ledger
from dialerd.engine.orders import batch_of
from dialerd.engine.ports import CallFiles
from dialerd.engine.recalling import OPERATIONS, Canceller
from dialerd.engine.settle import Settler

RESOLVE_STEPS = {"completed": Step.CONFIRM, "failed": Step.REJECT, "requeue": Step.RELEASE}


class Operator:
    """Each verb returns the job as it stands then, or raises NotAllowed with what to do instead."""

    def __init__(
        self, ledger: Ledger, flights: Flights, settler: Settler, files: CallFiles, canceller: Canceller
    ) -> None:
        self.ledger, self.flights, self.settler, self.files = ledger, flights, settler, files
        self.canceller = canceller
        self._verbs: dict[str, Callable[[Job, Command], Job]] = {
            "cancel": self._cancel,
            "hold": self._hold,
            "release": self._release,
            "requeue": self._requeue,
            "resolve": self._resolve,
        }

    def command(self, command: Command) -> Job:
        """Does what an operator asks."""
        job = self.ledger.store.find_job(command.job)
        if job is None:
            raise NoSuchJob(command.job)
        verb = self._verbs.get(command.verb)
        if verb is None:
            raise NotAllowed(f"There is no verb {command.verb!r}; there are {', '.join(self._verbs)}.")
        return verb(job, command)

    def cancel_under_way(self, scope: str, actor: int) -> None:
        """Cancels the calls of a batch that are under way; those that can't be are not tried again."""
        for flight in self.flights:
            if scope == f"batch:{flight.job.owner}:{flight.job.batch}":
                try:
                    self._cancel(flight.job, Command(flight.job.id, "cancel", actor))
                except NotAllowed:
                    flight.job = replace(flight.job, requested=Wish.CANCEL.value)
                    self.ledger.store.save_job(flight.job)
        batch = batch_of(scope)
        for job in () if batch is None else self.ledger.store.recall_batch(*batch, tuple(OPERATIONS)):
            with suppress(NotAllowed):
                self._cancel(job, Command(job.id, "cancel", actor))

    def _cancel(self, job: Job, command: Command) -> Job:
        flight = self.flights.of_job(job.id)
        if job.state is State.CANCELLED:
            return job
        if job.state in WAITING or job.state is State.HELD:
            return self.ledger.move(job, Step.CANCEL, _by(command))
        if job.state is State.SUBMITTED and job.look_at is not None:
            asked = self.canceller.cancel(job, self.ledger.store.last_attempt(job.id))
            self.ledger.note(asked, "cancel_requested", by=command.actor)
            return asked
        if flight is None or not allows(job.state, Step.CANCEL):
            raise NotAllowed(f"Job {job.id} is {job.state} already; there is nothing to cancel.")
        if not self._request(flight, Wish.CANCEL) and flight.archived is None:
            raise NotAllowed(
                f"The call of job {job.id} has begun, and without AMI it can't be hung up from here."
            )
        return self._as_it_stands(flight, "cancel_requested", command)

    def _hold(self, job: Job, command: Command) -> Job:
        if job.state is State.HELD:
            return job
        if job.state in WAITING:
            return self.ledger.move(job, Step.HOLD, f"held by an operator ({_by(command)})")
        flight = self.flights.of_job(job.id)
        if flight is None or not allows(job.state, Step.HOLD):
            raise NotAllowed(
                f"Job {job.id} is {job.state} already; only a job that has not ended can be held."
            )
        if job.requested == "cancel" or not self._request(flight, Wish.HOLD):
            raise NotAllowed(f"The call of job {job.id} has begun; it can be cancelled, but not held.")
        return self._as_it_stands(flight, "hold_requested", command)

    def _request(self, flight: Flight, wish: Wish) -> bool:
        """Writes what is asked of a call under way, so that it outlives us, and begins to do it."""
        before = flight.job
        flight.job = replace(before, requested=wish.value, reason=f"{wish.value} requested")
        self.ledger.store.save_job(flight.job)
        if self.settler.pursue(flight, wish) or not self._under_way(flight):
            return True
        if wish is not Wish.CANCEL or flight.archived is None:
            flight.job = before
            self.ledger.store.save_job(before)
        return False

    def _under_way(self, flight: Flight) -> bool:
        return self.flights.named(flight.name) is flight

    def _as_it_stands(self, flight: Flight, event: str, command: Command) -> Job:
        """The job after a request: still under way, or ended by it at once."""
        if self._under_way(flight):
            self.ledger.note(flight.job, event, by=command.actor)
            return flight.job
        job = self.ledger.store.find_job(flight.job.id)
        assert job is not None
        return job

    def _release(self, job: Job, command: Command) -> Job:
        if job.state is not State.HELD:
            raise NotAllowed(f"Job {job.id} is {job.state}; only a held job can be released.")
        if self._in_doubt(job):
            raise NotAllowed(
                f"Job {job.id} is in doubt: its call may have been made."
                f" Say what became of it: dialerctl resolve {job.id} --as completed|failed|requeue."
            )
        return self.ledger.move(job, Step.RELEASE, not_before=job.not_before, data={"by": command.actor})

    def _requeue(self, job: Job, command: Command) -> Job:
        if not allows(job.state, Step.REQUEUE):
            raise NotAllowed(f"Job {job.id} is {job.state}; only a failed or expired job can be requeued.")
        if job.redacted:
            raise NotAllowed(f"Job {job.id} is redacted: its number is gone, so it can't be called again.")
        data = {"by": command.actor}
        return self.ledger.move(job, Step.REQUEUE, data=data, not_before=None, not_after=None, retries=0)

    def _resolve(self, job: Job, command: Command) -> Job:
        step = RESOLVE_STEPS.get(command.resolve_as or "")
        if step is None:
            raise NotAllowed(f"Say what became of the call: {', '.join(RESOLVE_STEPS)}.")
        if job.state is not State.HELD:
            raise NotAllowed(f"Job {job.id} is {job.state}; only a held job can be resolved.")
        attempt = self.ledger.store.last_attempt(job.id)
        if attempt is not None and attempt.ended is None:
            evidence = {**attempt.evidence, "resolved_as": command.resolve_as, "resolved_by": command.actor}
            self.ledger.save(replace(attempt, ended=self.ledger.clock.now(), evidence=evidence))
        data = {"by": command.actor, "as": command.resolve_as}
        return self.ledger.move(job, step, f"resolved as {command.resolve_as}", data=data, not_before=None)

    def _in_doubt(self, job: Job) -> bool:
        attempt = self.ledger.store.last_attempt(job.id)
        return attempt is not None and attempt.ended is None


def _by(command: Command) -> str:
    return f"by uid {command.actor}"
