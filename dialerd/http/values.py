"""What is sent, how, and what comes of it."""

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host and port, as texts. Raises OSError."""

Connect = Callable[[str, int, float], socket.socket]
"""A connection to an address (never a name) and port, within so many seconds. Raises OSError."""


class Failed(Exception):
    """No answer came. The text is a sentence that names the host at most. `written`: the first byte of the
    request may have left, so that the server may have acted on it."""

    def __init__(self, why: str, written: bool = False) -> None:
        self.written = written
        super().__init__(why)


class Forbidden(Failed):
    """The host leads to an address that may not be connected to."""

    def __init__(self, host: str, address: str) -> None:
        self.host, self.address = host, address
        super().__init__(f"{host} leads to {address}, which may not be connected to.")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is sent, as it stands."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: to connect (and for TLS), of silence, and for all of it from the first connection on."""

    connect: float
    silence: float
    whole: float


@dataclass(frozen=True, slots=True)
class Manner:
    """How it is sent. `may` says which addresses are connected to; `ca_file` has the authorities to trust in
    place of the usual ones; `proxy` is an HTTP proxy's address. Of the answer, `most` bytes of body are read.

    `ready` is called when the connection stands, right before the first byte is written; it may wait.
    """

    limits: Limits
    may: Callable[[str], bool] = lambda address: True
    ca_file: Path | None = None
    proxy: str | None = field(default=None, repr=False)
    most: int = 0
    ready: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Names of headers are in small letters; `cut`: there was more of the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    cut: bool = False
