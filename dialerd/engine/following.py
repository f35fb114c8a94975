"""Following: what becomes of a job that a provider has. Receipts tell, and where none comes it is asked.

A receipt may come late, twice, or before the answer to the request. Asking can only confirm: what the
provider does not know of yet may still come.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from dialerd.core.attempts import LONGEST
from dialerd.core.model import GOOD, Attempt, Disposition, Job, Result
from dialerd.core.receipts import Errand, Receipt
from dialerd.core.signals import ProviderAsked
from dialerd.core.states import ENDED, State, Step
from dialerd.engine.conclude import Closer
from dialerd.engine.inbox import Inbox
from dialerd.engine.ledger import Ledger
from dialerd.engine.ports import Providers
from dialerd.log import get_logger

log = get_logger(__name__)

FIRST_LOOK_S, LONGEST_LOOK_S = 10, 3600
"""How soon and how seldom a provider is asked: after half as long again as it took so far."""

LIMITS_S = {"sms": 3 * 86400, "fax": 86400, "call": 6 * 3600, "conference": 6 * 3600, "ivr": 6 * 3600}
"""How long a provider may have a job of each kind until no more is expected of it."""

DOUBT_S = 7 * 86400
"""How long the provider is asked about a job in doubt."""

AT_ONCE = 20
"""Questions under way to one provider."""

LOOKED_AT = 200


class Follower:
    """Brings what providers have to its end. Used by the engine's thread."""

    def __init__(self, ledger: Ledger, closer: Closer, providers: Providers, inbox: Inbox) -> None:
        self.ledger, self.closer, self.providers, self.inbox = ledger, closer, providers, inbox
        self._asking: dict[str, str] = {}
        self._of_provider: Counter[str] = Counter()

    def reset(self) -> None:
        """Forgets which questions are under way."""
        self._asking.clear()
        self._of_provider.clear()

    def follow(self, job: Job, attempt: Attempt, receipt: Receipt) -> None:
        """A provider has the job: takes in its answer, and follows on where that is not the end."""
        if receipt.disposition is not None:
            self._finish(job, attempt, receipt)
        elif not self._tells(job, attempt):
            self._finish(job, attempt, replace(receipt, disposition=Disposition.SENT))
        else:
            self._look_later(job, attempt)

    def doubt(self, job: Job, attempt: Attempt, why: str) -> None:
        """It may have been done. What the job says of that is done, and the provider is asked, if it can
        be."""
        self.closer.doubt(job, attempt, why, {})
        now = self.ledger.clock.now()
        held = self.ledger.store.find_job(job.id)
        if held is not None and held.state is State.HELD:
            asks = self._can_ask(job, attempt)
            look_at = now + timedelta(seconds=FIRST_LOOK_S) if asks else None
            self.ledger.store.save_job(replace(held, look_at=look_at))

    def told(self, provider: str, receipt: Receipt, surely: bool) -> None:
        """A provider says something of an attempt. Unless that is sure, it is asked where it can be,
        before anything counts."""
        found = self._find(provider, receipt)
        if found is None:
            self.ledger.later.append(lambda: log.info("receipt_of_nobody", provider=provider))
            return
        job, attempt = found
        asks = self._can_ask(job, replace(attempt, ref=attempt.ref or receipt.ref))
        if not surely and asks and job.state not in ENDED:
            if attempt.ref is None and receipt.ref is not None:
                attempt = self.ledger.save(replace(attempt, ref=receipt.ref))
            if not self._ask(job, attempt):
                self.look_soon(job, attempt)
            return
        self._take(job, attempt, receipt)

    def asked(self, message: ProviderAsked) -> None:
        """The provider was asked."""
        provider = self._asking.pop(message.reference, None)
        if provider is not None:
            self._of_provider[provider] -= 1
        job_id, _, number = message.reference.rpartition(".")
        attempt = self.ledger.store.find_attempt(job_id, int(number))
        job = self.ledger.store.find_job(job_id)
        if job is None or attempt is None or message.receipt is None:
            return
        receipt = _of_party(job, attempt, message.receipt)
        owner = self.ledger.store.find_ref(message.provider, receipt.ref or "")
        if owner in (None, (job_id, int(number))):  # a match by text and time may be another job's
            self._take(job, attempt, receipt)

    def look_soon(self, job: Job, attempt: Attempt) -> None:
        """Asks what became of it, within moments."""
        if job.state in (State.SUBMITTED, State.HELD):
            now = self.ledger.clock.now()
            self.ledger.store.save_job(replace(job, look_at=now + timedelta(seconds=2)))

    def tick(self) -> None:
        """Asks about what has been silent for long enough."""
        now = self.ledger.clock.now()
        for job, attempt in self.ledger.store.to_look_at(now, LOOKED_AT):
            since = attempt.handed_over or attempt.begun
            if job.state is State.HELD:
                self._look_at_doubt(job, attempt, now - since)
            elif now - since >= timedelta(seconds=LIMITS_S.get(job.kind, 86400)):
                self._give_up(job, attempt)
            else:
                self._look(job, attempt)

    def _find(self, provider: str, receipt: Receipt) -> tuple[Job, Attempt] | None:
        """By our reference, else by their id."""
        store, place = self.ledger.store, None
        job_id, dot, number = (receipt.reference or "").rpartition(".")
        if dot and number.isdecimal() and len(number) <= LONGEST:
            place = (job_id, int(number))
        elif receipt.shared_ref is not None and receipt.to is not None:
            place = store.find_shared(provider, receipt.shared_ref, receipt.to)
        elif receipt.ref is not None:
            place = store.find_ref(provider, receipt.ref)
        if place is None:
            return None
        job, attempt = store.find_job(place[0]), store.find_attempt(*place)
        if job is None or attempt is None or attempt.trunk != provider:
            return None
        known = {None, attempt.ref, *attempt.evidence.get("refs", {}).values()}
        if receipt.shared_ref is not None and attempt.ref == receipt.shared_ref:
            own = {name: value for name, value in attempt.evidence.items() if name != "shared"}
            attempt = self.ledger.save(replace(attempt, ref=receipt.ref, evidence=own))
        elif attempt.ref is not None and receipt.ref not in known and job.kind != "conference":
            return None
        return job, attempt

    def _take(self, job: Job, attempt: Attempt, receipt: Receipt) -> None:
        """What a provider surely says."""
        if job.state in ENDED:
            self._late(job, attempt, receipt)
        elif attempt.number != job.attempts or (attempt.ended is not None and not _is_good(receipt)):
            self.ledger.note(job, "receipt", attempt=attempt.number, word=receipt.word)
        elif job.kind == "conference" and receipt.to in job.call.to and job.state is State.SUBMITTED:
            self._joined(job, attempt, receipt)
        elif job.state is State.ACTIVE:  # the answer to the request is still on its way
            self._take(*self._found(job, attempt, receipt), receipt)
        elif receipt.disposition is not None and self._may_end(job, receipt.disposition):
            self._finish(job, attempt, receipt)
        elif job.state is not State.SUBMITTED:
            self._take(*self._found(job, attempt, receipt), receipt)
        else:
            self._progress(job, attempt, receipt)

    def _found(self, job: Job, attempt: Attempt, receipt: Receipt) -> tuple[Job, Attempt]:
        """The provider has it, whatever came of our request."""
        attempt = self.ledger.save(self._known(attempt, receipt))
        found = self.ledger.move(job, Step.HAND_OVER, f"{attempt.trunk} has it ({receipt.word})")
        self._look_later(found, attempt)
        return found, attempt

    def _joined(self, job: Job, attempt: Attempt, receipt: Receipt) -> None:
        """A word about one party of a conference. It is over when all are, and took place if anybody
        answered."""
        if receipt.disposition is None:
            self._progress(job, attempt, receipt)
            return
        parties = {**attempt.evidence.get("parties", {}), receipt.to or "": receipt.disposition.value}
        attempt = self.ledger.save(replace(attempt, evidence={**attempt.evidence, "parties": parties}))
        if all(number in parties for number in job.call.to):
            answered = Disposition.ANSWERED.value in parties.values()
            end = Disposition.ANSWERED if answered else receipt.disposition
            self._finish(job, attempt, replace(receipt, disposition=end))
        else:
            self.ledger.note(job, "receipt", attempt=attempt.number, to=receipt.to, word=receipt.word)
            self.look_soon(job, attempt)

    def _may_end(self, job: Job, disposition: Disposition) -> bool:
        """A job that is to be tried again ends by a good word only."""
        return job.state in (State.SUBMITTED, State.HELD) or disposition in GOOD

    def _progress(self, job: Job, attempt: Attempt, receipt: Receipt) -> None:
        known = self._known(attempt, receipt)
        if receipt.word and receipt.word != attempt.evidence.get("word"):
            self.ledger.save(replace(known, evidence={**known.evidence, "word": receipt.word}))
            self.ledger.note(job, "receipt", attempt=attempt.number, word=receipt.word)
        elif known != attempt:
            self.ledger.save(known)

    def _known(self, attempt: Attempt, receipt: Receipt) -> Attempt:
        """The attempt with the provider's id, where only the receipt has that."""
        handed_over = attempt.handed_over or self.ledger.clock.now()
        return replace(attempt, ref=attempt.ref or receipt.ref, handed_over=handed_over)

    def _late(self, job: Job, attempt: Attempt, receipt: Receipt) -> None:
        """A word after the end: it counts where the end was only that nothing more was heard."""
        result = attempt.result
        if result is None or result.disposition is not Disposition.SENT or receipt.disposition is None:
            return
        self.ledger.save(replace(attempt, result=_result(receipt)))
        self.ledger.store.save_job(replace(job, disposition=receipt.disposition))
        self.ledger.note(job, "receipt", attempt=attempt.number, word=receipt.word)

    def _finish(self, job: Job, attempt: Attempt, receipt: Receipt) -> None:
        result = _result(receipt)
        now = self.ledger.clock.now()
        ended = max(attempt.begun, min(receipt.at or now, now))  # their clock may be another
        known = replace(self._known(attempt, receipt), ended=ended, result=result)
        hung_up = job.requested == "cancel" and bool(attempt.evidence.get("hung_up"))
        self.closer.conclude(job, known, result, hung_up=hung_up)

    def _give_up(self, job: Job, attempt: Attempt) -> None:
        """No more will come. A message counts as sent; of all else nobody knows."""
        if job.kind == "sms":
            self._finish(job, attempt, Receipt(disposition=Disposition.SENT, detail="no receipt came"))
            return
        self.closer.doubt(job, attempt, f"{attempt.trunk} never said what became of it", {})
        self._forget(job.id)

    def _forget(self, job_id: str) -> None:
        job = self.ledger.store.find_job(job_id)
        if job is not None and job.look_at is not None:
            self.ledger.store.save_job(replace(job, look_at=None))

    def _look_at_doubt(self, job: Job, attempt: Attempt, age: timedelta) -> None:
        if age >= timedelta(seconds=DOUBT_S):
            self._forget(job.id)
        else:
            self._look(job, attempt)

    def _tells(self, job: Job, attempt: Attempt) -> bool:
        """Whether any more will be heard of it: by receipts, or by asking."""
        return self._can_ask(job, attempt) or self.providers.gets_receipts(attempt.trunk or "")

    def _look(self, job: Job, attempt: Attempt) -> None:
        """Asks, or does so within moments where too much is being asked already."""
        provider = attempt.trunk or ""
        if self._of_provider[provider] >= AT_ONCE and self._can_ask(job, attempt):
            self.look_soon(job, attempt)
            return
        self._look_later(job, attempt)
        self._ask(job, attempt)

    def _can_ask(self, job: Job, attempt: Attempt) -> bool:
        """An id that several messages share says nothing of one of them."""
        if attempt.evidence.get("shared"):
            return False
        return self.providers.can_look(attempt.trunk or "", job.kind, attempt.ref is not None)

    def _look_later(self, job: Job, attempt: Attempt) -> None:
        now, since = self.ledger.clock.now(), attempt.handed_over or attempt.begun
        limit = DOUBT_S if job.state is State.HELD else LIMITS_S.get(job.kind, 86400)
        look_at = since + timedelta(seconds=limit)
        if self._can_ask(job, attempt):
            pause = min(
                max((now - since) / 2, timedelta(seconds=FIRST_LOOK_S)), timedelta(seconds=LONGEST_LOOK_S)
            )
            look_at = min(now + pause, max(look_at, now))
        self.ledger.store.save_job(replace(job, look_at=look_at))

    def _ask(self, job: Job, attempt: Attempt) -> bool:
        """Asks once at a time, and not too many at once; whether it does."""
        provider, reference = attempt.trunk or "", attempt.reference
        if (
            not self._can_ask(job, attempt)
            or reference in self._asking
            or self._of_provider[provider] >= AT_ONCE
        ):
            return False
        self._asking[reference] = provider
        self._of_provider[provider] += 1
        errand, ref = Errand(reference, job.call, job.task, begun=attempt.begun), _ref_of(attempt)
        done: Callable[[Any], None] = self.inbox.put
        self.ledger.later.append(lambda: self.providers.look(provider, job.kind, errand, ref, done))
        return True


def _ref_of(attempt: Attempt) -> str | None:
    """By which id it is asked for: of a conference that of the first party whose end is not known."""
    refs, parties = attempt.evidence.get("refs", {}), attempt.evidence.get("parties", {})
    return next((ref for number, ref in refs.items() if number not in parties), attempt.ref)


def _of_party(job: Job, attempt: Attempt, receipt: Receipt) -> Receipt:
    """What was said of one party of a conference, with the party's number."""
    numbers = {ref: number for number, ref in attempt.evidence.get("refs", {}).items()}
    if job.kind != "conference" or receipt.to in job.call.to or receipt.ref not in numbers:
        return receipt
    return replace(receipt, to=numbers[receipt.ref])


def _is_good(receipt: Receipt) -> bool:
    """Whether it still counts for an attempt that has ended: it spares a second one."""
    return receipt.disposition in GOOD


def _result(receipt: Receipt) -> Result:
    assert receipt.disposition is not None
    return Result(
        receipt.disposition,
        talk_seconds=None if receipt.seconds is None else float(receipt.seconds),
        detail=receipt.detail,
        word=receipt.word,
        price=receipt.price,
        currency=receipt.currency,
        parts=receipt.parts,
        recording=receipt.recording,
    )
