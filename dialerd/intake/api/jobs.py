"""Routes about jobs: submit one document, list, show, and the operator's verbs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aiohttp import web

from dialerd.core.errors import InvalidJob, KeyConflict, Mistake, NoSuchJob, Overloaded
from dialerd.core.ids import ALPHABET, LENGTH
from dialerd.core.model import Draft
from dialerd.core.roles import Caller, Permit, Right
from dialerd.core.signals import Accepted, JobFilter, Submission
from dialerd.core.states import State
from dialerd.core.tasks import KINDS
from dialerd.core.texts import nearest
from dialerd.intake.api import body
from dialerd.intake.api.connection import caller_of, permit_of
from dialerd.intake.api.desk import Answer, Desk
from dialerd.intake.api.problems import encode, from_error, invalid
from dialerd.intake.api.settings import ApiSettings
from dialerd.intake.api.waiting import outcome
from dialerd.intake.present import present
from dialerd.intake.strictjson import loads

Parse = Callable[[Any, Permit], list[Draft]]
"""document.parse at the present time: a JSON value and what the caller may → drafts. Raises InvalidJob."""

VERBS = ("cancel", "hold", "release", "requeue", "resolve")
RESOLUTIONS = ("completed", "failed", "requeue")
PAGE, MAX_PAGE = 100, 1000
_FILTERS = ("state", "kind", "batch", "tag", "key", "to", "owner", "limit", "cursor")
_JSON = {"Content-Type": "application/json"}


class Jobs:
    """The routes under /v1/jobs, but for the batch."""

    def __init__(self, settings: ApiSettings, desk: Desk, parse: Parse) -> None:
        self.settings, self.desk, self.parse = settings, desk, parse

    async def submit(self, request: web.BaseRequest, query: str) -> web.StreamResponse:
        """POST /v1/jobs"""
        if query:
            body.query(query, ())
        data = await body.read(request, self.settings)
        permit = permit_of(request)
        permit.caller.require(Right.SUBMIT)
        drafts = self.parse(self._document(data, request), permit)
        owner = permit.caller.uid
        future = self.desk.submit([Submission(owner, draft) for draft in drafts])
        answers = await outcome(future, self.settings.answer_timeout)
        return _submitted(answers)

    def _document(self, data: bytes, request: web.BaseRequest) -> Any:
        found = _load(data)
        key = request.headers.get("Idempotency-Key")
        return with_key(found, key) if key is not None else found

    async def page(self, request: web.BaseRequest, query: str) -> web.Response:
        """GET /v1/jobs"""
        asked = body.query(query, _FILTERS)
        limit = body.whole_number(asked.get("limit"), "query.limit", PAGE, 1, MAX_PAGE)
        found = self.desk.jobs(_visible(_filter(asked, limit + 1), caller_of(request)))
        page = found[:limit]
        following = page[-1].id if len(found) > limit else None
        return answer(200, {"jobs": [present(job) for job in page], "next": following})

    async def show(self, request: web.BaseRequest, query: str, job_id: str) -> web.Response:
        """GET /v1/jobs/{id}; what the caller may not see is answered as if it was not there."""
        body.query(query, ())
        job, attempts = self.desk.job(job_id)
        if not caller_of(request).may_see(job.owner):
            raise NoSuchJob(job_id)
        return answer(200, present(job, attempts))

    async def command(self, request: web.BaseRequest, query: str, job_id: str, verb: str) -> web.Response:
        """POST /v1/jobs/{id}/{verb}; 202 where the verb is under way but not yet true."""
        asked = body.query(query, ("as",) if verb == "resolve" else ())
        resolution = await self._resolution(request, asked) if verb == "resolve" else None
        if verb != "resolve":
            await self._nothing(request)
        caller = caller_of(request)
        self._check_operable(job_id, caller)
        future = self.desk.command(job_id, verb, caller.uid, resolution)
        job = await outcome(future, self.settings.answer_timeout)
        pending = (verb == "cancel" and job.state is not State.CANCELLED) or (
            verb == "hold" and job.state is not State.HELD
        )
        return answer(202 if pending else 200, present(job))

    def _check_operable(self, job_id: str, caller: Caller) -> None:
        """Raises NotPermitted, or NoSuchJob where the caller may not even see the job."""
        if Right.OPERATE not in caller.rights:
            owner = self.desk.job(job_id)[0].owner
            if not caller.may_see(owner):
                raise NoSuchJob(job_id)
            caller.require_operate(owner)

    async def _nothing(self, request: web.BaseRequest) -> None:
        data = await body.read(request, self.settings)
        if data.strip() and _load(data) != {}:
            raise invalid([Mistake("", "This request takes no body.")])

    async def _resolution(self, request: web.BaseRequest, asked: Mapping[str, list[str]]) -> str:
        data = await body.read(request, self.settings)
        given: Any = asked["as"][-1] if "as" in asked else None
        if data.strip():
            found = _load(data)
            if not isinstance(found, dict) or set(found) != {"as"}:
                raise invalid(
                    [Mistake("", 'Write {"as": "completed"}, {"as": "failed"} or {"as": "requeue"}.')]
                )
            given = found["as"]
        if given not in RESOLUTIONS:
            near = nearest(given, RESOLUTIONS) if isinstance(given, str) else ""
            raise invalid(
                [Mistake("as", f"Say what became of the call: completed, failed or requeue.{near}")]
            )
        return str(given)


def with_key(found: Any, key: str) -> Any:
    """The document with the key, where it is an object that has none."""
    return {**found, "key": key} if isinstance(found, dict) and found.get("key") is None else found


def answer(status: int, value: Any, **headers: str) -> web.Response:
    """A response that holds JSON."""
    return web.Response(status=status, body=encode(value), headers={**_JSON, **headers} if headers else _JSON)


def uid_of(request: web.BaseRequest) -> int:
    """The user at the other end."""
    return caller_of(request).uid


def is_job_id(text: str) -> bool:
    """Whether this can be a job's id."""
    return len(text) == LENGTH and all(character in ALPHABET for character in text)


