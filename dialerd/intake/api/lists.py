"""Routes about lists: numbers that must not be called, and what calls cost.

Reading and writing files happens in other threads than the event loop's.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, BinaryIO, Protocol, TypeVar, cast

from aiohttp import web

from dialerd.core.charges import Rate, format_money
from dialerd.core.errors import Broken, InvalidJob, Mistake, Overloaded
from dialerd.core.roles import Right
from dialerd.core.texts import bounded, nearest
from dialerd.intake.api import body
from dialerd.intake.api.connection import caller_of
from dialerd.intake.api.jobs import answer, uid_of
from dialerd.intake.api.openapi.parts import (
    COUNT,
    READ,
    TEXT,
    WRITE,
    answer_of,
    array_of,
    describe,
    object_of,
    ref,
)
from dialerd.intake.api.openapi.parts import query as query_of
from dialerd.intake.api.problems import Problem, invalid
from dialerd.intake.api.settings import ApiSettings
from dialerd.intake.strictjson import loads

LARGEST_IMPORT = 64 << 20
MOST_CHECKS = 8
"""Checks that may wait for the files; one more is refused."""
_LOOK = "look at stop lists"
VERBS = ("add", "remove", "import")
_FIELDS = {"add": ("number", "reason"), "remove": ("number",)}
_LONGEST_REASON = 200
T = TypeVar("T")
Handler = Callable[[web.BaseRequest, str], Awaitable[web.StreamResponse]]


class StopLists(Protocol):
    """What is asked of the stop lists. Thread-safe; all but stopped() and described() read or write files."""

    def described(self) -> list[dict[str, Any]]:
        """Every list, ready for JSON."""

    def number(self, text: str, /) -> str:
        """A number as people write it, as it is inside. Raises InvalidJob."""

    def stopped(self, number: str, /) -> str | None:
        """Why a number must not be called."""

    def check(self, number: str, /) -> list[tuple[str, str, str]]:
        """Name, reason and line of each entry that stops it."""

    def add(self, name: str, number: str, reason: str, by: int, now: datetime, /) -> bool:
        """Puts it on a list. Raises InvalidJob, Broken."""

    def remove(self, name: str, number: str, /) -> int:
        """Takes it off a list. Raises InvalidJob, Broken."""

    def import_(self, name: str, stream: BinaryIO, by: int, now: datetime, /) -> int:
        """Adds all entries of a file. Raises InvalidJob, Broken."""


class Rates(Protocol):
    """What is asked of the rate table."""

    def find(self, e164: str, trunk: str | None = None, /) -> Rate | None:
        """The rate of a number on a trunk."""


class Book(Protocol):
    """The lists that count now; a reload puts others in their place."""

    @property
    def stop_lists(self) -> StopLists: ...

    @property
    def rates(self) -> Rates: ...


class Lists:
    """The routes under /v1/stop-lists and /v1/rates."""

    def __init__(self, settings: ApiSettings, book: Callable[[], Book]) -> None:
        self.settings, self._book = settings, book
        self._reading, self._asked = asyncio.Semaphore(1), 0
        self.table: dict[str, dict[str, Handler]] = {
            "/v1/stop-lists": {"GET": self.all},
            "/v1/stop-lists/check": {"GET": self.check},
            "/v1/rates/check": {"GET": self.rate},
        }

    @property
    def stop_lists(self) -> StopLists:
        """The stop lists that count now."""
        return self._book().stop_lists

    @property
    def rates(self) -> Rates:
        """The rates that count now."""
        return self._book().rates

    def methods(self, path: str) -> dict[str, Handler] | None:
        """What a path takes, or None where it is not of ours."""
        if path in self.table:
            return self.table[path]
        if not path.startswith("/v1/stop-lists/"):
            return None
        name, _, verb = path.removeprefix("/v1/stop-lists/").partition("/")
        if not any(each["name"] == name for each in self.stop_lists.described()):
            known = [each["name"] for each in self.stop_lists.described()]
            raise Problem(
                404, "not-found", f"There is no stop list {name[:40]!r}.{nearest(name[:40], known)}"
            )
        if verb not in VERBS:
            return None
        if verb == "import":
            return {"POST": lambda request, query: self.import_(request, query, name)}
        return {"POST": lambda request, query: self.change(request, query, name, verb)}

    async def all(self, request: web.BaseRequest, query: str) -> web.Response:
        """GET /v1/stop-lists"""
        caller_of(request).require(Right.SUBMIT, _LOOK)
        body.query(query, ())
        return answer(200, {"lists": self.stop_lists.described()})

    async def check(self, request: web.BaseRequest, query: str) -> web.Response:
        """GET /v1/stop-lists/check"""
        caller_of(request).require(Right.SUBMIT, _LOOK)
        asked = body.query(query, ("number",))
        number = await self._number((asked.get("number") or [""])[-1])
        stopped = self.stop_lists.stopped(number)
        found = [] if stopped is None else await self._lines(number)
        entries = [{"list": name, "reason": reason, "line": line} for name, reason, line in found]
        return answer(200, {"number": number, "stopped": stopped, "entries": entries})

    async def _lines(self, number: str) -> list[tuple[str, str, str]]:
        """One reads the files at a time: with a million entries that takes seconds of everybody's time."""
        if self._asked >= MOST_CHECKS:
            raise Overloaded("Too many look at stop lists at once.", 5)
        self._asked += 1
        try:
            async with self._reading:
                return await _aside(lambda: self.stop_lists.check(number))
        finally:
            self._asked -= 1

    async def rate(self, request: web.BaseRequest, query: str) -> web.Response:
        """GET /v1/rates/check"""
        caller_of(request).require(Right.SUBMIT, "see what calls cost")
        asked = body.query(query, ("number", "trunk"))
        number = await self._number((asked.get("number") or [""])[-1])
        trunk = asked["trunk"][-1] if "trunk" in asked else None
        found = self.rates.find(number, trunk)
        return answer(200, {"number": number, "trunk": trunk, "rate": found and _shown(found)})

    async def change(self, request: web.BaseRequest, query: str, name: str, verb: str) -> web.Response:
        """POST /v1/stop-lists/{name}/add and remove"""
        caller_of(request).require(Right.OPERATE, "change stop lists")
        body.query(query, ())
        given = self._document(await body.read(request, self.settings), _FIELDS[verb])
        number = await self._number(given["number"])
        if verb == "add":
            by, now = uid_of(request), datetime.now(UTC)
            reason = given.get("reason", "")
            changed: int = await _aside(lambda: self.stop_lists.add(name, number, reason, by, now))
        else:
            changed = await _aside(lambda: self.stop_lists.remove(name, number))
        stopped = self.stop_lists.stopped(number)
        return answer(200, {"list": name, "number": number, "changed": bool(changed), "stopped": stopped})

    async def import_(self, request: web.BaseRequest, query: str, name: str) -> web.Response:
        """POST /v1/stop-lists/{name}/import: the list's text as the body."""
        caller_of(request).require(Right.OPERATE, "change stop lists")
        body.query(query, ())
        if (request.content_length or 0) > LARGEST_IMPORT:
            raise _too_large()
        await body.prepare(request)
        by, now = uid_of(request), datetime.now(UTC)
        stream = cast(BinaryIO, await _aside(tempfile.TemporaryFile))
        try:
            await self._receive(request, stream)
            added = await _aside(lambda: self.stop_lists.import_(name, stream, by, now))
        finally:
            await _aside(stream.close)
        return answer(200, {"list": name, "added": added})

    async def _receive(self, request: web.BaseRequest, stream: BinaryIO) -> None:
        """Brings the body into a file. Raises Problem for one that is too large or too slow."""
        size = 0
        while True:
            async with body.in_time(self.settings.read_timeout):
                piece = await request.content.readany()
            if not piece:
                break
            size += len(piece)
            if size > LARGEST_IMPORT:
                raise _too_large()
            await _aside(lambda data=piece: stream.write(data))  # type: ignore[misc]
        await _aside(lambda: stream.seek(0))

    async def _number(self, text: str) -> str:
        if not text:
            raise invalid([Mistake("number", "This is needed: add it.")])
        return await _aside(lambda: self.stop_lists.number(text))

    def _document(self, data: bytes, fields: tuple[str, ...]) -> dict[str, str]:
        try:
            found = loads(data)
        except InvalidJob as error:
            raise invalid(error.mistakes, status=400, name="unreadable") from None
        if not isinstance(found, dict):
            raise invalid([Mistake("", 'Write an object such as {"number": "+4930123456"}.')])
        mistakes = [
            Mistake(name, f"This name is not known here.{nearest(name, fields)}")
            for name in found
            if name not in fields
        ]
        for name in fields:
            if name in found and not isinstance(found[name], str):
                mistakes.append(Mistake(name, "Give a text in quotes."))
        if not mistakes and found.get("reason"):
            try:
                bounded(found["reason"], _LONGEST_REASON)
            except ValueError as error:
                mistakes.append(Mistake("reason", str(error)))
        if mistakes:
            raise invalid(mistakes)
        return {"number": "", **found}


