"""What all of Telnyx's API v2 has in common: answers, lists, our reference in its state.

Facts are from its OpenAPI file (July 2026) and developers.telnyx.com.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from dialerd.core.callbacks import Unreadable
from dialerd.core.receipts import Page
from dialerd.core.tasks import Extra
from dialerd.providers.base import Provider, text, whole
from dialerd.providers.pairs import given
from dialerd.providers.wire import Reply, Request

_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True, kw_only=True)
class TelnyxApi(Provider):
    """An account; `account` is only a name, the API key (`secret`) says whose it is."""

    def listed(
        self, path: str, size: int, *filters: tuple[str, str | None], cursor: str | None = None
    ) -> Request:
        """Asks for a page of a list; the cursor is its number."""
        pairs = (*filters, ("page[number]", cursor or "1"), ("page[size]", str(size)))
        return Request("GET", path, query=given(pairs))


def place(*names: str) -> str:
    """A path of these names, each quoted: they may come from outside."""
    return "".join("/" + quote(each, safe="") for each in names)


def body(fields: Mapping[str, Any], extra: Extra) -> dict[str, Any]:
    """A JSON object of the fields that have a value, then the job's own; "true" and "false" are flags."""
    ours = {name: value for name, value in fields.items() if value is not None}
    return ours | {name: _FLAGS.get(value, value) for name, value in extra}


def data(reply: Reply) -> dict[str, Any]:
    """The object in an answer. Raises Unreadable."""
    found = reply.object().get("data")
    if not isinstance(found, dict):
        raise Unreadable("its answer has no data")
    return found


def needed(found: Mapping[str, Any], name: str) -> str:
    """A field that must be there. Raises Unreadable."""
    if (value := text(found.get(name))) is None:
        raise Unreadable(f"its answer has no {name}")
    return value


def page(reply: Reply, read: Callable[[dict[str, Any]], Any]) -> Page:
    """A page of a list, each entry read by `read`. Raises Unreadable."""
    answer = reply.object()
    found, meta = answer.get("data"), nested(answer, "meta")
    if not isinstance(found, list):
        raise Unreadable("its answer has no data")
    number, last = whole(meta.get("page_number")), whole(meta.get("total_pages"))
    more = number is not None and last is not None and number < last and found
    return Page(
        tuple(read(each) for each in found if isinstance(each, dict)),
        str(number + 1) if more and number is not None else None,
        whole(meta.get("total_results")),
    )


def nested(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object in an object, or the first one of a list; else an empty one."""
    value = found.get(name)
    if isinstance(value, list):
        value = next(iter(value), None)
    return value if isinstance(value, dict) else {}


def state(reference: str) -> str:
    """Our reference as client_state, which Telnyx gives back with every event."""
    return b64encode(reference.encode()).decode()


def reference(client_state: Any) -> str | None:
    """Our reference from a client_state, where it is one."""
    try:
        return b64decode(str(client_state or ""), validate=True).decode("ascii") or None
    except ValueError:
        return None


def written(value: datetime | None) -> str | None:
    """A time as filters have it."""
    return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
