"""The listener's thread: takes callbacks, and answers when what they say is on disk.

Providers that get no good answer send again, so nothing is lost when we stop in between.
"""

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from dialerd.core.callbacks import Answer, Callback
from dialerd.core.errors import ConfigError, DialerError, Mistake
from dialerd.core.inbound import ListenerSettings
from dialerd.core.signals import ProviderTold
from dialerd.intake.api.listening import BACKLOG, file_identity, listen, remove
from dialerd.intake.api.metrics import text_of
from dialerd.intake.api.settings import ApiSettings
from dialerd.intake.listener import doors
from dialerd.intake.listener.doors import Door, Forged, Opened
from dialerd.log import get_logger

log = get_logger(__name__)

MOST_CONNECTIONS = 256
METRICS = "/metrics"
PASSED_ON = ("Forwarded", "Via", "X-Real-IP")
"""What tells, too, that a proxy stands between, but not for whom in a way that we can trust."""

LIFE_S = 60.0
"""The longest that a connection lives: a callback is over within seconds."""

BODY_S = 20.0
COMMIT_S = 15.0

_UNREADABLE = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    web.HTTPException,
)
"""What reading raises where a callback is not what it should be; Unreadable is a ValueError."""

_SILENT = logging.Logger("listener", logging.CRITICAL + 1)
"""aiohttp would write the addresses of requests that it can't read, whose tokens are secrets."""

Tell = Callable[[ProviderTold], "Future[None]"]
"""Hands on what a provider said; the future resolves when it is on disk. May raise DialerError."""


