"""What all of Flowroute's API has in common: JSON:API, its lists, its errors, numbers without +.

Facts are from developer.flowroute.com (Numbers v2.0, Messages v2.1 and v2.2, "Errors").
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from dialerd.core.callbacks import Unreadable
from dialerd.core.errors import AccountRefused, DeliveryError, NotServed, Rejected, Unavailable, Unconfirmed
from dialerd.core.model import Disposition
from dialerd.core.receipts import Page, Receipt
from dialerd.providers.base import Provider, text, whole
from dialerd.providers.wire import Reply, Request, basic

MEDIA_TYPE = "application/vnd.api+json"
PAGE_SIZE = 200
"""The most of a page; Flowroute's own is 10."""

MULTI_STATUS = 207
"""The order was carried out, but not its part that enables messages (purchase a phone number)."""

CURRENCY = "USD"
"""Of all prices (Messages v2.2, price_details)."""

_NO_FUNDS = re.compile(r"insufficient (?:funds|balance|credit)|not enough (?:funds|balance|credit)", re.I)
"""How the error is worded when an account is empty is not documented: its code neither."""

_NUMBER = re.compile(r"/v2/numbers/([0-9]+)")


@dataclass(frozen=True, kw_only=True)
class FlowrouteApi(Provider):
    """An account: `account` is its access key, `secret` the secret key."""

    @property
    def authorization(self) -> str:
        """Both keys."""
        return basic(self.account, self.secret.value)


def get(path: str, *query: tuple[str, str | None]) -> Request:
    """Asks for something."""
    given = tuple((name, value) for name, value in query if value is not None)
    return Request("GET", path, query=given, accept=MEDIA_TYPE)


def send(method: str, path: str, body: Any = None) -> Request:
    """A change; the media type is told with PATCH too, else it is refused (415)."""
    return Request(method, path, json=body, media_type=MEDIA_TYPE, accept=MEDIA_TYPE)


def digits(number: str) -> str:
    """A number as Flowroute writes it, 11 digits: +1 206 739-2634 is 12067392634."""
    return re.sub(r"[^0-9]", "", number)


def e164(value: Any) -> str | None:
    """A number of theirs with its +; what is none, such as a short code, as it is."""
    written = text(value)
    return f"+{written}" if written is not None and re.fullmatch("[1-9][0-9]{9,14}", written) else written


def clock(when: datetime) -> str:
    """A time as Flowroute takes it."""
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def flag(value: str) -> str | bool:
    """A detail that is true or false, or a text."""
    return {"true": True, "false": False}.get(value.lower(), value)


def record(reply: Reply) -> Mapping[str, Any]:
    """The object that an answer is of. Raises DeliveryError, Unreadable."""
    data = _answer(reply).get("data")
    if isinstance(data, dict) and isinstance(data.get("data"), dict):  # as a sample of v2.1 has it
        data = data["data"]
    if not isinstance(data, dict):
        raise Unreadable("its answer has no data")
    return data


def page(reply: Reply, read: Callable[[Mapping[str, Any]], Any]) -> Page:
    """A page of a list; links.next is absent on the last one. Raises DeliveryError, Unreadable."""
    found = _answer(reply)
    data, links = found.get("data"), found.get("links")
    if not isinstance(data, list) or not all(isinstance(each, dict) for each in data):
        raise Unreadable("its answer has no list of data")
    following = text(links.get("next")) if isinstance(links, dict) else None
    offset = parse_qs(urlsplit(following or "").query).get("offset", [None])[0]
    return Page(tuple(map(read, data)), offset)


def done(reply: Reply) -> Receipt:
    """Of a change that is answered with 204, or with what was changed: the request says of what. Raises
    DeliveryError, Unreadable."""
    partly = reply.status == MULTI_STATUS
    if reply.body.strip() and not partly:
        _answer(reply)
    found = _NUMBER.search(reply.request.path) if reply.request is not None else None
    detail = "It was done, but the number was not enabled for messages." if partly else ""
    return Receipt(ref=found[1] if found else None, disposition=Disposition.DONE, detail=detail)


def attributes(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is told of an object."""
    told = found.get("attributes")
    return told if isinstance(told, dict) else {}


def needed(found: Mapping[str, Any], name: str) -> str:
    """A value that must be there. Raises Unreadable."""
    value = text(found.get(name))
    if value is None:
        raise Unreadable(f"its answer has no {name}")
    return value


def complaint(reply: Reply) -> str:
    """Title and detail of the first error. Raises Unreadable."""
    told = _first_error(reply.object())
    return ": ".join(part for name in ("title", "detail") if (part := text(told.get(name))) is not None)


def refusal(reply: Reply) -> DeliveryError | None:
    """403 is of the number or of what this account may do (ActionNotAuthorizedError): another provider may be
    able to. Raises Unreadable."""
    why = complaint(reply)
    if 400 <= reply.status < 500 and _NO_FUNDS.search(why):
        return AccountRefused(f"Flowroute takes nothing from this account: {why}. Put money on it.")
    if reply.status == 403:
        return NotServed(f"Flowroute does not do this for this account: {why or 'it is not authorized'}.")
    return None


def _answer(reply: Reply) -> dict[str, Any]:
    found = reply.object()
    if "errors" in found and "data" not in found:
        raise _refused(reply)
    return found


def _refused(reply: Reply) -> DeliveryError:
    """An error in an answer with 2xx: it carries the code that the answer should have had."""
    status = whole(_first_error(reply.object()).get("status")) or 422
    meant = Reply(status, reply.headers, reply.body)
    why = f"Flowroute refused it: {complaint(reply)}."
    if found := refusal(meant):
        return found
    if status in (401, 402):
        return AccountRefused(why)
    if status in (408, 425, 429):
        return Unavailable(why)
    return Unconfirmed(f"{why} It may have been done.") if status >= 500 else Rejected(why)


def _first_error(found: Mapping[str, Any]) -> Mapping[str, Any]:
    errors = found.get("errors")
    return errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
