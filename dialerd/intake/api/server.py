"""The API's thread: binds the socket, serves until told to stop, and takes its socket file away."""

import asyncio
import socket
import threading
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial
from typing import Any

from aiohttp import web

from dialerd.core.model import Draft
from dialerd.core.policy import Rules
from dialerd.core.roles import Permit, Permits, Roles
from dialerd.intake import document
from dialerd.intake.api import listening
from dialerd.intake.api.connection import Connection, Guard, sweep
from dialerd.intake.api.desk import Desk
from dialerd.intake.api.events import Bell
from dialerd.intake.api.extras import Extras
from dialerd.intake.api.routes import Routes
from dialerd.intake.api.settings import ApiSettings
from dialerd.intake.people import default_roles
from dialerd.intake.tasks import no_documents
from dialerd.log import get_logger

log = get_logger(__name__)
_LINGER_S = 0.2
"""Unix sockets deliver what was sent before a close: there is no need to read a refused body to its end."""
_JOIN_EXTRA_S = 5.0


class Api:
    """The Unix socket's server. `rules` say what a job may ask for, and `roles` who may what."""

    def __init__(
        self,
        settings: ApiSettings,
        desk: Desk,
        rules: Rules,
        roles: Roles | None = None,
        extras: Extras | None = None,
    ) -> None:
        self.settings, self._desk, self._extras = settings, desk, extras
        self.reconfigure(rules, roles)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._grace = 5.0

    def reconfigure(self, rules: Rules, roles: Roles | None = None) -> None:
        """From now on these count, on open connections too. From any thread."""
        self._permits = Permits(rules, default_roles() if roles is None else roles)

    def start(self) -> None:
        """Binds and serves; returns when requests are answered. Raises ConfigError where it can't bind."""
        listener = listening.listen(self.settings)
        identity = listening.file_identity(self.settings.path)
        ready: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(listener, identity, ready), name="api", daemon=True
        )
        self._thread.start()
        ready.result()
        log.info("socket_opened", path=str(self.settings.path))

    def stop(self, grace: float = 5.0) -> None:
        """Takes no more connections, gives the requests under way `grace` seconds, and ends.

        May be called twice.
        """
        thread, loop, stopping = self._thread, self._loop, self._stopping
        if thread is None:
            return
        self._grace = grace
        if loop is not None and stopping is not None and thread.is_alive():
            loop.call_soon_threadsafe(stopping.set)
        thread.join(2 * grace + _JOIN_EXTRA_S)
        self._thread = None
        log.info("socket_closed", path=str(self.settings.path))

    def alive(self) -> bool:
        """Whether the thread serves."""
        return self._thread is not None and self._thread.is_alive()

    def _run(self, listener: socket.socket, identity: tuple[int, int], ready: Future[None]) -> None:
        try:
            asyncio.run(self._serve(listener, ready))
        finally:
            listener.close()
            listening.remove(self.settings.path, identity)

    async def _serve(self, listener: socket.socket, ready: Future[None]) -> None:
        try:
            self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
            bell, guard = Bell(self._desk), Guard(self.settings)
            server = web.Server(Routes(self.settings, self._desk, self._parse, bell, self._extras))
            acceptor = await self._loop.create_unix_server(
                lambda: self._connection(server, guard), sock=listener, backlog=listening.BACKLOG
            )
        except BaseException as error:
            ready.set_exception(error)
            raise
        sweeper = asyncio.create_task(sweep(lambda: server.connections))
        ready.set_result(None)
        try:
            await self._stopping.wait()
        finally:
            acceptor.close()
            sweeper.cancel()
            bell.close()
            server.pre_shutdown()
            await server.shutdown(self._grace)

    def _parse(self, value: Any, permit: Permit) -> list[Draft]:
        kept = None if self._extras is None else self._extras.documents
        find = no_documents if kept is None else partial(kept.find, permit.caller.uid)
        return document.parse(value, permit.rules, datetime.now(UTC), find)

    def _connection(self, server: web.Server, guard: Guard) -> Connection:
        return Connection(
            server,
            guard,
            lambda: self._permits,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=self.settings.idle_timeout,
            lingering_time=_LINGER_S,
            max_line_size=self.settings.max_header // 2,
            max_field_size=self.settings.max_header // 2,
            tcp_keepalive=False,
        )
