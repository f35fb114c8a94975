"""Pick: which due jobs go next, and on which trunk. Urgent ones first, then by priority and turn; what the
rules are against is put aside on the way."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from dialerd.core.model import Attempt, Job
from dialerd.core.policy import Rules
from dialerd.core.routing import against
from dialerd.core.states import Step
from dialerd.engine.accept import Line
from dialerd.engine.flights import Flight, Flights
from dialerd.engine.gate import Gate, Refuse, Wait
from dialerd.engine.ledger import Ledger
from dialerd.engine.orders import Orders
from dialerd.engine.sending import Sender
from dialerd.engine.spending import Refusal
from dialerd.engine.trunks import Trunks

LOOKED_AT = 200
"""Jobs of one trunk that are looked at in one turn: what is put aside costs a write each."""

ALIKE = 1000
"""Jobs that are looked at for those that may share a request."""

SPREAD = timedelta(milliseconds=2)
LONGEST_SPREAD = timedelta(minutes=10)
"""How far apart the jobs of an owner come back who has enough calls under way: each look costs a write."""

HIGHEST = 9

CAP = "cap: "
"""How the reason of a job begins that waits for a cap: it is looked at anew when the caps change."""

Prepare = Callable[[Job, str, datetime | None, float], tuple[str, bytes] | None]
"""A job, its trunk, when its hours end, when it was due → its call file; None where it was refused."""


class Picker:
    """Reads no more of the queue than there is room for."""

    def __init__(
        self,
        ledger: Ledger,
        flights: Flights,
        trunks: Trunks,
        gate: Gate,
        orders: Orders,
        line: Line,
        sender: Sender,
    ) -> None:
        self.ledger, self.flights, self.trunks = ledger, flights, trunks
        self.gate, self.orders, self.line, self.sender = gate, orders, line, sender
        self.passed_over = False
        self.waiting: list[str] = []
        self._mono, self._left, self._asterisk_out = 0.0, 0, False
        self._back: dict[int, datetime] = {}
        self._round = 0
        self._skip: dict[tuple[str, bool], int] = {}

    def pick(self, room: int, prepare: Prepare, asterisk_out: bool = False) -> dict[str, bytes]:
        """The call files of the next jobs, `room` at most. Those of providers are handed over on the way.
        `asterisk_out`: no trunk takes calls until Asterisk is back."""
        self.passed_over = False
        self._mono, self._left, self._asterisk_out = self.ledger.clock.mono(), room, asterisk_out
        self.sender.new_turn()
        files: dict[str, bytes] = {}
        self.waiting = trunks = self.ledger.store.trunks_due()
        if not trunks:
            return files
        first = self._round % len(trunks)
        trunks = trunks[first:] + trunks[:first]
        self.trunks.count(self.flights.on_trunk + self.sender.on_way)
        urgent_from, begun = self.gate.rules.urgent_from, 0
        for urgent, least, most in ((True, urgent_from, HIGHEST), (False, 0, urgent_from - 1)):
            for trunk in trunks:
                spare = min(self._spare(trunk, urgent), LOOKED_AT)
                if spare > 0:
                    begun += self._pick_from(trunk, spare, (least, most), urgent, files, prepare)
        self._round += bool(begun)
        return files

    def may_begin(self, job: Job, attempt: Attempt) -> bool:
        """Asked again as the lease is written: whether nobody stopped the number, the trunk or the batch
        meanwhile."""
        if self.orders.of_batch(job) is not None or self.trunks.is_paused(attempt.trunk or ""):
            return False
        return against(job.call, attempt.trunk or "", self.gate.rules, job.task) is None

    def begun(self, flight: Flight, job: Job) -> None:
        """The lease is written: it counts, and virtual time goes on where the job stood in line."""
        now, way = self.ledger.clock.now(), flight.attempt.trunk or ""
        self.line.took(job)
        self.gate.spending.begin(flight.job, flight.attempt, now)
        if why := self.gate.spending.ventured(flight.job, way, now):
            self.orders.blow_fuse(way, why)

    def ways_of(self, trunk: str) -> list[str]:
        """The ways that jobs may use which wait for this one: it, and those behind it on its routes. A
        provider only where nothing before it will do for a while."""
        behind: list[str] = []
        for route in self.gate.rules.routes:
            if trunk in route.trunks:
                behind += self._usable(route.trunks[route.trunks.index(trunk) :])
        return list(dict.fromkeys([trunk, *behind]))

    def _usable(self, ways: tuple[str, ...]) -> list[str]:
        found: list[str] = []
        for way in ways:
            if self.sender.is_provider(way) and not all(self._is_out(each) for each in found):
                break
            found.append(way)
        return found

    def next_time(self) -> float | None:
        """When a way out that jobs wait for takes some again because time has passed (monotonic), as seen at
        the last pick: what fell due since then was not taken yet."""
        ways = [way for trunk in self.waiting for way in self.ways_of(trunk)]
        times = [self.trunks.next(ways, self._mono)]
        times += [self.sender.next(way, self._mono) for way in ways if self.sender.is_provider(way)]
        return min((each for each in times if each is not None), default=None)

    def _spare(self, trunk: str, urgent: bool) -> int:
        return sum(self._room(way, urgent) for way in self.ways_of(trunk))

    def _room(self, way: str, urgent: bool) -> int:
        room = self.trunks.room(way, urgent, self._mono)
        if self.sender.is_provider(way):
            return min(room, self.sender.room(way, self._mono))
        return min(room, self._left)

    def _is_out(self, way: str) -> bool:
        """Whether this way will not do for a while, so that a provider behind it may be paid for."""
        if self.sender.is_provider(way):
            return self.sender.is_out(way, self._mono)
        line = self.trunks.line(way)
        return self._asterisk_out or (line is not None and line.breaker.allows(self._mono) <= 0)

    def _pick_from(
        self,
        trunk: str,
        spare: int,
        among: tuple[int, int],
        urgent: bool,
        files: dict[str, bytes],
        prepare: Prepare,
    ) -> int:
        """How many began. Where the trunk itself has no room, but one behind it has, the first in line may be
        bound to it: those behind them are looked at in the turns that follow."""
        now, gone, stay = self.ledger.clock.now(), set[str](), 0
        full = self._room(trunk, urgent) <= 0
        skip, limit = (self._skip.get((trunk, urgent), 0), LOOKED_AT) if full else (0, spare)
        jobs = self.ledger.store.due(trunk, limit, *among, skip)
        for job in jobs:
            if len(gone) >= spare:
                break
            if job.id in gone:
                continue
            if self.flights.of_job(job.id) is not None:
                stay += 1
                continue
            closes, goes = self._judge(job, now)
            if not goes:
                self.passed_over = True
                continue
            way = self._way(job, urgent, now)
            if way is None:
                stay += 1
                continue
            provider = self.sender.is_provider(way)
            due = self.trunks.begin(way, urgent, self._mono, 1 if provider else job.call.phones)
            if provider:
                gone.update(self._send(job, way, now))
                continue
            made = prepare(job, way, closes, due)
            if made is not None:
                files[made[0]] = made[1]
                gone.add(job.id)
                self._left -= 1
        self._skip[trunk, urgent] = skip + stay if full and len(jobs) == limit else 0
        return len(gone)

    def _send(self, job: Job, way: str, now: datetime) -> list[str]:
        """Hands a job to a provider, and with it those that share its request."""
        sent = self.sender.send(job, way, self._mono, lambda first: self._alike(first, way, now))
        for each in sent:
            self.line.took(each)
            if why := self.gate.spending.ventured(each, way, now):
                self.orders.blow_fuse(way, why)
        return [each.id for each in sent]

    def _alike(self, first: Job, way: str, now: datetime) -> Iterator[Job]:
        """Due jobs of the same batch that ask for the very same, each for another number, and that may go
        this way. Whoever takes them leases one before he asks for the next: so caps count them."""
        due = self.ledger.store.due(first.way, ALIKE, first.priority, first.priority)
        same = (first.owner, first.batch, first.task)
        line = self.trunks.line(way)
        trunk, numbers = None if line is None else line.trunk, {first.call.to[0]}
        for job in due:
            if (job.owner, job.batch, job.task) != same or job.call.to[0] in numbers:
                continue
            if way not in job.ways or not self._judge(job, now)[1] or not _allowed(job, way, self.gate.rules):
                continue
            if self.gate.spending.check(job, way, trunk, now) is None:
                numbers.add(job.call.to[0])
                yield job

    def _judge(self, job: Job, now: datetime) -> tuple[datetime | None, bool]:
        """Whether the job may go, and until when; else it is put where it belongs."""
        if self.orders.of_batch(job) is not None:
            self.ledger.store.park(job.id)
            return None, False
        under_way = self.flights.of_owner[job.owner] + self.gate.spending.of_owner[job.owner]
        verdict = self.gate.judge(job, now, under_way)
        match verdict:
            case Refuse():
                self._refuse(job, verdict.why)
            case Wait():
                self._put_off(job, verdict)
            case _:
                return verdict.closes, True
        return None, False

    def _put_off(self, job: Job, wait: Wait) -> None:
        if wait.rule == "cap":
            self.ledger.postpone(job, self._spread(job.owner, wait.until), f"{CAP}{wait.why}")
        else:
            self.ledger.postpone(job, wait.until, wait.why)

    def _spread(self, owner: int, until: datetime) -> datetime:
        """One moment for each, so that a hundred thousand do not come back at once, every few seconds."""
        behind = min(self._back.get(owner, until) + SPREAD, until + LONGEST_SPREAD)
        self._back[owner] = max(until, behind)
        return self._back[owner]

    def _refuse(self, job: Job, why: str) -> None:
        """What the rules refuse by now never begins."""
        self.ledger.move(job, Step.REFUSE, why)

    def _way(self, job: Job, urgent: bool, now: datetime) -> str | None:
        """The first of its ways that has room and is not at a cap. A job that all caps are against waits, and
        so does one that a provider would take at once, but a way before it soon."""
        rules = self.gate.rules
        ways = job.ways[job.ways.index(job.way) :] if job.way in job.ways else (job.way,)
        ways = tuple(way for way in ways if way in rules.trunks or way in rules.providers) or ways
        left, capped, soon = list(ways), [], False
        for way in ways:
            if soon and self.sender.is_provider(way):
                break
            if not self._fits(job, way, urgent):
                soon = soon or not self._is_out(way)
                continue
            line = self.trunks.line(way)
            refusal = self.gate.spending.check(job, way, None if line is None else line.trunk, now)
            if refusal is None and _allowed(job, way, rules):
                return way
            if refusal is not None and refusal.everywhere:
                self._wait_for_cap(job, [refusal])
                return None
            left.remove(way)
            capped += [] if refusal is None else [refusal]
        if capped and not left:
            self._wait_for_cap(job, capped)
        return None

    def _fits(self, job: Job, way: str, urgent: bool) -> bool:
        if self._room(way, urgent) <= 0:
            return False
        return self.sender.is_provider(way) or self.trunks.fits(way, urgent, job.call.phones, self._mono)

    def _wait_for_cap(self, job: Job, capped: list[Refusal]) -> None:
        self.ledger.postpone(job, min(each.until for each in capped), f"{CAP}{capped[0].why}")
        self.passed_over = True


def _allowed(job: Job, way: str, rules: Rules) -> bool:
    known = way in rules.trunks or way in rules.providers
    return not known or against(job.call, way, rules, job.task) is None
