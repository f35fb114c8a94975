"""POST /v1/documents: the bytes of a fax, before the job that sends them."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from aiohttp import web

from dialerd.core.documents import PDF, TIFF, Documents, media_type_of
from dialerd.core.errors import Mistake
from dialerd.core.roles import Right
from dialerd.intake.api import body
from dialerd.intake.api.connection import caller_of
from dialerd.intake.api.jobs import answer
from dialerd.intake.api.openapi.parts import COUNT, TEXT, WRITE, answer_of, describe, object_of
from dialerd.intake.api.problems import Problem, invalid, overloaded
from dialerd.intake.api.settings import ApiSettings

READ_TIMEOUT_S = 120.0
MOST, MOST_OF_ONE = 16, 2
"""Uploads at once, and of one user: each is in memory."""

_Handler = Callable[[web.BaseRequest, str], Awaitable[web.StreamResponse]]
_MEDIA_TYPES = (PDF, TIFF)
_HOW = f"Say in the header Content-Type what it is: {PDF} or {TIFF}."


class Uploads:
    """The route."""

    def __init__(self, settings: ApiSettings, documents: Documents) -> None:
        self._documents = documents
        self._settings = replace(settings, max_body=documents.most_bytes, read_timeout=READ_TIMEOUT_S)
        self._under_way: Counter[int] = Counter()
        self.table: dict[str, dict[str, _Handler]] = {"/v1/documents": {"POST": self.upload}}

    async def upload(self, request: web.BaseRequest, query: str) -> web.Response:
        """POST /v1/documents; on disk when it is answered."""
        body.query(query, ())
        caller = caller_of(request)
        caller.require(Right.SUBMIT)
        said = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if said not in _MEDIA_TYPES:
            raise _closing(invalid([Mistake("Content-Type", _HOW)]))
        with self._room_for(caller.uid):
            data = await self._read(request)
            _check_said(said, data)
            put = self._documents.put
            paper = await asyncio.get_running_loop().run_in_executor(None, put, caller.uid, data)
        shown = {"document": paper.id, "media_type": paper.media_type, "size": paper.size}
        return answer(201, shown | ({} if paper.pages is None else {"pages": paper.pages}))

    @contextmanager
    def _room_for(self, owner: int) -> Iterator[None]:
        """Raises Problem where as many documents as may be are in memory."""
        if self._under_way.total() >= MOST or self._under_way[owner] >= MOST_OF_ONE:
            raise _closing(overloaded("Too many documents are being uploaded at once."))
        self._under_way[owner] += 1
        try:
            yield
        finally:
            self._under_way[owner] -= 1

    async def _read(self, request: web.BaseRequest) -> bytes:
        try:
            return await body.read(request, self._settings)
        except Problem as problem:
            if problem.status == 413:
                problem.detail = f"A document may have {self._settings.max_body} bytes."
            raise


def _check_said(said: str, data: bytes) -> None:
    """Raises Problem for a document of the other kind; what is none at all is refused when it is kept."""
    with suppress(ValueError):
        if (found := media_type_of(data)) != said:
            raise invalid([Mistake("Content-Type", f"It is no {said}, but {found}: say so.")])


def _closing(problem: Problem) -> Problem:
    """After which the connection closes: the body is not wanted."""
    problem.close = True
    return problem


_DOCUMENT = {
    "document": {**TEXT, "description": "Its id: what the job names as `document`"},
    "media_type": {"enum": list(_MEDIA_TYPES)},
    "size": {**COUNT, "description": "Bytes"},
    "pages": {**COUNT, "description": "Where it can be told"},
}
OPENAPI_PATHS: dict[str, Any] = {
    "/v1/documents": {
        "post": {
            **describe(
                "Upload a document to be faxed; one that no job names is kept for a day",
                {201: answer_of("Document")},
                WRITE,
            ),
            "requestBody": {
                "required": True,
                "content": {each: {"schema": {}} for each in _MEDIA_TYPES},
            },
        }
    }
}
OPENAPI_SCHEMAS: dict[str, Any] = {"Document": object_of(_DOCUMENT, "document", "media_type", "size")}
