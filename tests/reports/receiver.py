"""A receiver of reports: a real HTTP server on loopback that answers as a test says."""

import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Answer = int | Callable[["_Handler"], None]
"""A status, or what to do with the request."""


@dataclass
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def job(self) -> str:
        return str(self.json["data"]["job"]["id"])


@dataclass
class Receiver:
    """`answers` are given one after the other, then `otherwise` for ever. `over` ends what hangs."""

    port: int = 0
    otherwise: Answer = 200
    answers: list[Answer] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    connections: list[tuple[str, int]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def next(self) -> Answer:
        return self.answers.pop(0) if self.answers else self.otherwise


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, receiver: Receiver, context: ssl.SSLContext | None) -> None:
        self.receiver, self.context = receiver, context
        super().__init__(("127.0.0.1", 0), _Handler)

    def get_request(self) -> Any:
        connection, address = super().get_request()
        self.receiver.connections.append(address)
        if self.context is not None:
            connection.settimeout(10)
            connection = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up, or trusts nobody, is what tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        receiver.received.append(Received(self.path, headers, body))
        answer = receiver.next()
        if callable(answer):
            answer(self)
        else:
            self.say(answer)

    def say(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: Any) -> None:
        """Tests print nothing."""


def hangs(handler: _Handler) -> None:
    """Says nothing at all."""
    handler.server.receiver.over.wait(20)


def drips(handler: _Handler) -> None:
    """Answers a byte now and then, without an end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not handler.server.receiver.over.wait(0.05):
        handler.wfile.write(b"x")


def hangs_up(handler: _Handler) -> None:
    """Closes the connection without an answer."""
    handler.close_connection = True


def floods(handler: _Handler) -> None:
    """Answers well, and then with a body that never ends."""
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.receiver.over.is_set():
        handler.wfile.write(b"x" * 65536)


def redirects(to: str) -> Answer:
    """Sends the client elsewhere."""
    return lambda handler: handler.say(307, Location=to)


@contextmanager
def receiving(context: ssl.SSLContext | None = None, **settings: Any) -> Iterator[Receiver]:
    """A receiver for as long as the block lasts."""
    receiver = Receiver(**settings)
    with _Server(receiver, context) as server:
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield receiver
        finally:
            receiver.over.set()
            server.shutdown()
            thread.join()


class Authority:
    """A certificate authority of the tests' own, made with openssl."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.certificate = folder, folder / "ca.pem"
        self._openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=tests"
            " -addext keyUsage=critical,keyCertSign"
            " -keyout ca.key -out ca.pem"
        )

    def serve(self, name: str) -> ssl.SSLContext:
        """What a server of this name shows."""
        self._openssl(
            f"req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={name}"
            f" -addext subjectAltName=DNS:{name} -keyout server.key -out server.csr"
        )
        self._openssl(
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -days 2 -copy_extensions copy -out server.pem"
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        return context

    def _openssl(self, words: str) -> None:
        subprocess.run(["openssl", *words.split()], cwd=self.folder, check=True, capture_output=True)
