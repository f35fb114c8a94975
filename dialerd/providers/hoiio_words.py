"""What Hoiio says, and what it means: its errors, its words for states, its times and pages.

Facts are from openapi.hoiio.com and developer.hoiio.com/docs (the pages of each call, "Result Status",
"Handling notifications") and from the names of errors in Hoiio's own client for Java.
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta, timezone
from typing import Any

from dialerd.core.callbacks import Unreadable
from dialerd.core.errors import AccountRefused, DeliveryError, NotServed, Rejected, Unavailable, Unconfirmed
from dialerd.core.model import Disposition
from dialerd.core.receipts import Page, Price, Receipt
from dialerd.providers.base import moment, text, whole
from dialerd.providers.wire import Reply

ZONE = timezone(timedelta(hours=8), "GMT+8")
"""All of Hoiio's times are in it, without saying so."""

SUCCESS = "success_ok"
PAGE_SIZE = 100
"""Entries of one page of a history."""

ONE_MINUTE_S = 60.0
"""Limits are by the minute (voice/hangup, "API Limits")."""

_ERROR = re.compile(r"error_[A-Za-z0-9_]{1,80}")
_RATE_LIMIT = "error_rate_limit_exceeded"
_NO_SUCH_PAGE = "error_page_invalid"
_ACCOUNT = frozenset(
    {
        "error_access_token_param_missing",
        "error_app_id_param_missing",
        "error_application_not_published",
        "error_developer_suspended",
        "error_insufficient_credit",
        "error_invalid_access_token",
        "error_invalid_app_id",
        "error_user_not_found",
        "error_user_not_live",
    }
)
_NOT_NOW = frozenset(
    {
        _RATE_LIMIT,
        "error_concurrent_call_limit_reached",
        "error_session_not_ready",
        "error_unable_to_resolve_notify_url",
    }
)
_IN_DOUBT = frozenset({"error_add_notification_failed", "error_internal_server_error"})
_NOT_SERVED = re.compile(
    r"error_(?:\w*not_supported|\w*service_not_available|not_allowed_for_trial|sms_rebrand_not_enabled)"
)
"""Of a number or a sender that this account can't reach or use: another provider may. A trial account reaches
its owner's phone only."""

MESSAGES = {
    "delivered": Disposition.DELIVERED,
    "failed": Disposition.FAILED,
    "error": Disposition.FAILED,
}
"""sms_status. `queued` stays the word where the carrier reports nothing; `received` is of what came in."""

FAXES = {
    "answered": Disposition.DELIVERED,
    "unanswered": Disposition.NOANSWER,
    "busy": Disposition.BUSY,
    "failed": Disposition.FAILED,
}
CALLS = {
    "answered": Disposition.ANSWERED,
    "unanswered": Disposition.NOANSWER,
    "busy": Disposition.BUSY,
    "failed": Disposition.FAILED,
}
"""call_status_dest1 and _dest2, dial_status, transfer_status. `ongoing` is under way."""

BULK = "bulk:"
"""How the tag of a bulk request begins: it must not be taken for the reference of one of its jobs."""

_TRUE = frozenset({"true", "1", "yes"})
_LEGS = ("call_status_dest1", "call_status_dest2", "call_status", "dial_status")


def answer(reply: Reply, acts: bool = False) -> dict[str, Any]:
    """What Hoiio answers, whatever the HTTP code. `acts`: the request changes something, so that their
    internal error leaves it in doubt. Raises DeliveryError, Unreadable."""
    found = reply.object()
    if found.get("status") == SUCCESS:
        return found
    if error := refused(reply, acts):
        raise error
    raise Unreadable("its answer has no status that is known")


def refused(reply: Reply, acts: bool = True) -> DeliveryError | None:
    """What the error that Hoiio names means; None where it names none. Raises Unreadable."""
    status = reply.object().get("status")
    if not isinstance(status, str) or not _ERROR.fullmatch(status):
        return None
    if status in _IN_DOUBT:
        why = f"Hoiio had trouble of its own: {status}."
        return Unconfirmed(f"{why} It may have been done.") if acts else Unavailable(f"{why} Ask again.")
    if status in _ACCOUNT:
        return AccountRefused(
            f"Hoiio takes nothing from this account: {status}. See to its credit and token."
        )
    if status in _NOT_NOW:
        wait = ONE_MINUTE_S if status == _RATE_LIMIT and "retry-after" not in reply.headers else None
        return Unavailable(f"Hoiio does not take it now: {status}.", wait)
    if _NOT_SERVED.fullmatch(status):
        return NotServed(f"Hoiio does not serve this number or sender: {status}.")
    return Rejected(f"Hoiio refused it: {status}.")


