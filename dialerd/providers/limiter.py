"""How fast an account is asked: evenly, so that no minute (or second) ever holds more than the provider
allows, not even where dialerd was started anew within it.

Two things keep to it. Tokens say when a request may begin; they fall due one interval after the other. The
gate says when its first byte is written, since connections take now shorter and now longer: two of them are
never closer than an interval. Times are seconds of the monotonic clock.
"""

import threading
import time

from dialerd.core.pacing import MANY, Bucket

SLACK = 0.008
"""So much longer than it would have to be is an interval: what the network takes now more and now less."""

BUSY_SHARE, IDLE_SHARE = 10, 2
"""Every so many tokens one may be a read: while things are sent, and while nothing is. The rest is for what
is to be sent."""

BUSY_INTERVALS, BUSY_S = 5, 2.0
"""So long after the last one that was sent, more are taken to wait."""

_LOOK_S = 1.0


class Limiter:
    """One account's. `per_minute` None: no bound. Safe from any thread."""

    def __init__(self, per_minute: float | None, now: float) -> None:
        self._changed = threading.Condition()
        self._interval = _interval(per_minute)
        self._tokens = Bucket(_rate(per_minute), now + self._interval)
        self._sent = self._read = self._blocked = self._written = float("-inf")
        self._readers = 0
        self._stopped = False

    def reconfigure(self, per_minute: float | None, now: float) -> None:
        """Another bound counts from now on."""
        with self._changed:
            self._interval = _interval(per_minute)
            self._tokens.reconfigure(_rate(per_minute), now)
            self._changed.notify_all()

    def block_until(self, at: float) -> None:
        """Nothing begins before `at`."""
        with self._changed:
            self._blocked = max(self._blocked, at)
            self._changed.notify_all()

    def stop(self) -> None:
        """Nobody waits any more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def blocked(self, now: float) -> float | None:
        """Until when nothing begins; None where nothing is in the way."""
        with self._changed:
            return self._blocked if now < self._blocked else None

    def room(self, now: float) -> int:
        """How many may be sent now. One token is left to a read that waits, and whose turn it is."""
        with self._changed:
            if now < self._blocked:
                return 0
            there = self._tokens.available(now)
            return there - 1 if 0 < there < MANY and self._readers and now >= self._read_due(now) else there

    def take(self, now: float) -> None:
        """Takes a token for what is sent. One that is taken too early is paid for by those after it."""
        with self._changed:
            self._sent = now
            self._tokens.take(now)

    def next(self, now: float) -> float | None:
        """When time brings the next token for what is sent; None where one is there."""
        if self.room(now):
            return None
        with self._changed:
            due = self._tokens.next(now)
            after = now + self._interval if due is None and now >= self._blocked else due  # a read takes it
            return max(self._blocked, after if after is not None else now)

    def read(self, now: float) -> float | None:
        """Takes a token for a read. None: taken; else when to ask again."""
        with self._changed:
            again = max(self._blocked, self._read_due(now), self._tokens.next(now) or now)
            if again > now:
                return again
            self._tokens.take(now)
            self._read = now
            return None

    def wait_to_read(self, deadline: float) -> bool:
        """Waits for a token for a read, and takes it. False: there was none until the deadline."""
        with self._changed:
            self._readers += 1
            try:
                while (again := self.read(now := time.monotonic())) is not None:
                    if now >= deadline or self._stopped:
                        return False
                    self._changed.wait(max(0.0, min(again, deadline) - now))
                return True
            finally:
                self._readers -= 1

    def gate(self) -> None:
        """Waits until a first byte may be written."""
        with self._changed:
            now = time.monotonic()
            at = self._written = max(now, self._written + self._interval)
        if at > now:
            time.sleep(at - now)

    def _read_due(self, now: float) -> float:
        busy = now - self._sent < max(BUSY_S, BUSY_INTERVALS * self._interval)
        return self._read + (BUSY_SHARE if busy else IDLE_SHARE) * self._interval


def _interval(per_minute: float | None) -> float:
    return 0.0 if per_minute is None else 60 / per_minute * (1 + SLACK)


def _rate(per_minute: float | None) -> float | None:
    return None if per_minute is None else 1 / _interval(per_minute)