class Listener:
    """Serves callbacks. `doors_now` are the providers' doors as they are configured at the moment."""

    def __init__(
        self,
        settings: ListenerSettings,
        doors_now: Callable[[], Mapping[str, Door]],
        tell: Tell,
        metrics: Callable[[], bytes] | None = None,
    ) -> None:
        self.settings, self._doors, self._tell, self._metrics = settings, doors_now, tell, metrics
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self.port = settings.port

    def start(self) -> None:
        """Binds and serves; returns when requests are answered. Raises ConfigError where it can't bind."""
        listener = self._bind()
        self.port = 0 if self.settings.path else listener.getsockname()[1]
        ready: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(listener, ready), name="listener", daemon=True
        )
        self._thread.start()
        ready.result()
        log.info("listener_opened", place=str(self.settings.path or f"{self.settings.host}:{self.port}"))

    def stop(self, grace: float = 5.0) -> None:
        """Takes no more, and ends once what is under way is answered."""
        thread, loop, stopping = self._thread, self._loop, self._stopping
        if thread is None:
            return
        if loop is not None and stopping is not None and thread.is_alive():
            loop.call_soon_threadsafe(stopping.set)
        thread.join(2 * grace)
        self._thread = None

    def alive(self) -> bool:
        """Whether the thread serves."""
        return self._thread is not None and self._thread.is_alive()

    def _bind(self) -> socket.socket:
        settings = self.settings
        if settings.path is not None:
            return listen(ApiSettings(settings.path, settings.mode, settings.group))
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((settings.host, settings.port))
            listener.listen(BACKLOG)
        except OSError as error:
            listener.close()
            why = f"{settings.host}:{settings.port} can't be listened at: {error.strerror}."
            raise ConfigError([Mistake("listener.address", why)]) from None
        listener.setblocking(False)
        return listener

    def _run(self, listener: socket.socket, ready: "Future[None]") -> None:
        path = self.settings.path
        identity = None if path is None else file_identity(path)
        try:
            asyncio.run(self._serve(listener, ready))
        finally:
            listener.close()
            if path is not None and identity is not None:
                remove(path, identity)

    async def _serve(self, listener: socket.socket, ready: "Future[None]") -> None:
        try:
            self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
            server = web.Server(self._answer)
            create = self._loop.create_server if self.settings.path is None else self._loop.create_unix_server
            acceptor: Any = await create(lambda: _Connection(server), sock=listener, backlog=BACKLOG)
        except BaseException as error:
            ready.set_exception(error)
            raise
        ready.set_result(None)
        try:
            await self._stopping.wait()
        finally:
            acceptor.close()
            server.pre_shutdown()
            await server.shutdown(5.0)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer, whatever happens. A stranger learns nothing from it."""
        path, _, query = request.raw_path.partition("?")
        if path == METRICS and self._metrics is not None and self._may_read(request):
            return await _shown(self._metrics)
        door = doors.find(path, self._doors())
        if door is None or not self._may_come(request, door):
            return _respond(Answer(404, "There is nothing here.\n"))
        if request.method not in doors.METHODS:
            return _respond(Answer(405, "Only GET and POST.\n"))
        try:
            opened = door.open(await self._callback(request, door, query))
            await self._hand_on(door.provider, opened)
        except _UNREADABLE as error:
            log.warning("callback_unreadable", provider=door.provider, why=type(error).__name__)
            return _respond(Answer(400, "This can't be read.\n"))
        except Forged:
            log.warning("callback_forged", provider=door.provider)
            return _respond(Answer(403, "The signature is not right.\n"))
        except (DialerError, TimeoutError) as error:
            log.warning("callback_not_kept", provider=door.provider, why=str(error) or "it took too long")
            return _respond(Answer(503, "Send it again later.\n"))
        return _respond(opened.answer)

    def _may_read(self, request: web.BaseRequest) -> bool:
        return request.method in ("GET", "HEAD") and doors.may_read(*_sender(request), self.settings)

    def _may_come(self, request: web.BaseRequest, door: Door) -> bool:
        if not door.sources:
            return True
        source = doors.source_of(*_sender(request), self.settings.proxies)
        if doors.within(source, door.sources):
            return True
        log.warning("callback_from_elsewhere", provider=door.provider, source=str(source)[:60])
        return False

    async def _callback(self, request: web.BaseRequest, door: Door, query: str) -> Callback:
        body = await asyncio.wait_for(_read(request, self.settings.max_body), BODY_S)
        where = f"{self.settings.public_url}/{door.provider}/{door.token}"
        return Callback(
            method=request.method,
            url=f"{where}?{query}" if query else where,
            query=doors.pairs(query),
            form=doors.form(request.headers.get("Content-Type", ""), body),
            headers={name.lower(): doors.whole_letters(value) for name, value in request.headers.items()},
            body=body,
        )

    async def _hand_on(self, provider: str, opened: Opened) -> None:
        for told in opened.told:
            future = self._tell(ProviderTold(provider, told, opened.surely))
            await asyncio.wait_for(asyncio.wrap_future(future), COMMIT_S)


class _Connection(RequestHandler):
    """A connection for one request, with an end."""

    __slots__ = ("_end", "_server")

    def __init__(self, server: web.Server) -> None:
        options: dict[str, Any] = {
            "access_log": None,
            "auto_decompress": False,
            "keepalive_timeout": 0,
            "logger": _SILENT,
        }
        super().__init__(server, loop=asyncio.get_running_loop(), **options)
        self._server = server
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        loop = asyncio.get_running_loop()
        life = 0.0 if len(self._server.connections) > MOST_CONNECTIONS else LIFE_S
        self._end = loop.call_later(life, self.force_close)

    def connection_lost(self, error: BaseException | None) -> None:
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(error)


async def _shown(metrics: Callable[[], bytes]) -> web.Response:
    try:
        return _closed(await text_of(metrics))
    except DialerError as error:
        return _respond(Answer(503, f"{error}\n"))


def _sender(request: web.BaseRequest) -> tuple[str | None, list[str]]:
    """Whom a request comes from (None: whoever has the Unix socket), and for whom it says it was sent."""
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    address = peer[0] if isinstance(peer, tuple) and peer else None
    forwarded = request.headers.getall("X-Forwarded-For", [])
    if not forwarded and any(name in request.headers for name in PASSED_ON):
        forwarded = ["unknown"]
    return address, forwarded


async def _read(request: web.BaseRequest, most: int) -> bytes:
    """The body. Raises ValueError for one that is too long."""
    if (request.content_length or 0) > most:
        raise ValueError("too long")
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > most:
            raise ValueError("too long")
    return bytes(body)


def _respond(answer: Answer) -> web.Response:
    return _closed(web.Response(status=answer.status, text=answer.text, content_type=answer.media_type))


def _closed(response: web.Response) -> web.Response:
    response.force_close()
    return response
