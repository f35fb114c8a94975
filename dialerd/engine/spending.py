"""Spending: what was used today, what running calls may still use, and the fuse that stops a trunk which
spends too fast."""

from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from zoneinfo import ZoneInfo

from dialerd.core.budget import Budget, Used, area_of, over
from dialerd.core.charges import UNITS, Rate, charge, format_money
from dialerd.core.model import Attempt, Disposition, Job, Result
from dialerd.core.policy import Caps, Trunk
from dialerd.core.tasks import Conference, Ivr
from dialerd.engine.ports import Rates
from dialerd.store.base import Store

MOST_PRICE = 1_000_000
"""No message or call costs as much: what a provider writes is then no price."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A cap is reached. `until`: when it counts anew. `everywhere`: whichever trunk would take the call."""

    why: str
    until: datetime
    everywhere: bool = False


class Spending:
    """Counts in the store by day; in memory what is reserved. Used by the engine's thread."""

    def __init__(self, store: Store, budget: Budget, rates: Rates) -> None:
        self.store, self.budget, self.rates = store, budget, rates
        self._day = ""
        self._used: dict[str, Used] = {}
        self._reserved: dict[str, tuple[tuple[str, ...], Used]] = {}
        self._held: dict[str, Used] = {}
        self._carried: dict[str, tuple[int, int]] = {}
        self.of_owner: Counter[int] = Counter()
        """How many phones of each owner providers' calls under way ring."""
        self._spent: dict[str, deque[tuple[datetime, int]]] = {}
        self._new: dict[str, deque[datetime]] = {}

    def reset(self) -> None:
        """Forgets what is in memory: it is read from the store again."""
        self._day = ""
        self._reserved.clear()
        self._held.clear()
        self._carried.clear()
        self.of_owner.clear()

    def check(self, job: Job, way: str, trunk: Trunk | None, now: datetime) -> Refusal | None:
        """Whether one more call fits under the caps of its owner, its trunk and all together."""
        self.turn_day(now)
        return self.foresee(job, way, trunk, now)

    def foresee(self, job: Job, way: str, trunk: Trunk | None, now: datetime) -> Refusal | None:
        """As check(), by what is counted now. Safe from any thread."""
        caps = trunk.caps if trunk is not None else Caps()
        more = self._reserve_of(job, way)
        if more is None:
            if self.budget.counts_money(caps):
                why = f"there is no rate for {job.call.to[0]}, and spending is capped: add it to the rates"
                return Refusal(why, now + timedelta(hours=1))
            more = Used(job.call.phones, self.budget.reserve_s, 0)
        for name, scope, each in (
            (f"owner {job.owner}", f"owner:{job.owner}", self.budget.owner),
            (f"trunk {way}", f"trunk:{way}", caps),
            ("this server", "all", self.budget.total),
        ):
            used = self._used.get(scope, Used()).plus(self._held.get(scope, Used()))
            if (what := over(each, used, more)) is not None:
                return Refusal(f"{name} {what}", self._midnight(now), not scope.startswith("trunk:"))
        return None

    def hold(self, job: Job, attempt: Attempt, begun: bool = True) -> None:
        """Sets aside what a call may take: until it is over, and the call itself until it has begun."""
        self.release(attempt)
        way = attempt.trunk or ""
        scopes = _scopes(job, way)
        more = self._reserve_of(job, way) or Used(job.call.phones, self.budget.reserve_s, 0)
        aside = Used(0 if begun else job.call.phones, more.seconds, more.cost)
        self._reserved[attempt.name] = (scopes, aside)
        for scope in scopes:
            self._held[scope] = self._held.get(scope, Used()).plus(aside)

    def begin(self, job: Job, attempt: Attempt, now: datetime) -> None:
        """A call begins: it counts, whatever comes of it."""
        self.turn_day(now)
        self.hold(job, attempt)
        self._count(_scopes(job, attempt.trunk or ""), Used(calls=job.call.phones))

    def carry(self, job: Job, attempt: Attempt) -> None:
        """The same for what a provider has: a call there is under way until it is over."""
        self.hold(job, attempt)
        if job.task is None or isinstance(job.task, Conference | Ivr):
            self._carried[attempt.name] = job.owner, job.call.phones
            self.of_owner[job.owner] += job.call.phones

    def undo(self, job: Job, attempt: Attempt, now: datetime) -> None:
        """Certainly nothing was dialled: a call of today does not count."""
        self.turn_day(now)
        if attempt.begun.astimezone(ZoneInfo(self.budget.zone)).date().isoformat() == self._day:
            self._count(_scopes(job, attempt.trunk or ""), Used(calls=-job.call.phones))

    def release(self, attempt: Attempt) -> None:
        """The call is over, or came to nothing: nothing is set aside for it any more."""
        scopes, aside = self._reserved.pop(attempt.name, ((), Used()))
        owner, phones = self._carried.pop(attempt.name, (0, 0))
        self.of_owner[owner] -= phones
        for scope in scopes:
            self._held[scope] = self._held[scope].plus(Used(-aside.calls, -aside.seconds, -aside.cost))

    def charge(self, job: Job, attempt: Attempt, result: Result, now: datetime) -> int:
        """Counts what a call that is over took; returns what it cost in units."""
        self.turn_day(now)
        way, seconds = attempt.trunk or "", _seconds(attempt, result)
        rate = self._rate(job, way) if job.task is None else None
        cost = charge(rate, seconds) if rate is not None and seconds else 0
        cost = cost if cost else self._told(result)
        if seconds or cost:
            self._count(_scopes(job, way), Used(0, seconds, cost))
        if cost and way and self.budget.fuse.spend is not None:
            self._spent.setdefault(way, deque()).append((now, cost))
        return cost

    def charge_doubt(self, attempt: Attempt, now: datetime) -> None:
        """Counts what was set aside for a call of which nobody knows whether it was made."""
        self.turn_day(now)
        scopes, aside = self._reserved.get(attempt.name, ((), Used()))
        self._count(scopes, Used(0, aside.seconds, aside.cost))

    def blown(self, way: str, now: datetime) -> str:
        """Why the fuse of a trunk has blown after a call was charged, or nothing."""
        fuse = self.budget.fuse
        if fuse.spend is not None:
            spent = self._spent.setdefault(way, deque())
            _forget(spent, now - timedelta(seconds=fuse.spend_s))
            total = sum(cost for _, cost in spent)
            if total > fuse.spend:
                spent.clear()
                return (
                    f"the fuse has blown: {format_money(total)} were spent within"
                    f" {fuse.spend_s // 60} minutes, of {format_money(fuse.spend)} at most"
                )
        return ""

    def ventured(self, job: Job, way: str, now: datetime) -> str:
        """Why the fuse of a trunk has blown after a call to this number, or nothing."""
        fuse = self.budget.fuse
        if fuse.areas is None or not way:
            return ""
        new = self._new.setdefault(way, deque())
        for number in job.call.to:
            if number.startswith("+") and self.store.is_new_area(way, area_of(number), now):
                new.append(now)
        while new and new[0] < now - timedelta(seconds=fuse.areas_s):
            new.popleft()
        if len(new) <= fuse.areas:
            return ""
        count = len(new)
        new.clear()
        return (
            f"the fuse has blown: {count} areas were called that never were before, within"
            f" {fuse.areas_s // 60} minutes, of {fuse.areas} at most"
        )

    def today(self, scope: str) -> Used:
        """What was used today, as far as it was counted. Safe from any thread."""
        return self._used.get(scope, Used())

    def owners(self) -> list[str]:
        """The scopes of the owners who used something today. Safe from any thread."""
        return [scope for scope in list(self._used) if scope.startswith("owner:")]

    def reached(self, scope: str, caps: Caps) -> str | None:
        """Which of a scope's caps one more call would pass, as a piece of a sentence, or None. Safe from any
        thread."""
        used = self._used.get(scope, Used()).plus(self._held.get(scope, Used()))
        return over(caps, used, Used(1, self.budget.reserve_s))

    def turn_day(self, now: datetime) -> None:
        """Begins a new day where it is one: what was used is counted anew."""
        day = now.astimezone(ZoneInfo(self.budget.zone)).date().isoformat()
        if day != self._day:
            self._day, self._used = day, dict(self.store.usage(day))

    def _midnight(self, now: datetime) -> datetime:
        local = now.astimezone(ZoneInfo(self.budget.zone))
        tomorrow = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return tomorrow.astimezone(now.tzinfo)

    def _count(self, scopes: tuple[str, ...], used: Used) -> None:
        for scope in scopes:
            self.store.add_usage(self._day, scope, used)
            self._used[scope] = self._used.get(scope, Used()).plus(used)

    def _rate(self, job: Job, way: str) -> Rate | None:
        """The dearest of the numbers that ring."""
        rates = [self.rates.find(number, way) for number in job.call.to if number.startswith("+")]
        known = [rate for rate in rates if rate is not None]
        if not rates or len(known) < len(rates):
            return None
        return max(known, key=lambda rate: charge(rate, self.budget.reserve_s))

    def _told(self, result: Result) -> int:
        """Units that a provider says it takes, if that is our money. Some write what they take as less than
        nothing."""
        same = result.currency in (None, "", self.budget.currency) or not self.budget.currency
        try:
            price = abs(Decimal(result.price or "0")) if same else Decimal(0)
            return int((price * UNITS).to_integral_value(ROUND_CEILING)) if price < MOST_PRICE else 0
        except ArithmeticError:
            return 0

    def _reserve_of(self, job: Job, way: str) -> Used | None:
        """What one more call may take; None where its rate is not known. Internal numbers cost nothing, and
        what a message costs is known when its provider says so."""
        if job.task is not None:
            return Used(max(1, job.call.phones), 0, 0)
        if not any(number.startswith("+") for number in job.call.to):
            return Used(job.call.phones, self.budget.reserve_s, 0)
        rate = self._rate(job, way)
        if rate is None:
            return None
        return Used(job.call.phones, self.budget.reserve_s, charge(rate, self.budget.reserve_s))


def _scopes(job: Job, way: str) -> tuple[str, ...]:
    """For whom a call counts."""
    return (f"owner:{job.owner}", f"trunk:{way}", "all")


def _seconds(attempt: Attempt, result: Result) -> int:
    """Talked seconds, rounded up. Where AMI did not see them: from the hand-over to the end."""
    if result.disposition is not Disposition.ANSWERED:
        return 0
    if result.talk_seconds is not None:
        return -int(-result.talk_seconds // 1)
    if attempt.handed_over is None or attempt.ended is None:
        return 0
    return max(0, -int(-(attempt.ended - attempt.handed_over).total_seconds() // 1))


def _forget(spent: deque[tuple[datetime, int]], before: datetime) -> None:
    while spent and spent[0][0] < before:
        spent.popleft()
