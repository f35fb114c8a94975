"""One thread for what waits on the disk or the network, so that the engine never does."""

import queue
import threading
from collections.abc import Callable
from time import monotonic

from dialerd.log import get_logger

log = get_logger(__name__)


class Worker:
    """Runs what it is given, one after the other. What it is given puts its own answer into the inbox."""

    def __init__(self, name: str, failed: Callable[[BaseException], None]) -> None:
        """`failed` is called, in the thread, when work raises: a bug of ours, after which the thread ends."""
        self._failed = failed
        self._busy_since: float | None = None
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def run(self, work: Callable[[], None]) -> None:
        """Puts work in line; never waits."""
        self._queue.put(work)

    def flush(self) -> None:
        """Waits until all that is in line now is done."""
        done = threading.Event()
        self.run(done.set)
        done.wait()

    def stop(self, timeout: float = 10.0) -> None:
        """Ends the thread once it has done what is in line, within `timeout` seconds."""
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout)

    def busy_seconds(self) -> float:
        """How long the work that is being done has taken by now; 0 where there is none."""
        since = self._busy_since
        return 0.0 if since is None else monotonic() - since

    def _loop(self) -> None:
        try:
            while (work := self._queue.get()) is not None:
                self._busy_since = monotonic()
                work()
                self._busy_since = None
        except Exception as error:  # the outermost frame: what was under way is in doubt
            log.exception("worker_failed", thread=self._thread.name)
            self._failed(error)
