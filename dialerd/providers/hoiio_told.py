"""Hoiio's notifications (openapi.hoiio.com, "Handling notifications" and the pages of each call).

They are POSTs whose parameters stand in the address; those that we put there ourselves come back, too. None
is signed or sent again; of several the last one is the newest.
"""

from collections.abc import Mapping
from dataclasses import replace

from dialerd.core.callbacks import Unreadable
from dialerd.core.receipts import Message, Notice, Receipt, Told
from dialerd.providers.base import moment, text
from dialerd.providers.hoiio_words import BULK, CALLS, ZONE, call, fax, message, needed, seconds

Fields = Mapping[str, str]

_BLOCKS = {"digits": "gather", "record_url": "record", "transfer_status": "transfer", "dial_status": "dial"}
"""By what only they tell: the block, for notifications that do not name it."""

_VOICE = frozenset({"call_status_dest1", "call_status_dest2", "call_status", "dest1", "dest2", "duration"})


def told(fields: Fields) -> list[Told]:
    """What a notification says. Raises Unreadable."""
    if text(fields.get("session")) is not None:
        return [_of_session(fields)]
    needed(fields, "txn_ref")
    if "fax_status" in fields and "from" in fields:
        return _received_fax(fields)
    if "fax_status" in fields:
        return [_ours(fax(fields), fields)]
    if "sms_status" in fields:
        return [_of_message(fields)]
    if "msg" in fields and "from" in fields:
        return [_received("sms", fields)]
    if not _VOICE.isdisjoint(fields):
        return [_ours(call(fields), fields)]
    raise Unreadable("it is none of the notifications that Hoiio describes")


def _ours(receipt: Receipt, fields: Fields) -> Receipt:
    """With the reference that we put into the address; the tag may be a user's word."""
    return replace(receipt, reference=text(fields.get("ref")) or receipt.reference)


def _of_message(fields: Fields) -> Receipt:
    """Of a bulk request each number has its own, with an id of its own. The reference in the address is then
    that of the whole request, and says of no number which job it is."""
    receipt = message(fields)
    if "bulk_txn_ref" not in fields and not fields.get("tag", "").startswith(BULK):
        return _ours(receipt, fields)
    known = {receipt.to: receipt.ref} if receipt.to is not None and receipt.ref is not None else {}
    shared = text(fields.get("bulk_txn_ref"))
    return replace(receipt, reference=None, refs=known, shared_ref=shared)


def _received(what: str, fields: Fields, media: tuple[str, ...] = ()) -> Message:
    return Message(
        what=what,
        ref=needed(fields, "txn_ref"),
        sender=text(fields.get("from")) or "",
        dest=text(fields.get("to")) or "",
        body=fields.get("msg", ""),
        media=media,
        at=moment(fields.get("date"), ZONE),
        price=text(fields.get("debit")),
        session=text(fields.get("session")),
        raw=fields,
    )


def _received_fax(fields: Fields) -> list[Told]:
    """One that failed brings no document: there is nothing to be had of it."""
    address = text(fields.get("fax_url"))
    if fields["fax_status"].lower() != "answered" or address is None:
        return []
    return [_received("fax", fields, (address,))]


def _of_session(fields: Fields) -> Told:
    state = fields.get("call_state", "").lower()
    block = (fields.get("ivr_block") or _block_of(fields)).lower()
    if block == "answer" and state != "ended":
        return _received("call", fields)
    word = fields.get("transfer_status") or fields.get("dial_status") or state
    failed = word.lower() in CALLS and word.lower() != "answered"
    return Notice(
        session=needed(fields, "session"),
        ref=text(fields.get("txn_ref")),
        reference=text(fields.get("ref")) or text(fields.get("tag")),
        block=block,
        digits=fields.get("digits"),
        recording=text(fields.get("record_url")),
        word=word,
        failed=failed,
        over=state == "ended" or (failed and block == "dial"),
        seconds=seconds(fields.get("duration")),
        price=text(fields.get("debit")),
        currency=text(fields.get("currency")),
        raw=fields,
    )


def _block_of(fields: Fields) -> str:
    return next((block for name, block in _BLOCKS.items() if name in fields), "")
