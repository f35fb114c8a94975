"""Routes for figures: batches, the queue's shape, statistics, jobs with their last attempt."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from dialerd.core.errors import Mistake
from dialerd.core.figures import BatchFigures, By
from dialerd.core.model import Attempt, Disposition, Job
from dialerd.core.roles import Right
from dialerd.core.states import IN_FLIGHT, WAITING, State
from dialerd.core.texts import nearest
from dialerd.core.times import format_duration
from dialerd.intake.api import body, tidying
from dialerd.intake.api.connection import caller_of
from dialerd.intake.api.jobs import _FILTERS as FILTERS
from dialerd.intake.api.jobs import MAX_PAGE, PAGE, answer
from dialerd.intake.api.jobs import _filter as filter_of
from dialerd.intake.api.jobs import _visible as visible
from dialerd.intake.api.openapi.parts import (
    COUNT,
    READ,
    SECONDS,
    TEXT,
    TIME,
    answer_of,
    array_of,
    describe,
    object_of,
    query,
)
from dialerd.intake.api.problems import Problem, invalid
from dialerd.intake.api.questions import Questions, Source, states_of, time_of
from dialerd.intake.api.settings import ApiSettings
from dialerd.intake.api.tidying import Tidying
from dialerd.intake.present import present, present_batch, present_last, present_shapes, present_stat

MOST_BATCHES = 1000
LONGEST_PERIOD = timedelta(days=400)
_DAY = timedelta(days=1)
_UNFINISHED = (*WAITING, *IN_FLIGHT)
_BATCHES = "/v1/batches/"
_Handler = Callable[[web.BaseRequest, str], Awaitable[web.StreamResponse]]


class FigureRoutes:
    """The routes. `page` answers for GET /v1/jobs where no last attempts are asked for."""

    def __init__(self, settings: ApiSettings, desk: Any, page: _Handler) -> None:
        self._page, self._questions = page, Questions(desk)
        self.table: dict[str, dict[str, _Handler]] = {
            "/v1/batches": {"GET": self.batches},
            "/v1/qshape": {"GET": self.shape},
            "/v1/stats": {"GET": self.stats},
            **Tidying(settings, desk, self._questions).table,
        }

    def methods(self, path: str) -> dict[str, _Handler] | None:
        """What may be done at a batch's address, None for other addresses."""
        name = path.removeprefix(_BATCHES)
        if name == path or not name or "/" in name:
            return None
        return {"GET": lambda request, asked: self.batch(request, asked, unquote(name))}

    async def page(self, request: web.BaseRequest, asked: str) -> web.StreamResponse:
        """GET /v1/jobs, with each job's newest attempt where last=1 asks for it."""
        found = body.query(asked, (*FILTERS, "last"))
        if "last" not in found:
            return await self._page(request, asked)
        body.whole_number(found["last"], "query.last", 1, 1, 1)
        limit = body.whole_number(found.get("limit"), "query.limit", PAGE, 1, MAX_PAGE)
        wanted = visible(filter_of(found, limit + 1), caller_of(request))
        pairs = await self._questions.ask(lambda source: source.jobs_with_last(wanted))
        following = pairs[limit - 1][0].id if len(pairs) > limit else None
        return answer(200, {"jobs": [_with_last(*pair) for pair in pairs[:limit]], "next": following})

    async def batches(self, request: web.BaseRequest, asked: str) -> web.Response:
        """GET /v1/batches"""
        found = body.query(asked, ("owner", "limit"))
        limit = body.whole_number(found.get("limit"), "query.limit", PAGE, 1, MOST_BATCHES)
        owner, now = _owner(request, found), datetime.now(UTC)
        batches = await self._questions.ask(lambda source: source.batches(owner, limit, now))
        return answer(200, {"batches": [present_batch(each) for each in batches]})

    async def batch(self, request: web.BaseRequest, asked: str, name: str) -> web.Response:
        """GET /v1/batches/{name}: the caller's own; without one, the only one that others have."""
        owner, uid = _owner(request, body.query(asked, ("owner",))), caller_of(request).uid

        def find(source: Source) -> BatchFigures | None:
            now = datetime.now(UTC)
            if owner is not None:
                return source.batch(owner, name, now)
            owners = source.owners_of_batch(name)
            if uid not in owners and len(owners) > 1:
                users = ", ".join(map(str, owners))
                what = f"The users {users} have batches of this name: say whose, with owner={owners[0]}."
                raise invalid([Mistake("query.owner", what)])
            return source.batch(uid if uid in owners else owners[0], name, now) if owners else None

        figures = await self._questions.ask(find)
        if figures is None:
            raise Problem(404, "no-such-job", f"There is no batch {name[:200]!r}.")
        return answer(200, present_batch(figures))

    async def shape(self, request: web.BaseRequest, asked: str) -> web.Response:
        """GET /v1/qshape"""
        found = body.query(asked, ("state", "owner"))
        named = [state for value in found.get("state", ()) for state in value.split(",") if state]
        states, owner = states_of(named, "query.state", tuple(State)) or _UNFINISHED, _owner(request, found)
        shapes = await self._questions.ask(lambda source: source.shape(datetime.now(UTC), states, owner))
        return answer(200, {"states": [state.value for state in states], **present_shapes(shapes)})

    async def stats(self, request: web.BaseRequest, asked: str) -> web.Response:
        """GET /v1/stats"""
        found = body.query(asked, ("since", "until", "by", "owner"))
        now, owner = datetime.now(UTC), _owner(request, found)
        until = time_of(found["until"][-1], "query.until", now) if "until" in found else now
        since = time_of(found["since"][-1], "query.since", now) if "since" in found else until - _DAY
        given = found.get("by", ["hour"])[-1]
        if given not in ("hour", "day"):
            raise invalid([Mistake("query.by", f"Write hour or day.{nearest(given, ('hour', 'day'))}")])
        if not timedelta(0) < until - since <= LONGEST_PERIOD:
            most = format_duration(int(LONGEST_PERIOD.total_seconds()))
            what = f"It lies before `until`, by {most} at most."
            raise invalid([Mistake("query.since", what)])
        by: By = "day" if given == "day" else "hour"
        rows = await self._questions.ask(lambda source: source.stats(since, until, by, owner))
        return answer(200, {"by": by, "stats": [present_stat(row) for row in rows]})


