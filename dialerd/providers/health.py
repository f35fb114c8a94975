"""How an account does: what it said last, and since when it takes nothing."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from dialerd.core.errors import AccountRefused, DeliveryError, Rejected
from dialerd.core.meters import NOBODY, Meters
from dialerd.core.signals import AccountBlocked
from dialerd.log import get_logger

log = get_logger(__name__)


class Health:
    """One account's. Safe from any thread."""

    def __init__(self, name: str, meters: Meters = NOBODY) -> None:
        self._name, self._meters = name, meters
        self._lock = threading.Lock()
        self._refused = False
        self._error: tuple[str, datetime] | None = None
        self._success: datetime | None = None
        self.ahead_s: float | None = None
        """By how much its clock is ahead of ours, to a second."""

    @contextmanager
    def judging(self, sending: bool) -> Iterator[None]:
        """One request, which is over with this: it did what was asked, or raises DeliveryError."""
        begun = time.monotonic()
        try:
            yield
        except DeliveryError as error:
            self.failed(error)
            self._meters.asked(self._name, sending, error, time.monotonic() - begun)
            raise
        self.succeeded()
        self._meters.asked(self._name, sending, None, time.monotonic() - begun)

    def heard(self, date: str) -> None:
        """It told the time, by an answer's Date header (RFC 9110, 6.6.1); what can't be read is none."""
        with suppress(ValueError):
            when = parsedate_to_datetime(date)
            aware = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
            self.ahead_s = (aware - datetime.now(UTC)).total_seconds()

    def succeeded(self) -> None:
        """It did what was asked."""
        with self._lock:
            self._success, was = datetime.now(UTC), self._refused
            self._refused = False
        if was:
            log.info("account_taken_again", provider=self._name)

    def failed(self, error: DeliveryError) -> None:
        """It did not, or it can't be known."""
        with self._lock:
            was = self._refused
            self._error = str(error), datetime.now(UTC)
            if isinstance(error, AccountRefused):
                self._refused = True
            elif isinstance(error, Rejected):  # it looked at what was asked
                self._refused = False
        if isinstance(error, AccountRefused) and not was:
            log.error("account_refused", provider=self._name, why=str(error))

    def blocked(self, seconds: float) -> AccountBlocked:
        """It asked us to wait for so long."""
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        log.warning("account_blocked", provider=self._name, seconds=round(seconds, 1))
        return AccountBlocked(self._name, until)

    def renewed(self) -> None:
        """Its settings are others now."""
        with self._lock:
            self._refused = False

    def describe(self, blocked: float | None, now: float) -> dict[str, Any]:
        """For people; `blocked` and `now` are of the monotonic clock."""
        with self._lock:
            error, when = self._error or (None, None)
            until = None if blocked is None else datetime.now(UTC) + timedelta(seconds=blocked - now)
            why = None if until is None else "The provider asked us to wait."
            return {
                "refused": self._refused,
                "blocked_until": until,
                "blocked_why": why,
                "last_error": error,
                "last_error_at": when,
                "last_success": self._success,
            }
