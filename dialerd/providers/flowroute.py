"""Flowroute (BCM One): text messages and MMS, numbers, routes.

Facts are from developer.flowroute.com (Messages v2.1 and v2.2). Messages go as a flat object, since that is
what its pages and its OpenAPI file of 2018 describe ("compact"); the option `message_body` asks for the
JSON:API object that it also takes. Flowroute keeps no reference of ours: the callback's address carries it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote

from dialerd.core.callbacks import Callback, Unreadable
from dialerd.core.errors import DeliveryError, Mistake
from dialerd.core.model import Call, Disposition
from dialerd.core.receipts import Errand, Message, Page, Receipt, Told
from dialerd.core.tasks import NumberOrder, Sms, Task
from dialerd.core.texts import nearest
from dialerd.providers import flowroute_api as api
from dialerd.providers.base import moment, text, whole
from dialerd.providers.flowroute_numbers import FlowrouteNumbers
from dialerd.providers.pairs import GIVE, against_extra
from dialerd.providers.wire import Reply, Request

WORDS = {
    "delivered": Disposition.DELIVERED,
    "delivery success": Disposition.DELIVERED,
    "delivery failure": Disposition.UNDELIVERED,
    "undelivered": Disposition.UNDELIVERED,
    "undeliverable": Disposition.UNDELIVERED,
    "expired": Disposition.UNDELIVERED,
    "failed": Disposition.FAILED,
    "rejected": Disposition.FAILED,
    "smsc reject": Disposition.FAILED,
}
"""Status of a message or a receipt. Which there are is not documented: any other is under way."""

_HANDED_ON = frozenset({"message buffered", "sent", "smsc submit"})
_FIRST = "2017-01-01T00:00:00Z"
"""A list must begin somewhere: before this, there was no v2.1."""

_BEFORE = timedelta(minutes=10)
_DAY = timedelta(days=1)
_RESERVED = frozenset({"body", "dlr_callback", "from", "media_urls", "to"})
_ROUTE_TYPES = ("host", "number", "uri")
_DETAILS = {
    "buy": ("cnam_lookups_enabled", "messaging_enabled", "messaging_email", "messaging_callback_url"),
    "configure": (
        "alias",
        "cnam_lookups_enabled",
        "messaging_enabled",
        "messaging_email",
        "messaging_callback_url",
    ),
    "create-route": ("type", "value", "alias", "edge_strategy", "edge_strategy_id"),
    "set-primary": ("route",),
    "set-failover": ("route",),
}
"""By order: its own fields (update details, create an inbound route)."""


@dataclass(frozen=True, kw_only=True)
class Flowroute(FlowrouteNumbers):
    """An account: `account` is its access key, `secret` the secret key."""

    TYPE = "flowroute"
    BASE_URL = "https://api.flowroute.com"
    PER_MINUTE = 300.0
    OPTIONS: ClassVar[Mapping[str, str]] = {
        "sender": "the number that messages are from which name none",
        "messages": '"2.2" for the newer version of messages, with + before numbers (2.1 where left out)',
        "message_body": '"wrapped" for messages as a JSON:API object (flat where left out)',
    }

    def sms_send(self, errand: Errand) -> Request:
        """The callback's address brings our reference back."""
        task = errand.task
        assert isinstance(task, Sms)
        body: dict[str, Any] = {
            "to": self._number(errand.to[0]),
            "from": self._number(task.sender or self.options.get("sender", "")),
        }
        if task.body:
            body["body"] = task.body
        if task.media:
            body |= {"media_urls": list(task.media), "is_mms": True}
        if errand.callback is not None:
            body["dlr_callback"] = errand.callback
        body |= {name: api.flag(value) if name == "is_mms" else value for name, value in task.extra}
        if self.options.get("message_body") == "wrapped":
            body = {"data": {"type": "message", "attributes": body}}
        return api.send("POST", self._messages, body)

    def read_sms_send(self, reply: Reply) -> Receipt:
        """Raises DeliveryError, Unreadable."""
        found = api.record(reply)
        return Receipt(ref=api.needed(found, "id"), raw=found)

    def sms_status(self, ref: str) -> Request:
        """A message detail record."""
        return api.get(f"{self._messages}/{quote(ref, safe='')}")

    def read_sms_status(self, reply: Reply) -> Receipt:
        """Raises DeliveryError, Unreadable."""
        return _record(api.record(reply))

    def sms_history(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        incoming: bool = False,
        cursor: str | None = None,
    ) -> Request:
        """Messages of both directions: Flowroute can't be asked for one of them."""
        return api.get(
            self._messages,
            ("start_date", _FIRST if since is None else api.clock(since)),
            ("end_date", None if until is None else api.clock(until)),
            ("limit", str(api.PAGE_SIZE)),
            ("offset", cursor),
        )

    def read_sms_history(self, reply: Reply) -> Page:
        """Raises DeliveryError, Unreadable."""
        return api.page(reply, _record)

    def sms_find(self, errand: Errand, cursor: str | None = None) -> Request:
        """Messages of the attempt's day. None has our reference: numbers and text are all there is."""
        if errand.begun is None:
            return self.sms_history(cursor=cursor)
        return self.sms_history(errand.begun - _BEFORE, errand.begun + _DAY, cursor=cursor)

    read_sms_find = read_sms_history

    def refusal(self, reply: Reply) -> DeliveryError | None:
        """Raises Unreadable."""
        return api.refusal(reply)

    def complaint(self, reply: Reply) -> str:
        """Raises Unreadable."""
        return api.complaint(reply)

    def objections(self, kind: str, call: Call, task: Task | None) -> Iterator[Mistake]:
        """Of messages and orders."""
        if isinstance(task, Sms):
            yield from self._against_message(task)
        elif isinstance(task, NumberOrder):
            yield from _against_order(task)

    def told(self, callback: Callback) -> list[Told]:
        """Receipts, and messages that came in: flat ones (v1), and JSON:API objects with their media. None is
        signed. Raises Unreadable."""
        found = callback.json()
        if not isinstance(found, dict):
            raise Unreadable("its body is no JSON object")
        data = found.get("data")
        if not isinstance(data, dict):
            return [_received(found, found, ())]
        if data.get("type") == "delivery_receipt":
            return [_receipt(data, text(callback.fields().get("ref")))]
        told = api.attributes(data)
        if text(told.get("direction")) == "outbound":
            return [_record(data)]
        return [_received(data, told, _media(found.get("included")))]

    @property
    def _messages(self) -> str:
        return "/v2.2/messages" if self._newer else "/v2.1/messages"

    @property
    def _newer(self) -> bool:
        return self.options.get("messages") == "2.2"

    def _number(self, number: str) -> str:
        return number if self._newer else api.digits(number)

    def _against_message(self, task: Sms) -> Iterator[Mistake]:
        sender = task.sender or self.options.get("sender")
        if sender is None:
            yield Mistake("sender", f"Flowroute needs a number of the account: {GIVE.format('sender')}")
        elif not api.digits(sender) or any(letter.isalpha() for letter in sender):
            yield Mistake("sender", "Flowroute sends from a number of the account, not from a name.")
        if task.template is not None:
            yield Mistake("template", "Flowroute keeps no templates: give the text as body.")
        yield from against_extra(task.extra, _RESERVED)