async def _aside(work: Callable[[], T]) -> T:
    """Does it in another thread. Raises Problem for mistakes, Broken for what can't be read or written."""
    try:
        return await asyncio.get_running_loop().run_in_executor(None, work)
    except InvalidJob as error:
        raise invalid(error.mistakes) from None
    except OSError as error:
        raise Broken(f"A list can't be read or written: {error.strerror}.") from None


def _too_large() -> Problem:
    problem = Problem(413, "too-large", f"A list may have {LARGEST_IMPORT} bytes at once: split the file.")
    problem.close = True
    return problem


def _shown(rate: Rate) -> dict[str, Any]:
    return {
        "prefix": rate.prefix,
        "per_minute": format_money(rate.per_minute),
        "connect": format_money(rate.connect),
        "increment": rate.increment_s,
        "trunk": rate.trunk,
    }


_NULLABLE = {"type": ["string", "null"]}
_NAME = {"parameters": [{"name": "name", "in": "path", "required": True, "schema": TEXT}]}
_NUMBER = {
    **query_of("number", TEXT, "A number as people write it (%2B for +), or an extension"),
    "required": True,
}
_TRUNK = query_of("trunk", TEXT, "The rate on this trunk")
_LIST = {
    "name": TEXT, "entries": COUNT, "reason": TEXT, "file": TEXT, "writable": {"type": "boolean"},
    "problems": {"type": "array", "items": TEXT},
}  # fmt: skip
_ENTRY = {"list": TEXT, "reason": TEXT, "line": TEXT}
_CHECKED = {"number": TEXT, "stopped": _NULLABLE, "entries": array_of("StopListEntry")}
_CHANGED = {"list": TEXT, "number": TEXT, "changed": {"type": "boolean"}, "stopped": _NULLABLE}
_IMPORTED = {"list": TEXT, "added": COUNT}
_RATE = {"prefix": TEXT, "per_minute": TEXT, "connect": TEXT, "increment": COUNT, "trunk": _NULLABLE}
_PRICED = {"number": TEXT, "trunk": _NULLABLE, "rate": {"oneOf": [ref("Rate"), {"type": "null"}]}}


