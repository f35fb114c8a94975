"""Routes that ask providers: which there are, whether they answer, and every read and act of the one table of
operations (core/operations.py)."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from aiohttp import web

from dialerd.core.errors import DeliveryError, DialerError, InvalidJob, Mistake, Overloaded
from dialerd.core.operations import OPERATIONS, Effect, Operation
from dialerd.core.receipts import Page
from dialerd.core.roles import Right
from dialerd.core.texts import nearest
from dialerd.intake.api import body
from dialerd.intake.api.answers import standing, told
from dialerd.intake.api.asked import parameters
from dialerd.intake.api.connection import caller_of, permit_of
from dialerd.intake.api.desk import Desk
from dialerd.intake.api.jobs import answer
from dialerd.intake.api.noes import late, problem_of
from dialerd.intake.api.openapi.asking import OPENAPI_PATHS, OPENAPI_SCHEMAS
from dialerd.intake.api.problems import Problem, from_error, invalid
from dialerd.intake.api.settings import ApiSettings
from dialerd.intake.api.waiting import outcome
from dialerd.intake.strictjson import loads

__all__ = ["OPENAPI_PATHS", "OPENAPI_SCHEMAS", "Accounts", "Inventory", "Providers", "as_told"]

MOST_ASKED = 32
"""Questions to providers that may be under way; one more is refused."""
PROBES = ("account.balance", "account.info", "numbers.list", "routes.list", "sms.history", "voice.history")
"""What an account is asked to see whether it answers: the first of these that the provider has."""
_RETRY_AFTER_S = 5
_ASK, _PROVIDERS = "/v1/ask/", "/v1/providers/"
Handler = Callable[[web.BaseRequest, str], Awaitable[web.StreamResponse]]
Inventory = Callable[[str, Sequence[Any]], Sequence[Any]]
"""A provider's name and the numbers that it says are the account's → the same, with what we know of them."""


class Accounts(Protocol):
    """The accounts with providers. Thread-safe and quick; only the futures take time."""

    def describe(self) -> list[dict[str, Any]]:
        """Every account, ready for JSON: at least `name` and `type`. No secrets."""

    def names(self) -> Iterable[str]:
        """Their names."""

    def operations(self, name: str, /) -> Collection[str]:
        """The operations that an account has."""

    def ask(self, name: str, operation: str, parameters: Mapping[str, Any], /) -> "Future[Any]":
        """Asks, all pages of it. The future holds a value of core/receipts.py, or a tuple of such; it raises
        DeliveryError."""


def as_told(_provider: str, items: Sequence[Any]) -> Sequence[Any]:
    """The inventory that adds nothing."""
    return items


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked: the operation with its parameters, and how the answer is shown."""

    operation: Operation
    parameters: Mapping[str, Any]
    raw: bool = False


