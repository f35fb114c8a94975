"""The threads of one account, so that a provider that hangs holds up nobody else's work."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dialerd.core.errors import DeliveryError, Unavailable, Unconfirmed
from dialerd.log import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """`do` makes an answer, `done` gets it, in every case exactly once. `failed` makes one of an error."""

    do: Callable[[], Any]
    done: Callable[[Any], None]
    failed: Callable[[DeliveryError], Any]


class Pool:
    """Threads, started when they are needed; at most `size`, with `most` works in line for them."""

    def __init__(self, name: str, size: int, most: int) -> None:
        self._name, self._size, self._most = name, size, most
        self._changed = threading.Condition()
        self._line: deque[Work] = deque()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._stopped = False

    def resize(self, size: int) -> None:
        """So many threads at most; those that there are stay."""
        self._size = max(size, self._size)

    def run(self, work: Work) -> None:
        """Puts work in line; never waits. What finds no place is told so at once."""
        with self._changed:
            refused = self._stopped or len(self._line) >= self._most
            if not refused:
                self._line.append(work)
                if self._idle < len(self._line) and len(self._threads) < self._size:
                    self._begin()
                self._changed.notify()
        if refused:
            work.done(work.failed(Unavailable("Too much waits for it already: ask again later.")))

    def stop(self) -> None:
        """Begins nothing any more, and says so to all that are in line."""
        with self._changed:
            self._stopped = True
            left = list(self._line)
            self._line.clear()
            self._changed.notify_all()
        for work in left:
            work.done(work.failed(Unavailable("dialerd is stopping. Nothing was sent.")))

    def join(self, deadline: float) -> None:
        """Waits for what is under way. A daemon's thread that hangs ends with it."""
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _begin(self) -> None:
        thread = threading.Thread(target=self._loop, name=f"{self._name}-{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _loop(self) -> None:
        while (work := self._next()) is not None:
            try:
                answer = work.do()
            except Exception:  # the outermost frame: what was under way is in doubt
                log.exception("provider_failed", thread=self._name)
                answer = work.failed(
                    Unconfirmed("It can't be known whether it was done: dialerd has an error.")
                )
            work.done(answer)

    def _next(self) -> Work | None:
        with self._changed:
            self._idle += 1
            while not self._line and not self._stopped:
                self._changed.wait()
            self._idle -= 1
            return self._line.popleft() if self._line else None


class Slots:
    """How many requests are under way at once. What is sent takes its slot at once, a read waits for one."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._changed = threading.Condition()
        self._used = self._reads = self._waiting = 0

    @property
    def used(self) -> int:
        """How many are under way."""
        return self._used

    @property
    def read(self) -> bool:
        """Whether reads hold some, or wait for one."""
        return bool(self._reads or self._waiting)

    def free(self) -> int:
        """How many may be sent now. One that falls free goes to a read that waits."""
        with self._changed:
            return max(0, self.size - self._used - min(1, self._waiting))

    def take(self) -> None:
        """For what is sent."""
        with self._changed:
            self._used += 1

    def give_back(self) -> None:
        """What was sent is over."""
        with self._changed:
            self._used -= 1
            self._changed.notify()

    def take_to_read(self, deadline: float) -> bool:
        """Waits for one, and takes it. False: there was none until the deadline."""
        with self._changed:
            self._waiting += 1
            try:
                while self._used >= self.size:
                    if (left := deadline - time.monotonic()) <= 0:
                        return False
                    self._changed.wait(left)
                self._used += 1
                self._reads += 1
                return True
            finally:
                self._waiting -= 1

    def give_back_read(self) -> None:
        """A read is over."""
        with self._changed:
            self._used -= 1
            self._reads -= 1
            self._changed.notify()
