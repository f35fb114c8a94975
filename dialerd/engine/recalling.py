"""Recalling: what can still be stopped of a job that a provider has. A message can't; a call can be hung up,
and a fax that is not sent yet be cancelled, where the provider has an operation for it."""

from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from dialerd.core.errors import NotAllowed
from dialerd.core.model import Attempt, Job
from dialerd.engine.following import Follower
from dialerd.engine.inbox import Inbox, Recalled
from dialerd.engine.ledger import Ledger
from dialerd.engine.ports import Providers

OPERATIONS = {
    "call": ("voice.hangup", "ref"),
    "conference": ("voice.hangup", "ref"),
    "fax": ("fax.cancel", "ref"),
    "ivr": ("ivr.hangup", "session"),
}
"""By kind of job: what stops it, and by which id."""


class Canceller:
    """Asks providers to stop what is under way. Used by the engine's thread."""

    def __init__(self, ledger: Ledger, follower: Follower, providers: Providers, inbox: Inbox) -> None:
        self.ledger, self.follower, self.providers, self.inbox = ledger, follower, providers, inbox

    def cancel(self, job: Job, attempt: Attempt | None) -> Job:
        """Begins to stop a job; its end is told by the provider. Raises NotAllowed where that can't be."""
        operation, by = OPERATIONS.get(job.kind, ("", ""))
        ref = None if attempt is None else attempt.evidence.get("session") if by == "session" else attempt.ref
        if attempt is None or ref is None or not self.providers.has(attempt.trunk or "", operation):
            raise NotAllowed(
                f"Job {job.id} was handed to {job.way}, which can't be told to stop it any more."
            )
        asked = replace(job, requested="cancel", reason="cancel requested")
        self.ledger.store.save_job(asked)
        provider, reference = attempt.trunk or "", attempt.reference
        self.ledger.later.append(lambda: self._ask(provider, operation, {by: ref}, reference))
        return asked

    def recalled(self, message: Recalled) -> None:
        """The provider answered: what it says becomes the job's end when it is asked for that."""
        job_id, _, number = message.reference.rpartition(".")
        job = self.ledger.store.find_job(job_id)
        attempt = self.ledger.store.find_attempt(job_id, int(number))
        if job is None or attempt is None:
            return
        if message.why:
            self.ledger.note(job, "cancel_failed", attempt=attempt.number, reason=message.why)
        else:
            told = replace(attempt, evidence={**attempt.evidence, "hung_up": True})
            self.follower.look_soon(job, self.ledger.save(told))

    def _ask(self, provider: str, operation: str, parameters: dict[str, Any], reference: str) -> None:
        def answered(future: "Future[Any]") -> None:
            error = future.exception()
            self.inbox.put(Recalled(reference, "" if error is None else str(error)))

        self.providers.ask(provider, operation, parameters).add_done_callback(answered)
