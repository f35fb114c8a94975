"""What goes to a provider, and what comes back: requests and replies as values."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dialerd.core.callbacks import Unreadable, parse_json

Pairs = tuple[tuple[str, str], ...]
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Part:
    """A file in a multipart/form-data request."""

    name: str
    filename: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `path` is put behind the account's base URL as it stands. `query` is pairs, or text
    that goes out as it is.

    Of `form`, `json`, `content` and `parts` (with `form` as its fields) one is set at most. `content` is sent
    as it stands. `media_type` is the body's where it is not the usual one. Pairs are sent in order, and may
    repeat a name. `reference` is ours, and stays here: for answers that hold no id.
    """

    method: str
    path: str
    query: Pairs | str = field(default=(), repr=False)
    form: Pairs | None = field(default=None, repr=False)
    json: Any = field(default=None, repr=False)
    parts: tuple[Part, ...] = ()
    content: bytes | None = field(default=None, repr=False)
    headers: Pairs = field(default=(), repr=False)
    media_type: str | None = None
    accept: str = JSON
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, whole. Names of headers are in small letters. `request` is what it answers: pages and orders
    whose answer does not say which page or number it is of are read with it."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    request: Request | None = field(default=None, repr=False)

    def text(self) -> str:
        """The body as text; bytes that are no UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises Unreadable."""
        try:
            return parse_json(self.body)
        except (ValueError, RecursionError):
            raise Unreadable("its answer is not JSON") from None

    def object(self) -> dict[str, Any]:
        """The body as a JSON object. Raises Unreadable."""
        found = self.json()
        if not isinstance(found, dict):
            raise Unreadable("its answer is no JSON object")
        return found


def basic(user: str, password: str) -> str:
    """The value of an Authorization header (RFC 7617)."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
