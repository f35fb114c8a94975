"""POST /v1/jobs/batch: one document a line in, one answer a line out, both while the other goes on.

With dry_run=1 the lines are judged and nothing is accepted.

Lines are handed to the engine in chunks that share commits. While one chunk is being committed the next is
parsed; no more than a few chunks are in memory. A line counts only with its newline, or at the true end of
the body: what a cut connection left of a line is never a job.
"""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from dialerd.core.errors import DialerError, InvalidJob, Mistake, NotPermitted
from dialerd.core.meters import NOBODY, Meters
from dialerd.core.model import Draft
from dialerd.core.roles import Permit, Right
from dialerd.core.signals import Accepted, Preview, Submission
from dialerd.core.times import format_when
from dialerd.intake.api import body
from dialerd.intake.api.connection import caller_of, permit_of
from dialerd.intake.api.desk import Answer, Desk
from dialerd.intake.api.events import write
from dialerd.intake.api.jobs import Parse, with_key, worst
from dialerd.intake.api.problems import Problem, encode, from_error
from dialerd.intake.api.settings import ApiSettings
from dialerd.intake.api.waiting import outcome
from dialerd.intake.strictjson import loads

_HEADERS = {"Content-Type": "application/x-ndjson"}
_CHUNKS_AHEAD = 2
_LINES_AT_A_STRETCH = 50
_VERDICTS = ("now", "later", "refused")
_NO_KEY = Mistake(
    "key",
    "The line has no key and the request no Idempotency-Key header, so that a repeat would call twice."
    " Give one of them.",
)


@dataclass(slots=True)
class _Chunk:
    """Some lines: for each its number and either its drafts or why there are none."""

    lines: list[tuple[int, list[Draft] | Exception]] = field(default_factory=list)
    future: Future[list[Answer]] | None = None
    previews: list[Preview] | None = None
    refused: Exception | None = None


@dataclass(frozen=True, slots=True)
class _Defaults:
    key: str | None
    batch: str | None
    dry: bool


class Batch:
    """The route."""

    def __init__(self, settings: ApiSettings, desk: Desk, parse: Parse, meters: Meters = NOBODY) -> None:
        self.settings, self.desk, self.parse, self.meters = settings, desk, parse, meters

    async def stream(self, request: web.BaseRequest, query: str) -> web.StreamResponse:
        """POST /v1/jobs/batch"""
        asked = body.query(query, ("batch", "dry_run"))
        batch = asked.get("batch", [None])[-1]
        defaults = _Defaults(
            request.headers.get("Idempotency-Key") or batch,
            batch,
            bool(body.whole_number(asked.get("dry_run"), "query.dry_run", 0, 0, 1)),
        )
        caller_of(request).require(Right.SUBMIT)
        await body.prepare(request)
        response = web.StreamResponse(headers=_HEADERS)
        await response.prepare(request)
        chunks: asyncio.Queue[_Chunk | None] = asyncio.Queue(_CHUNKS_AHEAD)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._write_answers(request, response, chunks))
                await self._read_lines(request, chunks, defaults)
        except* ConnectionError:
            raise ConnectionResetError("the client went away") from None
        return response

    async def _read_lines(
        self, request: web.BaseRequest, chunks: asyncio.Queue[_Chunk | None], defaults: _Defaults
    ) -> None:
        number = 0
        try:
            async for lines in _Lines(request, self.settings):
                for start in range(0, len(lines), self.settings.batch_chunk):
                    some = lines[start : start + self.settings.batch_chunk]
                    permit = permit_of(request)
                    await chunks.put(await self._chunk(some, number + start + 1, permit, defaults))
                number += len(lines)
        except Problem as problem:
            request.protocol.close()
            await chunks.put(_Chunk([(number + 1, problem)]))
        await chunks.put(None)

    async def _chunk(
        self, lines: list[bytes | Problem], first: int, permit: Permit, defaults: _Defaults
    ) -> _Chunk:
        chunk, owner = _Chunk(), permit.caller.uid
        for number, line in enumerate(lines, first):
            if isinstance(line, Problem):
                chunk.lines.append((number, line))
            elif line.strip():
                chunk.lines.append((number, self._drafts(line, number, permit, defaults)))
            if number % _LINES_AT_A_STRETCH == 0:
                await asyncio.sleep(0)  # let the other clients have their turn
        drafts = [draft for _, found in chunk.lines if isinstance(found, list) for draft in found]
        if defaults.dry:
            chunk.previews = await self._previews(drafts, owner)
        elif drafts:
            try:
                chunk.future = self.desk.submit([Submission(owner, draft) for draft in drafts])
            except DialerError as error:
                chunk.refused = error
        return chunk

    async def _previews(self, drafts: list[Draft], owner: int) -> list[Preview]:
        found: list[Preview] = []
        for start in range(0, len(drafts), _LINES_AT_A_STRETCH):
            found += self.desk.preview(drafts[start : start + _LINES_AT_A_STRETCH], owner)
            await asyncio.sleep(0)
        return found

    def _drafts(
        self, line: bytes, number: int, permit: Permit, defaults: _Defaults
    ) -> list[Draft] | Exception:
        try:
            permit.caller.require(Right.SUBMIT)
            found = loads(line)
            if isinstance(found, dict):
                found = _with_defaults(found, number, defaults)
            return self.parse(found, permit)
        except (InvalidJob, NotPermitted) as error:
            self.meters.refused("socket", error)
            return error

    async def _write_answers(
        self, request: web.BaseRequest, response: web.StreamResponse, chunks: asyncio.Queue[_Chunk | None]
    ) -> None:
        shown = False
        while (chunk := await chunks.get()) is not None:
            answers: list[Answer] = []
            if chunk.future is not None:
                try:
                    answers = await outcome(chunk.future, self.settings.answer_timeout)
                except (DialerError, Problem) as error:
                    chunk.refused = error
            for each in (*answers, chunk.refused):
                if isinstance(each, DialerError):
                    self.meters.refused("socket", each)
            if chunk.previews is None:
                data = b"".join(_answer_lines(chunk, answers))
            else:
                lines, shown = _judged_lines(chunk, chunk.previews, shown)
                data = b"".join(lines)
            await write(request, response, data, self.settings.write_timeout)


