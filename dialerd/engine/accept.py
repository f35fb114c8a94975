"""Accept: a draft becomes a job on disk, or the submitter learns why not."""

from dataclasses import replace
from datetime import datetime, timedelta

from dialerd.core.errors import InvalidJob, KeyConflict, Mistake
from dialerd.core.fairness import Turns
from dialerd.core.model import Draft, Job
from dialerd.core.signals import Accepted, Submission
from dialerd.core.states import State
from dialerd.engine.ledger import Ledger
from dialerd.store.base import Store

LATE_S = 24 * 3600
"""A not_before that passed less than this ago means now (the file lay while dialerd was down); older is a
mistake."""

Answer = Accepted | InvalidJob | KeyConflict


class Line:
    """Where new jobs stand in line: fairness between owners and batches, on each trunk and priority."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._turns: dict[tuple[str, int], Turns] = {}

    def reset(self) -> None:
        """Goes on from what the store has."""
        self._turns = {place: Turns(first) for place, first in self.store.first_turns().items()}

    def turn(self, owner: int, draft: Draft, way: str) -> int:
        """The turn of a new job."""
        turns = self._turns.setdefault((way, draft.priority), Turns())
        if draft.batch is not None and not turns.knows(owner, draft.batch):
            last = self.store.last_turn(owner, draft.batch)
            if last is not None:
                turns.learn(owner, draft.batch, last)
        return turns.give(owner, draft.batch)

    def renewed(self, way: str, priority: int, owner: int, batch: str | None, turn: int) -> int:
        """The turn of a job that falls due. Where the line has gone on past it while it waited, it stands in
        line from now on, beside the others of its batch: a hundred thousand such jobs would hold up
        everybody."""
        turns = self._turns.setdefault((way, priority), Turns())
        return turn if turn >= turns.now else turns.give(owner, (batch, "late"))

    def took(self, job: Job) -> None:
        """A job was taken: those that come after it stand behind it."""
        self._turns.setdefault((job.way, job.priority), Turns()).took(job.turn)


def accept(ledger: Ledger, line: Line, submission: Submission) -> Answer:
    """Takes one draft in, inside a transaction. The same key stands for the same job, in its present
    state."""
    draft, owner = submission.draft, submission.owner
    if draft.key is not None:
        found = ledger.store.find_key(owner, draft.key)
        if found is not None:
            return _repeated(ledger, draft, *found)
    now = ledger.clock.now()
    mistakes = _past(draft, now)
    if mistakes:
        return InvalidJob(mistakes)
    job = _job(draft, owner, ledger.store.new_id(now), now)
    job = replace(job, turn=line.turn(owner, draft, job.way))
    ledger.store.add_job(job, draft.digest)
    ledger.note(job, "accepted")
    return Accepted(job)


def _repeated(ledger: Ledger, draft: Draft, job_id: str, digest: bytes) -> Answer:
    job = ledger.store.find_job(job_id)
    if digest != draft.digest or job is None:
        return KeyConflict(draft.key or "", job_id, purged=job is None)
    return Accepted(job, repeated=True)


def _past(draft: Draft, now: datetime) -> list[Mistake]:
    mistakes = []
    if draft.not_before is not None and draft.not_before < now - timedelta(seconds=LATE_S):
        ago = f"{(now - draft.not_before).days} days in the past"
        mistakes.append(
            Mistake("not_before", f"{draft.not_before:%Y-%m-%d %H:%MZ} is {ago}; leave it out to call now")
        )
    if draft.not_after is not None and draft.not_after <= now:
        mistakes.append(
            Mistake("not_after", f"{draft.not_after:%Y-%m-%d %H:%MZ} is over; give a time in the future")
        )
    return mistakes


def _job(draft: Draft, owner: int, job_id: str, now: datetime) -> Job:
    return Job(
        id=job_id,
        owner=owner,
        state=State.QUEUED,
        call=draft.call,
        created=now,
        updated=now,
        key=draft.key,
        batch=draft.batch,
        tags=draft.tags,
        priority=draft.priority,
        not_before=draft.not_before,
        not_after=draft.not_after,
        max_retries=draft.max_retries,
        retry_time=draft.retry_time,
        on_doubt=draft.on_doubt,
        reason="; ".join(draft.notes),
        terms=draft.terms,
        ways=draft.ways or (draft.call.trunk or "",),
        way=draft.ways[0] if draft.ways else draft.call.trunk or "",
        task=draft.task,
    )
