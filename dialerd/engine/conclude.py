"""Conclude: where a job goes when an attempt has come to an end: done, tried again, elsewhere, held, or
failed."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from dialerd.core.model import GOOD, Attempt, Disposition, Job, OnDoubt, Result
from dialerd.core.retry import Again, Never, RetryPolicy, kind_of, next_way, plan
from dialerd.core.schedule import DEFAULT_RETRY_TIME_S, retry_policy
from dialerd.core.states import State, Step
from dialerd.engine.gate import Gate
from dialerd.engine.ledger import Ledger
from dialerd.engine.orders import Orders
from dialerd.log import get_logger

log = get_logger(__name__)

OptOut = Callable[[str, str], None]
"""Puts a number on the opt-out list, with the reason, synced to disk. Called before the commit: a crash in
between leaves the number on the list, and the call's end to be found again."""


class Closer:
    """Writes what an attempt came to, and takes its job to where the result, the rules and an operator
    say."""

    def __init__(
        self,
        ledger: Ledger,
        gate: Gate,
        orders: Orders,
        noise: Callable[[], float],
        opt_out: OptOut | None = None,
    ) -> None:
        self.ledger, self.gate, self.orders, self._noise, self.opt_out = ledger, gate, orders, noise, opt_out

    def conclude(self, job: Job, attempt: Attempt, result: Result, hung_up: bool = False) -> Job:
        """The end of an attempt whose result is known."""
        self.record(job, attempt, result)
        word = result.disposition.value
        answered = result.disposition in GOOD
        job = replace(job, disposition=result.disposition)
        if hung_up or (job.requested == "cancel" and not answered):
            return self.ledger.move(job, Step.CANCEL, f"cancelled on request ({word})")
        if answered:
            return self.ledger.move(job, Step.CONFIRM, word)
        if job.state is State.HELD:
            return self.ledger.move(job, Step.REJECT, word)
        return self._unanswered(job, attempt, result, word)

    def _unanswered(self, job: Job, attempt: Attempt, result: Result, word: str) -> Job:
        ended = attempt.ended or self.ledger.clock.now()
        dialled = [each for each in self.ledger.store.attempts(job.id) if _dialled(each)]
        policy = retry_policy(job.terms, job.max_retries, job.retry_time, self.gate.rules)
        elsewhere = next_way(self._ways(job), job.way, result)
        if elsewhere is not None and job.requested is None and _may_dial(job, policy, len(dialled)):
            why = f"{word}; {elsewhere} is next"
            return self.ledger.move(job, Step.DEFER, why, not_before=ended, way=elsewhere)
        again = self._plan(job, policy, attempt, result, dialled, ended)
        if not isinstance(again, Again):
            why = f"{word}, not tried again: {again.why}" if again.why else word
            return self.ledger.move(job, Step.REJECT, why)
        changes: dict[str, Any] = {"retries": job.retries + 1, "way": job.ways[0] if job.ways else job.way}
        if job.requested == "hold":
            return self.ledger.move(job, Step.HOLD, f"held by an operator, after {word}", **changes)
        return self.ledger.move(job, Step.DEFER, word, not_before=again.at, **changes)

    def _plan(
        self,
        job: Job,
        policy: RetryPolicy,
        attempt: Attempt,
        result: Result,
        dialled: list[Attempt],
        ended: datetime,
    ) -> Again | Never:
        """Each round over several trunks counts once, by how its last call ended."""
        ways = self._ways(job)
        rounds = [each for each in dialled if each.number == attempt.number or _ended_round(ways, each)]
        kinds = [kind_of(each.result) for each in rounds if each.result is not None]
        same = len(kinds) if policy.shared is not None else kinds.count(kind_of(result))
        first = dialled[0].begun if dialled else ended
        return plan(policy, result, same, len(dialled), first, ended, self._noise())

    def _ways(self, job: Job) -> list[str]:
        """The ways that may take it, but for those that are not configured any more."""
        rules = self.gate.rules
        return [way for way in job.ways if way == job.way or way in rules.trunks or way in rules.providers]

    def undone(self, job: Job, why: str, again: datetime, cancel: bool = False) -> Job:
        """Certainly nothing was done: the job goes where it was asked to go, expires, or waits until
        `again`."""
        if cancel or job.requested == "cancel":
            return self.ledger.move(job, Step.CANCEL)
        if job.requested == "hold":
            return self.ledger.move(job, Step.HOLD, "held by an operator")
        if overdue(job, self.ledger.clock.now()):
            return self.ledger.move(job, Step.EXPIRE, "not_after has passed")
        return self.ledger.move(job, Step.DEFER, why, not_before=again)

    def record(self, job: Job, attempt: Attempt, result: Result) -> None:
        """Writes an attempt's result, charges what it took, and heeds a callee who wants no more calls."""
        self.ledger.save(attempt)
        now = self.ledger.clock.now()
        counted = "doubt" in attempt.evidence  # as a doubt, with what was set aside for it
        cost = 0 if counted else self.gate.spending.charge(job, attempt, result, now)
        facts = _facts(result) | ({"cost": cost} if cost else {})
        if attempt.trunk and (why := self.gate.spending.blown(attempt.trunk, now)):
            self.orders.blow_fuse(attempt.trunk, why)
        self.gate.spending.release(attempt)
        self.ledger.note(job, "attempt_ended", attempt=attempt.number, **facts)
        self.ledger.ended(job, attempt, result)
        if result.warning:
            self.ledger.later.append(lambda: log.warning("call_suspect", job=job.id, why=result.warning))
        if result.opt_out and self.opt_out is not None:
            for number in job.call.to:
                self.opt_out(number, result.opt_out)
            self.ledger.note(job, "opted_out", reason=result.opt_out)

    def doubt(self, job: Job, attempt: Attempt, why: str, evidence: dict[str, Any]) -> None:
        """Writes that an attempt is in doubt, and does what the job says of that (promise 4)."""
        self.ledger.save(replace(attempt, evidence={**attempt.evidence, **evidence, "doubt": why}))
        self.gate.spending.charge_doubt(attempt, self.ledger.clock.now())
        self.gate.spending.release(attempt)
        self.ledger.ended(job, attempt, None)
        if job.on_doubt is OnDoubt.DROP:
            self.ledger.move(job, Step.REJECT, f"in doubt, dropped as the job says: {why}")
        elif _repeats(job):
            pause = timedelta(seconds=job.retry_time or DEFAULT_RETRY_TIME_S)
            reason = f"in doubt, tried again as the job says: {why}"
            again = self.ledger.clock.now() + pause
            self.ledger.move(job, Step.DEFER, reason, not_before=again, retries=job.retries + 1)
        else:
            self.ledger.move(job, Step.LOSE, f"in doubt: {why}")


