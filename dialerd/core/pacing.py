"""How fast and how many at once: a trunk's rate, the limit of channels that it finds out by itself, and its
breaker.

Nothing here looks at a clock or waits: `now` and `begun` are seconds of the monotonic clock, handed in.
docs/pacing.md is the user's view.
"""

import math
from dataclasses import dataclass, field

MANY = 1_000_000
"""More calls than anybody begins at once: stands for no limit."""

READY_S = 0.1
"""How many seconds' worth of calls may gather while nobody takes them. So a turn that comes late by less
loses no call of the rate, and no more than this goes out at once after a rest."""

START = 20
"""The first window of a trunk. As many calls as small trunks carry, so that most never notice the search;
doubling with every round, a large one is found in a few rounds."""

MOST = 20_000
"""The largest window: as many calls as dialerd follows at once."""

USED = 0.9
"""The share of its window that must be in use for a success to say that a larger one would do."""

PATIENCE = 4
"""Windows' worth of successes at the last known good limit before one more is tried. A halving costs about
7 % of one window's worth of calls, so that one in four keeps the mean near 98 % of the limit."""

PAST_LEAST, PAST_SHARE = 5, 0.1
"""A window that grew so far past the last known good limit, one by one, shows that the limit was another:
an outage's, or one that was lifted. Then it is looked for anew."""

FORGIVEN_SHARE, FORGIVEN_LEAST = 0.05, 2.0
"""One refusal in twenty results is forgiven, and so many of them at once as of one window's worth (of small
windows two): some callee's network is always congested, and that says nothing of this trunk."""

FAILURES = 5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 30.0, 900.0
PROBE_S = 120.0
"""A breaker opens after so many failures in a row, and for so long. A trunk that refuses a call does so
within seconds: a probe that is under way for two minutes no longer stands in the next one's way."""


class Bucket:
    """A token bucket: `rate` tokens a second (None: no limit), each with the instant at which it falls due.

    At most `burst` tokens lie ready, a part of one counts too. The default is one and READY_S' worth of
    tokens; it follows the rate. Raises ValueError for a rate or burst that would let nothing through.
    """

    def __init__(self, rate: float | None, now: float, burst: float | None = None) -> None:
        if burst is not None and burst < 1:
            raise ValueError("A bucket that never holds a whole token lets nothing through.")
        self._given, self._due = burst, now
        self._set(rate)

    def _set(self, rate: float | None) -> None:
        if rate is not None and not 0 < rate < math.inf:
            raise ValueError("A rate is more than 0 and finite; None is no limit.")
        self.rate = rate
        self.burst = self._given or 1 + READY_S * (rate or 0)

    def _first(self, now: float, rate: float) -> float:
        """When the oldest token fell due that did not spill over, or the next one falls due."""
        return max(self._due, now - (self.burst - 1) / rate)

    def available(self, now: float) -> int:
        """How many tokens may be taken now."""
        if self.rate is None:
            return MANY
        first = self._first(now, self.rate)
        return 0 if now < first else min(MANY, 1 + int((now - first) * self.rate))

    def take(self, now: float) -> float:
        """Takes one token and returns when it fell due.

        Ask available() first: one that is taken too early is paid for by those after it.
        """
        if self.rate is None:
            return now
        first = self._first(now, self.rate)
        self._due = first + 1 / self.rate
        return first

    def next(self, now: float) -> float | None:
        """When the next token falls due; None where one is there."""
        return None if self.available(now) else self._due

    def reconfigure(self, rate: float | None, now: float) -> None:
        """A new rate counts from now on. What lies ready, or is still owed, stays."""
        before, owed = self.rate, self._due
        if before is not None:
            owed = self._first(now, before)
        self._set(rate)
        self._due = now if before is None or rate is None else now + (owed - now) * before / rate


class Pace:
    """A trunk's rate, of which a part is kept for urgent calls.

    All calls together keep to `calls_per_second` (None: no limit), bursts included; those that are not urgent
    keep to that less `reserved_rate` as well. So an urgent call waits for one token at most, 1 /
    calls_per_second, however many others wait, as long as it is asked for first.
    """

    def __init__(self, calls_per_second: float | None, reserved_rate: float, now: float) -> None:
        self._all = Bucket(calls_per_second, now)
        self._shared = Bucket(_shared(calls_per_second, reserved_rate), now)

    def available(self, now: float, urgent: bool) -> int:
        """How many calls may begin now."""
        count = self._all.available(now)
        return count if urgent else min(count, self._shared.available(now))

    def take(self, now: float, urgent: bool) -> float:
        """Begins a call and returns when it was due. For a token that lay ready that is up to READY_S ago."""
        due = self._all.take(now)
        return due if urgent else max(due, self._shared.take(now))

    def next(self, now: float, urgent: bool) -> float | None:
        """When the next call may begin; None where one may now."""
        buckets = (self._all,) if urgent else (self._all, self._shared)
        return max((due for each in buckets if (due := each.next(now)) is not None), default=None)

    def reconfigure(self, calls_per_second: float | None, reserved_rate: float, now: float) -> None:
        """New rates count from now on."""
        shared = _shared(calls_per_second, reserved_rate)
        self._all.reconfigure(calls_per_second, now)
        self._shared.reconfigure(shared, now)


