"""AMI's wire format: bytes in, messages out; headers in, bytes out. Pure; no socket here.

A message is lines of `Key: value` ended by CR LF, and an empty line. Values of events are escaped by
Asterisk, so that no CR or LF stands in them; what goes out is ours to check.
"""

from collections.abc import Iterable, Mapping

END_OF_MESSAGE = b"\r\n\r\n"
MAX_MESSAGE = 1 << 20
"""Bytes in one message. Asterisk's longest events have some 10 kB."""

GREETING = b"Asterisk Call Manager/"
_FORBIDDEN = frozenset("\r\n\0")

Headers = dict[str, str]


class LineLost(Exception):
    """The connection to Asterisk ended, or Asterisk does not answer."""


class NotAmi(LineLost):
    """What comes from the other side is not AMI."""


class Splitter:
    """Cuts a stream of bytes into messages, in memory bounded by MAX_MESSAGE and what is fed at once."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that `data` completes, without their end. Raises NotAmi after MAX_MESSAGE without
        an end."""
        messages = (self._rest + data).split(END_OF_MESSAGE) if self._rest else data.split(END_OF_MESSAGE)
        self._rest = messages.pop()
        if len(self._rest) > MAX_MESSAGE:
            raise NotAmi(f"no message ended within {MAX_MESSAGE} bytes")
        return messages


def event_name(message: bytes) -> bytes | None:
    """The event's name, which Asterisk always sends first; None for an answer."""
    if not message.startswith(b"Event: "):
        return None
    end = message.find(b"\r\n")
    return message[7:] if end < 0 else message[7:end]


class Answer:
    """Asterisk's answer to one action, read as pyst2's methods do."""

    def __init__(self, message: bytes) -> None:
        lines = message.decode("utf-8", "surrogateescape").split("\r\n")
        self.pairs = [(key, value) for key, _, value in [line.partition(": ") for line in lines]]
        """Every header in order, repeated ones too (Command's Output)."""
        self.headers = dict(reversed(self.pairs))

    def get_header(self, name: str, default: str | None = None) -> str | None:
        """The first header of this name."""
        return self.headers.get(name, default)

    def has_header(self, name: str) -> bool:
        """Whether there is such a header."""
        return name in self.headers

    def __getitem__(self, name: str) -> str:
        return self.headers[name]

    @property
    def refusal(self) -> str | None:
        """Why Asterisk refused, or None where it did not."""
        return (
            self.headers.get("Message", "no reason given")
            if self.headers.get("Response") == "Error"
            else None
        )


def headers(message: bytes) -> Headers:
    """Key → value; of repeated keys the last. Bad UTF-8 is kept as surrogates."""
    lines = message.decode("utf-8", "surrogateescape").split("\r\n")
    return {key: value for key, _, value in [line.partition(": ") for line in lines]}


def render(fields: Mapping[str, object]) -> bytes:
    """An action's bytes; a list repeats its header. Raises ValueError for what would be more than a
    header."""
    lines = []
    for key, value in fields.items():
        values: Iterable[object] = value if isinstance(value, list | tuple) else (value,)
        lines += [_line(str(key), str(item)) for item in values]
    return "".join(lines).encode("utf-8", "surrogateescape") + b"\r\n"


def _line(key: str, value: str) -> str:
    if not key or ":" in key or _FORBIDDEN & set(key):
        raise ValueError(f"{key!r} can't be the name of an AMI header")
    if _FORBIDDEN & set(value):
        raise ValueError(f"the value of {key} holds a line break or NUL, which AMI can't carry")
    return f"{key}: {value}\r\n"
