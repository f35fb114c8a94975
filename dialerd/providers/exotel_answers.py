"""What Exotel says, read: its answers, lists and callbacks (providers/exotel.py asks)."""

import html
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs

from dialerd.core.callbacks import Callback, Unreadable
from dialerd.core.errors import AccountRefused, DeliveryError, Rejected, Unavailable
from dialerd.core.model import Disposition
from dialerd.core.receipts import Page, Receipt, Told
from dialerd.providers.base import moment, text, whole
from dialerd.providers.wire import Reply

IST = timezone(timedelta(hours=5, minutes=30), "IST")
"""Exotel writes all times in it, without saying so: what was not sent yet has 1970-01-01 05:30:00."""

_COMPLAINT = re.compile(r"<Message>([^<]{1,500})</Message>|\"Message\"\s*:\s*\"([^\"]{1,500})\"")

_MESSAGES = {
    "sent": Disposition.DELIVERED,
    "delivered": Disposition.DELIVERED,
    "failed": Disposition.FAILED,
    "failed-dnd": Disposition.FAILED,
    "undelivered": Disposition.UNDELIVERED,
    "expired": Disposition.UNDELIVERED,
}
"""`sent` is the last word of a message that the handset or its operator took."""

_HANDED_ON = frozenset({"submitted"})
_CALLS = {
    "completed": Disposition.ANSWERED,
    "busy": Disposition.BUSY,
    "no-answer": Disposition.NOANSWER,
    "failed": Disposition.FAILED,
    "canceled": Disposition.CANCELLED,
}


def record(reply: Reply, name: str) -> Mapping[str, Any]:
    """The object of that name, which has a Sid. Raises Unreadable, or what an error in it means."""
    found = _answer(reply).get(name)
    if not isinstance(found, dict) or text(found.get("Sid")) is None:
        raise Unreadable(f"its answer has no {name} with a Sid")
    return found


def page(reply: Reply) -> Page:
    """A page of calls; the address of the next one holds its cursor. Raises as record()."""
    found = _answer(reply)
    calls, about = found.get("Calls"), found.get("Metadata")
    if not isinstance(calls, list):
        raise Unreadable("its answer has no list of calls")
    about = about if isinstance(about, dict) else {}
    following = parse_qs(str(about.get("NextPageUri") or "").partition("?")[2]).get("After", [None])
    return Page(
        items=tuple(call(each) for each in calls if isinstance(each, dict)),
        cursor=following[0],
        total=whole(about.get("Total")),
    )


def complaint(reply: Reply) -> str:
    """The message of a RestException, in JSON or XML."""
    found = _COMPLAINT.search(reply.text())
    return html.unescape(found[1] or found[2]).strip() if found else ""


def told(callback: Callback) -> list[Told]:
    """What a callback says. Raises Unreadable."""
    fields = _fields(callback)
    reference = text(fields.get("ref")) or text(fields.get("CustomField"))
    if sid := text(fields.get("SmsSid")):
        return [message({**fields, "Sid": sid, "CustomField": reference})]
    if sid := text(fields.get("CallSid")):
        return [call({**fields, "Sid": sid, "CustomField": reference})]
    raise Unreadable("it has neither SmsSid nor CallSid")


def message(record: Mapping[str, Any]) -> Receipt:
    """A message."""
    word = _word(record)
    return Receipt(
        ref=text(record.get("Sid")),
        reference=text(record.get("CustomField")),
        disposition=_MESSAGES.get(word),
        handed_on=word in _HANDED_ON,
        word=word,
        detail=text(record.get("DetailedStatus")) or "",
        to=text(record.get("To")),
        sender=text(record.get("From")),
        body=text(record.get("Body")),
        incoming=text(record.get("Direction")) == "inbound",
        at=_when(record, "DateSent", "DateUpdated", "DateCreated"),
        parts=whole(record.get("SmsUnits")),
        price=text(record.get("Price")),
        raw=record,
    )


def call(record: Mapping[str, Any]) -> Receipt:
    """A call. `to` is whom the job is for: From, which was rung first. Of a call that came in it is To."""
    incoming = text(record.get("Direction")) == "inbound"
    first, second = text(record.get("From")), text(record.get("To"))
    talked = whole(record.get("ConversationDuration"))
    return Receipt(
        ref=text(record.get("Sid")),
        reference=text(record.get("CustomField")),
        disposition=_CALLS.get(_word(record)),
        word=_word(record),
        to=second if incoming else first,
        sender=first if incoming else text(record.get("PhoneNumberSid")),
        incoming=incoming,
        at=_when(record, "StartTime", "DateCreated", "DateUpdated"),
        seconds=talked if talked is not None else whole(record.get("Duration")),
        price=text(record.get("Price")),
        recording=_address(record.get("RecordingUrl")),
        raw=record,
    )


def _answer(reply: Reply) -> dict[str, Any]:
    """The object of a 2xx. Raises what a RestException in it means."""
    found = reply.object()
    if "RestException" in found:
        raise _refused(found)
    return found


def _refused(found: Mapping[str, Any]) -> DeliveryError | Unreadable:
    problem = found.get("RestException")
    status = whole(problem.get("Status")) if isinstance(problem, dict) else None
    why = f"Exotel refused it: {(_why(found) or str(status)).rstrip('.')}."
    if status in (401, 402):
        return AccountRefused(why)
    if status in (408, 425, 429):
        return Unavailable(why)
    if status is not None and 400 <= status < 500:
        return Rejected(why)
    return Unreadable("its answer is an error")


def _why(found: Mapping[str, Any]) -> str:
    problem = found.get("RestException")
    return (text(problem.get("Message")) or "") if isinstance(problem, dict) else ""


def _word(record: Mapping[str, Any]) -> str:
    """Their word for a state, as it is written in most places: failed_dnd and failed-dnd are one."""
    word = (text(record.get("Status")) or "").strip().lower().replace("_", "-")
    return "canceled" if word == "cancelled" else word


def _when(record: Mapping[str, Any], *names: str) -> datetime | None:
    return next((when for name in names if (when := moment(record.get(name), IST)) is not None), None)


def _address(value: Any) -> str | None:
    """Callbacks write "null" where nothing was recorded."""
    found = text(value)
    return found if found is not None and found.startswith(("http://", "https://")) else None


def _fields(callback: Callback) -> dict[str, Any]:
    if callback.form or not callback.body:
        return dict(callback.fields())
    found = callback.json()
    if not isinstance(found, dict):
        raise Unreadable("its body is no JSON object")
    return dict(callback.query) | found