def _against_order(task: NumberOrder) -> Iterator[Mistake]:
    details, known = dict(task.details), _DETAILS.get(task.verb, ())
    for name in details:
        if name in ("forward_to", "forward_sms_to"):
            what = "Flowroute sends calls to a route: make one, and set it as the primary."
            yield Mistake(f"details.{name}", what)
        elif name not in known:
            yield Mistake(f"details.{name}", f"Flowroute does not know this here.{nearest(name, known)}")
    if task.verb == "create-route":
        yield from _against_route(task.subject, details)
    elif not api.digits(task.subject):
        yield Mistake("number", "Give the number, such as +12065551212.")
    if known == ("route",) and not details.get("route"):
        yield Mistake("details.route", "Give the id of a route: dialerctl routes list shows them.")
    if task.verb == "configure" and not details:
        yield Mistake("details", f"There is nothing to change: give any of {', '.join(known)}.")


def _against_route(subject: str, details: Mapping[str, str]) -> Iterator[Mistake]:
    if not (subject or details.get("value")):
        yield Mistake("number", "Give what the route leads to: a host, a number or a sip: address.")
    if details.get("type", "host") not in _ROUTE_TYPES:
        yield Mistake("details.type", f"A route leads to one of {', '.join(_ROUTE_TYPES)}.")


