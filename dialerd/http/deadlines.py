"""Ends what takes too long: one thread for all of it. A timer for each would cost a thread for each."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Deadlines:
    """Safe from any thread. Its own is there only as long as something may have to be ended."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._acts: dict[object, tuple[float, Callable[[], None]]] = {}
        self._wakes: float | None = None

    @contextmanager
    def until(self, at: float, act: Callable[[], None]) -> Iterator[None]:
        """Runs `act` at `at` (monotonic), unless the block is over by then. It may not raise or wait."""
        token = object()
        with self._changed:
            self._acts[token] = at, act
            if self._wakes is None:
                self._wakes = at
                threading.Thread(target=self._loop, name="deadlines", daemon=True).start()
            elif at < self._wakes:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._acts.pop(token, None)

    def _loop(self) -> None:
        while (late := self._late()) is not None:
            for act in late:
                act()

    def _late(self) -> list[Callable[[], None]] | None:
        """What has to be ended now, after a wait for the next of them; None where there is nothing left."""
        with self._changed:
            if not self._acts:
                self._wakes = None
                return None
            self._wakes = min(at for at, _ in self._acts.values())
            self._changed.wait(max(0.0, self._wakes - time.monotonic()))
            now = time.monotonic()
            late = [token for token, (at, _) in self._acts.items() if at <= now]
            return [self._acts.pop(token)[1] for token in late]
