"""The API's thread: binds the socket, serves until told to stop, and takes its socket file away."""

import asyncio
import socket
import sys
import threading
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from time import monotonic
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
_LET_IN_S = 0.25
_REMOVED = (
    "The file {path} was removed or replaced, so nobody comes to dialerd's socket any more: restart dialerd"
    " (systemctl restart dialerd)."
)
_ORPHANED = (
    "The file of the socket that systemd holds at {path} was removed, so dialerd has made one of its own, and"
    " who connects during a restart is refused. To mend it: systemctl stop dialerd.socket dialerd.service;"
    " systemctl start dialerd.service"
)
_KEEP: dict[str, Any] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}
"""The socket's file is ours to remove, or systemd's to keep; asyncio would remove it (Python 3.13)."""


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
        self._grace, self._turned = 5.0, 0.0
        self._file: tuple[int, int] | None = None
        self._orphaned = False
        self._told: list[str] = []

    def reconfigure(self, rules: Rules, roles: Roles | None = None) -> None:
        """From now on these count, on open connections too. From any thread."""
        self._permits = Permits(rules, default_roles() if roles is None else roles)

    def start(self) -> None:
        """Binds, or takes the socket that it inherited, and serves; returns when requests are answered.

        Raises ConfigError where it can't.
        """
        self._leave_an_orphan()
        settings, ours = self.settings, self.settings.inherited is None
        listener = (
            listening.listen(settings)
            if settings.inherited is None
            else listening.adopt(settings.inherited, settings)
        )
        self._file = listening.file_identity(settings.path)
        ready: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(listener, self._file if ours else None, ready), name="api", daemon=True
        )
        self._thread.start()
        ready.result()
        log.info("socket_opened", path=str(settings.path), by="dialerd" if ours else "systemd")

    def _leave_an_orphan(self) -> None:
        """systemd's socket is of no use once its file was removed. Without this a restart would not help."""
        inherited = self.settings.inherited
        if inherited is not None and listening.orphaned(inherited, self.settings.path):
            log.warning("socket_orphaned", path=str(self.settings.path))
            listening.turn_away(inherited)
            self.settings, self._orphaned = replace(self.settings, inherited=None), True

    def problems(self) -> list[str]:
        """Why nobody comes to the socket, or is refused while dialerd is restarted, for a person to mend."""
        path, found = self.settings.path, []
        if self._orphaned:
            found.append(_ORPHANED.format(path=path))
        if self._file is not None and not listening.is_file(path, self._file):
            found.append(_REMOVED.format(path=path))
        for problem in found:
            if problem not in self._told:
                log.error("socket_unreachable", why=problem)
        self._told = found
        return found

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

    def answered_within(self, seconds: float) -> bool:
        """Whether the thread's event loop turned in so many seconds: a sign of life. Has it turn again."""
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # it has ended
                loop.call_soon_threadsafe(self._turn)
        return monotonic() - self._turned <= seconds

    def _turn(self) -> None:
        self._turned = monotonic()

    def _run(self, listener: socket.socket, identity: tuple[int, int] | None, ready: Future[None]) -> None:
        try:
            asyncio.run(self._serve(listener, ready))
        finally:
            listener.close()
            if identity is not None:
                listening.remove(self.settings.path, identity)

    async def _serve(self, listener: socket.socket, ready: Future[None]) -> None:
        try:
            self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
            bell, guard = Bell(self._desk), Guard(self.settings)
            server = web.Server(Routes(self.settings, self._desk, self._parse, bell, self._extras))
            acceptor = await self._loop.create_unix_server(
                lambda: self._connection(server, guard), sock=listener, backlog=listening.BACKLOG, **_KEEP
            )
        except BaseException as error:
            ready.set_exception(error)
            raise
        sweeper = asyncio.create_task(sweep(lambda: server.connections))
        self._turn()
        ready.set_result(None)
        try:
            await self._stopping.wait()
        finally:
            if self.settings.inherited is not None:
                await self._leave_the_rest(listener)
            acceptor.close()
            sweeper.cancel()
            bell.close()
            server.pre_shutdown()
            await server.shutdown(self._grace)

    async def _leave_the_rest(self, listener: socket.socket) -> None:
        """Who connects from now on waits for the next dialerd. Who was let in is heard: asyncio drops what it
        has accepted and not begun with when its server is closed."""
        asyncio.get_running_loop().remove_reader(listener)
        await asyncio.sleep(_LET_IN_S)

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
