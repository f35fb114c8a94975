"""Writes what happens to jobs: every change of state goes through here, with its event and its log line."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from dialerd.core.meters import NOBODY, Meters
from dialerd.core.model import Attempt, Job, Result
from dialerd.core.states import IN_FLIGHT, State, Step, step
from dialerd.core.times import format_when
from dialerd.engine.ports import Clock
from dialerd.log import get_logger
from dialerd.store.base import Store

log = get_logger(__name__)

EVENT_OF_STEP = {
    Step.LEASE: "leased",
    Step.HAND_OVER: "submitted",
    Step.CONFIRM: "completed",
    Step.REJECT: "failed",
    Step.DEFER: "deferred",
    Step.LOSE: "held",
    Step.EXPIRE: "expired",
    Step.CANCEL: "cancelled",
    Step.HOLD: "held",
    Step.RELEASE: "released",
    Step.REQUEUE: "requeued",
    Step.REFUSE: "failed",
}


class Ledger:
    """The store's verbs as the engine uses them. `later` collects what is to be done after the commit."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self.later: list[Callable[[], object]] = []
        self.newest_event = 0
        self.meters: Meters = NOBODY

    def move(
        self, job: Job, event: Step, reason: str = "", *, data: dict[str, Any] | None = None, **changes: Any
    ) -> Job:
        """Takes a job through the one door, writes it and says so. Returns the job as it is now."""
        now = self.clock.now()
        state = step(job.state, event)
        requested = job.requested if state in IN_FLIGHT else None
        changes.setdefault("look_at", job.look_at if state in (*IN_FLIGHT, State.HELD) else None)
        moved = replace(job, state=state, updated=now, reason=reason, requested=requested, **changes)
        self.store.save_job(moved)
        facts = dict(data or {})
        if reason:
            facts["reason"] = reason
        self._write(moved, EVENT_OF_STEP[event], job.updated, now, facts)
        return moved

    def postpone(self, job: Job, until: datetime, why: str) -> Job:
        """A waiting job must wait longer. Said once for each reason. A not_after that it did not name itself
        waits with it."""
        patience, not_after = job.terms.patience, job.not_after
        if patience is not None and not_after is not None:
            not_after = max(not_after, until + timedelta(seconds=patience))
        now = self.clock.now()
        later = replace(job, not_before=until, not_after=not_after, reason=why, updated=now)
        self.store.save_job(later)
        if why != job.reason:
            self.note(later, "waits", reason=why, until=format_when(until))
        return later

    def note(self, job: Job, type: str, **data: Any) -> None:
        """Adds an event to a job's history, and a line to the log once it is committed."""
        self._write(job, type, job.updated, self.clock.now(), data)

    def ended(self, job: Job, attempt: Attempt, result: Result | None) -> None:
        """Has an attempt counted once it is on disk; without a result it is in doubt."""
        late = (self.clock.now() - attempt.ended).total_seconds() if attempt.ended is not None else 0.0
        self.later.append(lambda: self.meters.attempted(job, attempt, result, max(0.0, late)))

    def _write(self, job: Job, type: str, since: datetime, now: datetime, data: dict[str, Any]) -> None:
        self.newest_event = self.store.add_event(now, job.id, type, {"state": job.state, **data})
        passed = max(0.0, (now - since).total_seconds())

        def tell() -> None:
            log.info(f"job_{type}", job=job.id, state=str(job.state), **data)
            self.meters.noted(job, type, data, passed)

        self.later.append(tell)

    def save(self, attempt: Attempt) -> Attempt:
        """Writes an attempt."""
        self.store.save_attempt(attempt)
        return attempt
