"""HTTP/1.1 over a Unix socket, as little of it as the client needs: one kept-alive connection.

http.client would do it too, but brings email and ssl: importing it takes longer than all else that
`dialerctl status` does. And it can't read while it writes, which a large batch needs.
"""

import json
import select
import socket
from collections.abc import Iterator

_PIECE = 65536
_MAX_HEAD = 65536


class LostConnection(OSError):
    """The connection broke or fell silent: whether the request was carried out is not known."""


class Reply:
    """An answer's status and headers (names in lower case), its body yet to be read."""

    def __init__(self, wire: "Wire", status: int, headers: dict[str, str]) -> None:
        self.status, self.headers, self._wire = status, headers, wire
        self._chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        self._left = int(headers.get("content-length", "0"))

    def pieces(self) -> Iterator[bytes]:
        """The body as it comes. Raises LostConnection where it is cut."""
        wire = self._wire
        if not self._chunked:
            yield from wire.some(self._left)
        else:
            while size := int(wire.line().split(b";")[0], 16):
                yield from wire.some(size)
                wire.line()
            while wire.line():
                pass
        if self.headers.get("connection", "").lower() == "close":
            wire.close()

    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self.pieces())

    def lines(self) -> Iterator[bytes]:
        """The body's lines, each without its newline, as they come."""
        rest = b""
        for piece in self.pieces():
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines
        if rest:
            yield rest


class Wire:
    """One connection to the daemon. Not for several threads."""

    def __init__(self, path: str, timeout: float) -> None:
        self.path, self.timeout = path, timeout
        self._socket: socket.socket | None = None
        self._buffer = bytearray()

    @property
    def connected(self) -> bool:
        """Whether a connection is kept."""
        return self._socket is not None

    def request(
        self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> Reply:
        """Sends a request and reads the answer's head.

        Raises OSError from connecting, LostConnection behind that.
        """
        lines = [f"{method} {target} HTTP/1.1", "Host: dialerd"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join([*lines, "\r\n"]).encode()
        if self._socket is None:
            self._socket = self._connect()
        try:
            self._send(head + (body or b""))
            return self._reply()
        except LostConnection:
            self.close()
            raise
        except (OSError, ValueError) as error:
            self.close()
            raise LostConnection(f"the connection to dialerd broke: {error}") from error

    def some(self, size: int) -> Iterator[bytes]:
        """So many bytes, as they come."""
        while size:
            if not self._buffer:
                self._receive()
            data = self._take(size)
            size -= len(data)
            yield data

    def line(self) -> bytes:
        """A line of the protocol, without its line end."""
        start = 0
        while (end := self._buffer.find(b"\r\n", start)) < 0:
            start = max(0, len(self._buffer) - 1)
            if start > _MAX_HEAD:
                raise LostConnection("this is not dialerd: its answer has a line without an end")
            self._receive()
        return self._take(end + 2)[:-2]

    def _take(self, most: int) -> bytes:
        data = bytes(self._buffer[:most])
        del self._buffer[:most]
        return data

    def close(self) -> None:
        """Closes the connection; the next request opens a new one."""
        self._buffer.clear()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(self.timeout)
            connection.connect(self.path)
        except BaseException:
            connection.close()
            raise
        return connection

    def _send(self, data: bytes) -> None:
        """Sends, and takes in what is answered meanwhile: a daemon that can't answer stops reading.

        A daemon that closes early has said why: that is read as the answer.
        """
        assert self._socket is not None
        view = memoryview(data)
        try:
            if len(view) <= _PIECE:
                self._socket.sendall(view)
                return
            ready = select.poll()  # select() can't wait for a descriptor above 1023
            ready.register(self._socket, select.POLLIN | select.POLLOUT)
            while view:
                found = ready.poll(self.timeout * 1000)
                if not found:
                    raise LostConnection(f"dialerd did not read for {self.timeout:g} seconds")
                if found[0][1] & ~select.POLLOUT:  # an answer, or the end
                    self._receive()
                else:
                    view = view[self._socket.send(view[:_PIECE], socket.MSG_DONTWAIT) :]
        except (BrokenPipeError, ConnectionResetError):
            return

    def _reply(self) -> Reply:
        while (status := self._status()) < 200:
            pass
        return Reply(self, status, self._headers())

    def _status(self) -> int:
        words = self.line().split(None, 2)
        if len(words) < 2 or not words[0].startswith(b"HTTP/1."):
            raise LostConnection("this is not dialerd: its answer is not HTTP")
        status = int(words[1])
        if status < 200:
            self._headers()
        return status

    def _headers(self) -> dict[str, str]:
        headers = {}
        while line := self.line():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        return headers

    def _receive(self) -> None:
        if self._socket is None:
            raise LostConnection("the connection to dialerd was closed")
        try:
            data = self._socket.recv(_PIECE)
        except TimeoutError:
            self.close()
            raise LostConnection(f"dialerd did not answer within {self.timeout:g} seconds") from None
        except OSError as error:
            self.close()
            raise LostConnection(f"the connection to dialerd broke: {error.strerror}") from None
        if not data:
            self.close()
            raise LostConnection("dialerd closed the connection before it had answered")
        self._buffer += data


def encode(value: object) -> bytes:
    """JSON as it goes over the wire; moments (with a zone) as ISO 8601."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain).encode(
        "utf-8", "surrogatepass"
    )


def _plain(value: object) -> object:
    for method in ("isoformat", "__fspath__"):
        if hasattr(value, method):
            return getattr(value, method)()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{value!r} can't be written as JSON")
