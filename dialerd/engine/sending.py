"""Sending: due job → lease → request to a provider → what its answer means.

The lease is committed before the request goes out, and the answer is handled in a later turn. A request
without an answer that certainly did nothing is in doubt: it is never sent again by itself.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

from dialerd.core.errors import (
    AccountRefused,
    DeliveryError,
    NotServed,
    Rejected,
    Unavailable,
    Unconfirmed,
)
from dialerd.core.model import Attempt, Disposition, Job, Result
from dialerd.core.operations import operation_of
from dialerd.core.policy import Provider
from dialerd.core.receipts import Errand, Receipt
from dialerd.core.routing import as_sent
from dialerd.core.segments import segments
from dialerd.core.signals import ProviderAnswered
from dialerd.core.states import State, Step
from dialerd.core.tasks import Conference, Ivr, Sms
from dialerd.engine.conclude import Closer
from dialerd.engine.following import Follower
from dialerd.engine.gate import Gate
from dialerd.engine.inbox import Inbox
from dialerd.engine.ledger import Ledger
from dialerd.engine.ports import EngineSettings, Providers
from dialerd.engine.trunks import Trunks

FIRST_PAUSE_S, LONGEST_PAUSE_S = 10, 900
"""How long a job waits after every way out was unavailable: doubled with each round, up to the second."""

MOST_IN_BULK = 1000


@dataclass(slots=True)
class Sent:
    """One attempt whose request is on its way. `begun` is of the monotonic clock. `requests` is 1, or 0 where
    the request counts with another job's; `shared`: it is for several jobs."""

    job: Job
    attempt: Attempt
    begun: float
    requests: int = 1
    shared: bool = False


