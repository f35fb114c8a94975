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

FRESH_S = 1.0
"""So long a text is given out again: however many ask, it is made once a second."""


class Exposition:
    """A registry of one daemon's own. Safe from any thread."""

    def __init__(self) -> None:
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
        """All metrics as they are now, or were up to FRESH_S ago."""
        with self._lock:
            if monotonic() - self._made >= FRESH_S:
                self._text = generate_latest(self.registry)
                self._made = monotonic()
            return self._text
