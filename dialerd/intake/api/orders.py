"""Routes for standing orders: pause and resume everything, a trunk or a batch, cancel a batch, and the trunks
as they stand."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from dialerd.core.errors import InvalidJob, Mistake
from dialerd.core.roles import Caller, Right
from dialerd.core.signals import Order
from dialerd.core.texts import nearest, without_controls
from dialerd.core.times import format_when
from dialerd.intake.api import body
from dialerd.intake.api.connection import caller_of
from dialerd.intake.api.desk import Desk
from dialerd.intake.api.jobs import answer, uid_of
from dialerd.intake.api.openapi.parts import (
    COUNT,
    READ,
    TEXT,
    TIME,
    WRITE,
    answer_of,
    array_of,
    content,
    describe,
    object_of,
    query,
    ref,
)
from dialerd.intake.api.problems import invalid
from dialerd.intake.api.questions import Questions
from dialerd.intake.api.settings import ApiSettings
from dialerd.intake.api.waiting import outcome
from dialerd.intake.strictjson import loads

_MEMBERS = ("scope", "reason")
_LONGEST_REASON = 500
_BATCH_OF_OWNER = re.compile(r"batch:([0-9]{1,10}):(.+)", re.DOTALL)
_CANCEL = re.compile("/v1/batches/([^/]+)/cancel")
_Handler = Callable[[web.BaseRequest, str], Awaitable[web.StreamResponse]]
_HOW = 'Say what: {"scope": "all"}, {"scope": "trunk:NAME"} or {"scope": "batch:NAME"}.'


def _may_see(caller: Caller, order: Order) -> bool:
    kind, _, rest = order.scope.partition(":")
    return kind != "batch" or caller.may_see(int(rest.partition(":")[0]))


class Orders:
    """The routes."""

    def __init__(self, settings: ApiSettings, desk: Desk) -> None:
        self.settings, self.desk, self._questions = settings, desk, Questions(desk)
        self.table: dict[str, dict[str, _Handler]] = {
            "/v1/pause": {"POST": self.pause},
            "/v1/resume": {"POST": self.resume},
            "/v1/orders": {"GET": self.standing},
            "/v1/trunks": {"GET": self.trunks},
        }

    def methods(self, path: str) -> dict[str, _Handler] | None:
        """What may be done at a batch's address, None for other addresses."""
        found = _CANCEL.fullmatch(path)
        if found is None:
            return None
        name = unquote(found[1])
        return {"POST": lambda request, asked: self.cancel(request, asked, name)}

    async def pause(self, request: web.BaseRequest, asked: str) -> web.Response:
        """POST /v1/pause"""
        return await self._give(request, asked, "paused")

    async def resume(self, request: web.BaseRequest, asked: str) -> web.Response:
        """POST /v1/resume"""
        return await self._give(request, asked, None)

    async def cancel(self, request: web.BaseRequest, asked: str, batch: str) -> web.Response:
        """POST /v1/batches/{name}/cancel: all its jobs that have not ended; nothing of it is called again."""
        found = body.query(asked, ("owner",))
        owner = body.whole_number(found.get("owner"), "query.owner", -1, 0, 2**32 - 2)
        given = await self._members(request, ("reason",))
        whose = owner if owner >= 0 else await self._owner(batch, request)
        return await self._order(request, f"batch:{whose}:{batch}", "cancelled", given.get("reason", ""))

    async def standing(self, request: web.BaseRequest, asked: str) -> web.Response:
        """GET /v1/orders"""
        body.query(asked, ())
        caller_of(request).require(Right.VIEW_OWN, "see what is paused")
        return answer(200, {"orders": self._visible(request)})

    async def trunks(self, request: web.BaseRequest, asked: str) -> web.Response:
        """GET /v1/trunks"""
        body.query(asked, ())
        caller_of(request).require(Right.VIEW_OWN, "see the trunks")
        return answer(200, {"trunks": self.desk.trunks()})

    async def _give(self, request: web.BaseRequest, asked: str, word: str | None) -> web.Response:
        body.query(asked, ())
        given = await self._members(request, _MEMBERS)
        if "scope" not in given:
            raise invalid([Mistake("scope", _HOW)])
        scope = await self._scope(request, given["scope"])
        return await self._order(request, scope, word, given.get("reason", ""))

    async def _order(
        self, request: web.BaseRequest, scope: str, word: str | None, reason: str
    ) -> web.Response:
        _require_order(request, scope)
        future = self.desk.order(scope, word, uid_of(request), reason)
        await outcome(future, self.settings.answer_timeout)
        return answer(200, {"scope": scope, "word": word, "orders": self._visible(request)})

    def _visible(self, request: web.BaseRequest) -> list[dict[str, Any]]:
        """The orders that stand, but for those about batches of others that the caller may not see."""
        caller = caller_of(request)
        return [_present(order) for order in self.desk.orders() if _may_see(caller, order)]

    async def _members(self, request: web.BaseRequest, known: tuple[str, ...]) -> Mapping[str, str]:
        """The body's members, all of them texts. Raises Problem."""
        data = await body.read(request, self.settings)
        try:
            found = loads(data) if data.strip() else {}
        except InvalidJob as error:
            raise invalid(error.mistakes, status=400, name="unreadable") from None
        if not isinstance(found, dict):
            raise invalid([Mistake("", _HOW)])
        wrong = [
            Mistake(name[:80], f"This name is not known here.{nearest(name, known)}")
            for name in found
            if name not in known
        ]
        wrong += [Mistake(name, what) for name in known if name in found and (what := _unfit(found[name]))]
        if wrong:
            raise invalid(wrong)
        return found

    async def _scope(self, request: web.BaseRequest, text: str) -> str:
        """The scope with the batch's owner in it. Raises Problem for what is none."""
        kind, _, name = text.partition(":")
        if text == "all" or (kind == "trunk" and name):
            return text
        if kind != "batch" or not name:
            raise invalid([Mistake("scope", f"{text[:80]!r} can't be paused. {_HOW}")])
        if (found := _BATCH_OF_OWNER.fullmatch(text)) is not None:
            return f"batch:{int(found[1])}:{found[2]}"
        return f"batch:{await self._owner(name, request)}:{name}"

    async def _owner(self, batch: str, request: web.BaseRequest) -> int:
        """Whose batch is meant: the caller's own, else the only owner's that has one of this name."""
        caller = caller_of(request)
        if Right.OPERATE not in caller.rights:
            return caller.uid
        owners = await self._questions.ask(lambda source: source.owners_of_batch(batch))
        if caller.uid in owners or not owners:
            return caller.uid
        if len(owners) > 1:
            users = ", ".join(map(str, owners))
            what = f"The users {users} have batches of this name: write batch:{owners[0]}:{batch[:200]}."
            raise invalid([Mistake("scope", what)])
        return owners[0]


