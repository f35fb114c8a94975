"""GET /v1/reports and POST /v1/reports/retry: what was not delivered, and trying it again."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from aiohttp import web

from dialerd.core.errors import Mistake
from dialerd.core.reporting import Delivery
from dialerd.core.roles import Right
from dialerd.core.texts import nearest
from dialerd.core.times import format_when
from dialerd.intake.api import body
from dialerd.intake.api.connection import caller_of
from dialerd.intake.api.jobs import answer
from dialerd.intake.api.problems import TYPE, invalid
from dialerd.intake.api.settings import ApiSettings

_PAGE, _MAX_PAGE = 100, 1000
Handler = Callable[[web.BaseRequest, str], Awaitable[web.StreamResponse]]


class Reporter(Protocol):
    """The reporter, as far as users see it. Safe from any thread; may raise Broken."""

    def listing(
        self, sink: str | None = None, dead: bool | None = None, after: str = "", limit: int = 100
    ) -> list[Delivery]:
        """One page of what is not delivered, by sink and event; `after` is SINK/EVENT."""

    def figures(self) -> dict[str, dict[str, Any]]:
        """Of each sink its counts."""

    def retry(self, sink: str | None = None) -> int:
        """Makes all that waits due, the dead ones too."""


class Reports:
    """The routes."""

    def __init__(self, settings: ApiSettings, reporter: Reporter) -> None:
        self.settings, self.reporter = settings, reporter
        self.table: dict[str, dict[str, Handler]] = {
            "/v1/reports": {"GET": self.page},
            "/v1/reports/retry": {"POST": self.retry},
        }

    async def page(self, request: web.BaseRequest, query: str) -> web.Response:
        """GET /v1/reports"""
        caller_of(request).require(Right.VIEW_ALL, "see what was not reported")
        asked = body.query(query, ("sink", "dead", "limit", "cursor"))
        sink, dead = self._sink(asked), _dead(asked)
        limit = body.whole_number(asked.get("limit"), "query.limit", _PAGE, 1, _MAX_PAGE)
        found = await asyncio.to_thread(self.reporter.listing, sink, dead, _cursor(asked), limit + 1)
        page = found[:limit]
        following = f"{page[-1].sink}/{page[-1].event}" if len(found) > limit else None
        sinks = self.reporter.figures()
        return answer(200, {"sinks": sinks, "reports": [_shown(each) for each in page], "next": following})

    async def retry(self, request: web.BaseRequest, query: str) -> web.Response:
        """POST /v1/reports/retry"""
        caller_of(request).require(Right.OPERATE, "have reports sent again")
        sink = self._sink(body.query(query, ("sink",)))
        if (await body.read(request, self.settings)).strip() not in (b"", b"{}"):
            raise invalid([Mistake("", "This request takes no body.")])
        return answer(200, {"revived": await asyncio.to_thread(self.reporter.retry, sink)})

    def _sink(self, asked: Mapping[str, list[str]]) -> str | None:
        sink = asked.get("sink", [None])[-1]
        sinks = self.reporter.figures()
        if sink is not None and sink not in sinks:
            there = f"There are {', '.join(sinks)}." if sinks else "None is configured."
            what = f"There is no sink {sink[:80]!r}. {there}{nearest(sink, sinks)}"
            raise invalid([Mistake("query.sink", what)])
        return sink


def _dead(asked: Mapping[str, list[str]]) -> bool | None:
    found = asked.get("dead", [None])[-1]
    if found not in (None, "0", "1"):
        raise invalid([Mistake("query.dead", "Write dead=1 for those given up, dead=0 for those that wait.")])
    return None if found is None else found == "1"


def _cursor(asked: Mapping[str, list[str]]) -> str:
    cursor = asked.get("cursor", [""])[-1]
    sink, _, event = cursor.rpartition("/")
    if cursor and not (sink and event.isascii() and event.isdigit() and len(event) < 19):
        raise invalid([Mistake("query.cursor", "This is no cursor. Take `next` from the page before.")])
    return cursor


def _shown(delivery: Delivery) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "sink": delivery.sink,
        "id": f"evt_{delivery.event}",
        "job": delivery.job,
        "tries": delivery.tries,
        "since": format_when(delivery.first_at),
        "next_try": None if delivery.dead else format_when(delivery.next_at),
        "dead": delivery.dead,
        "why": delivery.last_error or None,
    }
    return {name: value for name, value in shown.items() if value is not None}


_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_SINKS = {
    "type": "object",
    "description": "By the sink's name",
    "additionalProperties": {
        "type": "object",
        "properties": {"pending": _COUNT, "dead": _COUNT, "delivered": _COUNT, "failing": _TEXT},
        "required": ["pending", "dead", "delivered"],
        "additionalProperties": False,
    },
}
_REPORT = {
    "type": "object",
    "properties": {
        "sink": _TEXT,
        "id": {"type": "string", "pattern": "^evt_[0-9]+$"},
        "job": _TEXT,
        "tries": _COUNT,
        "since": {"type": "string", "format": "date-time"},
        "next_try": {"type": "string", "format": "date-time"},
        "dead": {"type": "boolean"},
        "why": _TEXT,
    },
    "required": ["sink", "id", "job", "tries", "since", "dead"],
    "additionalProperties": False,
}
_PAGE_SCHEMA = {
    "type": "object",
    "properties": {
        "sinks": _SINKS,
        "reports": {"type": "array", "items": _REPORT},
        "next": {"type": ["string", "null"]},
    },
    "required": ["sinks", "reports", "next"],
    "additionalProperties": False,
}
_REVIVED = {
    "type": "object",
    "properties": {"revived": _COUNT},
    "required": ["revived"],
    "additionalProperties": False,
}


def _answers(summary: str, schema: dict[str, Any], *bad: str) -> dict[str, Any]:
    problem = {
        "description": "A problem",
        "content": {TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    good = {"description": summary, "content": {"application/json": {"schema": schema}}}
    return {"summary": summary, "responses": {"200": good, **dict.fromkeys((*bad, "default"), problem)}}


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": description}


_SINK = _parameter("sink", _TEXT, "Only this sink, such as webhooks.crm")
OPENAPI_PATHS: dict[str, Any] = {
    "/v1/reports": {
        "get": {
            **_answers(
                "List the sinks, and the reports that are not delivered", _PAGE_SCHEMA, "422", "429", "503"
            ),
            "parameters": [
                _SINK,
                _parameter("dead", {"enum": ["0", "1"]}, "1: only those given up; 0: only those that wait"),
                _parameter(
                    "limit", {**_COUNT, "minimum": 1, "maximum": _MAX_PAGE, "default": _PAGE}, "Reports"
                ),
                _parameter("cursor", _TEXT, "`next` of the page before"),
            ],
        }
    },
    "/v1/reports/retry": {
        "post": {
            **_answers(
                "Try all that waits again now, also what was given up",
                _REVIVED,
                *("400", "408", "413", "415", "422", "429", "503"),
            ),
            "parameters": [_SINK],
        }
    },
}
