"""All accounts with providers, by their names: the way out that the engine sees."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

from dialerd.core.errors import Rejected, Unavailable
from dialerd.core.meters import NOBODY, Meters
from dialerd.core.operations import OPERATIONS, Effect
from dialerd.core.receipts import Errand
from dialerd.core.signals import ProviderAnswered, ProviderAsked
from dialerd.providers.account import Account, Surroundings
from dialerd.providers.judge import LONGEST_WAIT_S
from dialerd.providers.limiter import Limiter
from dialerd.providers.settings import AccountSettings


def no_documents(document: str) -> bytes:
    """For accounts that send no fax."""
    raise FileNotFoundError(document)


def no_callbacks(name: str, reference: str) -> str | None:
    """For where there is no listener."""
    return None


def tell_nobody(signal: object) -> None:
    """For where nobody listens."""


class Accounts:
    """Each has its own threads and its own pace, so that none holds another up. Safe from any thread.

    `blocked` says which provider asked us to wait, before a restart, and until when.
    """

    def __init__(
        self,
        settings: Sequence[AccountSettings],
        *,
        documents: Callable[[str], bytes] = no_documents,
        callback_url: Callable[[str, str], str | None] = no_callbacks,
        blocked: Mapping[str, datetime] | None = None,
        tell: Callable[[object], None] = tell_nobody,
        meters: Meters = NOBODY,
    ) -> None:
        self._around = Surroundings(documents, callback_url, tell, meters)
        self._lock = threading.Lock()
        self._accounts = {each.name: self._made(each, (blocked or {}).get(each.name)) for each in settings}
        self._left: list[Account] = []

    def _made(self, settings: AccountSettings, until: datetime | None = None) -> Account:
        now = time.monotonic()
        limiter = Limiter(settings.per_minute, now)
        if until is not None:
            left = (until - datetime.now(UTC)).total_seconds()
            limiter.block_until(now + min(left, LONGEST_WAIT_S))  # the clock may have been put back since
        return Account(settings, self._around, limiter)

    def reconfigure(self, settings: Sequence[AccountSettings]) -> None:
        """Other accounts, or other settings. Those that stay keep their pace, and finish what is under way;
        so do those that go."""
        named = {each.name: each for each in settings}
        with self._lock:
            before = self._accounts
            self._accounts = {name: before.get(name) or self._made(each) for name, each in named.items()}
            gone = [account for name, account in before.items() if name not in named]
            self._left += gone
        for name, each in named.items():
            self._accounts[name].reconfigure(each, time.monotonic())
        for account in gone:
            account.stop()

    def stop(self, timeout: float) -> None:
        """Begins nothing any more, and waits so many seconds for what was sent."""
        accounts = [*self._accounts.values(), *self._left]
        for account in accounts:
            account.stop()
        deadline = time.monotonic() + timeout
        for account in accounts:
            account.join(deadline)

    def room(self, name: str, now: float) -> int:
        """How many requests may begin now (monotonic)."""
        account = self._accounts.get(name)
        return 0 if account is None else account.room(now)

    def next(self, name: str, now: float) -> float | None:
        """When that changes because time passes."""
        account = self._accounts.get(name)
        return None if account is None else account.next(now)

    def is_blocked(self, name: str, now: float) -> bool:
        """Whether the provider asked us to wait, and that is not over."""
        account = self._accounts.get(name)
        return account is None or account.limiter.blocked(now) is not None

    def names(self) -> list[str]:
        """Their names, in the order of the configuration."""
        return list(self._accounts)

    def operations(self, name: str) -> frozenset[str]:
        """The operations that an account has."""
        account = self._accounts.get(name)
        return frozenset() if account is None else account.settings.provider.available()

    def has(self, name: str, operation: str) -> bool:
        """Whether it has an operation (core/operations.py)."""
        account = self._accounts.get(name)
        return account is not None and operation in account.settings.provider.available()

    def can_look(self, name: str, kind: str, ref: bool) -> bool:
        """Whether it can be asked about a job of this kind, by its own id (`ref`) or without one."""
        account = self._accounts.get(name)
        return account is not None and account.can_look(kind, ref)

    def gets_receipts(self, name: str) -> bool:
        """Whether it is told where to send receipts, and sends some."""
        account = self._accounts.get(name)
        if account is None or not account.settings.provider.tells():
            return False
        return self._around.callback_url(name, "") is not None

    def send(
        self, name: str, operation: str, errand: Errand, done: Callable[[ProviderAnswered], None]
    ) -> None:
        """Hands an errand over, in a thread of the account's. Never raises; `done` is called once."""
        account = self._accounts.get(name)
        if account is not None:
            account.send(operation, errand, done)
            return
        error = Unavailable(f"There is no provider {name}. Nothing was sent.")
        references = errand.references.values() or [errand.reference]
        done(ProviderAnswered(name, dict.fromkeys(references, error), time.monotonic()))

    def look(
        self, name: str, kind: str, errand: Errand, ref: str | None, done: Callable[[ProviderAsked], None]
    ) -> None:
        """Asks what became of an errand. Never raises; `done` is called once."""
        account = self._accounts.get(name)
        if account is None:
            done(ProviderAsked(name, errand.reference, None, f"There is no provider {name}."))
        else:
            account.look(kind, errand, ref, done)

    def ask(self, name: str, operation: str, parameters: Mapping[str, Any]) -> "Future[Any]":
        """Does an act, or reads. The future raises DeliveryError."""
        account, asked = self._accounts.get(name), OPERATIONS.get(operation)
        if account is None:
            return _refused(f"There is no provider {name}.")
        if asked is None or asked.effect is Effect.JOB or not self.has(name, operation):
            return _refused(f"{name} can't be asked for {operation}.")
        return account.ask(asked, parameters)

    def clocks(self) -> dict[str, float]:
        """By how many seconds each provider's clock is ahead of ours, of those that have told the time."""
        told = {name: account.health.ahead_s for name, account in self._accounts.items()}
        return {name: ahead for name, ahead in told.items() if ahead is not None}

    def describe(self) -> list[dict[str, Any]]:
        """How they stand, for people; in the order of the configuration."""
        return [account.describe() for account in self._accounts.values()]


def _refused(why: str) -> "Future[Any]":
    future: Future[Any] = Future()
    future.set_exception(Rejected(why))
    return future