def page(reply: Reply, read: Callable[[Mapping[str, Any]], Any], size: int | None = PAGE_SIZE) -> Page:
    """One page of a list. No answer says which one it is: the request does. `size` None: not told, so that
    the page after the last may have been asked for. Raises DeliveryError, Unreadable."""
    form = dict(reply.request.form or ()) if reply.request is not None else None
    here = whole((form or {}).get("page")) or 1
    if here > 1 and reply.object().get("status") == _NO_SUCH_PAGE:
        return Page(())
    found = answer(reply)
    items, total = tuple(map(read, entries(found))), whole(found.get("total_entries_count"))
    more = form is not None and items and total is not None and here * (size or len(items)) < total
    return Page(items, str(here + 1) if more else None, total)


def entries(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The entries of a list; an empty one may lack them. Raises Unreadable."""
    listed = found.get("entries", [] if whole(found.get("entries_count")) == 0 else None)
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise Unreadable("its answer has no list of entries")
    return listed


def needed(found: Mapping[str, Any], name: str) -> str:
    """A value that must be there. Raises Unreadable."""
    value = text(found.get(name))
    if value is None:
        raise Unreadable(f"its answer has no {name}")
    return value


def _reference(found: Mapping[str, Any]) -> str | None:
    tag = text(found.get("tag"))
    return None if tag is None or tag.startswith(BULK) else tag


def seconds(minutes: Any) -> int | None:
    """Durations are in minutes."""
    written = text(minutes) or ""
    return round(float(written) * 60) if re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", written) else None


def message(found: Mapping[str, Any]) -> Receipt:
    """A text message: a status, a line of the history, a notification."""
    word = (text(found.get("sms_status")) or "").lower()
    return Receipt(
        ref=text(found.get("txn_ref")),
        reference=_reference(found),
        disposition=MESSAGES.get(word),
        word=word,
        to=text(found.get("dest")),
        sender=text(found.get("src")),
        body=text(found.get("msg")),
        incoming=word == "received",
        at=moment(found.get("date"), ZONE),
        parts=whole(found.get("split_count")),
        price=text(found.get("debit")),
        currency=text(found.get("currency")),
        raw=found,
    )


def fax(found: Mapping[str, Any]) -> Receipt:
    """A fax: a status, a line of the history, a notification."""
    word, address = (text(found.get("fax_status")) or "").lower(), text(found.get("fax_url"))
    return Receipt(
        ref=text(found.get("txn_ref")),
        reference=_reference(found),
        disposition=FAXES.get(word),
        word=word,
        detail=text(found.get("fax_error_code")) or "",
        to=text(found.get("dest")),
        sender=text(found.get("src")),
        incoming=text(found.get("type")) == "incoming",
        at=moment(found.get("date"), ZONE),
        seconds=seconds(found.get("duration")),
        parts=whole(found.get("fax_pages")),
        price=text(found.get("debit")),
        currency=text(found.get("currency")),
        media=() if address is None else (address,),
        raw=found,
    )


def call(found: Mapping[str, Any]) -> Receipt:
    """A call, or one of those of a conference: a status, a line of the history, a notification.

    `to` is whom the job is for: the number that was rung first.
    """
    legs = [word.lower() for name in _LEGS if (word := text(found.get(name))) is not None]
    lasted = seconds(found.get("duration"))
    return Receipt(
        ref=text(found.get("txn_ref")),
        reference=_reference(found),
        disposition=_came_to(legs, over=lasted is not None),
        word="/".join(legs),
        to=next((to for name in ("dest1", "dest", "number") if (to := text(found.get(name)))), None),
        at=moment(found.get("date"), ZONE),
        seconds=lasted,
        price=text(found.get("debit")),
        currency=text(found.get("currency")),
        room=text(found.get("room")),
        raw=found,
    )


def _came_to(legs: list[str], over: bool) -> Disposition | None:
    """The first leg that was not answered says what the call came to. One that goes on has no duration."""
    if not legs or any(word not in CALLS for word in legs):
        return None
    failed = next((word for word in legs if word != "answered"), None)
    if failed is not None:
        return CALLS[failed]
    return Disposition.ANSWERED if over else None


def sent(reply: Reply, name: str) -> Receipt:
    found = answer(reply, acts=True)
    return Receipt(ref=needed(found, name), session=text(found.get("session")), raw=found)


def price(reply: Reply, unit: str) -> Price:
    found = answer(reply)
    unicode = text(found.get("is_unicode"))
    return Price(
        rate=needed(found, "rate"),
        unit=unit,
        currency=text(found.get("currency")),
        parts=whole(found.get("split_count")),
        total=text(found.get("total_cost")),
        minutes=text(found.get("talktime")),
        unicode=None if unicode is None else unicode.lower() in _TRUE,
        raw=found,
    )
