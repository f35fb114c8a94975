"""What can be asked of providers: one method for each read and act (docs/messages.md lists them).

Every method takes `provider`, the name of one. A read without it asks all that can be asked, and returns a
list of answers: {"provider", "value" or "items", or "error"}; of one provider it returns the value (a dict)
or the items (a list of dicts) as they are. An act without it goes to the only provider that can do it.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from dialerd.client.asking import Asks, path, query
from dialerd.client.errors import ClientError, raise_problem
from dialerd.client.wire import LostConnection, Wire, encode

T = TypeVar("T")
ANSWER_S = 310.0
"""Seconds for an answer: a list of many pages keeps to the provider's rate limit."""
ACTS = frozenset(
    {
        "fax.cancel", "voice.hangup", "ivr.play", "ivr.gather", "ivr.record", "ivr.monitor", "ivr.transfer",
        "ivr.hangup",
    }
)  # fmt: skip
"""The operations that change something at once; all others of `ask` only read."""


class AskedOf(Asks, Protocol):
    """What the client lends for questions that take long."""

    socket_path: str
    timeout: float

    def providers(self) -> list[dict[str, Any]]: ...

    def only_provider(self, operation: str) -> str: ...

    def ask(
        self, operation: str, provider: str | None = None, raw: bool = False, **parameters: Any
    ) -> Any: ...

    def _patiently(self, once: Callable[[], T], again: bool = True) -> T: ...


