"""A real Api on a real socket before a desk in memory, and the plainest of HTTP clients."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from dialerd.core.destinations import Destinations
from dialerd.core.policy import Rules, Trunk
from dialerd.core.retry import RetryPolicy
from dialerd.intake.api import Api, ApiSettings
from tests.intake.desk import MemoryDesk

RULES = Rules(
    trunks={"main": Trunk("main", "PJSIP/{digits}@main")},
    default_trunk="main",
    default_country="DE",
    destinations=Destinations.parse(("*",)),
    applications=("Playback", "Echo"),
    retry={"patient": RetryPolicy("patient")},
    report_urls=("https://crm.example.com/",),
)
JOB: dict[str, Any] = {"to": "+493012345678", "play": "hello-world"}


class Served:
    """What a test has in hand: the desk, the Api and its path."""

    def __init__(self, path: Path, **settings: Any) -> None:
        self.path, self.desk = path, MemoryDesk()
        self.settings = ApiSettings(path, **settings)
        self.api = Api(self.settings, self.desk, RULES)

    def __enter__(self) -> "Served":
        self.api.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.desk.open.set()
        self.api.stop(1.0)
        self.desk.close()

    def ask(self, method: str, target: str, body: Any = None, **headers: str) -> "Heard":
        """One request on a connection of its own. A body that is no bytes is sent as JSON."""
        with self.connection() as connection:
            return ask(connection, method, target, body, **headers)

    @contextmanager
    def connection(self, timeout: float = 10.0) -> Iterator[http.client.HTTPConnection]:
        """A connection for several requests."""
        connection = http.client.HTTPConnection("dialerd", timeout=timeout)
        connection.sock = self.plug(timeout)
        try:
            yield connection
        finally:
            connection.close()

    def plug(self, timeout: float = 10.0) -> socket.socket:
        """A bare connection."""
        plug = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        plug.settimeout(timeout)
        plug.connect(str(self.path))
        return plug


class Heard:
    """An answer, read whole."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.data = response.status, response.read()
        self.type = response.headers.get("Content-Type", "")
        self.headers = response.headers

    @property
    def json(self) -> Any:
        return json.loads(self.data)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.data.splitlines()]


def ask(
    connection: http.client.HTTPConnection, method: str, target: str, body: Any = None, **headers: str
) -> Heard:
    """One request on a kept connection."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    connection.request(
        method, target, data, {name.replace("_", "-"): value for name, value in headers.items()}
    )
    return Heard(connection.getresponse())


def read_all(plug: socket.socket, seconds: float = 10.0) -> bytes:
    """All that comes until the other side closes."""
    data, deadline = b"", time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            piece = plug.recv(65536)
        except ConnectionError:
            return data
        if not piece:
            return data
        data += piece
    raise AssertionError(f"not closed after {seconds} seconds")


def ndjson(*documents: Any) -> bytes:
    """Documents as lines."""
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def flood(plug: socket.socket, data: bytes, most: int = 1 << 30) -> None:
    """Sends the same again and again; raises what the other side does about it."""
    for _ in range(0, most, len(data)):
        plug.sendall(data)