def _all_of(properties: dict[str, Any]) -> dict[str, Any]:
    return object_of(properties, *properties)


def _get(summary: str, schema: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    return {"get": {**describe(summary, {200: answer_of(schema)}, READ), "parameters": list(parameters)}}


def _post(summary: str, schema: str, takes: dict[str, Any], bad: tuple[int, ...]) -> dict[str, Any]:
    body_of = {"required": True, "content": takes}
    return {
        **_NAME,
        "post": {**describe(summary, {200: answer_of(schema)}, (404, *bad)), "requestBody": body_of},
    }


_ADD = {"application/json": {"schema": object_of({"number": TEXT, "reason": TEXT}, "number")}}
_REMOVE = {"application/json": {"schema": object_of({"number": TEXT}, "number")}}
_TEXT_FILE = {"text/plain": {"schema": TEXT}}

OPENAPI_PATHS: dict[str, Any] = {
    "/v1/stop-lists": _get("The lists of numbers that must not be called", "StopLists"),
    "/v1/stop-lists/check": _get(
        "Whether a number may be called, and which lines stop it", "Checked", _NUMBER
    ),
    "/v1/stop-lists/{name}/add": _post(
        "Put a number on a list; on disk and in force when answered", "StopListChange", _ADD, WRITE
    ),
    "/v1/stop-lists/{name}/remove": _post("Take a number off a list", "StopListChange", _REMOVE, WRITE),
    "/v1/stop-lists/{name}/import": _post(
        "Add all entries of a list's text, or none", "Imported", _TEXT_FILE, WRITE[1:]
    ),
    "/v1/rates/check": _get("What calls to a number cost", "Priced", _NUMBER, _TRUNK),
}
OPENAPI_SCHEMAS: dict[str, Any] = {
    "StopList": _all_of(_LIST),
    "StopLists": _all_of({"lists": array_of("StopList")}),
    "StopListEntry": _all_of(_ENTRY),
    "StopListChange": _all_of(_CHANGED),
    "Checked": _all_of(_CHECKED),
    "Imported": _all_of(_IMPORTED),
    "Rate": _all_of(_RATE),
    "Priced": _all_of(_PRICED),
}
"""What openapi.json says of these routes."""
