"""Connections: who is at the other end, how many there may be, and how long one may dawdle over a request's
head.

aiohttp bounds the size of a head but not the time it takes, and knows no bound of connections. Both are
done here, by one sweep over the connections in place of a timer for each request.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from dialerd.core.roles import Caller, Permit, Permits
from dialerd.intake.api.problems import Problem, overloaded, raw, respond
from dialerd.intake.api.settings import ApiSettings
from dialerd.intake.people import Peer, peer_of

_NOBODY = Peer(-1, frozenset())
SWEEP_S = 0.5
_TO_BE_TOLD = 64
"""Connections beyond the bound that are kept for a moment, to be told so."""
_REFUSED_S = 1.0
"""How long a refused connection may wait with its first request."""


class Phase(Enum):
    """Where a connection is.

    Nothing asked, a request's head half here, a request being answered, or answered for good.
    """

    IDLE = "idle"
    HEAD = "head"
    BUSY = "busy"
    OVER = "over"


class Guard:
    """The bounds of all connections together."""

    def __init__(self, settings: ApiSettings) -> None:
        self.settings = settings
        self._owners: Counter[int] = Counter()

    def admit(self, uid: int) -> Problem | None:
        """Counts a connection in.

        A problem where it is one too many: that is what its first request is told.
        """
        self._owners[uid] += 1
        most = self.settings.max_connections_per_owner
        if self._owners[uid] > most:
            problem = Problem(
                429,
                "too-many-connections",
                f"User {uid} has {most} connections open already. Close some.",
                retry_after=1,
            )
            problem.headers["Retry-After"] = "1"
            return problem
        if self._owners.total() > self.settings.max_connections:
            return overloaded("dialerd has as many connections open as it takes. Ask again shortly.", 1)
        return None

    def overrun(self) -> bool:
        """Whether there are so many connections that one more can't even be told so."""
        return self._owners.total() > self.settings.max_connections + _TO_BE_TOLD

    def leave(self, uid: int) -> None:
        """Counts a connection out."""
        self._owners[uid] -= 1
        if not self._owners[uid]:
            del self._owners[uid]


class Connection(RequestHandler):
    """One connection. `peer` is who is at the other end, by the kernel's word."""

    __slots__ = ("_guard", "_permit", "_permits", "_seen", "peer", "phase", "refusal", "since", "when_lost")

    def __init__(
        self, server: web.Server, guard: Guard, permits: Callable[[], Permits], **options: Any
    ) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **options)
        self._guard, self._permits = guard, permits
        self._seen: Permits | None = None
        self.peer = _NOBODY
        self.refusal: Problem | None = None
        self.when_lost: Callable[[], None] | None = None
        self._enter(Phase.IDLE)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Learns who it is and whether there is room."""
        self.peer = peer_of(transport.get_extra_info("socket"))
        self.refusal = self._guard.admit(self.peer.uid)
        super().connection_made(transport)
        if self._guard.overrun():
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Makes room, and wakes whoever streams into this connection."""
        self._guard.leave(self.peer.uid)
        super().connection_lost(exc)
        if self.when_lost is not None:
            self.when_lost()

    def data_received(self, data: bytes) -> None:
        """Starts the head's time with its first byte."""
        if self.phase is Phase.IDLE:
            self._enter(Phase.HEAD)
        super().data_received(data)

    @property
    def permit(self) -> Permit:
        """What the peer may, as it is configured now."""
        now = self._permits()
        if self._seen is not now:
            self._permit, self._seen = now.of(self.peer.uid, self.peer.groups), now
        return self._permit

    @property
    def caller(self) -> Caller:
        """The peer with his roles, as they are configured now."""
        return self.permit.caller

    def begin(self) -> None:
        """A whole head is here; from now on the handler watches the time."""
        self._enter(Phase.BUSY)
        if self.refusal is not None:
            self.refusal.close = True
            raise self.refusal

    def end(self) -> None:
        """The request is answered."""
        if self.phase is Phase.BUSY:
            self._enter(Phase.IDLE)
        self.when_lost = None

    def end_for_good(self) -> None:
        """The request is answered; what still comes of it is thrown away until the connection is closed."""
        self._enter(Phase.OVER)

    def close_if_slow(self, now: float) -> None:
        """Closes a connection that takes too long over a head, or does nothing for long."""
        settings = self._guard.settings
        idle = settings.idle_timeout if self.refusal is None else _REFUSED_S
        if self.phase in (Phase.IDLE, Phase.OVER) and now - self.since > idle:
            self._drop()
        elif self.phase is Phase.HEAD and now - self.since > settings.header_timeout:
            if isinstance(self.transport, asyncio.Transport):
                detail = f"The request's head was not complete after {settings.header_timeout:g} seconds."
                self.transport.write(raw(Problem(408, "too-slow", detail)))
            self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answers what aiohttp could not read as HTTP, in our form of problem."""
        if isinstance(exc, ConnectionError):
            raise exc  # the client is gone: nobody to answer, and nothing to log
        if status >= 500:
            return super().handle_error(request, status, exc, message)
        words = " ".join((message or "It is not HTTP/1.1.").split())[:300]
        problem = Problem(status, "unreadable", f"This is not a request that dialerd can read: {words}")
        problem.close = True
        return respond(problem)

    def _drop(self) -> None:
        transport = self.transport
        self.force_close()
        if isinstance(transport, asyncio.Transport):
            transport.abort()  # a peer that does not read its answer would keep it open

    def _enter(self, phase: Phase) -> None:
        self.phase, self.since = phase, self._loop.time()


async def sweep(connections: Callable[[], Iterable[object]]) -> None:
    """Closes slow connections, for ever."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(SWEEP_S)
        now = loop.time()
        for connection in list(connections()):
            if isinstance(connection, Connection):
                connection.close_if_slow(now)


def permit_of(request: web.BaseRequest) -> Permit:
    """What the user at the other end may."""
    connection = request.protocol
    assert isinstance(connection, Connection)
    return connection.permit


def caller_of(request: web.BaseRequest) -> Caller:
    """The user at the other end, with his roles."""
    return permit_of(request).caller
