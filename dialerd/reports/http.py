"""Sends a report by HTTP: one POST on a connection of its own. The one file that knows requests and urllib3.

The host is resolved once, every address that comes of it is tested, and only these are connected to, whatever
the name leads to a moment later. TLS still checks the certificate against the name. No redirect is followed,
no proxy or password of the environment is used, and of the answer only the head is read.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from dialerd import __version__
from dialerd.core.report_urls import origin
from dialerd.reports.addresses import Resolve, may_connect, resolve
from dialerd.reports.ports import Undelivered

CONNECT_S = 5.0
READ_S = 10.0
"""The longest silence of a receiver."""

_OF_THIS_REPORT = frozenset({400, 409, 413, 415, 422})
"""Answers that say something of what was sent; all others, of the receiver."""

Connect = Callable[[str, int, float], socket.socket]
"""A connection to an address (never a name) and port, within so many seconds. Raises OSError."""


def connect(address: str, port: int, seconds: float) -> socket.socket:
    """The real one."""
    return socket.create_connection((address, port), seconds)


class Post:
    """Sends. `resolve` and `connect` are the network."""

    def __init__(self, resolve: Resolve = resolve, connect: Connect = connect) -> None:
        self._resolve, self._connect = resolve, connect
        self._authorities = _Authorities()

    def send(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        seconds: float,
        private: bool = False,
        ca_file: Path | None = None,
    ) -> None:
        """One try, over after `seconds` from the first connection on. Raises Undelivered for every answer
        but 2xx, and for none."""
        _, host, port = origin(url)
        authorities = self._authorities.of(ca_file)
        line = _Line(self._tested(host, port, private), port, self._connect, seconds)
        adapter = _Adapter(line, authorities)
        try:
            with requests.Session() as session, line.limited():
                session.trust_env = False
                session.headers.clear()
                session.mount("https://", adapter)
                session.mount("http://", adapter)
                with session.post(
                    url,
                    data=body,
                    headers={**_HEADERS, **headers},
                    timeout=(CONNECT_S, min(READ_S, seconds)),
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    if line.late:  # http.client takes a head that was cut off for a whole one
                        raise TimeoutError
                    _judge(response.status_code)
        except (requests.RequestException, OSError, UnicodeError) as error:
            raise Undelivered(_why(error, line, host, seconds), wide=True) from None

    def _tested(self, host: str, port: int, private: bool) -> Sequence[str]:
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise Undelivered(f"The name {host} can't be found: {_words(error)}.", wide=True) from None
        for address in addresses:
            if not may_connect(address, private):
                raise Undelivered(_not_public(host, address, private), wide=True)
        return addresses


_HEADERS = {
    "Content-Type": "application/json",
    "User-Agent": f"dialerd/{__version__}",
    "Accept": "*/*",
    "Connection": "close",
}


class _Line:
    """The one connection of a try, and the end of its time."""

    def __init__(self, addresses: Sequence[str], port: int, connect: Connect, seconds: float) -> None:
        self._addresses, self._port, self._connect = addresses, port, connect
        self._seconds, self._deadline = seconds, time.monotonic() + seconds
        self._watched: socket.socket | None = None
        self._lock = threading.Lock()
        self.late = False

    def open(self) -> socket.socket:
        """A connection to the first of the tested addresses that answers. Raises OSError."""
        failure: OSError = OSError("it has no address")
        for address in self._addresses:
            left = self._deadline - time.monotonic()
            if left <= 0:
                break
            try:
                opened = self._connect(address, self._port, min(CONNECT_S, left))
            except OSError as error:
                failure = error
                continue
            with self._lock:  # a copy, since TLS takes the socket itself away
                self._watched = opened.dup()
            return opened
        raise failure

    @contextmanager
    def limited(self) -> Iterator[None]:
        """Cuts the connection when the time is over: a read limit alone starts anew with each byte."""
        timer = threading.Timer(self._seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            with self._lock:
                if self._watched is not None:
                    self._watched.close()
                    self._watched = None

    def _cut(self) -> None:
        with self._lock, suppress(OSError):
            self.late = True
            if self._watched is not None:
                self._watched.shutdown(socket.SHUT_RDWR)


class _Authorities:
    """Whom TLS trusts. Reading the usual list takes 30 ms of everybody's time, so it is kept until its file
    changes."""

    def __init__(self) -> None:
        self._kept: dict[Path, tuple[int, ssl.SSLContext]] = {}

    def of(self, ca_file: Path | None) -> ssl.SSLContext:
        """A context that asks for a certificate of the right name. Raises Undelivered."""
        path = ca_file or Path(DEFAULT_CA_BUNDLE_PATH)
        try:
            changed = path.stat().st_mtime_ns
            kept = self._kept.get(path)
            if kept is None or kept[0] != changed:
                kept = self._kept[path] = changed, ssl.create_default_context(cafile=path)
            return kept[1]
        except OSError as error:
            why = f"The authorities in {path} can't be read: {error.strerror or 'there are none in it'}."
            raise Undelivered(why, wide=True) from None


class _Adapter(HTTPAdapter):
    """Makes urllib3 take its connections from a _Line, and trust these authorities and no others."""

    def __init__(self, line: _Line, authorities: ssl.SSLContext) -> None:
        self._line, self._context = line, authorities
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)
        self.poolmanager.pool_classes_by_scheme = _pools(self._line)

    def cert_verify(self, conn: Any, *_: Any) -> None:
        """Keeps requests from reading its list of authorities into the context again."""
        conn.cert_reqs = "CERT_REQUIRED"


def _pools(line: _Line) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return line.open()

    class Secured(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return line.open()

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecuredPool(HTTPSConnectionPool):
        ConnectionCls = Secured

    return {"http": PlainPool, "https": SecuredPool}


def _judge(status: int) -> None:
    if 200 <= status < 300:
        return
    if status == 410:
        why = "The receiver answers 410 Gone: it wants no more reports. Take it out of the configuration."
        raise Undelivered(why, wide=True, final=True)
    if 300 <= status < 400:
        why = (
            f"The receiver answers {status}, a redirect, which is not followed: give the address it leads to."
        )
        raise Undelivered(why, wide=True)
    raise Undelivered(f"The receiver answers {status}.", wide=status not in _OF_THIS_REPORT)


def _not_public(host: str, address: str, private: bool) -> str:
    if private:
        return f"{host} leads to {address}, which no report may go to."
    return (
        f"{host} leads to {address}, which is not on the public internet: nothing is sent there."
        " The administrator can allow own networks with allow_private = true."
    )


def _why(error: BaseException, line: _Line, host: str, seconds: float) -> str:
    """What went wrong, without the address, whose query may hold a secret."""
    if line.late:
        return f"{host} did not answer within {seconds:g} seconds."
    if isinstance(error, requests.ReadTimeout):
        return f"{host} was silent for {min(READ_S, seconds):g} seconds."
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"{host} shows a certificate that is not right: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"{host} can't be spoken to by TLS: {cause.reason or 'it closed the connection'}."
    for cause in _causes(error):
        if isinstance(cause, TimeoutError):
            return f"{host} can't be connected to within {CONNECT_S:g} seconds."
        if isinstance(cause, OSError) and not isinstance(cause, requests.RequestException) and cause.strerror:
            return f"{host} can't be reached: {cause.strerror}."
    return f"{host} closed the connection without an answer that can be read."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that led to it."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


def _words(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or "it is no name of a host").rstrip(".")
