"""GET /v1/check: everything looked at, live."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web

from dialerd import __version__
from dialerd.core.errors import Overloaded
from dialerd.core.findings import Finding, Verdict
from dialerd.core.roles import Right
from dialerd.intake.api import body
from dialerd.intake.api.connection import caller_of
from dialerd.intake.api.jobs import answer
from dialerd.intake.api.openapi.parts import READ, TEXT, answer_of, describe, object_of

MOST_ASKING = 4
Handler = Callable[[web.BaseRequest, str], Awaitable[web.StreamResponse]]
Look = Callable[[bool], Sequence[Finding]]
"""The findings; all of them, or only what everybody may know. May take seconds."""


class Check:
    """The route."""

    def __init__(self, look: Look) -> None:
        self._look, self._asking = look, 0
        self.table: dict[str, dict[str, Handler]] = {"/v1/check": {"GET": self.check}}

    async def check(self, request: web.BaseRequest, query: str) -> web.Response:
        """GET /v1/check. Who may not see all jobs is told what the status says."""
        caller = caller_of(request)
        caller.require(Right.VIEW_OWN, "have dialerd looked at")
        body.query(query, ())
        if self._asking >= MOST_ASKING:
            raise Overloaded("Too many have dialerd looked at, at once.", 5)
        self._asking += 1
        try:
            found = await asyncio.to_thread(self._look, Right.VIEW_ALL in caller.rights)
        finally:
            self._asking -= 1
        return answer(200, {"version": __version__, "findings": [_shown(each) for each in found]})


def _shown(finding: Finding) -> dict[str, str]:
    shown = {"name": finding.name, "verdict": finding.verdict.value, "found": finding.found}
    return {**shown, "todo": finding.todo} if finding.todo else shown


_FINDING = {
    "name": TEXT,
    "verdict": {"enum": [each.value for each in Verdict], "description": "The worst come first"},
    "found": TEXT,
    "todo": TEXT,
}
_CHECK = {
    "version": TEXT,
    "findings": {"type": "array", "items": object_of(_FINDING, "name", "verdict", "found")},
}
OPENAPI_PATHS: dict[str, Any] = {
    "/v1/check": {"get": describe("Look at everything, live", {200: answer_of("Check")}, READ)}
}
OPENAPI_SCHEMAS: dict[str, Any] = {"Check": object_of(_CHECK, *_CHECK)}
