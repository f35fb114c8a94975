"""The machine's clocks, as the engine reads them."""

from datetime import UTC, datetime
from time import monotonic, sleep


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """Aware UTC, to the millisecond, as the store keeps it."""
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def mono(self) -> float:
        """Seconds that never jump."""
        return monotonic()

    def rest(self, seconds: float) -> None:
        """Does nothing for a while."""
        sleep(seconds)
