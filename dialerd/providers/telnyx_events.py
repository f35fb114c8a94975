"""Telnyx: what its callbacks say: events (JSON), and the status callbacks of TeXML (forms).

Facts are from the webhooks of its OpenAPI file and developers.telnyx.com (receiving webhooks, hangup).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from dialerd.core.callbacks import Callback, Unreadable
from dialerd.core.model import Disposition
from dialerd.core.receipts import Message, Receipt, Told
from dialerd.providers.base import moment, text, whole
from dialerd.providers.telnyx_api import needed, nested, reference
from dialerd.providers.telnyx_calls import CAUSES, DECLINED, WORDS
from dialerd.providers.telnyx_faxes import fax

SMS_WORDS = {
    "delivered": Disposition.DELIVERED,
    "delivery_failed": Disposition.UNDELIVERED,
    "expired": Disposition.UNDELIVERED,
    "sending_failed": Disposition.FAILED,
    "delivery_unconfirmed": Disposition.SENT,
}
"""to[].status of a message. All others (queued, sending, sent) are under way; delivery_unconfirmed is its
last word where the carrier tells nothing."""


def told(callback: Callback) -> list[Told]:
    """What a callback says; of kinds that say nothing to us, nothing. Raises Unreadable."""
    fields = callback.fields()
    if "CallSid" in fields and fields.get("CallStatus"):
        return [_texml_call(fields)]
    found = callback.json()
    event = nested(found, "data") if isinstance(found, dict) else {}
    name, payload = text(event.get("event_type")), nested(event, "payload")
    if name is None:
        raise Unreadable("it has no event_type")
    at = moment(event.get("occurred_at"))
    if name.startswith("message."):
        return [_message(name, message(payload), fields.get("ref"), at)]
    if name.startswith("fax."):
        return list(_fax(name, fax(payload), fields.get("ref"), at))
    if name.startswith("call.") and payload.get("call_control_id"):
        return [_call(name, payload, fields.get("ref"), at)]
    return []


def message(found: Mapping[str, Any]) -> Receipt:
    """A message as Telnyx tells of it, in an answer or an event. Raises Unreadable."""
    to, cost, error = nested(found, "to"), nested(found, "cost"), nested(found, "errors")
    word = text(to.get("status")) or ""
    return Receipt(
        ref=needed(found, "id"),
        disposition=SMS_WORDS.get(word),
        handed_on=word == "sent",
        word=word,
        detail=" ".join(filter(None, (text(error.get("code")), text(error.get("title"))))),
        to=text(to.get("phone_number")),
        sender=text(nested(found, "from").get("phone_number")),
        body=text(found.get("text")),
        incoming=found.get("direction") == "inbound",
        at=next(filter(None, map(moment, map(found.get, ("completed_at", "sent_at", "received_at")))), None),
        parts=whole(found.get("parts")),
        price=text(cost.get("amount")),
        currency=text(cost.get("currency")),
        media=_media(found),
        raw=found,
    )


def _media(found: Mapping[str, Any]) -> tuple[str, ...]:
    media = found.get("media")
    addresses = (text(each.get("url")) for each in media or () if isinstance(each, dict))
    return tuple(filter(None, addresses)) if isinstance(media, list) else ()


def _message(name: str, found: Receipt, ours: str | None, at: datetime | None) -> Receipt | Message:
    if name != "message.received":
        return replace(found, reference=ours, at=found.at or at)
    return Message(
        "sms",
        found.ref or "",
        found.sender or "",
        found.to or "",
        found.body or "",
        found.media,
        found.at or at,
        price=found.price,
        raw=found.raw,
    )


def _fax(name: str, found: Receipt, ours: str | None, at: datetime | None) -> Iterator[Receipt | Message]:
    if not found.incoming:
        yield replace(found, reference=found.reference or ours, at=found.at or at)
    elif name == "fax.received":
        sender, dest = found.sender or "", found.to or ""
        yield Message(
            "fax", found.ref or "", sender, dest, media=found.media, at=at, pages=found.parts, raw=found.raw
        )


def _call(name: str, payload: Mapping[str, Any], ours: str | None, at: datetime | None) -> Receipt | Message:
    """An event of call control; only call.hangup says how the call ended."""
    ref, sender, dest = (text(payload.get(key)) or "" for key in ("call_control_id", "from", "to"))
    if name == "call.initiated" and payload.get("direction") == "incoming":
        return Message("call", ref, sender, dest, at=at, raw=payload)
    cause, sip = text(payload.get("hangup_cause")) or "", text(payload.get("sip_hangup_cause")) or ""
    disposition = CAUSES.get(cause) if name == "call.hangup" else None
    if cause == "call_rejected" and sip in DECLINED:
        disposition = Disposition.BUSY
    return Receipt(
        ref=ref,
        reference=reference(payload.get("client_state")) or ours,
        disposition=disposition,
        word=cause or name.removeprefix("call."),
        detail=sip,
        to=dest or None,
        sender=sender or None,
        at=at,
        seconds=_lasted(payload),
        raw=payload,
    )


def _lasted(payload: Mapping[str, Any]) -> int | None:
    begun, ended = moment(payload.get("start_time")), moment(payload.get("end_time"))
    return None if begun is None or ended is None else int((ended - begun).total_seconds())


def _texml_call(fields: Mapping[str, str]) -> Receipt | Message:
    ref, word = fields["CallSid"], fields["CallStatus"]
    if fields.get("Direction") == "inbound":
        return Message("call", ref, fields.get("From", ""), fields.get("To", ""), raw=fields)
    return Receipt(
        ref=ref,
        reference=fields.get("ref"),
        disposition=WORDS.get(word),
        word=word,
        detail=fields.get("HangupCause", ""),
        to=fields.get("To"),
        sender=fields.get("From"),
        at=moment(fields.get("Timestamp")),
        seconds=whole(fields.get("CallDuration")),
        recording=fields.get("RecordingUrl"),
        raw=fields,
    )