class Providers:
    """The client's methods on providers."""

    def providers(self: Asks) -> list[dict[str, Any]]:
        """The accounts with providers: name, type, operations, and how each stands."""
        found: list[dict[str, Any]] = self._get("/v1/providers")["providers"]
        return found

    def only_provider(self: AskedOf, operation: str) -> str:
        """The only provider that can do it. Raises ClientError where there are several, or none."""
        found = [str(each["name"]) for each in self.providers() if operation in each["operations"]]
        if len(found) == 1:
            return found[0]
        if not found:
            raise ClientError(f"No provider that is configured can do {operation}.")
        raise ClientError(f"Say which provider is to do {operation}: {', '.join(found)}.")

    def providers_check(self: AskedOf, provider: str | None = None) -> list[dict[str, Any]]:
        """Asks each (or one) whether it answers, with what costs nothing: `state` is "reachable", "refused",
        "unreachable" or "unknown"; `what` says why."""
        found = _ask(self, "/v1/providers/check" + query({"provider": provider}), None)
        checks: list[dict[str, Any]] = found["checks"]
        return checks

    def ask(
        self: AskedOf, operation: str, provider: str | None = None, raw: bool = False, **parameters: Any
    ) -> Any:
        """Asks a provider, or all; `raw`: with the provider's own record, as it came. Parameters that are
        None are left out; times are aware datetimes, ISO 8601, or "1d ago".

        Raises Refused (also where the provider refuses it), AccountRefused, TryLater, and Unconfirmed where
        an act may have been done.
        """
        given = {name: value for name, value in parameters.items() if value is not None}
        shown = query({"raw": 1}) if raw else ""
        if provider is None and operation not in ACTS:
            answers: list[dict[str, Any]] = _ask(self, path("v1", "ask", operation) + shown, given)["answers"]
            return answers
        name = self.only_provider(operation) if provider is None else provider
        answer = _ask(self, path("v1", "providers", name, operation) + shown, given, operation not in ACTS)
        return answer["items"] if "items" in answer else answer["value"]

    def sms_status(self: AskedOf, ref: str, *, provider: str | None = None) -> Any:
        """What became of a message."""
        return self.ask("sms.status", provider, ref=ref)

    def sms_history(
        self: AskedOf,
        since: Any = None,
        until: Any = None,
        incoming: bool | None = None,
        *,
        provider: str | None = None,
    ) -> Any:
        """The messages of a period, or those that came in."""
        return self.ask("sms.history", provider, since=since, until=until, incoming=incoming)

    def sms_rate(
        self: AskedOf,
        to: str | None = None,
        body: str | None = None,
        incoming: str | None = None,
        *,
        provider: str | None = None,
    ) -> Any:
        """What a message costs, or one that comes in to the number `incoming`."""
        return self.ask("sms.rate", provider, to=to, body=body, incoming=incoming)

    def fax_status(self: AskedOf, ref: str, *, provider: str | None = None) -> Any:
        """What became of a fax."""
        return self.ask("fax.status", provider, ref=ref)

    def fax_history(
        self: AskedOf,
        since: Any = None,
        until: Any = None,
        incoming: bool | None = None,
        *,
        provider: str | None = None,
    ) -> Any:
        """The faxes of a period, or those that came in."""
        return self.ask("fax.history", provider, since=since, until=until, incoming=incoming)

    def fax_rate(
        self: AskedOf, to: str | None = None, incoming: str | None = None, *, provider: str | None = None
    ) -> Any:
        """What a fax costs, or one that comes in to the number `incoming`."""
        return self.ask("fax.rate", provider, to=to, incoming=incoming)

    def fax_cancel(self: AskedOf, ref: str, *, provider: str | None = None) -> Any:
        """Stops a fax that is not sent yet."""
        return self.ask("fax.cancel", provider, ref=ref)

    def voice_status(self: AskedOf, ref: str, *, provider: str | None = None) -> Any:
        """What became of a call."""
        return self.ask("voice.status", provider, ref=ref)

    def voice_history(
        self: AskedOf, since: Any = None, until: Any = None, *, provider: str | None = None
    ) -> Any:
        """The calls of a period."""
        return self.ask("voice.history", provider, since=since, until=until)

    def voice_rate(
        self: AskedOf, first: str, second: str | None = None, *, provider: str | None = None
    ) -> Any:
        """What a call costs."""
        return self.ask("voice.rate", provider, first=first, second=second)

    def voice_hangup(self: AskedOf, ref: str, *, provider: str | None = None) -> Any:
        """Hangs a call up, or takes somebody out of a conference."""
        return self.ask("voice.hangup", provider, ref=ref)

    def ivr_play(
        self: AskedOf,
        session: str,
        message: str | None = None,
        tag: str | None = None,
        *,
        provider: str | None = None,
    ) -> Any:
        """Says something."""
        return self.ask("ivr.play", provider, session=session, message=message, tag=tag)

    def ivr_gather(
        self: AskedOf,
        session: str,
        message: str | None = None,
        max_digits: int | None = None,
        timeout: int | None = None,
        attempts: int | None = None,
        tag: str | None = None,
        *,
        provider: str | None = None,
    ) -> Any:
        """Asks for digits; `max_digits` 0 is until #, `timeout` is in seconds."""
        asked: dict[str, Any] = {"max_digits": max_digits, "timeout": timeout, "attempts": attempts}
        return self.ask("ivr.gather", provider, session=session, message=message, tag=tag, **asked)

    def ivr_record(
        self: AskedOf,
        session: str,
        message: str | None = None,
        longest: int | None = None,
        tag: str | None = None,
        *,
        provider: str | None = None,
    ) -> Any:
        """Records what is said, for `longest` seconds at most."""
        return self.ask("ivr.record", provider, session=session, message=message, longest=longest, tag=tag)

    def ivr_monitor(
        self: AskedOf,
        session: str,
        message: str | None = None,
        tag: str | None = None,
        *,
        provider: str | None = None,
    ) -> Any:
        """Records the call from here on."""
        return self.ask("ivr.monitor", provider, session=session, message=message, tag=tag)

    def ivr_transfer(
        self: AskedOf,
        session: str,
        dest: str,
        message: str | None = None,
        caller_id: str | None = None,
        on_failure: str | None = None,
        tag: str | None = None,
        *,
        provider: str | None = None,
    ) -> Any:
        """Connects the call with a number or a room ("room:NAME"); `on_failure`: "continue" or "hangup"."""
        asked: dict[str, Any] = {
            "message": message,
            "caller_id": caller_id,
            "on_failure": on_failure,
            "tag": tag,
        }
        return self.ask("ivr.transfer", provider, session=session, dest=dest, **asked)

    def ivr_hangup(
        self: AskedOf,
        session: str,
        message: str | None = None,
        tag: str | None = None,
        *,
        provider: str | None = None,
    ) -> Any:
        """Ends the session."""
        return self.ask("ivr.hangup", provider, session=session, message=message, tag=tag)

    def numbers_countries(self: AskedOf, *, provider: str | None = None) -> Any:
        """Where numbers are for sale."""
        return self.ask("numbers.countries", provider)

    def numbers_areas(
        self: AskedOf,
        country: str | None = None,
        max_setup_cost: str | None = None,
        *,
        provider: str | None = None,
    ) -> Any:
        """The states or area codes of a country."""
        return self.ask("numbers.areas", provider, country=country, max_setup_cost=max_setup_cost)

    def numbers_exchanges(
        self: AskedOf,
        area: str | None = None,
        max_setup_cost: str | None = None,
        *,
        provider: str | None = None,
    ) -> Any:
        """The exchanges of an area code."""
        return self.ask("numbers.exchanges", provider, area=area, max_setup_cost=max_setup_cost)

    def numbers_search(
        self: AskedOf,
        country: str | None = None,
        area: str | None = None,
        starts_with: str | None = None,
        contains: str | None = None,
        ends_with: str | None = None,
        place: str | None = None,
        limit: int | None = None,
        *,
        provider: str | None = None,
    ) -> Any:
        """Numbers for sale."""
        digits: dict[str, Any] = {"starts_with": starts_with, "contains": contains, "ends_with": ends_with}
        return self.ask(
            "numbers.search", provider, country=country, area=area, place=place, limit=limit, **digits
        )

    def numbers_rate(self: AskedOf, country: str, *, provider: str | None = None) -> Any:
        """What numbers of a country cost."""
        return self.ask("numbers.rate", provider, country=country)

    def numbers_list(
        self: AskedOf,
        starts_with: str | None = None,
        contains: str | None = None,
        ends_with: str | None = None,
        *,
        provider: str | None = None,
    ) -> Any:
        """The account's numbers, with what dialerd knows of them."""
        digits: dict[str, Any] = {"starts_with": starts_with, "contains": contains, "ends_with": ends_with}
        return self.ask("numbers.list", provider, **digits)

    def numbers_show(self: AskedOf, number: str, *, provider: str | None = None) -> Any:
        """One of them."""
        return self.ask("numbers.show", provider, number=number)

    def routes_list(self: AskedOf, *, provider: str | None = None) -> Any:
        """The account's routes for calls that come in."""
        return self.ask("routes.list", provider)

    def account_balance(self: AskedOf, *, provider: str | None = None) -> Any:
        """What is left on the account."""
        return self.ask("account.balance", provider)

    def account_info(self: AskedOf, *, provider: str | None = None) -> Any:
        """What the provider knows of the account."""
        return self.ask("account.info", provider)


def _ask(client: AskedOf, target: str, given: Mapping[str, Any] | None, again: bool = True) -> dict[str, Any]:
    """The answer, asked on a connection of its own, which waits longer. What changes something is not asked
    again where the answer was lost."""
    wire = Wire(client.socket_path, max(client.timeout, ANSWER_S))
    headers = {"Content-Type": "application/json"} if given is not None else {}
    data = None if given is None else encode(given)

    def once() -> tuple[int, dict[str, Any]]:
        reply = wire.request("POST", target, headers, data)
        try:
            return reply.status, json.loads(reply.body())
        except ValueError:
            raise LostConnection("its answer is not JSON") from None

    try:
        status, answer = client._patiently(once, again)
    finally:
        wire.close()
    if status >= 400:
        raise_problem(status, answer)
    return answer