class _Lines:
    """The body's lines in the portions in which they came; a line that is too long is a problem."""

    def __init__(self, request: web.BaseRequest, settings: ApiSettings) -> None:
        self._content, self._settings = request.content, settings
        self._rest = bytearray()
        self._skipping = False

    async def __aiter__(self) -> AsyncIterator[list[bytes | Problem]]:
        """Raises Problem where no line is completed in time, ConnectionError where the body is cut."""
        while True:
            lines: list[bytes | Problem] = []
            async with body.in_time(self._settings.read_timeout):
                while not lines and (piece := await self._read()):
                    lines = self._split(piece)
            if not lines:
                break
            yield lines
        if self._rest:
            yield [bytes(self._rest)]

    async def _read(self) -> bytes:
        try:
            return await self._content.readany()
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception as error:
            raise ConnectionResetError("the body was cut") from error

    def _split(self, piece: bytes) -> list[bytes | Problem]:
        self._rest += piece
        *whole, rest = self._rest.split(b"\n")
        lines: list[bytes | Problem] = [self._line(bytes(line)) for line in whole]
        self._rest = rest
        if len(rest) > self._settings.max_body:
            self._rest, self._skipping = bytearray(), True
        return lines

    def _line(self, line: bytes) -> bytes | Problem:
        if self._skipping or len(line) > self._settings.max_body:
            self._skipping = False
            return Problem(413, "too-large", f"A line may have {self._settings.max_body} bytes.")
        return line


def _with_defaults(found: dict[str, Any], number: int, defaults: _Defaults) -> Any:
    if defaults.batch is not None and found.get("batch") is None:
        found = {**found, "batch": defaults.batch}
    if found.get("key") is None and defaults.key is None and not defaults.dry:
        raise InvalidJob([_NO_KEY])
    return with_key(found, f"{defaults.key}/{number}")


def _answer_lines(chunk: _Chunk, answers: list[Answer]) -> list[bytes]:
    lines, place = [], 0
    for number, found in chunk.lines:
        if isinstance(found, Exception):
            lines.append(_refused(number, found))
        elif chunk.refused is not None:
            lines.append(_refused(number, chunk.refused))
        else:
            lines.append(_answered(number, answers[place : place + len(found)]))
            place += len(found)
    return lines


def _answered(number: int, answers: list[Answer]) -> bytes:
    refused = worst(answers)
    if refused is not None:
        return _refused(number, refused)
    accepted = [each for each in answers if isinstance(each, Accepted)]
    status = 200 if all(each.repeated for each in accepted) else 201
    jobs = [{"id": each.job.id, "state": each.job.state, "key": each.job.key} for each in accepted]
    return encode({"line": number, "status": status, "jobs": jobs}) + b"\n"


def _judged_lines(chunk: _Chunk, previews: list[Preview], shown: bool) -> tuple[list[bytes], bool]:
    """The lines of a dry run; the first that would be called shows its call file, unless one has `shown`."""
    lines, place = [], 0
    for number, found in chunk.lines:
        if isinstance(found, Exception):
            lines.append(_refused(number, found))
            continue
        some = previews[place : place + len(found)]
        place += len(found)
        worst_one = max(some, key=lambda each: _VERDICTS.index(each.verdict))
        told = _judged(worst_one) | {"to": [to for draft in found for to in draft.call.to]}
        if not shown and worst_one.verdict != "refused" and some[0].call_file is not None:
            told["call_file"], shown = some[0].call_file.decode("utf-8", "replace"), True
        lines.append(encode({"line": number, "status": 200, **told}) + b"\n")
    return lines, shown


def _judged(preview: Preview) -> dict[str, Any]:
    at = preview.at and format_when(preview.at)
    return {"verdict": preview.verdict, "rule": preview.rule, "why": preview.why, "at": at}


def _refused(number: int, error: Exception) -> bytes:
    problem = error if isinstance(error, Problem) else from_error(error)  # type: ignore[arg-type]
    return encode({"line": number, **problem.document()}) + b"\n"
