"""Receiving: what comes in at a provider becomes a job that is over, so that it is listed, reported and kept
like all others. A call that has steps becomes a session, too."""

import hashlib
import os
from datetime import timedelta

from dialerd.core.model import Attempt, Call, Job
from dialerd.core.receipts import Message
from dialerd.core.states import State, Step
from dialerd.core.tasks import Received, Task
from dialerd.engine.following import FIRST_LOOK_S
from dialerd.engine.ledger import Ledger
from dialerd.engine.sessions import Sessions, incoming_call


class Receiver:
    """Takes in messages. Used by the engine's thread."""

    def __init__(self, ledger: Ledger, sessions: Sessions) -> None:
        self.ledger, self.sessions = ledger, sessions

    def receive(self, provider: str, message: Message) -> None:
        """A message came in: it is kept once, however often it is told. One without an id can't be told from
        another."""
        key = f"received/{provider}/{message.what}/{message.ref}" if message.ref else None
        if key is not None and self.ledger.store.find_key(os.geteuid(), key) is not None:
            return
        task = Received(
            message.what,
            provider,
            message.ref,
            message.sender,
            message.dest,
            message.body,
            message.media,
            message.pages,
            message.price,
        )
        job = self._add(provider, Call(to=(message.dest,)), task, key, State.COMPLETED)
        self.ledger.note(job, "received", what=message.what, provider=provider)
        steps = self.sessions.answers_for(provider, message)
        if steps and message.session is not None:
            call, session = incoming_call(message, steps)
            self._begin(provider, call, session, None if key is None else f"{key}/answer", message)

    def _begin(self, provider: str, call: Call, task: Task, key: str | None, message: Message) -> None:
        """The session of a call that waits: the provider has it already."""
        now = self.ledger.clock.now()
        look_at = now + timedelta(seconds=FIRST_LOOK_S)
        job = self._add(provider, call, task, key, State.QUEUED)
        job = self.ledger.move(job, Step.LEASE, attempts=1, look_at=look_at)
        job = self.ledger.move(job, Step.HAND_OVER, "a call came in")
        evidence = {"session": message.session}
        attempt = Attempt(job.id, 1, provider, "", now, handed_over=now, ref=message.ref, evidence=evidence)
        self.ledger.save(attempt)
        self.sessions.answer(job, attempt, message.session or "")

    def _add(self, provider: str, call: Call, task: Task, key: str | None, state: State) -> Job:
        now = self.ledger.clock.now()
        job = Job(
            self.ledger.store.new_id(now),
            os.geteuid(),
            state,
            call,
            created=now,
            updated=now,
            key=key,
            ways=(provider,),
            way=provider,
            task=task,
        )
        self.ledger.store.add_job(job, hashlib.sha256((key or job.id).encode()).digest())
        return job
