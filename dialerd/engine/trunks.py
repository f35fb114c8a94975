"""Trunks: how many calls each may take now, by its rate, its channels, how it has answered, and an operator's
word."""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dialerd.core.model import Disposition, Result
from dialerd.core.pacing import MANY, Breaker, Concurrency, Pace
from dialerd.core.policy import Trunk

LATEST = 1000
"""Hand-overs whose lateness is remembered."""

QUICK_S = 1.0
"""Where there is no AMI to say why, a call that came to nothing so soon was refused, perhaps by the call
limit: it narrows the window, and says nothing else."""

REFUSED = (Disposition.CHANUNAVAIL, Disposition.CONGESTION)


@dataclass(slots=True)
class TrunkLine:
    """One trunk as it stands. `others`: calls on it that are not ours. `paused`: why it is."""

    trunk: Trunk
    pace: Pace
    concurrency: Concurrency
    breaker: Breaker = field(default_factory=Breaker)
    in_use: int = 0
    others: int = 0
    paused: str = ""
    late: deque[float] = field(default_factory=lambda: deque(maxlen=LATEST))

    def room(self, urgent: bool, now: float) -> int:
        """How many calls may begin now. What is reserved is only there for urgent ones."""
        if self.paused:
            return 0
        limits = (self.pace.available(now, urgent), self.breaker.allows(now), self.channels(urgent))
        return max(0, min(limits))

    def channels(self, urgent: bool) -> int:
        """How many channels are free."""
        free = self.concurrency.limit() - self.in_use
        if self.trunk.max_channels is None:
            return free
        kept = 0 if urgent else self.trunk.reserved_channels
        return min(free, self.trunk.max_channels - kept - self.in_use - self.others)


class Trunks:
    """All trunks of the configuration. Times are of the monotonic clock."""

    def __init__(self) -> None:
        self._lines: dict[str, TrunkLine] = {}
        self.paused = ""

    def configure(self, trunks: Mapping[str, Trunk], now: float) -> None:
        """Takes up what the configuration says, and keeps what was learnt of a trunk that stays."""
        for name in self._lines.keys() - trunks.keys():
            del self._lines[name]
        for name, trunk in trunks.items():
            line = self._lines.get(name)
            if line is None:
                pace = Pace(trunk.calls_per_second, trunk.reserved_rate, now)
                self._lines[name] = line = TrunkLine(trunk, pace, Concurrency())
            elif line.trunk != trunk:
                line.pace.reconfigure(trunk.calls_per_second, trunk.reserved_rate, now)
                line.trunk = trunk
            line.concurrency.most = trunk.max_channels or Concurrency().most

    def count(self, in_use: Counter[str]) -> None:
        """How many of our calls are on each trunk now."""
        for name, line in self._lines.items():
            line.in_use = in_use[name]

    def heard(
        self, on_trunks: Mapping[str, Mapping[str, int]], trunk_of: Callable[[str], str | None]
    ) -> None:
        """Whose channels AMI sees on each trunk (AsteriskLoad); none are told of where it can't be known.
        `trunk_of` is the trunk that an attempt under way is on. Each of its own attempts is in `in_use` once,
        begun or not; `others` is what is there beside them."""
        for name, line in self._lines.items():
            on_trunk = on_trunks.get(name, {})
            ours = [whose for whose in on_trunk if whose and trunk_of(whose) == name]
            line.others = sum(on_trunk.values()) - len(ours)

    def room(self, way: str, urgent: bool, now: float) -> int:
        """How many calls this trunk may begin now; a literal channel ("") has no bounds of its own."""
        if self.paused:
            return 0
        line = self._lines.get(way)
        return MANY if line is None else line.room(urgent, now)

    def fits(self, way: str, urgent: bool, phones: int, now: float) -> bool:
        """Whether a call that rings so many phones may begin now; one of more phones than there ever are
        channels goes alone."""
        if self.room(way, urgent, now) <= 0:
            return False
        line = self._lines.get(way)
        return line is None or not line.in_use or line.channels(urgent) >= phones

    def is_paused(self, way: str) -> bool:
        """Whether an operator or a fuse has paused the trunk, or all of them."""
        line = self._lines.get(way)
        return bool(self.paused) or (line is not None and bool(line.paused))

    def begin(self, way: str, urgent: bool, now: float, phones: int = 1) -> float:
        """Begins a call; returns the instant at which it was due."""
        line = self._lines.get(way)
        if line is None:
            return now
        line.in_use += phones
        line.breaker.begin(now)
        due = line.pace.take(now, urgent)
        for _ in range(phones - 1):  # paid for by the calls that follow
            line.pace.take(now, urgent)
        return due

    def late(self, way: str, seconds: float) -> None:
        """A call file was moved into `outgoing` so many seconds after it was due."""
        if (line := self._lines.get(way)) is not None:
            line.late.append(seconds)

    def ended(self, way: str, begun: float, now: float, result: Result | None, phones: int = 1) -> None:
        """A call that began at `begun` is over, or came to nothing (no result): what that says of the
        trunk."""
        line = self._lines.get(way)
        if line is None:
            return
        in_use, line.in_use = line.in_use, max(0, line.in_use - phones)
        if result is None:
            line.breaker.abandoned(begun, now)
        elif result.disposition in REFUSED:
            line.breaker.failed(begun, now)
            if result.disposition is Disposition.CONGESTION:
                line.concurrency.congested(begun, now, in_use)
        elif _says_nothing(result):
            line.breaker.abandoned(begun, now)
            if result.disposition is Disposition.FAILED and now - begun < QUICK_S:
                line.concurrency.congested(begun, now, in_use)
        else:
            self._took(line, begun, now)
            line.concurrency.succeeded(begun, now, in_use)

    def took(self, way: str, begun: float, now: float) -> None:
        """A phone rings, or was picked up: the trunk works, whatever comes of the call."""
        if (line := self._lines.get(way)) is not None:
            self._took(line, begun, now)

    def _took(self, line: TrunkLine, begun: float, now: float) -> None:
        before = line.breaker.until()
        line.breaker.succeeded(begun, now)
        if before is not None and line.breaker.until() is None:
            line.concurrency.restart()

    def next(self, ways: list[str], now: float) -> float | None:
        """When one of these trunks may take a call again because time has passed; None for a reason other
        than time."""
        times = []
        for way in ways:
            line = self._lines.get(way)
            if line is None or line.paused or self.paused:
                continue
            urgent = line.pace.next(now, True)
            times += [each for each in (urgent, line.pace.next(now, False)) if each is not None]
            if line.breaker.state(now) == "open" and (until := line.breaker.until()) is not None:
                times.append(until)
        return min(times, default=None)

    def line(self, way: str) -> TrunkLine | None:
        """The trunk as it stands, None where there is none of this name."""
        return self._lines.get(way)

    def lines(self) -> dict[str, TrunkLine]:
        """All of them."""
        return dict(self._lines)


def _says_nothing(result: Result) -> bool:
    """Whether nothing is known of how the trunk took the call: it was cancelled, or there is no AMI."""
    unknown = result.disposition is Disposition.FAILED and result.hangup_cause is None
    return unknown or result.disposition is Disposition.CANCELLED
