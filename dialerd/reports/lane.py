"""How one sink fares at the moment: what is on its way to it, and how long it is left alone."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dialerd.reports.ports import Sink
from dialerd.reports.schedule import LONGEST_PAUSE_S, pause


@dataclass
class Lane:
    """`cursor` is the newest event that was looked at, `written` what the store has of it. `failures` counts
    tries in a row that said something bad of the sink itself; while there are any, one report at a time goes
    as a probe."""

    sink: Sink
    cursor: int = 0
    written: int = 0
    flying: set[int] = field(default_factory=set)
    failures: int = 0
    rests_until: datetime | None = None
    why: str = ""

    @property
    def name(self) -> str:
        return self.sink.name

    def rests(self, now: datetime) -> float:
        """Seconds for which nothing is sent. A time beyond the longest pause is an old clock's, and over."""
        if self.rests_until is None:
            return 0.0
        left = (self.rests_until - now).total_seconds()
        return left if 0 < left <= LONGEST_PAUSE_S else 0.0

    def room(self) -> int:
        """How many more reports may be on their way."""
        return max(0, (1 if self.failures else self.sink.at_once) - len(self.flying))

    def succeeded(self) -> None:
        """The sink works, whatever it thinks of this report."""
        self.failures, self.rests_until, self.why = 0, None, ""

    def failed(self, why: str, now: datetime) -> None:
        """The sink itself failed."""
        self.failures += 1
        self.rests_until, self.why = now + timedelta(seconds=pause(self.failures)), why

    def wake(self) -> None:
        """Somebody says that it is well again."""
        self.rests_until = None