class Sender:
    """Hands jobs to providers. Used by the engine's thread."""

    def __init__(
        self,
        ledger: Ledger,
        closer: Closer,
        gate: Gate,
        trunks: Trunks,
        providers: Providers,
        inbox: Inbox,
        settings: EngineSettings,
        follower: Follower,
    ) -> None:
        self.ledger, self.closer, self.gate, self.trunks = ledger, closer, gate, trunks
        self.providers, self.inbox, self.settings, self.follower = providers, inbox, settings, follower
        self.under_way: dict[str, Sent] = {}
        self.on_way: Counter[str] = Counter()
        self.closed = False
        self._promised: Counter[str] = Counter()

    def is_provider(self, way: str) -> bool:
        """Whether a way out is a provider."""
        return way in self.gate.rules.providers

    def new_turn(self) -> None:
        """What was promised in the last turn has begun."""
        self._promised.clear()

    def room(self, way: str, mono: float) -> int:
        """How many requests may begin now."""
        return 0 if self.closed else max(0, self.providers.room(way, mono) - self._promised[way])

    def next(self, way: str, mono: float) -> float | None:
        """When that changes because time passes."""
        return self.providers.next(way, mono)

    def is_out(self, way: str, mono: float) -> bool:
        """Whether nothing may be sent this way for a while, so that the next one is tried: its breaker is
        open, or the provider asked us to wait."""
        line = self.trunks.line(way)
        return line is None or line.breaker.allows(mono) <= 0 or self.providers.is_blocked(way, mono)

    def send(self, job: Job, way: str, mono: float, others: Callable[[Job], Iterable[Job]]) -> list[Job]:
        """Writes the lease, and sends the request once it is on disk. `others` finds the jobs that may share
        it; returns all that go."""
        operation, jobs = operation_of(job.call, job.task), [job]
        operations = self.gate.rules.providers[way].operations
        sent = [self._lease(job, way, mono, requests=1)]
        if isinstance(job.task, Sms) and job.task.bulk and "sms.bulk" in operations:
            for each in islice(others(job), MOST_IN_BULK - 1):
                sent.append(self._lease(each, way, mono, requests=0))
                jobs.append(each)
        if len(jobs) > 1:
            operation = "sms.bulk"
            for one in sent:
                one.shared = True
        self._promised[way] += 1
        errand = _errand(sent, self.gate.rules.providers[way])
        if operation is None or (operation not in operations):
            why = f"provider {way} can't do this any more: it has no {operation or 'way to make this call'}."
            self.ledger.later.append(lambda: self._answer(way, errand, NotServed(why)))
            return jobs
        done: Callable[[ProviderAnswered], None] = self.inbox.put
        self.ledger.later.append(lambda: self.providers.send(way, operation, errand, done))
        return jobs

    def answered(self, message: ProviderAnswered) -> None:
        """What came of requests."""
        for reference, answer in message.answers.items():
            sent = self.under_way.get(reference)
            self.ledger.later.append(partial(self.under_way.pop, reference, None))  # unless this turn fails
            if sent is None:  # recovery has taken it for one in doubt
                if isinstance(answer, Receipt):
                    self.follower.told(message.provider, replace(answer, reference=reference), surely=True)
                continue
            self._land(sent, message.provider, answer)
            if self._told_already(sent, answer):
                continue
            if isinstance(answer, Receipt):
                self._handed_over(sent, answer)
            elif isinstance(answer, NotServed):
                self._not_served(sent, str(answer))
            elif isinstance(answer, Rejected):
                self._rejected(sent, str(answer))
            elif isinstance(answer, Unavailable):
                self._unavailable(sent, answer)
            else:
                self.follower.doubt(sent.job, sent.attempt, str(answer))

    def recover(self) -> None:
        """After a start: requests that were on their way when dialerd stopped may have arrived. Those of this
        run of it will be answered."""
        begun = self.ledger.store.sending()
        there = {attempt.reference for _, attempt in begun}
        self.under_way = {name: sent for name, sent in self.under_way.items() if name in there}
        self.on_way = Counter()
        for job, attempt in self.ledger.store.carried():
            self.gate.spending.carry(job, attempt)
        for sent in self.under_way.values():
            self.gate.spending.carry(sent.job, sent.attempt)
            self.on_way[sent.attempt.trunk or ""] += sent.requests
        for job, attempt in begun:
            if attempt.reference not in self.under_way:
                self.follower.doubt(job, attempt, "dialerd stopped while the request was on its way")

    def _lease(self, job: Job, way: str, mono: float, requests: int) -> Sent:
        now = self.ledger.clock.now()
        number = self.ledger.store.next_attempt(job)
        attempt = Attempt(job.id, number, way, "", begun=now, boot=self.settings.boot)
        self.ledger.save(attempt)
        facts = {"attempt": attempt.number}
        moved = self.ledger.move(job, Step.LEASE, data=facts, attempts=attempt.number, way=way, look_at=now)
        self.gate.spending.begin(moved, attempt, now)
        self.gate.spending.carry(moved, attempt)
        sent = Sent(moved, attempt, mono, requests)
        self.under_way[attempt.reference] = sent
        self.on_way[way] += requests
        return sent

    def _answer(self, way: str, errand: Errand, answer: DeliveryError) -> None:
        references = [errand.reference, *errand.references.values()]
        mono = self.ledger.clock.mono()
        self.inbox.put(ProviderAnswered(way, dict.fromkeys(references, answer), mono))

    def _land(self, sent: Sent, way: str, answer: Receipt | DeliveryError) -> None:
        """The request is over: its place is free, and the way out learns from the answer."""
        if not isinstance(answer, Receipt | Unconfirmed):
            self.gate.spending.release(sent.attempt)
        self.on_way[way] -= sent.requests
        mono = self.ledger.clock.mono()
        took = isinstance(answer, Receipt | Rejected)
        result = Result(Disposition.SENT if took else Disposition.CHANUNAVAIL)
        self.trunks.ended(way, sent.begun, mono, result, sent.requests)
        if isinstance(answer, AccountRefused) and (line := self.trunks.line(way)) is not None:
            line.breaker.trip(sent.begun, mono)

    def _told_already(self, sent: Sent, answer: Receipt | DeliveryError) -> bool:
        """Whether a receipt was faster than the answer; then that has told what there is to know."""
        store, number = self.ledger.store, sent.attempt.number
        job, attempt = store.find_job(sent.job.id), store.find_attempt(sent.job.id, number)
        if job is None or attempt is None:
            return False
        if job.state is State.ACTIVE and job.attempts == number:
            sent.job, sent.attempt = job, attempt  # with what was asked of it, and heard of it, meanwhile
            return False
        if isinstance(answer, Receipt) and attempt.ref is None:
            self.ledger.save(replace(attempt, ref=answer.ref))
        return True

    def _handed_over(self, sent: Sent, receipt: Receipt) -> None:
        now = self.ledger.clock.now()
        attempt = replace(sent.attempt, handed_over=now, ref=receipt.ref, evidence=_evidence(sent, receipt))
        self.ledger.save(attempt)
        data: dict[str, Any] = {"attempt": attempt.number, "provider": attempt.trunk}
        if receipt.ref is not None:
            data["ref"] = receipt.ref
        data |= self._counted(sent)
        job = self.ledger.move(sent.job, Step.HAND_OVER, data=data)
        if receipt.session is not None and isinstance(job.task, Ivr):
            self.ledger.store.save_session(attempt.trunk or "", receipt.session, job.id)
        self.follower.follow(job, attempt, receipt)

    def _counted(self, sent: Sent) -> dict[str, Any]:
        """Into how many parts the provider cuts a message, which it often does not say."""
        task, provider = sent.job.task, self.gate.rules.providers.get(sent.attempt.trunk or "")
        if not isinstance(task, Sms) or not task.body or provider is None:
            return {}
        cut = segments(task.body, provider.segments)
        return {"parts": cut.parts, "encoding": cut.encoding.value}

    def _not_served(self, sent: Sent, why: str) -> None:
        """The next way is tried at once, if there is one."""
        following = self._next(sent)
        if following is None or sent.job.requested is not None:
            self._rejected(sent, why)
            return
        self._record(sent, Result(Disposition.FAILED, permanent=True, detail=why))
        self._defer(sent.job, f"{why} {following} is next", self.ledger.clock.now(), following)

    def _rejected(self, sent: Sent, why: str) -> None:
        self._record(sent, Result(Disposition.FAILED, permanent=True, detail=why))
        job = replace(sent.job, disposition=Disposition.FAILED)
        step = Step.CANCEL if sent.job.requested == "cancel" else Step.REJECT
        self.ledger.move(job, step, why)

    def _unavailable(self, sent: Sent, error: Unavailable) -> None:
        """Certainly nothing was done: the next way at once; where all were tried, again after a while."""
        now, following = self.ledger.clock.now(), self._next(sent)
        attempt = replace(sent.attempt, ended=now, evidence={"unavailable": str(error)})
        self.ledger.save(attempt)
        self.gate.spending.undo(sent.job, attempt, now)
        self.ledger.note(sent.job, "attempt_ended", attempt=attempt.number, detail=str(error))
        if following is not None and sent.job.requested is None:
            self._defer(sent.job, f"{error} {following} is next", now, following)
            return
        job = replace(sent.job, way=sent.job.ways[0] if sent.job.ways else sent.job.way)
        rounds = (sent.attempt.number - 1) // max(1, len(job.ways))
        pause = min(FIRST_PAUSE_S * 2 ** min(rounds, 20), LONGEST_PAUSE_S)
        self.closer.undone(job, str(error), now + timedelta(seconds=max(pause, error.retry_after or 0)))

    def _defer(self, job: Job, why: str, at: datetime, way: str) -> None:
        self.ledger.move(job, Step.DEFER, why, not_before=at, way=way)

    def _next(self, sent: Sent) -> str | None:
        """The way after this one that is still configured. A number order never changes its provider."""
        ways, way = sent.job.ways, sent.attempt.trunk
        after = ways[ways.index(way) + 1 :] if way in ways else ()
        return next((each for each in after if each in self.gate.rules.lines()), None)

    def _record(self, sent: Sent, result: Result) -> None:
        attempt = replace(sent.attempt, ended=self.ledger.clock.now(), result=result)
        self.closer.record(sent.job, attempt, result)


def _evidence(sent: Sent, receipt: Receipt) -> dict[str, Any]:
    """What following it takes: the ids of a conference's parties, a session, and that an id stands for
    several messages."""
    if isinstance(sent.job.task, Conference):
        return {"refs": dict(receipt.refs)} if receipt.refs else {}
    if isinstance(sent.job.task, Ivr):
        return {} if receipt.session is None else {"session": receipt.session}
    own = set(sent.job.call.to) & set(receipt.refs)
    return {"shared": True} if sent.shared and not own else {}


def _errand(sent: list[Sent], provider: Provider) -> Errand:
    """One request for all of them, with the provider's default sender where they name none."""
    first = sent[0]
    call, task = as_sent(first.job.call, first.job.task, provider)
    references = {each.job.call.to[0]: each.attempt.reference for each in sent} if len(sent) > 1 else {}
    numbers = tuple(references) or first.job.call.to
    return Errand(
        reference=first.attempt.reference,
        call=replace(call, to=numbers),
        task=task,
        begun=first.attempt.begun,
        references=references,
    )