def _record(found: Mapping[str, Any]) -> Receipt:
    """A message detail record. Its receipts say more than its own word, once there are some."""
    told = api.attributes(found)
    receipts = told.get("delivery_receipts")
    known = [each for each in receipts if isinstance(each, dict)] if isinstance(receipts, list) else []
    last = max(known, key=_level, default=told)
    price = _price(told)
    disposition, handed_on = _came_to(last)
    return Receipt(
        ref=text(found.get("id")),
        disposition=disposition,
        handed_on=handed_on,
        word=_word(last),
        detail=text(last.get("status_code_description")) or "",
        to=api.e164(told.get("to")),
        sender=api.e164(told.get("from")),
        body=text(told.get("body")),
        incoming=text(told.get("direction")) == "inbound",
        at=moment(told.get("timestamp")),
        price=price,
        currency=None if price is None else api.CURRENCY,
        raw=found,
    )


def _receipt(found: Mapping[str, Any], reference: str | None) -> Receipt:
    """A delivery receipt: of level 1 the carrier has the message, of level 2 it tells what came of it."""
    told = api.attributes(found)
    disposition, handed_on = _came_to(told)
    return Receipt(
        ref=api.needed(found, "id"),
        reference=reference,
        disposition=disposition,
        handed_on=handed_on,
        word=_word(told),
        detail=text(told.get("status_code_description")) or "",
        at=moment(told.get("timestamp")),
        raw=found,
    )


def _came_to(told: Mapping[str, Any]) -> tuple[Disposition | None, bool]:
    """What a state means. "Delivered" in a receipt of level 1 is to the carrier, which is not the end."""
    came_to = WORDS.get(_word(told))
    if _level(told) == 1 and came_to in (None, Disposition.DELIVERED):
        return None, True
    return came_to, _word(told) in _HANDED_ON


def _word(told: Mapping[str, Any]) -> str:
    return (text(told.get("status")) or "").strip().lower()


def _level(told: Mapping[str, Any]) -> int:
    return whole(told.get("level")) or 0


def _price(told: Mapping[str, Any]) -> str | None:
    details = told.get("price_details")
    charged = text(details.get("charged_cost")) if isinstance(details, dict) else None
    shown = charged or text(told.get("amount_display"))
    return None if shown is None else shown.removeprefix("$")


def _received(found: Mapping[str, Any], told: Mapping[str, Any], media: tuple[str, ...]) -> Message:
    return Message(
        what="sms",
        ref=api.needed(found, "id"),
        sender=api.e164(told.get("from")) or "",
        dest=api.e164(told.get("to")) or "",
        body=text(told.get("body")) or "",
        media=media,
        at=moment(told.get("timestamp")),
        price=_price(told),
        raw=found,
    )


def _media(included: Any) -> tuple[str, ...]:
    """The addresses of what came with a message."""
    parts = included if isinstance(included, list) else []
    found = (text(api.attributes(each).get("url")) for each in parts if isinstance(each, dict))
    return tuple(url for url in found if url is not None)
