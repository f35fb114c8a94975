"""The text that Prometheus reads."""

import threading
from time import monotonic

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.registry import Collector

from dialerd.core.errors import Overloaded

WAIT_S = 5.0
"""How long a reader waits for the text that is being made for another. Where a disk does not answer, that is
never, and each reader would keep a thread that others need."""

FRESH_S = 1.0
"""So long a text is given out again: however many ask, it is made once a second."""


class Exposition:
    """A registry of one daemon's own. Safe from any thread."""

    def __init__(self, wait_s: float = WAIT_S) -> None:
        self._wait_s = wait_s
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a series for each counter, which nobody here reads
        self.registry = CollectorRegistry(auto_describe=False)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._lock = threading.Lock()
        self._text, self._made = b"", float("-inf")

    def add(self, collector: Collector) -> None:
        """From now on this is asked, too."""
        self.registry.register(collector)

    def text(self) -> bytes:
        """All metrics as they are now, or were up to FRESH_S ago. Raises Overloaded."""
        if not self._lock.acquire(timeout=self._wait_s):
            raise Overloaded("What the metrics look at does not answer: dialerctl status says more.", 15)
        try:
            if monotonic() - self._made >= FRESH_S:
                self._text = generate_latest(self.registry)
                self._made = monotonic()
            return self._text
        finally:
            self._lock.release()
