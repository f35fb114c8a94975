"""Sends, and says what went wrong."""

import http.client
import re
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import requests
from requests.exceptions import InvalidHeader, InvalidURL
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.exceptions import HTTPError
from urllib3.filepost import encode_multipart_formdata

from dialerd import __version__
from dialerd.core.report_urls import origin
from dialerd.http.deadlines import Deadlines
from dialerd.http.line import Adapter, Line
from dialerd.http.values import Answer, Connect, Failed, Forbidden, Manner, Outgoing, Resolve

File = tuple[str, str, bytes, str]
"""Name of the field, name of the file, content, media type."""

_URL = re.compile(r"https?://[^/?#]+(.*)", re.DOTALL)
_TARGET = re.compile(r"[!-~]+")
_PIECE = 65536


def resolve(host: str, port: int) -> Sequence[str]:
    """The host's addresses, as the system finds them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def connect(address: str, port: int, seconds: float) -> socket.socket:
    """The real one. Head and body are written one after the other, and must not wait for each other."""
    opened = socket.create_connection((address, port), seconds)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


def multipart(fields: Iterable[tuple[str, str]], files: Iterable[File]) -> tuple[bytes, str]:
    """A body of type multipart/form-data, and its Content-Type."""
    parts = [(name, (filename, content, kind)) for name, filename, content, kind in files]
    return encode_multipart_formdata([*fields, *parts])


class Network:
    """Sends. `resolve` and `connect` are the real network, or a test's."""

    def __init__(self, resolve: Resolve = resolve, connect: Connect = connect) -> None:
        self._resolve, self._connect = resolve, connect
        self._authorities, self._deadlines = _Authorities(), Deadlines()

    def exchange(self, out: Outgoing, manner: Manner) -> Answer:
        """One try. Raises Failed where no answer came."""
        authorities = self._authorities.of(manner.ca_file)
        _, host, port = origin(manner.proxy or out.url)
        line = Line(self._tested(host, port, manner.may), port, self._connect, manner)
        adapter = Adapter(line, authorities, _target(out.url))
        try:
            with line.limited(self._deadlines):
                return _exchanged(adapter, out, line)
        except (InvalidHeader, InvalidURL, UnicodeError):  # their texts hold what is wrong, perhaps a secret
            raise Failed("The request holds letters that can't be sent.", line.written) from None
        except (requests.RequestException, HTTPError, http.client.HTTPException, OSError) as error:
            raise Failed(_why(error, line, host), line.written) from None
        finally:
            adapter.close()

    def _tested(self, host: str, port: int, may: Callable[[str], bool]) -> Sequence[str]:
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise Failed(f"The name {host} can't be found: {_words(error)}.") from None
        for address in addresses:
            if not may(address):
                raise Forbidden(host, address)
        return addresses


def _target(url: str) -> str:
    """What stands behind the method: the address from its path on. Raises Failed."""
    found = _URL.fullmatch(url)
    target = found[1] if found else ""
    target = target if target.startswith("/") else f"/{target}"
    if found is None or not _TARGET.fullmatch(target):
        raise Failed("The address holds letters that no address has.")
    return target


def _exchanged(adapter: Adapter, out: Outgoing, line: Line) -> Answer:
    scheme, host, port = origin(out.url)
    prepared = _prepared(out, f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/")
    limits, proxy = line.manner.limits, line.manner.proxy
    response: Any = adapter.send(
        prepared,
        stream=True,
        timeout=(limits.connect, min(limits.silence, limits.whole)),
        proxies={scheme: proxy} if proxy else {},
    )
    with response:
        body, cut = _read(response, line.manner.most)
        if line.late:  # http.client takes a head that was cut off for a whole one
            raise TimeoutError
        found = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, found, body, cut)


def _prepared(out: Outgoing, place: str) -> requests.PreparedRequest:
    """The request but for its target, without what requests adds of its own, such as cookies."""
    prepared = requests.PreparedRequest()
    prepared.prepare_method(out.method)
    prepared.url = _place(place)
    own = {"User-Agent": f"dialerd/{__version__}", "Accept": "*/*"}
    prepared.prepare_headers({**own, **out.headers, "Connection": "close"})
    prepared.prepare_body(out.body or b"", None)
    return prepared


@lru_cache(maxsize=1000)
def _place(place: str) -> str:
    """The place as it is written to others: a name in other letters than ours has a form of its own."""
    prepared = requests.PreparedRequest()
    prepared.prepare_url(place, None)
    return str(prepared.url)


def _read(raw: Any, most: int) -> tuple[bytes, bool]:
    """At most so many bytes of the body, and whether there are more."""
    kept = bytearray()
    while most and len(kept) <= most:
        piece = raw.read(_PIECE, decode_content=True)
        if not piece:
            break
        kept += piece
    return bytes(kept[:most]), len(kept) > most


class _Authorities:
    """Whom TLS trusts. Reading the usual list takes 30 ms of everybody's time, so it is kept until its file
    changes."""

    def __init__(self) -> None:
        self._kept: dict[Path, tuple[int, ssl.SSLContext]] = {}

    def of(self, ca_file: Path | None) -> ssl.SSLContext:
        """A context that asks for a certificate of the right name. Raises Failed."""
        path = ca_file or Path(DEFAULT_CA_BUNDLE_PATH)
        try:
            changed = path.stat().st_mtime_ns
            kept = self._kept.get(path)
            if kept is None or kept[0] != changed:
                kept = self._kept[path] = changed, ssl.create_default_context(cafile=path)
            return kept[1]
        except OSError as error:
            why = f"The authorities in {path} can't be read: {error.strerror or 'there are none in it'}."
            raise Failed(why) from None


def _why(error: BaseException, line: Line, host: str) -> str:
    """What went wrong, without the address, whose query may hold a secret."""
    limits, causes = line.manner.limits, list(_causes(error))
    if line.late:
        return f"{host} did not answer within {limits.whole:g} seconds."
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"{host} shows a certificate that is not right: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"{host} can't be spoken to by TLS: {cause.reason or 'it closed the connection'}."
    if any(isinstance(cause, TimeoutError) for cause in causes):
        if line.written:
            return f"{host} was silent for {min(limits.silence, limits.whole):g} seconds."
        return f"{host} can't be connected to within {limits.connect:g} seconds."
    for cause in causes:
        if isinstance(cause, OSError) and not isinstance(cause, requests.RequestException) and cause.strerror:
            how = "broke the connection" if line.written else "can't be reached"
            return f"{host} {how}: {cause.strerror}."
        if str(cause).startswith("Tunnel connection failed"):  # http.client, with the proxy's words
            return f"The proxy {host} does not connect: it answers {_status(str(cause))}."
    return f"{host} closed the connection without an answer that can be read."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that led to it."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


def _status(text: str) -> str:
    found = re.search(r"\d{3}", text)
    return found[0] if found else "no"


def _words(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or "it is no name of a host").rstrip(".")