def _with_last(job: Job, attempt: Attempt | None) -> dict[str, Any]:
    shown = present(job)
    return shown if attempt is None else {**shown, "last": present_last(attempt)}


def _owner(request: web.BaseRequest, asked: Mapping[str, list[str]]) -> int | None:
    """Whose figures are asked for; the caller's own where he may see no others'. Raises NotPermitted."""
    caller = caller_of(request)
    owner = body.whole_number(asked.get("owner"), "query.owner", -1, 0, 2**32 - 2)
    caller.require(Right.VIEW_OWN, "see figures")
    if owner == -1:
        return None if Right.VIEW_ALL in caller.rights else caller.uid
    if owner != caller.uid:
        caller.require(Right.VIEW_ALL, "see other users' figures")
    return owner


_COUNTS = {"type": "object", "additionalProperties": COUNT}
_MAYBE_TIME = {**TIME, "type": ["string", "null"]}
_OWNER = query("owner", COUNT, "Of this user (a uid); default: of all that the caller may see")
_AGES = {"type": "array", "items": COUNT, "minItems": 10, "maxItems": 10}
_SHAPE = {"total": COUNT, "ages": {**_AGES, "description": "One for each of `minutes`, one for older jobs"}}
_BATCH = {
    "batch": TEXT,
    "owner": COUNT,
    "jobs": COUNT,
    "states": _COUNTS,
    "dispositions": {**_COUNTS, "description": "Of the last attempts"},
    "created": TIME,
    "first_dialled": {**_MAYBE_TIME, "description": "May be late by the length of a call"},
    "last_ended": _MAYBE_TIME,
    "ended_last_minute": COUNT,
    "waiting": COUNT,
    "paused": {"type": "boolean"},
    "next": {**_MAYBE_TIME, "description": "When the first waiting job is due that is not due yet"},
    "eta_seconds": {**SECONDS, "description": "How long the rest takes at the last minute's pace"},
}
_STAT = {
    "begins": TIME,
    "trunk": TEXT,
    "dialled": COUNT,
    "answered": COUNT,
    "answer_rate": {"type": "number", "minimum": 0, "maximum": 1},
    "dispositions": _COUNTS,
    "ring_seconds": {**SECONDS, "description": "On average, where AMI saw it"},
    "talk_seconds": {**SECONDS, "description": "On average, of calls that were answered"},
}

