"""A desk that behaves like the engine's, in memory.

Answers come from a thread of its own, keys and states hold.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from dialerd.core.errors import (
    DialerError,
    InvalidJob,
    KeyConflict,
    Mistake,
    NoSuchJob,
    NotAllowed,
    Overloaded,
)
from dialerd.core.ids import next_id, to_text
from dialerd.core.model import Attempt, Disposition, Draft, Event, Job, Result
from dialerd.core.signals import Accepted, JobFilter, Order, Preview, Submission
from dialerd.core.states import State, Step, allows, step
from tests.intake.figures import MemoryFigures

_STEPS = {
    "cancel": Step.CANCEL,
    "hold": Step.HOLD,
    "release": Step.RELEASE,
    "requeue": Step.REQUEUE,
}
_RESOLUTIONS = {"completed": Step.CONFIRM, "failed": Step.REJECT, "requeue": Step.RELEASE}


class MemoryDesk:
    """`commits` holds how many jobs each submit brought.

    `refuse` is raised by submit; `pass_` held closed delays answers.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._thread = ThreadPoolExecutor(1)
        self._jobs: dict[str, Job] = {}
        self._keys: dict[tuple[int, str], tuple[str, bytes]] = {}
        self._attempts: dict[str, list[Attempt]] = {}
        self._last_id = 0
        self.log: list[Event] = []
        self.subscribers: list[Callable[[int], None]] = []
        self.commits: list[int] = []
        self.refuse: DialerError | None = None
        self.refuse_again = 10**9
        self.problems: list[str] = []
        self.figures: Any = MemoryFigures(self)
        self.standing: dict[str, Order] = {}
        self.lines: list[dict[str, Any]] = [{"name": "main", "paused": False, "in_use": 0}]
        self.judge: Callable[[Draft], Preview] = lambda draft: Preview("now", call_file=_call_file(draft))
        self.open = threading.Event()
        self.open.set()

    def close(self) -> None:
        """Ends the thread."""
        self.open.set()
        self._thread.shutdown()

    def submit(self, submissions: list[Submission]) -> "Future[list[Any]]":
        if self.refuse is not None and self.refuse_again > 0:
            self.refuse_again -= 1
            raise self.refuse
        return self._thread.submit(self._accept_all, list(submissions))

    def command(self, job_id: str, verb: str, actor_uid: int, as_: str | None = None) -> "Future[Job]":
        return self._thread.submit(self._command, job_id, verb, as_)

    def order(self, scope: str, word: str | None, actor_uid: int, reason: str = "") -> "Future[None]":
        return self._thread.submit(self._order, scope, word, actor_uid, reason)

    def _order(self, scope: str, word: str | None, actor: int, reason: str) -> None:
        kind, _, name = scope.partition(":")
        batches = {f"{job.owner}:{job.batch}" for job in self._jobs.values()}
        if kind != "all" and name not in (
            {line["name"] for line in self.lines} if kind == "trunk" else batches
        ):
            raise NotAllowed(f"There is no {kind} {name!r}.")
        if word is None:
            self.standing.pop(scope, None)
        else:
            self.standing[scope] = Order(scope, word, actor, datetime.now(UTC), reason)
        for line in self.lines:
            line["paused"] = f"trunk:{line['name']}" in self.standing

    def orders(self) -> list[Order]:
        return list(self.standing.values())

    def trunks(self) -> list[dict[str, Any]]:
        return self.lines

    def preview(self, drafts: list[Draft], owner: int) -> list[Preview]:
        return [self.judge(draft) for draft in drafts]

    def job(self, job_id: str) -> tuple[Job, list[Attempt]]:
        with self._lock:
            if job_id not in self._jobs:
                raise NoSuchJob(job_id)
            return self._jobs[job_id], self._attempts.get(job_id, [])

    def jobs(self, wanted: JobFilter) -> list[Job]:
        with self._lock:
            found = [job for job in self._jobs.values() if _fits(job, wanted)]
        return sorted(found, key=lambda job: job.id, reverse=True)[: wanted.limit]

    def events(
        self,
        after: int,
        limit: int,
        job: str | None = None,
        batch: str | None = None,
        types: Sequence[str] = (),
        owner: int | None = None,
        upto: int | None = None,
    ) -> list[Event]:
        with self._lock:
            return [
                event
                for event in self.log
                if after < event.id <= (upto or event.id)
                and owner in (None, self._jobs[event.job].owner)
                and (job is None or event.job == job)
                and (batch is None or self._jobs[event.job].batch == batch)
                and (not types or event.type in types)
            ][:limit]

    def last_event(self) -> int:
        return len(self.log)

    def subscribe(self, callback: Callable[[int], None]) -> Callable[[], None]:
        self.subscribers.append(callback)
        return lambda: self.subscribers.remove(callback)

    def status(self) -> dict[str, Any]:
        counts: dict[str, int] = {}
        for job in self._jobs.values():
            counts[job.state] = counts.get(job.state, 0) + 1
        return {
            "version": "0",
            "uptime_seconds": 3,
            "jobs": counts,
            "asterisk": {"ami": "up", "takes_calls": True, "version": "22.10.1", "calls": 1, "max_calls": 20},
            "spool": {"under_way": 0, "not_begun": 0, "free_bytes": 10**9},
            "problems": self.problems,
        }

    def end(self, job_id: str, disposition: Disposition, state: State | None = None) -> None:
        """Brings a waiting job to its end, as a call with this outcome would."""
        job, now = self._jobs[job_id], datetime.now(UTC)
        number = job.attempts + 1
        attempt = Attempt(job_id, number, job.call.trunk, "Local/1@sim", now, handed_over=now, ended=now)
        answered = disposition is Disposition.ANSWERED
        result = Result(
            disposition, hangup_cause=16, ring_seconds=1.5, talk_seconds=2.0 if answered else None
        )
        self._attempts.setdefault(job_id, []).append(replace(attempt, result=result))
        self._save(replace(job, attempts=number, state=State.SUBMITTED), "submitted")
        self._save(self._jobs[job_id], "attempt_ended", disposition=disposition.value)
        end = state or (State.COMPLETED if answered else State.FAILED)
        self._save(replace(self._jobs[job_id], state=end), end.value)

    def put(self, job_id: str, state: State, reason: str = "") -> None:
        """Puts a job into a state."""
        self._save(replace(self._jobs[job_id], state=state, reason=reason), state.value)

    def _accept_all(self, submissions: list[Submission]) -> list[Any]:
        self.open.wait(20)
        self.commits.append(len(submissions))
        return [self._accept(each.owner, each.draft) for each in submissions]

    def _accept(self, owner: int, draft: Draft) -> Accepted | InvalidJob | KeyConflict | Overloaded:
        with self._lock:
            if draft.key is not None and (owner, draft.key) in self._keys:
                job_id, digest = self._keys[owner, draft.key]
                if digest != draft.digest:
                    return KeyConflict(draft.key, job_id)
                return Accepted(self._jobs[job_id], repeated=True)
            if draft.not_after is not None and draft.not_after < datetime.now(UTC):
                return InvalidJob([Mistake("not_after", "This time is over.")])
            job = self._new(owner, draft)
            if draft.key is not None:
                self._keys[owner, draft.key] = job.id, draft.digest
        self._save(job, "accepted")
        return Accepted(job)

    def _new(self, owner: int, draft: Draft) -> Job:
        now = datetime.now(UTC)
        self._last_id = next_id(self._last_id, int(now.timestamp() * 1000), 0)
        return Job(
            to_text(self._last_id), owner, State.QUEUED, draft.call, now, now, key=draft.key,
            batch=draft.batch, tags=draft.tags, priority=draft.priority, not_before=draft.not_before,
            not_after=draft.not_after, max_retries=draft.max_retries, retry_time=draft.retry_time,
            terms=draft.terms, ways=draft.ways,
            on_doubt=draft.on_doubt, task=draft.task,
        )  # fmt: skip

    def _command(self, job_id: str, verb: str, as_: str | None) -> Job:
        with self._lock:
            job, _ = self.job(job_id)
            event = _RESOLUTIONS[as_ or ""] if verb == "resolve" else _STEPS[verb]
            if verb == "cancel" and job.state is State.SUBMITTED:
                return self._save(replace(job, reason="cancel requested"), "cancel_requested")
            if not allows(job.state, event) or (verb == "resolve" and job.state is not State.HELD):
                raise NotAllowed(f"Job {job_id} is {job.state}; that can't be done now.")
            return self._save(replace(job, state=step(job.state, event)), step(job.state, event).value)

    def _save(self, job: Job, event: str, **data: Any) -> Job:
        with self._lock:
            job = replace(job, updated=datetime.now(UTC))
            self._jobs[job.id] = job
            told = {"state": job.state.value, **data}
            self.log.append(Event(len(self.log) + 1, job.updated, job.id, event, told))
        for callback in list(self.subscribers):
            callback(len(self.log))
        return job


def _call_file(draft: Draft) -> bytes:
    return f"Channel: PJSIP/{'&'.join(draft.call.to)}@main\n".encode()


def _fits(job: Job, wanted: JobFilter) -> bool:
    return (
        (not wanted.states or job.state in wanted.states)
        and wanted.owner in (None, job.owner)
        and wanted.batch in (None, job.batch)
        and (wanted.tag is None or wanted.tag in job.tags)
        and wanted.key in (None, job.key)
        and (wanted.to is None or wanted.to in job.call.to)
        and (wanted.before is None or job.id < wanted.before)
    )
