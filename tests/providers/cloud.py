"""A provider of the tests' own: a real HTTPS server on loopback that answers as a test says, and remembers
every request whole."""

import json
import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import parse_qsl

HTML = b"<html><body><h1>We will be right back</h1></body></html>"


@dataclass(frozen=True)
class Seen:
    """One request, as it came: `target` is what stood behind the method. `at` is of the monotonic clock."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @property
    def form(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body.decode(), keep_blank_values=True)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Says:
    """An answer."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    def whole(self, length: int | None = None) -> bytes:
        """As bytes; `length` is what it claims to be."""
        head = [f"HTTP/1.1 {self.status} Such"]
        head += [f"{name}: {value}" for name, value in self.headers]
        head += [f"Content-Length: {len(self.body) if length is None else length}", "Connection: close"]
        return "\r\n".join([*head, "", ""]).encode() + self.body


def says(value: Any, status: int = 200, **headers: str) -> Says:
    """An answer in JSON."""
    named = tuple((name.replace("_", "-"), text) for name, text in headers.items())
    return Says(status, json.dumps(value).encode(), (("Content-Type", "application/json"), *named))


@dataclass(frozen=True)
class Fault:
    """What goes wrong. `when`: "before" TLS, "unread" (before the request is read), or "read"."""

    when: str
    do: Callable[["Cloud", socket.socket], None]


Answer = Says | Fault | Callable[[Seen], Says | Fault]


def _garbage(cloud: "Cloud", client: socket.socket) -> None:
    os.write(client.fileno(), b"this is no TLS\r\n")


def _reset(cloud: "Cloud", client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _half(cloud: "Cloud", client: socket.socket) -> None:
    client.sendall(Says(200, b'{"id": "x1", "sta').whole(length=4000))


def _hang(cloud: "Cloud", client: socket.socket) -> None:
    client.settimeout(0.1)
    while not cloud.over.is_set():
        with suppress(TimeoutError):
            if not client.recv(1000):
                return


def _drip(cloud: "Cloud", client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 200 Such\r\nContent-Length: 100000\r\n\r\n")
    while not cloud.over.wait(0.05):
        client.sendall(b" ")


def _no_http(cloud: "Cloud", client: socket.socket) -> None:
    client.sendall(b"220 mail.example.com ESMTP\r\n")


NO_TLS = Fault("before", _garbage)
RESET_IN_TLS = Fault("before", _reset)
RESET_UNREAD = Fault("unread", _reset)
BROKEN_TLS = Fault("read", _garbage)
RESET = Fault("read", _reset)
CLOSED = Fault("read", lambda cloud, client: None)
HALF_A_BODY = Fault("read", _half)
HANGS = Fault("read", _hang)
DRIPS = Fault("read", _drip)
NO_HTTP = Fault("read", _no_http)


@dataclass
class Cloud:
    """`answers` are given one after the other, then `otherwise` for ever. `over` ends what hangs."""

    ca_file: Path
    port: int = 0
    otherwise: Answer = field(default_factory=lambda: says({}))
    answers: list[Answer] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    connections: int = 0
    before: int = 0

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def reset(self) -> None:
        """Forgets what was seen, and answers {} from now on."""
        self.seen, self.answers, self.otherwise, self.before = [], [], says({}), self.connections

    def connections_since(self) -> int:
        """How many connections came since the last reset."""
        return self.connections - self.before

    def serve(self, client: socket.socket, context: ssl.SSLContext) -> None:
        """One connection, with one request at most."""
        answer = self.answers.pop(0) if self.answers else self.otherwise
        client.settimeout(20)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError), client:
            if isinstance(answer, Fault) and answer.when == "before":
                client.recv(2000)
                answer.do(self, client)
                return
            with context.wrap_socket(client, server_side=True) as secured:
                self._answer(secured, answer)

    def _answer(self, client: ssl.SSLSocket, answer: Answer) -> None:
        if not (isinstance(answer, Fault) and answer.when == "unread"):
            seen = _request(client)
            self.seen.append(seen)
        reply = answer if isinstance(answer, Says | Fault) else answer(seen)
        if isinstance(reply, Fault):
            reply.do(self, client)
            return
        client.sendall(reply.whole())
        with suppress(OSError):
            client.unwrap()


def _request(client: socket.socket) -> Seen:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(client)
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    while len(body) < int(headers.get("content-length", "0")):
        body += _more(client)
    method, target, _ = first.split(" ")
    return Seen(method, target, headers, body, monotonic())


def _more(client: socket.socket) -> bytes:
    piece = client.recv(65536)
    if not piece:
        raise OSError("the client closed")
    return piece


@contextmanager
def clouded(context: ssl.SSLContext, ca_file: Path) -> Iterator[Cloud]:
    """A provider for as long as the block lasts."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as server:
        cloud = Cloud(ca_file, server.getsockname()[1])
        thread = threading.Thread(target=_accept, args=(cloud, server, context))
        thread.start()
        try:
            yield cloud
        finally:
            cloud.over.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(cloud: Cloud, server: socket.socket, context: ssl.SSLContext) -> None:
    while not cloud.over.is_set():
        try:
            client, _ = server.accept()
        except OSError:
            return
        cloud.connections += 1
        threading.Thread(target=cloud.serve, args=(client, context), daemon=True).start()


def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
