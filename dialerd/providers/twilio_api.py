"""What all of Twilio's API of 2010-04-01 has in common: paths, lists, words, times.

Facts are from its OpenAPI file (twilio-oai, April 2026) and twilio.com/docs.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlsplit

from dialerd.core.callbacks import Unreadable
from dialerd.core.model import Disposition
from dialerd.core.receipts import Page
from dialerd.providers.base import Provider, text
from dialerd.providers.pairs import given
from dialerd.providers.wire import Reply, Request

PAGE_SIZE = 100
"""Of a list; Twilio's own is 50, and 1000 the most."""

SMS_WORDS = {
    "delivered": Disposition.DELIVERED,
    "read": Disposition.DELIVERED,
    "undelivered": Disposition.UNDELIVERED,
    "failed": Disposition.FAILED,
    "canceled": Disposition.CANCELLED,
}
"""Message.Status. All others (queued, accepted, scheduled, sending, partially_delivered) are under way."""

CALL_WORDS = {
    "completed": Disposition.ANSWERED,
    "busy": Disposition.BUSY,
    "no-answer": Disposition.NOANSWER,
    "failed": Disposition.FAILED,
    "canceled": Disposition.CANCELLED,
}
"""Call.Status. All others (queued, initiated, ringing, in-progress) are under way."""


@dataclass(frozen=True, kw_only=True)
class TwilioApi(Provider):
    """Paths and lists of an account."""

    @property
    def account_sid(self) -> str:
        """The account, where `account` may be an API key of it."""
        return self.options.get("account_sid", self.account)

    def path(self, *places: str) -> str:
        """The path of something of the account. Its last part may come from outside, so it is quoted."""
        inside = "/".join(quote(each, safe="") for each in (self.account_sid, *places))
        return f"/2010-04-01/Accounts/{inside}.json"

    def listed(self, place: str, *filters: tuple[str, str | None], cursor: str | None = None) -> Request:
        """Asks for a page of a list."""
        if cursor is not None:
            return Request("GET", self.path(*place.split("/")), query=cursor)
        pairs = (*filters, ("PageSize", str(PAGE_SIZE)))
        return Request("GET", self.path(*place.split("/")), query=given(pairs))


def moment(value: datetime | None) -> str | None:
    """A time as filters of lists have it."""
    return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_of(value: datetime | None) -> str | None:
    """The begin of a time's day: Twilio says that it looks at whole days (in UTC)."""
    return None if value is None else moment(value.astimezone(UTC).replace(hour=0, minute=0, second=0))


def at(*values: Any) -> datetime | None:
    """The first of these RFC 2822 dates that is one, in UTC."""
    for value in values:
        try:
            return parsedate_to_datetime(str(value)).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def needed(data: Mapping[str, Any], name: str) -> str:
    """A field that must be there. Raises Unreadable."""
    if (value := text(data.get(name))) is None:
        raise Unreadable(f"its answer has no {name}")
    return value


def entries(data: Mapping[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """What a list holds. Raises Unreadable."""
    found = data.get(name)
    if not isinstance(found, list):
        raise Unreadable(f"its answer has no {name}")
    yield from (each for each in found if isinstance(each, dict))


def next_page(data: Mapping[str, Any]) -> str | None:
    """The query of the next page; its path is that of this one."""
    return urlsplit(text(data.get("next_page_uri")) or "").query or None


def page(reply: Reply, name: str, read: Any) -> Page:
    """A page of a list, each entry read by `read`. Raises Unreadable."""
    data = reply.object()
    return Page(tuple(read(each) for each in entries(data, name)), next_page(data))


def is_sid(prefix: str, value: str | None) -> bool:
    """Whether this is one of Twilio's ids: two letters that say of what, and 32 hex digits."""
    return value is not None and re.fullmatch(f"{prefix}[0-9a-fA-F]{{32}}", value) is not None