def _shared(calls_per_second: float | None, reserved_rate: float) -> float | None:
    if calls_per_second is None:
        return None
    if not 0 <= reserved_rate < calls_per_second:
        raise ValueError("A part of a rate is kept for urgent calls, never all of it and never less than 0.")
    return calls_per_second - reserved_rate


@dataclass(slots=True)
class Concurrency:
    """How many calls a trunk carries at once, found out from how they end.

    The manner is that of Postfix's queue manager (its SCHEDULER_README): successes add, congestion halves. A
    window grows by one with every success up to the last known good limit, then by one with every window's
    worth of them. Refusals of calls that began before the last halving say nothing new, and neither does a
    rare one (FORGIVEN_SHARE).
    """

    most: int = MOST
    _window: int = field(default=START, init=False)
    _good: int | None = field(default=None, init=False)
    _earned: int = field(default=0, init=False)
    _forgiven: float = field(default=1.0, init=False)
    _halved: float = field(default=-math.inf, init=False)

    def limit(self) -> int:
        """How many calls may be under way."""
        return max(1, min(self._window, self.most))

    def succeeded(self, begun: float, now: float, in_use: int) -> None:
        """The trunk carried a call that began at `begun`; `in_use` counts the calls under way, this one
        too."""
        limit = self.limit()
        self._forgiven = min(
            self._forgiven + FORGIVEN_SHARE, max(FORGIVEN_LEAST, FORGIVEN_SHARE * min(limit, in_use))
        )
        if in_use < USED * limit or limit >= self.most:
            return
        if self._good is None or limit < self._good:
            self._window = limit + 1
            return
        self._earned += 1
        if self._earned >= limit * (PATIENCE if limit == self._good else 1):
            self._window, self._earned = limit + 1, 0
        if self._window > self._good + max(PAST_LEAST, PAST_SHARE * self._good):
            self._good = None

    def congested(self, begun: float, now: float, in_use: int | None = None) -> None:
        """The trunk refused a call that began at `begun`. `in_use` as in succeeded(), where it is known."""
        if begun <= self._halved:
            return
        if self._forgiven >= 1:
            self._forgiven -= 1
            return
        met = self.limit() if in_use is None else min(self.limit(), in_use)
        self._good, self._window = max(1, met - 1), max(1, met // 2)
        self._earned, self._halved = 0, now

    def restart(self) -> None:
        """Begins anew: what was met in an outage is not the trunk's limit. For when its breaker closes."""
        self._window, self._good, self._earned, self._forgiven = START, None, 0, 1.0


class Breaker:
    """Lets a trunk rest that refuses every call, and tries it with one call at a time.

    Closed: calls go. FAILURES in a row open it for a pause, which each failed probe doubles. After the pause
    it is half-open: one probe at a time. The probe's success closes it.
    """

    def __init__(self, failures: int = FAILURES) -> None:
        self._failures = failures
        self._opened = -math.inf
        self.reset()

    def reset(self) -> None:
        """Closes it, by an operator's word."""
        self._in_row, self._pause_s = 0, FIRST_PAUSE_S
        self._until: float | None = None
        self._probe: float | None = None

    def state(self, now: float) -> str:
        """closed, open or half-open."""
        if self._until is None:
            return "closed"
        return "open" if now < self._until else "half-open"

    def until(self) -> float | None:
        """When the pause ends, or ended; None while it is closed."""
        return self._until

    def allows(self, now: float) -> int:
        """How many calls may begin now."""
        state = self.state(now)
        if state == "closed":
            return MANY
        waiting = self._probe is not None and now < self._probe + PROBE_S
        return 0 if state == "open" or waiting else 1

    def begin(self, now: float) -> None:
        """A call begins; in a half-open breaker it is the probe."""
        if self.state(now) == "half-open":
            self._probe = now

    def failed(self, begun: float, now: float) -> None:
        """The trunk refused a call that began at `begun`. One of before the breaker opened says nothing
        new."""
        if begun <= self._opened:
            return
        if self._until is not None:
            self._probe_failed(now)
            return
        self._in_row += 1
        if self._in_row >= self._failures:
            self._open(now)

    def trip(self, begun: float, now: float) -> None:
        """It takes nothing at all, which one answer is enough to know: opens at once."""
        if begun <= self._opened:
            return
        if self._until is not None:
            self._probe_failed(now)
        else:
            self._open(now)

    def succeeded(self, begun: float, now: float) -> None:
        """The trunk took a call that began at `begun`. An open breaker only closes for one that began
        since."""
        if self._until is None:
            self._in_row = 0
        elif begun > self._opened:
            self.reset()

    def abandoned(self, begun: float, now: float) -> None:
        """The call that began at `begun` said nothing (it was taken back, or cancelled). If it was the probe,
        the next call is one."""
        if begun > self._opened:
            self._probe = None

    def _probe_failed(self, now: float) -> None:
        if self._probe is None:  # a call that was on its way when the breaker opened
            return
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        self._open(now)

    def _open(self, now: float) -> None:
        self._opened, self._until, self._probe = now, now + self._pause_s, None