def _load(data: bytes) -> Any:
    try:
        return loads(data)
    except InvalidJob as error:
        raise invalid(error.mistakes, status=400, name="unreadable") from None


def _submitted(answers: Sequence[Answer]) -> web.Response:
    refused = worst(answers)
    if refused is not None:
        raise refused
    accepted = [each for each in answers if isinstance(each, Accepted)]
    status = 200 if all(each.repeated for each in accepted) else 201
    jobs = [present(each.job) for each in accepted]
    if len(jobs) == 1:
        return answer(status, jobs[0], Location=f"/v1/jobs/{accepted[0].job.id}")
    return answer(status, {"batch": accepted[0].job.batch, "jobs": jobs})


def worst(answers: Sequence[Answer]) -> Exception | None:
    """The error that the whole document is answered with, if any of its jobs was refused.

    A repeat may mend the first.
    """
    for kind in (Overloaded, KeyConflict):
        for each in answers:
            if isinstance(each, kind):
                return from_error(each)
    found = [mistake for each in answers if isinstance(each, InvalidJob) for mistake in each.mistakes]
    return from_error(InvalidJob(list(dict.fromkeys(found)))) if found else None


def _filter(asked: Mapping[str, list[str]], limit: int) -> JobFilter:
    wrong: list[Mistake] = []
    states = tuple(state for value in asked.get("state", ()) for state in value.split(",") if state)
    for state in states:
        if state not in list(State):
            wrong.append(Mistake("query.state", f"There is no state {state!r}.{nearest(state, list(State))}"))
    kind = _last(asked, "kind")
    if kind is not None and kind not in KINDS:
        wrong.append(Mistake("query.kind", f"There is no kind {kind[:40]!r}.{nearest(kind[:40], KINDS)}"))
    cursor = _last(asked, "cursor")
    if cursor is not None and not is_job_id(cursor):
        wrong.append(Mistake("query.cursor", "This is no cursor. Take `next` from the page before."))
    if wrong:
        raise invalid(wrong)
    owner = body.whole_number(asked.get("owner"), "query.owner", -1, 0, 2**32 - 2)
    to = _last(asked, "to")
    return JobFilter(
        states=states,
        owner=None if owner == -1 else owner,
        batch=_last(asked, "batch"),
        tag=_last(asked, "tag"),
        key=_last(asked, "key"),
        to="+" + to[1:] if to and to.startswith(" ") else to,  # a plus that was not percent-encoded
        kind=kind,
        before=cursor,
        limit=limit,
    )


def _visible(wanted: JobFilter, caller: Caller) -> JobFilter:
    """The filter, with the caller's own jobs only where he may see no others'. Raises NotPermitted."""
    caller.require(Right.VIEW_OWN)
    if Right.VIEW_ALL in caller.rights:
        return wanted
    if wanted.owner not in (None, caller.uid):
        caller.require(Right.VIEW_ALL)
    return replace(wanted, owner=caller.uid)


def _last(asked: Mapping[str, list[str]], name: str) -> str | None:
    return asked[name][-1] if name in asked else None
