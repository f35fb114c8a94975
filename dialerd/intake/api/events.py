"""GET /v1/events: what happens, as server-sent events, from any event on.

A stream holds no queue: it remembers how far its reader is and pulls bounded pages from the store, so that
a slow reader costs nothing but its own delay. The engine only wakes it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from aiohttp import web

from dialerd.core.errors import Mistake, NoSuchJob, NotPermitted
from dialerd.core.model import Event
from dialerd.core.roles import Caller, Right
from dialerd.intake.api import body
from dialerd.intake.api.connection import Connection, caller_of
from dialerd.intake.api.desk import Desk
from dialerd.intake.api.problems import encode, invalid
from dialerd.intake.api.settings import ApiSettings
from dialerd.intake.present import present_event

_PARAMETERS = ("after", "follow", "job", "batch", "type")
_HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
_NO_MORE = 2**63 - 1
_STRETCH = 10_000
"""So many events are looked through at a time: all requests wait for it."""
_Send = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Wanted:
    after: int
    follow: bool
    job: str | None
    batch: str | None
    types: tuple[str, ...]


class Bell:
    """Wakes the streams when something was committed.

    The engine is subscribed to only while there are streams.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._loop = asyncio.get_running_loop()
        self._streams: set[asyncio.Event] = set()
        self._unsubscribe: Callable[[], None] | None = None
        self._ringing = False
        self.closed = False

    def add(self, stream: asyncio.Event) -> None:
        """Wakes this stream from now on."""
        self._streams.add(stream)
        if self._unsubscribe is None:
            self._unsubscribe = self._desk.subscribe(self._committed)

    def remove(self, stream: asyncio.Event) -> None:
        """Wakes it no more."""
        self._streams.discard(stream)
        if not self._streams and self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def close(self) -> None:
        """Ends every stream."""
        self.closed = True
        self._ring()

    def _committed(self, _newest: int) -> None:
        """In the engine's thread."""
        if not self._ringing:
            self._ringing = True
            with suppress(RuntimeError):  # the loop has been closed
                self._loop.call_soon_threadsafe(self._ring)

    def _ring(self) -> None:
        self._ringing = False
        for stream in self._streams:
            stream.set()


class Events:
    """The route."""

    def __init__(self, settings: ApiSettings, desk: Desk, bell: Bell) -> None:
        self.settings, self.desk, self.bell = settings, desk, bell

    async def stream(self, request: web.BaseRequest, query: str) -> web.StreamResponse:
        """GET /v1/events"""
        wanted = self._wanted(request, body.query(query, _PARAMETERS))
        caller_of(request).require(Right.VIEW_OWN)
        response = web.StreamResponse(headers=_HEADERS)
        connection = request.protocol
        assert isinstance(connection, Connection)
        wake = asyncio.Event()
        connection.when_lost = wake.set
        self.bell.add(wake)

        async def send(data: bytes) -> None:
            await write(request, response, data, self.settings.write_timeout)

        try:
            await response.prepare(request)
            await send(f"retry: 1000\nid: {wanted.after}\n\n".encode())
            while connection.transport is not None and not self.bell.closed:
                wanted = await self._send_new(connection, wanted, send, wake)
                if not wanted.follow:
                    break
                await self._wait(wake, send, wanted.after)
        except NotPermitted:  # taken away by a reload: there is no more to see
            connection.force_close()
        finally:
            self.bell.remove(wake)
        return response

    async def _send_new(
        self, connection: Connection, wanted: _Wanted, send: _Send, wake: asyncio.Event
    ) -> _Wanted:
        """Sends what there is behind `after`, page by page; returns with `after` where the reader now is.

        Raises NotPermitted.
        """
        after, size = wanted.after, self.settings.event_page
        while not self.bell.closed:
            wake.clear()
            newest = self.desk.last_event()
            if after >= newest:
                break
            upto = min(newest, after + _STRETCH)
            page = self._page(connection.caller, replace(wanted, after=after), upto)
            if page:
                await send(b"".join(map(_frame, page)))
            else:
                await asyncio.sleep(0)
                upto = self._before_next(upto, newest)
            after = page[-1].id if len(page) == size else upto
        return replace(wanted, after=after)

    def _before_next(self, after: int, newest: int) -> int:
        """The place before the next event of any job: after a restore there is a gap of many ids."""
        found = self.desk.events(after, 1)
        return found[0].id - 1 if found else newest

    def _page(self, caller: Caller, wanted: _Wanted, upto: int) -> list[Event]:
        """The next events up to this one, of jobs that the caller may see."""
        caller.require(Right.VIEW_OWN)
        owner = None if Right.VIEW_ALL in caller.rights else caller.uid
        if wanted.job is not None and owner is not None:
            try:
                owner = None if caller.may_see(self.desk.job(wanted.job)[0].owner) else owner
            except NoSuchJob:
                return []
        size = self.settings.event_page
        return self.desk.events(wanted.after, size, wanted.job, wanted.batch, wanted.types, owner, upto)

    async def _wait(self, wake: asyncio.Event, send: _Send, after: int) -> None:
        try:
            async with asyncio.timeout(self.settings.keep_alive):
                await wake.wait()
        except TimeoutError:
            await send(f": still here\nid: {after}\n\n".encode())

    def _wanted(self, request: web.BaseRequest, asked: Mapping[str, list[str]]) -> _Wanted:
        follow = asked.get("follow", ["1"])[-1]
        if follow not in ("0", "1"):
            raise invalid(
                [
                    Mistake(
                        "query.follow",
                        "Write follow=1 to wait for new events, follow=0 to end at the newest.",
                    )
                ]
            )
        start = self.desk.last_event() if follow == "1" else 0
        header = request.headers.get("Last-Event-ID")
        if header:
            after = body.whole_number([header], "header.Last-Event-ID", start, 0, _NO_MORE)
        else:
            after = body.whole_number(asked.get("after"), "query.after", start, 0, _NO_MORE)
        types = tuple(name for value in asked.get("type", ()) for name in value.split(",") if name)
        job, batch = (asked.get(name, [None])[-1] for name in ("job", "batch"))
        return _Wanted(after, follow == "1", job, batch, types)


async def write(request: web.BaseRequest, response: web.StreamResponse, data: bytes, seconds: float) -> None:
    """Writes to a reader.

    Raises ConnectionResetError where it read nothing for so long; the connection is gone then.
    """
    try:
        async with asyncio.timeout(seconds):
            await response.write(data)
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("the reader did not read") from None


def _frame(event: Event) -> bytes:
    head = f"id: {event.id}\nevent: {event.type}\ndata: ".encode()
    return head + encode(present_event(event)) + b"\n\n"
