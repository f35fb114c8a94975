"""What lies outside of this machine: providers, and the address at which they reach us."""

import socket
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol
from urllib.parse import urlsplit

from dialerd.checks.clocks import provider_clocks
from dialerd.core.errors import AccountRefused, DeliveryError
from dialerd.core.findings import Finding, error, note, ok, skipped, warning
from dialerd.core.inbound import ListenerSettings
from dialerd.core.operations import OPERATIONS

LOW_BALANCE = 5
"""In the account's own currency."""
ANSWER_S = 9.0
"""Under the limit of a check: who is late is named."""
CONNECT_S = 3.0
_SINCE = "since"


class Accounts(Protocol):
    """The accounts with providers."""

    def names(self) -> Iterable[str]:
        """Their names."""

    def operations(self, name: str, /) -> Collection[str]:
        """What an account has."""

    def ask(self, name: str, operation: str, parameters: Mapping[str, Any], /) -> "Future[Any]":
        """Asks. The future raises DeliveryError."""

    def clocks(self) -> Mapping[str, float]:
        """By how many seconds each provider's clock is ahead of ours, as far as known."""


def providers(accounts: Accounts, probes: Sequence[str], answer_s: float = ANSWER_S) -> Iterator[Finding]:
    """Whether each answers, takes our account, and has something left on it. `probes`: what is asked, the
    first that it has; all of them cost nothing."""
    deadline = time.monotonic() + answer_s
    asked: dict[str, Future[Any]] = {}
    for name in accounts.names():
        probe = next((each for each in probes if each in accounts.operations(name)), None)
        if probe is None:
            yield skipped("providers", f"There is nothing that {name} can be asked.")
        else:
            asked[name] = accounts.ask(name, probe, _parameters(probe))
    for name, future in asked.items():
        yield _judged(name, future, max(0.0, deadline - time.monotonic()))
    yield from provider_clocks(accounts.clocks())


def _parameters(probe: str) -> dict[str, Any]:
    takes = {each.name for each in OPERATIONS[probe].parameters}
    return {_SINCE: datetime.now(UTC)} if _SINCE in takes else {}


def _judged(name: str, future: "Future[Any]", left: float) -> Finding:
    try:
        value = future.result(left)
    except AccountRefused as refusal:
        todo = "Look at its credentials and its credit, then: dialerctl providers check."
        return error("providers", f"{name} refuses the account. {refusal}", todo)
    except DeliveryError as trouble:
        return warning(
            "providers", str(trouble), "Look at the network, and at the provider's own status page."
        )
    except TimeoutError:
        return warning(
            "providers", f"{name} has not answered in time.", "Ask again: dialerctl providers check."
        )
    return _balance(name, getattr(value, "balance", None), getattr(value, "currency", None) or "")


def _balance(name: str, text: str | None, currency: str) -> Finding:
    try:
        left = None if text is None else Decimal(text)
    except InvalidOperation:
        left = None
    if left is None:
        return ok("providers", f"{name} answers.")
    told = f"{text} {currency}".strip()
    if left <= 0:
        return warning("providers", f"Nothing is left on the account with {name} ({told}).", "Pay in.")
    if left < LOW_BALANCE:
        return warning("providers", f"Little is left on the account with {name}: {told}.", "Pay in.")
    return ok("providers", f"{name} answers; {told} left.")


def listener(settings: ListenerSettings, alive: Callable[[], bool]) -> Iterator[Finding]:
    """Whether callbacks can come in: the listener answers, and the host of its public address is known."""
    place = str(settings.path or f"{settings.host}:{settings.port}")
    if not alive():
        yield error("listener", f"The listener at {place} has ended.", "Restart dialerd.")
        return
    try:
        _knock(settings)
    except OSError as trouble:
        words = trouble.strerror or "it does not answer"
        yield error("listener", f"The listener at {place} can't be reached: {words}.", "Restart dialerd.")
        return
    host = urlsplit(settings.public_url).hostname or ""
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        found = f"The host of public_url, {host}, is not known here: providers may not find it."
        yield warning("listener", found, "Mend its name in the DNS, or public_url under [listener].")
        return
    yield ok("listener", f"The listener answers at {place}.")
    if "://127." in settings.public_url or "://localhost" in settings.public_url:
        yield note(
            "listener", "public_url leads to this machine only.", "Providers need one that they reach."
        )


def _knock(settings: ListenerSettings) -> None:
    if settings.path is None:
        socket.create_connection((settings.host, settings.port), CONNECT_S).close()
        return
    with closing(socket.socket(socket.AF_UNIX)) as knocking:
        knocking.settimeout(CONNECT_S)
        knocking.connect(str(settings.path))