def _unfit(value: Any) -> str:
    """Why this is no scope and no reason, or nothing. The store takes no halves of characters."""
    if not (isinstance(value, str) and len(value) <= _LONGEST_REASON):
        return f"Give a text of at most {_LONGEST_REASON} characters."
    try:
        without_controls(value)
    except ValueError as error:
        return str(error)
    return ""


def _require_order(request: web.BaseRequest, scope: str) -> None:
    """Raises NotPermitted where the caller may not give orders on this."""
    batch = _BATCH_OF_OWNER.fullmatch(scope)
    own = batch is not None and int(batch[1]) == uid_of(request)
    deed = "pause, resume or cancel " + ("a batch" if own else "another user's batch" if batch else scope)
    caller_of(request).require(Right.OPERATE_OWN if own else Right.OPERATE, deed)


def _present(order: Order) -> dict[str, Any]:
    return {
        "scope": order.scope,
        "word": order.word,
        "by": order.owner if order.owner >= 0 else None,
        "at": format_when(order.at),
        "reason": order.reason,
    }


_ASK = object_of(
    {"scope": {**TEXT, "description": "all, trunk:NAME, batch:NAME, batch:OWNER:NAME"}, "reason": TEXT},
    "scope",
)


def _post(summary: str) -> dict[str, Any]:
    route = describe(summary, {200: answer_of("Ordered")}, (409, *WRITE))
    return {**route, "requestBody": {"required": True, **content(_ASK)}}


OPENAPI_PATHS: dict[str, Any] = {
    "/v1/pause": {"post": _post("Begin no more calls of everything, a trunk or a batch")},
    "/v1/resume": {"post": _post("Let it go on")},
    "/v1/batches/{name}/cancel": {
        "parameters": [{"name": "name", "in": "path", "required": True, "schema": TEXT}],
        "post": {
            **describe(
                "Cancel all jobs of a batch that have not ended",
                {200: answer_of("Ordered")},
                (409, *WRITE),
            ),
            "parameters": [query("owner", COUNT, "Whose batch (a uid)")],
            "requestBody": content(object_of({"reason": TEXT})),
        },
    },
    "/v1/orders": {"get": describe("What is paused or being cancelled", {200: answer_of("Orders")}, READ)},
    "/v1/trunks": {"get": describe("The trunks as they stand", {200: answer_of("Trunks")}, READ)},
}
_ORDER = {
    "scope": TEXT,
    "word": {"enum": ["paused", "cancelled"]},
    "by": {
        "type": ["integer", "null"],
        "description": "The uid that gave it; null: dialerd itself, by its fuse",
    },
    "at": TIME,
    "reason": TEXT,
}
_TRUNK = {"type": "object", "properties": {"name": TEXT, "paused": {"type": "boolean"}}, "required": ["name"]}
OPENAPI_SCHEMAS: dict[str, Any] = {
    "Order": object_of(_ORDER, *_ORDER),
    "Orders": object_of({"orders": array_of("Order")}, "orders"),
    "Ordered": object_of(
        {
            "scope": TEXT,
            "word": {"enum": ["paused", "cancelled", None], "description": "null: resumed"},
            "orders": {**array_of("Order"), "description": "All that stand now"},
        },
        *("scope", "word", "orders"),
    ),
    "Trunk": _TRUNK,
    "Trunks": object_of({"trunks": {"type": "array", "items": ref("Trunk")}}, "trunks"),
}