_LAST = {
    "number": {"type": "integer", "minimum": 1},
    "trunk": {**TEXT, "description": "Or else provider"},
    "provider": TEXT,
    "ref": TEXT,
    "disposition": {"enum": list(Disposition)},
    "hangup_cause": {"type": "integer", "description": "Q.850"},
    "ring_seconds": SECONDS,
    "talk_seconds": SECONDS,
    "word": TEXT,
    "price": TEXT,
    "currency": TEXT,
    "parts": COUNT,
    "begun": TIME,
    "ended": TIME,
    "detail": TEXT,
}

OPENAPI_SCHEMAS: dict[str, Any] = {
    "LastAttempt": object_of(_LAST, "number", "begun"),
    "Batch": object_of(_BATCH, *_BATCH),
    "Batches": object_of({"batches": array_of("Batch")}, "batches"),
    "QueueShape": object_of(
        {
            "states": {"type": "array", "items": {"enum": list(State)}},
            "minutes": {"type": "array", "items": COUNT},
            **_SHAPE,
            "trunks": array_of("TrunkShape"),
        },
        *("states", "minutes", "total", "ages", "trunks"),
    ),
    "TrunkShape": object_of({"trunk": TEXT, **_SHAPE}, "trunk", "total", "ages"),
    "Stat": object_of(_STAT, *_STAT),
    "Stats": object_of({"by": {"enum": ["hour", "day"]}, "stats": array_of("Stat")}, "by", "stats"),
    **tidying.OPENAPI_SCHEMAS,
}


def _get(summary: str, name: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    return {**describe(summary, {200: answer_of(name)}, (403, *READ)), "parameters": [*parameters]}


OPENAPI_PATHS: dict[str, Any] = {
    "/v1/batches": {
        "get": _get(
            "The newest batches",
            "Batches",
            _OWNER,
            query("limit", {**COUNT, "maximum": MOST_BATCHES, "default": PAGE}, "At most so many"),
        )
    },
    "/v1/batches/{name}": {
        "parameters": [{"name": "name", "in": "path", "required": True, "schema": TEXT}],
        "get": {
            **describe("How far a batch has come", {200: answer_of("Batch")}, (403, 404, *READ)),
            "parameters": [query("owner", COUNT, "Whose; default: the caller's, or the only one")],
        },
    },
    "/v1/qshape": {
        "get": _get(
            "How old unfinished jobs are, by trunk",
            "QueueShape",
            query("state", TEXT, "One or more states, with commas between"),
            _OWNER,
        )
    },
    "/v1/stats": {
        "get": _get(
            "What the attempts of a period came to, by trunk and hour or day of the daemon's own zone",
            "Stats",
            query("since", TIME, "Default: a day before `until`"),
            query("until", TIME, "Default: now"),
            query("by", {"enum": ["hour", "day"], "default": "hour"}, "What a row is"),
            _OWNER,
        )
    },
    **tidying.OPENAPI_PATHS,
}
