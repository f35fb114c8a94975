"""The one connection of a try: whom it leads to, when it ends, and whether a byte may have left."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any
from urllib.parse import SplitResult, urlsplit

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from dialerd.http.deadlines import Deadlines
from dialerd.http.values import Connect, Manner


class Line:
    """The one connection of a try, and the end of its time. `written` as in Failed."""

    def __init__(self, addresses: Sequence[str], port: int, connect: Connect, manner: Manner) -> None:
        self._addresses, self._port, self._connect, self.manner = addresses, port, connect, manner
        self._deadline = time.monotonic() + manner.limits.whole
        self._watched: socket.socket | None = None
        self._lock = threading.Lock()
        self.late = self.written = False

    def open(self) -> socket.socket:
        """A connection to the first of the tested addresses that answers. Raises OSError."""
        failure: OSError = OSError("it has no address")
        for address in self._addresses:
            left = self._deadline - time.monotonic()
            if left <= 0:
                break
            try:
                opened = self._connect(address, self._port, min(self.manner.limits.connect, left))
            except OSError as error:
                failure = error
                continue
            with self._lock:  # a copy, since TLS takes the socket itself away
                self._watched = opened.dup()
            return opened
        raise failure

    @contextmanager
    def limited(self, deadlines: Deadlines) -> Iterator[None]:
        """Cuts the connection when the time is over: a read limit alone starts anew with each byte."""
        try:
            with deadlines.until(self._deadline, self._cut):
                yield
        finally:
            with self._lock:
                if self._watched is not None:
                    self._watched.close()
                    self._watched = None

    def _cut(self) -> None:
        with self._lock, suppress(OSError):
            self.late = True
            if self._watched is not None:
                self._watched.shutdown(socket.SHUT_RDWR)


class _Plain(HTTPConnection):
    """A connection of urllib3 that is a Line's, for one request."""

    def __init__(self, line: Line, target: str, **given: Any) -> None:
        self._line, self._target, self._begun = line, target, False
        self._held: bytearray | None = None
        super().__init__(**given)

    def _new_conn(self) -> socket.socket:
        return self._line.open()

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        """Sends the target in place of the address, which urllib3 would write anew."""
        if self.sock is None:
            self.connect()
        self.timeout = self._line.manner.limits.silence  # also of a receiver that takes nothing in
        self._held = bytearray()
        super().request(method, self._target, *args, **kwargs)
        whole, self._held = self._held, None
        self._line.manner.ready()
        self._begun = True
        self.send(whole)

    def send(self, data: Any) -> None:
        """Head and body go out in one piece. Also used for what is said to a proxy, before the request."""
        if self._held is not None:
            self._held += data
            return
        self._line.written = self._begun
        super().send(data)


class _Secured(_Plain, HTTPSConnection):
    """The same with TLS."""


class Adapter(HTTPAdapter):
    """Makes urllib3 take its connection from a Line, and trust these authorities and no others. What requests
    does for cookies, redirects and shared connections is left out: it costs as much as the rest."""

    def __init__(self, line: Line, authorities: ssl.SSLContext, target: str) -> None:
        self._line, self._context, self._target = line, authorities, target
        self._pool: HTTPConnectionPool | None = None
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Trusts the same."""
        return super().proxy_manager_for(proxy, **kwargs, ssl_context=self._context)

    def get_connection_with_tls_context(
        self, request: PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """A pool whose connections are the line's."""
        pool: Any = (
            super().get_connection_with_tls_context(request, verify, proxies, cert)
            if proxies
            else self._direct(urlsplit(str(request.url)))
        )
        made = _Secured if pool.scheme == "https" else _Plain
        pool.ConnectionCls = partial(made, self._line, self._target)
        return pool

    def _direct(self, place: SplitResult) -> HTTPConnectionPool:
        host = place.hostname or ""
        if place.scheme == "https":
            self._pool = HTTPSConnectionPool(host, place.port, ssl_context=self._context)
        else:
            self._pool = HTTPConnectionPool(host, place.port)
        return self._pool

    def cert_verify(self, conn: Any, *_: Any) -> None:
        """Keeps requests from reading its list of authorities into the context again."""
        conn.cert_reqs = "CERT_REQUIRED"

    def build_response(self, req: Any, resp: Any) -> Any:
        """urllib3's own."""
        return resp

    def close(self) -> None:
        """Ends what is open."""
        if self._pool is not None:
            self._pool.close()
        super().close()
