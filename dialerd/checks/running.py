"""Runs checks, all at once: one that hangs or fails says so and keeps no other from its end."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from dialerd.core.findings import Finding, by_weight, warning
from dialerd.log import get_logger

log = get_logger(__name__)

LIMIT_S = 12.0

Check: TypeAlias = Callable[[], Iterable[Finding]]


class Runner:
    """Checks by the name that a failure is told under. look() is safe from any thread."""

    def __init__(self, checks: Mapping[str, Check], limit_s: float = LIMIT_S) -> None:
        self._checks, self._limit_s = checks, limit_s
        self._lock = threading.Lock()
        self._hanging: dict[str, _Run] = {}
        self._last: Sequence[Finding] = ()
        self._begun = float("-inf")

    def look(self) -> list[Finding]:
        """What all came to, the worst first. Takes little more than the limit, and as long again where
        somebody else looks already. Who waited is told what was begun for another after he had asked."""
        asked = time.monotonic()
        with self._lock:
            if self._begun <= asked:
                self._begun = time.monotonic()
                self._last = by_weight(self._look())
            return list(self._last)

    def _look(self) -> Iterable[Finding]:
        runs = {
            name: self._hanging.get(name) or _Run(name, check).begin() for name, check in self._checks.items()
        }
        deadline = time.monotonic() + self._limit_s
        for name, run in runs.items():
            hung = name in self._hanging
            run.join(0 if hung else max(0.0, deadline - time.monotonic()))
            if run.is_alive():
                self._hanging[name] = run
                yield self._late(run)
            else:
                self._hanging.pop(name, None)
                yield from run.findings

    def _late(self, run: "_Run") -> Finding:
        seconds = time.monotonic() - run.begun
        found = f"Looking at this has not ended after {seconds:.0f} seconds, and may hang."
        return warning(run.of, found, "Look whether its disk or its other side answers, then check again.")


class _Run(threading.Thread):
    """One check on its way. It is left behind where it hangs; no second one is begun beside it."""

    def __init__(self, name: str, check: Check) -> None:
        super().__init__(name=f"check-{name}", daemon=True)
        self.of, self._check = name, check
        self.begun = time.monotonic()
        self.findings: list[Finding] = []

    def begin(self) -> "_Run":
        self.start()
        return self

    def run(self) -> None:
        try:
            self.findings = list(self._check())
        except Exception as error:  # the thread's outermost frame: the others' findings count all the same
            log.exception("check_failed", check=self.of)
            found = f"dialerd made a mistake of its own as it looked at this ({type(error).__name__})."
            self.findings = [warning(self.of, found, "Its log says more: journalctl -u dialerd.")]