class Providers:
    """The routes under /v1/providers and /v1/ask."""

    def __init__(
        self,
        settings: ApiSettings,
        desk: Desk,
        accounts: Accounts,
        inventory: Inventory = as_told,
        addresses: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self.settings, self.desk, self.accounts, self.inventory = settings, desk, accounts, inventory
        self._addresses = addresses
        self._under_way = 0
        self.table: dict[str, dict[str, Handler]] = {
            "/v1/providers": {"GET": self.all},
            "/v1/providers/check": {"POST": self.check},
        }

    def methods(self, path: str) -> dict[str, Handler] | None:
        """What a path takes, or None where it is not of ours. Raises Problem for what there is not."""
        if path in self.table:
            return self.table[path]
        if path.startswith(_ASK):
            operation = _operation(path.removeprefix(_ASK))
            if operation.effect is not Effect.READ:
                raise _one_only(operation)
            return dict.fromkeys(("GET", "POST"), partial(self.ask_all, operation=operation))
        name, slash, rest = path.removeprefix(_PROVIDERS).partition("/")
        if not path.startswith(_PROVIDERS) or not slash:
            return None
        self._known(name)
        operation = _operation(rest)
        takes = ("GET", "POST") if operation.effect is Effect.READ else ("POST",)
        return dict.fromkeys(takes, partial(self.ask_one, name=name, operation=operation))

    async def all(self, request: web.BaseRequest, query: str) -> web.Response:
        """GET /v1/providers. Only operators learn the addresses for callbacks: who knows one could forge
        them."""
        caller = caller_of(request)
        caller.require(Right.VIEW_OWN, "see the providers")
        addresses = self._addresses() if Right.OPERATE in caller.rights else {}
        body.query(query, ())
        ways = {each["name"]: each for each in self.desk.trunks()}
        found = [
            standing(
                {**ways.get(each["name"], {}), **each, "address": addresses.get(each["name"])},
                sorted(self.accounts.operations(each["name"])),
            )
            for each in self.accounts.describe()
        ]
        return answer(200, {"providers": found})

    async def check(self, request: web.BaseRequest, query: str) -> web.Response:
        """POST /v1/providers/check"""
        caller_of(request).require(Right.VIEW_ALL, "have providers asked")
        asked = body.query(query, ("provider",))
        if (await body.read(request, self.settings)).strip() not in (b"", b"{}"):
            raise invalid([Mistake("", "This request takes no body.")])
        names = self._named(asked.get("provider")) or list(self.accounts.names())
        return answer(200, {"checks": await asyncio.gather(*map(self._checked, names))})

    async def ask_all(self, request: web.BaseRequest, query: str, operation: Operation) -> web.Response:
        """GET and POST /v1/ask/{operation}: the providers that are named, or all that have it."""
        caller_of(request).require(operation.right, _deed(operation))
        given, asked = await self._given(request, query, ("provider",))
        names = self._named(asked.get("provider"))
        for name in names:
            self._has(name, operation)
        names = names or [name for name in self.accounts.names() if self._may_ask(name, operation)]
        question = self._question(request, operation, given, asked)
        if not names:
            raise self._nobody_has(operation)
        answers = await asyncio.gather(*(self._told(each, question) for each in names))
        return answer(200, {"answers": [*answers, *self._local(question, asked)]})

    def _local(self, question: _Question, asked: Mapping[str, list[str]]) -> list[dict[str, Any]]:
        """Our numbers that are at no provider, under the name "": Asterisk takes their calls."""
        if question.operation.name != "numbers.list" or asked.get("provider") or question.parameters:
            return []
        ours = self.inventory("", ())
        return [{"provider": "", **told(tuple(ours), question.raw)}] if ours else []

    async def ask_one(
        self, request: web.BaseRequest, query: str, name: str, operation: Operation
    ) -> web.Response:
        """GET and POST /v1/providers/{name}/{operation}"""
        caller_of(request).require(operation.right, _deed(operation))
        self._has(name, operation)
        given, asked = await self._given(request, query)
        question = self._question(request, operation, given, asked)
        value = await self._asked(name, question)
        return answer(200, {"provider": name, **told(value, question.raw)})

    async def _given(
        self, request: web.BaseRequest, query: str, beside: Sequence[str] = ()
    ) -> tuple[Mapping[str, Any], Mapping[str, list[str]]]:
        """The parameters, of the query (GET) or the body (POST), and what stands in the query beside them."""
        own = (*beside, "raw")
        if request.method == "GET":
            everything = body.query(query, _Any())
            given = {name: values[-1] for name, values in everything.items() if name not in own}
            return given, {name: values for name, values in everything.items() if name in own}
        asked = body.query(query, own)
        return _document(await body.read(request, self.settings)), asked

    def _question(
        self,
        request: web.BaseRequest,
        operation: Operation,
        given: Mapping[str, Any],
        asked: Mapping[str, list[str]],
    ) -> _Question:
        raw = (asked.get("raw") or ["0"])[-1]
        if raw not in ("0", "1"):
            raise invalid([Mistake("query.raw", "Write raw=1 for the provider's own record.")])
        checked = parameters(operation, given, permit_of(request).rules, datetime.now(UTC))
        return _Question(operation, checked, raw == "1")

    async def _asked(self, name: str, question: _Question) -> Any:
        """The provider's answer. Raises Problem, and DialerErrors other than DeliveryError."""
        operation = question.operation
        if self._under_way >= MOST_ASKED:
            raise Overloaded("Too many ask providers at once.", _RETRY_AFTER_S)
        self._under_way += 1
        try:
            future = self.accounts.ask(name, operation.name, question.parameters)
            seconds = self.settings.provider_timeout
            value = await outcome(future, seconds, late(name, operation, seconds))
        except DeliveryError as error:
            raise problem_of(error, name, operation) from None
        finally:
            self._under_way -= 1
        if operation.name == "numbers.list":
            return await asyncio.to_thread(self.inventory, name, _items(value))
        return value

    async def _told(self, name: str, question: _Question) -> dict[str, Any]:
        """The answer of one provider among several: its error is a value here."""
        try:
            return {"provider": name, **told(await self._asked(name, question), question.raw)}
        except Problem as problem:
            return {"provider": name, "error": problem.document()}
        except DialerError as error:
            return {"provider": name, "error": from_error(error).document()}

    async def _checked(self, name: str) -> dict[str, Any]:
        has = self.accounts.operations(name)
        probe = next((each for each in PROBES if each in has), None)
        if probe is None:
            return {"provider": name, "state": "unknown", "what": "There is nothing that it can be asked."}
        operation = OPERATIONS[probe]
        since = (
            {"since": datetime.now(UTC)} if any(each.name == "since" for each in operation.parameters) else {}
        )
        found = await self._told(name, _Question(operation, since))
        checked = {"provider": name, "asked": probe}
        if "error" in found:
            error = found["error"]
            return {**checked, "state": _state(error), "what": error["detail"], "error": error}
        return {**checked, "state": "reachable", **({"value": found["value"]} if "value" in found else {})}

    def _may_ask(self, name: str, operation: Operation) -> bool:
        return operation.name in self.accounts.operations(name)

    def _known(self, name: str) -> None:
        """Raises Problem where there is no such provider."""
        names = list(self.accounts.names())
        if name not in names:
            there = f"There are {', '.join(names)}." if names else _NONE
            raise Problem(
                404, "not-found", f"There is no provider {name[:40]!r}. {there}{nearest(name, names)}"
            )

    def _named(self, names: Sequence[str] | None) -> list[str]:
        found = list(dict.fromkeys(names or ()))
        for name in found:
            self._known(name)
        return found

    def _has(self, name: str, operation: Operation) -> None:
        """Raises Problem where the provider has not this operation."""
        if not self._may_ask(name, operation):
            others = [each for each in self.accounts.names() if self._may_ask(each, operation)]
            who = f"It can be asked of {', '.join(others)}." if others else "No other provider has it either."
            raise Problem(404, "not-found", f"The provider {name} has no {operation.name}. {who}")

    def _nobody_has(self, operation: Operation) -> Problem:
        why = (
            f"No provider that is configured has {operation.name}." if list(self.accounts.names()) else _NONE
        )
        return Problem(404, "not-found", why)


_NONE = "No provider is configured: add a section [providers.NAME]."


class _Any(Collection[str]):
    """Every name: parameters are checked by their operation."""

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0


def _items(value: Any) -> Sequence[Any]:
    """The items of a list's answer."""
    return value.items if isinstance(value, Page) else tuple(value)


def _state(error: Mapping[str, Any]) -> str:
    refused = ("account-refused", "refused-by-provider")
    return "refused" if str(error["type"]).endswith(refused) else "unreachable"


def _operation(name: str) -> Operation:
    """Raises Problem where there is none of this name."""
    found = OPERATIONS.get(name)
    if found is None:
        raise Problem(404, "not-found", f"There is no operation {name[:40]!r}.{nearest(name, OPERATIONS)}")
    if found.effect is Effect.JOB:
        raise _is_a_job(found)
    return found


def _is_a_job(operation: Operation) -> Problem:
    kind = operation.kinds[0]
    return invalid(
        [
            Mistake(
                "",
                f"{operation.name} is not asked for but submitted, so that it is done once and followed:"
                f' POST a job {{"kind": "{kind}", ...}} to /v1/jobs (docs/jobs.md).',
            )
        ]
    )


def _one_only(operation: Operation) -> Problem:
    return invalid(
        [
            Mistake(
                "",
                f"{operation.name} changes something, so it is asked of one provider only:"
                f" POST it to /v1/providers/NAME/{operation.name}.",
            )
        ]
    )


def _deed(operation: Operation) -> str:
    return f"ask providers for {operation.name}"


def _document(data: bytes) -> Mapping[str, Any]:
    if not data.strip():
        return {}
    try:
        found = loads(data)
    except InvalidJob as error:
        raise invalid(error.mistakes, status=400, name="unreadable") from None
    if not isinstance(found, dict):
        raise invalid([Mistake("", 'Write the parameters as an object, such as {"ref": "abc"}.')])
    return found
