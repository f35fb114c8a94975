"""Routes for tidying up: purge and redact what ended long ago, a step at a time."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from aiohttp import web

from dialerd.core.errors import InvalidJob, Mistake
from dialerd.core.roles import Right
from dialerd.core.states import ENDED, State
from dialerd.core.texts import nearest
from dialerd.intake.api import body
from dialerd.intake.api.connection import caller_of
from dialerd.intake.api.jobs import answer
from dialerd.intake.api.openapi.parts import COUNT, TEXT, WRITE, answer_of, content, describe, object_of, ref
from dialerd.intake.api.problems import invalid
from dialerd.intake.api.questions import Questions, states_of, time_of
from dialerd.intake.api.settings import ApiSettings
from dialerd.intake.api.waiting import outcome
from dialerd.intake.strictjson import loads

_LARGEST = 2**63 - 1
_Handler = Callable[[web.BaseRequest, str], Awaitable[web.StreamResponse]]


class Tidied(Protocol):
    """To how many jobs a step did something, and where the next one goes on (None: at the end)."""

    @property
    def count(self) -> int: ...

    @property
    def place(self) -> tuple[int, int] | None: ...


class TidyDesk(Protocol):
    """The desk, as far as it is asked here."""

    def tidy(
        self, verb: str, before: datetime, states: tuple[State, ...], place: tuple[int, int]
    ) -> Future[Any]:
        """One step of purging or redacting what ended before a time. The future's result is a Tidied."""


class Tidying:
    """The routes."""

    def __init__(self, settings: ApiSettings, desk: TidyDesk, questions: Questions) -> None:
        self.settings, self.desk, self._questions = settings, desk, questions
        self.table: dict[str, dict[str, _Handler]] = {
            "/v1/purge": {"POST": partial(self.tidy, "purge")},
            "/v1/redact": {"POST": partial(self.tidy, "redact")},
        }

    async def tidy(self, verb: str, request: web.BaseRequest, asked: str) -> web.Response:
        """POST /v1/purge and /v1/redact: one step. It is to be repeated with the answer's `next` as `cursor`
        until that is null."""
        body.query(asked, ())
        caller_of(request).require(Right.ADMIN, f"{verb} jobs")
        known = ("before", "cursor", *(("states", "dry_run") if verb == "purge" else ()))
        given = await self._members(request, known)
        now = datetime.now(UTC)
        if "before" not in given:
            raise invalid([Mistake("before", "This is needed: only what ended before it is touched.")])
        before = time_of(given["before"], "before", now)
        states = states_of(given.get("states", []), "states", ENDED) or ENDED
        if given.get("dry_run"):
            count = await self._questions.ask(lambda source: source.ended(before, states))
            return answer(200, {"count": count, "next": None})
        future = self.desk.tidy(verb, before, states, _place(given.get("cursor")))
        tidied: Tidied = await outcome(future, self.settings.answer_timeout)
        following = None if tidied.place is None else "{}.{}".format(*tidied.place)
        return answer(200, {"count": tidied.count, "next": following})

    async def _members(self, request: web.BaseRequest, known: Sequence[str]) -> Mapping[str, Any]:
        """The body's members, of the types that they have. Raises Problem."""
        data = await body.read(request, self.settings)
        try:
            found = loads(data) if data.strip() else {}
        except InvalidJob as error:
            raise invalid(error.mistakes, status=400, name="unreadable") from None
        if not isinstance(found, dict):
            raise invalid([Mistake("", 'Write an object such as {"before": "2026-11-21T09:00:00Z"}.')])
        wrong = [
            Mistake(name[:80], f"This name is not known here.{nearest(name, known)}")
            for name in found
            if name not in known
        ]
        wrong += [
            Mistake(name, what)
            for name, (fits, what) in _TYPES.items()
            if name in found and not fits(found[name])
        ]
        if wrong:
            raise invalid(wrong)
        return found


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


_TYPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "before": (lambda value: isinstance(value, str), "Give a time in quotes, such as 2026-11-21T09:00:00Z."),
    "states": (_is_texts, 'Give a list of states, such as ["failed"].'),
    "dry_run": (lambda value: isinstance(value, bool), "Give true or false, without quotes."),
    "cursor": (lambda value: value is None or isinstance(value, str), "Give `next` of the answer before."),
}


def _place(cursor: str | None) -> tuple[int, int]:
    first, _, second = (cursor or "0.0").partition(".")
    if not all(part.isascii() and part.isdigit() and len(part) < 20 for part in (first, second)):
        raise invalid([Mistake("cursor", "This is no cursor. Take `next` from the answer before.")])
    return int(first), min(int(second), 2**63 - 1)


_NEXT = {"type": ["string", "null"]}
_TIDY = {"before": {**TEXT, "description": "Only what ended before this time"}, "cursor": _NEXT}
_PURGE = {
    **_TIDY,
    "states": {"type": "array", "items": {"enum": list(ENDED)}},
    "dry_run": {"type": "boolean", "description": "Only count"},
}

OPENAPI_SCHEMAS: dict[str, Any] = {
    "Tidied": object_of({"count": COUNT, "next": _NEXT}, "count", "next"),
    "Purge": object_of(_PURGE, "before"),
    "Redact": object_of(_TIDY, "before"),
}


def _post(summary: str, name: str) -> dict[str, Any]:
    route = describe(summary, {200: answer_of("Tidied")}, (403, *WRITE))
    return {**route, "requestBody": {"required": True, **content(ref(name))}}


OPENAPI_PATHS: dict[str, Any] = {
    "/v1/purge": {"post": _post("Remove ended jobs, one step of it; repeat with `next`", "Purge")},
    "/v1/redact": {
        "post": _post("Take the people out of ended jobs, one step of it; repeat with `next`", "Redact")
    },
}