def overdue(job: Job, now: datetime) -> bool:
    """Whether a job's not_after has passed."""
    return job.not_after is not None and job.not_after <= now


def _dialled(attempt: Attempt) -> bool:
    return attempt.result is not None and attempt.result.disposition is not Disposition.CANCELLED


def _ended_round(ways: Sequence[str], attempt: Attempt) -> bool:
    """Whether no other trunk was tried at once after this attempt."""
    return attempt.result is None or next_way(ways, attempt.trunk or "", attempt.result) is None


def _may_dial(job: Job, policy: RetryPolicy, dials: int) -> bool:
    """Whether another trunk may be tried: the job's own word on dials holds, and that of a named policy."""
    most = job.terms.max_dials if policy.shared is not None else policy.max_dials
    return most is None or dials < most


def _repeats(job: Job) -> bool:
    """Whether a doubt is settled by another call: only if the job says so, and nobody asked for its end."""
    most = max(job.max_retries or 0, 1)
    return job.on_doubt is OnDoubt.RETRY and job.requested is None and job.retries < most


def _facts(result: Result) -> dict[str, Any]:
    names = (
        "disposition",
        "hangup_cause",
        "ring_seconds",
        "talk_seconds",
        "permanent",
        "action_failed",
        "opt_out",
        "detail",
        "word",
        "price",
        "currency",
        "parts",
        "recording",
    )
    return {name: value for name in names if (value := getattr(result, name)) not in (None, "", False)}
