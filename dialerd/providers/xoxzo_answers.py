"""What Xoxzo says, read: its answers, lists and callbacks (docs.xoxzo.com; providers/xoxzo.py asks)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from dialerd.core.callbacks import Callback, Unreadable
from dialerd.core.model import Disposition
from dialerd.core.receipts import Message, Number, Receipt, Told
from dialerd.providers.base import moment, text
from dialerd.providers.wire import Reply, Request

Record = Mapping[str, Any]

CREDITS = "credits"
"""What Xoxzo's prices count in."""

CONFERENCE = "conferences/"
"""Begins the ref of a conference; that of a call is its id."""

_REFERENCE = re.compile(r"(?<![0-9a-z])[0-9a-hjkmnp-tv-z]{13}\.[0-9]{1,15}(?![0-9])")
"""Ours, as it stands among the tags."""

_DEEPEST = 4

_MESSAGE_WORDS = {
    "DELIVERED": Disposition.DELIVERED,
    "OK": Disposition.DELIVERED,
    "FAIL": Disposition.FAILED,
    "FAILED": Disposition.FAILED,
}
"""The API's; the help pages write OK and FAILED."""

_HANDED_ON = frozenset({"DELIVERING"})

_CALL_WORDS = {
    "ANSWERED": Disposition.ANSWERED,
    "COMPLETED": Disposition.ANSWERED,
    "BUSY": Disposition.BUSY,
    "NOANSWER": Disposition.NOANSWER,
    "NOTANSWERED": Disposition.NOANSWER,
    "FAIL": Disposition.FAILED,
    "FAILED": Disposition.FAILED,
    "CANCELED": Disposition.CANCELLED,
    "CANCELLED": Disposition.CANCELLED,
}
"""Not documented: the usual words, without blanks and marks. All others end nothing."""


def records(reply: Reply) -> list[Record]:
    """The objects of a list. Raises Unreadable."""
    found = reply.json()
    if not isinstance(found, list):
        raise Unreadable("its answer is no list")
    return [each for each in found if isinstance(each, dict)]


def record(reply: Reply, must: str = "") -> Record:
    """The one object, bare or in a list, with the field that it must have. Raises Unreadable."""
    found = reply.json()
    one = found[0] if isinstance(found, list) and found else found
    if not isinstance(one, dict) or (must and text(one.get(must)) is None):
        raise Unreadable(f"its answer has no {must or 'object'}")
    return one


def message(record: Record, reference: str | None = None) -> Receipt:
    """A message; `cost` is in credits."""
    word = _word(record)
    return Receipt(
        ref=text(record.get("msgid")),
        reference=reference or _reference(record),
        disposition=_MESSAGE_WORDS.get(word),
        handed_on=word in _HANDED_ON,
        word=word,
        to=_as_sent(record.get("recipient")),
        sender=_as_sent(record.get("sender")),
        at=moment(record.get("sent_time")),
        price=text(record.get("cost")),
        currency=CREDITS if text(record.get("cost")) else None,
        raw=record,
    )


def call(record: Record, reference: str | None = None) -> Receipt:
    """A call, or a conference."""
    return Receipt(
        ref=text(record.get("callid")),
        reference=reference or _reference(record),
        disposition=_CALL_WORDS.get(re.sub("[^A-Z]", "", _word(record))),
        word=_word(record),
        to=_as_sent(record.get("recipient")),
        sender=_as_sent(record.get("caller")),
        price=text(record.get("cost")),
        currency=CREDITS if text(record.get("cost")) else None,
        raw=record,
    )


def conference(reply: Reply) -> Receipt:
    """The answer names the conference and each call, under names that are not documented: any that looks like
    a conference's id will do. Raises Unreadable."""
    found = reply.json()
    named = (value for name, value in _all(found) if re.fullmatch("conf(erence)?_?u?id", name.lower()))
    room = next((each for each in map(text, named) if each is not None), None)
    if room is None:
        raise Unreadable("its answer names no conference")
    return Receipt(ref=CONFERENCE + room, room=room, raw={"answer": found})


def number(record: Record) -> Number:
    """A dial-in number; `din` has its country code and no +."""
    return Number(
        number=_public(record.get("din")) or "",
        id=text(record.get("din_uid")),
        area=text(record.get("prefix")),
        capabilities=("voice",),
        monthly=text(record.get("monthly_cost")),
        per_minute=text(record.get("minute_cost")),
        currency=CREDITS,
        forward_to=text(record.get("action_url")),
        raw=record,
    )


def done(reply: Reply) -> Receipt:
    """An order that was carried out: its answer is not documented, and may be empty. Raises Unreadable for
    what is no JSON."""
    found = reply.json() if reply.body.strip() else {}
    one = found[0] if isinstance(found, list) and found else found
    named = text(one.get("din_uid")) if isinstance(one, dict) else None
    ref = named or _asked_for(reply.request)
    return Receipt(ref=ref, disposition=Disposition.DONE, raw={"answer": found} if found else {})


def told(callback: Callback) -> list[Told]:
    """All that a callback says. Raises Unreadable."""
    reference = dict(callback.query).get("ref") or None
    return [_told(each, reference) for each in _fields(callback)]


def _told(fields: Record, reference: str | None) -> Told:
    if text(fields.get("msgid")):
        return message(fields, reference)
    if text(fields.get("callid")):
        return call(fields, reference)
    if "caller" in fields and "recipient" in fields:
        return _incoming(fields)
    if reference is not None:
        return Receipt(reference=reference, word=_word(fields), raw=fields)
    raise Unreadable("it has neither msgid nor callid, nor caller and recipient")


def _incoming(fields: Record) -> Message:
    """A call for a dial-in number. It has no id, so that its ref is empty."""
    return Message(
        what="call",
        ref="",
        sender=_as_sent(fields.get("caller")) or "",
        dest=_public(fields.get("recipient")) or "",
        raw=fields,
    )


def _fields(callback: Callback) -> list[Record]:
    if callback.form or not callback.body.strip():
        return [callback.fields()]
    found = callback.json()
    each = [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict)]
    if not each:
        raise Unreadable("its body has no object")
    return [dict(callback.query) | one for one in each]


def _asked_for(request: Request | None) -> str | None:
    """The din_uid that an order was for: a field of it, or the end of its path."""
    if request is None:
        return None
    return dict(request.form or ()).get("din_uid") or unquote(request.path.strip("/").rpartition("/")[2])


def _word(record: Record) -> str:
    return (text(record.get("status")) or "").strip().upper()


def _reference(record: Record) -> str | None:
    """Tags come as a list, or as a text with commas."""
    found = _REFERENCE.search(str(record.get("tags") or ""))
    return found[0] if found else None


def _as_sent(value: Any) -> str | None:
    """A number as it is written; a + that came unescaped in a query is a blank by now."""
    found = text(value)
    if found is None:
        return None
    return "+" + found.strip() if found.startswith(" ") and found.strip().isdecimal() else found.strip()


def _public(value: Any) -> str | None:
    """A number that surely has its country code, as E.164."""
    found = _as_sent(value)
    return "+" + found if found is not None and re.fullmatch("[1-9][0-9]{6,14}", found) else found


def _all(found: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """The names and values of all objects in it, to a sane depth."""
    if depth > _DEEPEST:
        return
    inner = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    if isinstance(found, dict):
        yield from found.items()
    for each in inner:
        yield from _all(each, depth + 1)
