"""GET /v1/backup: all that dialerd knows, as one archive."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp import web

from dialerd.core.errors import DialerError
from dialerd.core.roles import Right
from dialerd.intake.api import body
from dialerd.intake.api.connection import caller_of
from dialerd.intake.api.events import write
from dialerd.intake.api.openapi.parts import READ, describe
from dialerd.intake.api.settings import ApiSettings
from dialerd.log import get_logger

log = get_logger(__name__)

AT_ONCE = 1 << 16
"""So many bytes a reader must take within write_timeout: 2 kB a second are enough."""

_Handler = Callable[[web.BaseRequest, str], Awaitable[web.StreamResponse]]
_HEADERS = {"Content-Type": "application/gzip", "Cache-Control": "no-store"}


def backup_table(
    settings: ApiSettings, make: Callable[[], "Generator[bytes, None, None]"] | None
) -> dict[str, dict[str, _Handler]]:
    """The route, where backups can be made."""
    return {} if make is None else Backups(settings, make).table


class Backups:
    """The route. `make` begins an archive; its pieces take their time, so they come from a thread."""

    def __init__(self, settings: ApiSettings, make: Callable[[], "Generator[bytes, None, None]"]) -> None:
        self._settings, self._make = settings, make
        self.table: dict[str, dict[str, _Handler]] = {"/v1/backup": {"GET": self.stream}}

    async def stream(self, request: web.BaseRequest, query: str) -> web.StreamResponse:
        """GET /v1/backup: an answer that is cut short is no backup."""
        body.query(query, ())
        caller_of(request).require(Right.ADMIN, "back dialerd up")
        pieces, thread = self._make(), ThreadPoolExecutor(1, "backup")
        loop = asyncio.get_running_loop()
        try:
            piece = await loop.run_in_executor(thread, next, pieces, b"")
            response = web.StreamResponse(headers=_HEADERS)
            await response.prepare(request)
            while piece:
                for start in range(0, len(piece), AT_ONCE):
                    part = piece[start : start + AT_ONCE]
                    await write(request, response, part, self._settings.write_timeout)
                piece = await self._next(request, thread, pieces)
            return response
        finally:
            thread.submit(pieces.close)
            thread.shutdown(wait=False)

    async def _next(
        self, request: web.BaseRequest, thread: ThreadPoolExecutor, pieces: "Generator[bytes, None, None]"
    ) -> bytes:
        """Raises ConnectionResetError where the archive can't be finished: the reader must not take what it
        has for the whole."""
        try:
            return await asyncio.get_running_loop().run_in_executor(thread, next, pieces, b"")
        except DialerError as error:
            log.error("backup_failed", why=str(error))
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError("the backup failed") from None


OPENAPI_PATHS: dict[str, Any] = {
    "/v1/backup": {
        "get": describe(
            "A backup of all that dialerd knows, made while it runs (takes the right admin)",
            {200: {"content": {"application/gzip": {"schema": {}}}}},
            READ,
        )
    }
}
