"""Callbacks: what providers send to us, as it came, and what they are answered with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Pairs = tuple[tuple[str, str], ...]


class Unreadable(ValueError):
    """What a provider said can't be read, or lacks what it must have."""


def parse_json(body: bytes | str) -> Any:
    """The value in a JSON text. Half letters, which JSON can hold (RFC 8259, 8.2) and a store can't, are
    replaced. Raises ValueError, RecursionError."""
    text = body.decode() if isinstance(body, bytes) else body
    found = json.loads(text)
    if "\\u" not in text:
        return found
    written = json.dumps(found, ensure_ascii=False).encode("utf-16-le", "surrogatepass")
    return json.loads(written.decode("utf-16-le", "replace"))


@dataclass(frozen=True, slots=True)
class Callback:
    """One request of a provider. `query` and `form` are pairs, decoded; `url` is the public address that it
    was sent to, as far as we know it. Names of headers are in small letters."""

    method: str
    url: str
    query: Pairs = ()
    form: Pairs = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)

    def fields(self) -> dict[str, str]:
        """Query and form together; the form wins."""
        return dict(self.query) | dict(self.form)

    def json(self) -> Any:
        """The body as JSON. Raises Unreadable."""
        try:
            return parse_json(self.body)
        except (ValueError, RecursionError):
            raise Unreadable("its body is not JSON") from None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a callback is answered with."""

    status: int = 200
    text: str = ""
    media_type: str = "text/plain"
