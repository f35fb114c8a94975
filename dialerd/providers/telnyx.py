"""Telnyx: messages, the balance, errors and callbacks; faxes, calls and numbers are in files of their own.

`secret` is an API key. Messages have no field for a reference of ours: the address of their callbacks carries
it. Callbacks are signed; the option public_key is needed to verify them.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from dialerd.core.callbacks import Callback, Unreadable
from dialerd.core.errors import AccountRefused, DeliveryError, Mistake, NotServed, Rejected
from dialerd.core.model import Call, Disposition
from dialerd.core.receipts import AccountState, Errand, Page, Receipt, Told
from dialerd.core.tasks import Conference, Fax, NumberOrder, Sms, Task
from dialerd.providers import ed25519
from dialerd.providers.base import moment, text, whole
from dialerd.providers.pairs import GIVE, against_extra
from dialerd.providers.telnyx_api import body, data, needed, nested, page, place, written
from dialerd.providers.telnyx_calls import TelnyxCalls
from dialerd.providers.telnyx_events import message, told
from dialerd.providers.telnyx_faxes import TelnyxFaxes
from dialerd.providers.telnyx_numbers import TelnyxNumbers, against_order
from dialerd.providers.wire import Reply, Request

TOLERANCE_S = 300
"""A callback whose time is further off may be an old one, sent again by somebody else."""

RECORDS = 50
"""The most of one page of detail records."""

RECORD_WORDS = {
    "delivered": Disposition.DELIVERED,
    "failed": Disposition.FAILED,
    "gw_reject": Disposition.FAILED,
    "gw_timeout": Disposition.FAILED,
    "dlr_unconfirmed": Disposition.SENT,
    "dlr_timeout": Disposition.SENT,
}
"""status of a detail record."""

_VERDICTS: dict[str, type[DeliveryError]] = {
    **dict.fromkeys(("10006", "10009"), AccountRefused),
    **dict.fromkeys(("10001", "10039", "40013", "40305"), NotServed),
    **dict.fromkeys(("10002", "10016", "40001", "40012", "40300", "40310"), Rejected),
}
"""By Telnyx's error code (developers.telnyx.com, API error codes; messaging error codes). Not served: senders
that are not the account's, destinations that it was not given. 40300: the callee has sent STOP. All others
mean what their HTTP status does."""

_NOT_OPENED = "whitelisted countries"
"""In the detail of a call's refusal: D13, a country that the account does not call."""

_RESERVED = frozenset(("to", "from", "text", "media_urls", "webhook_url", "webhook_failover_url"))


@dataclass(frozen=True, kw_only=True)
class Telnyx(TelnyxFaxes, TelnyxCalls, TelnyxNumbers):
    """An account with Telnyx. `clock`: seconds since the epoch."""

    clock: Callable[[], float] = field(default=time.time, repr=False, compare=False)

    TYPE: ClassVar[str] = "telnyx"
    NEEDS_ACCOUNT: ClassVar[bool] = False
    BASE_URL: ClassVar[str] = "https://api.telnyx.com/v2"
    OPTIONS: ClassVar[Mapping[str, str]] = {
        "public_key": "the account's public key (base64), by which callbacks are known to be Telnyx's own",
        "messaging_profile_id": "the messaging profile of messages",
        "fax_application": "the id of the fax application (connection_id) that faxes are sent by",
        "call_application": "the id of the call control application that plays sounds, without TeXML",
        "texml_application": "the id of the TeXML application that calls are made by",
        "texml_account": "the organization's id, which stands in the address of TeXML calls",
        "sender": "the number or name of messages that name none",
        "caller_id": "the number that calls and faxes show which name none",
    }
    SIGNED: ClassVar[bool] = True

    @property
    def authorization(self) -> str | None:
        """The API key."""
        return f"Bearer {self.secret.value}"

    def available(self) -> frozenset[str]:
        """Faxes and calls take an application of the account's."""
        without = self.without_calls()
        return self.operations() - (without if "fax_application" in self.options else without | {"fax.send"})

    @classmethod
    def against_options(cls, options: Mapping[str, Any]) -> Iterator[Mistake]:
        """A key that is none, half of what TeXML takes."""
        key = options.get("public_key")
        if isinstance(key, str) and (why := ed25519.why_unusable(key)) is not None:
            yield Mistake("public_key", why)
        both = ("texml_application", "texml_account")
        for one, other in (both, both[::-1]):
            if one in options and other not in options:
                yield Mistake(other, f"This is needed beside {one}.")

    def sms_send(self, errand: Errand) -> Request:
        """Sends a message."""
        task = errand.task
        assert isinstance(task, Sms)
        fields = {
            "to": errand.to[0],
            "from": task.sender or self.options.get("sender"),
            "messaging_profile_id": self.options.get("messaging_profile_id"),
            "text": task.body or None,
            "media_urls": list(task.media) or None,
            "webhook_url": errand.callback,
        }
        return Request("POST", "/messages", json=body(fields, task.extra))

    def read_sms_send(self, reply: Reply) -> Receipt:
        """A message that was taken. Raises Unreadable."""
        return message(data(reply))

    def sms_status(self, ref: str) -> Request:
        """What became of a message."""
        return Request("GET", place("messages", ref))

    read_sms_status = read_sms_send

    def sms_history(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        incoming: bool = False,
        cursor: str | None = None,
    ) -> Request:
        """The messages of a period, as detail records; they hold no text."""
        filters = (
            ("filter[record_type]", "messaging"),
            ("filter[direction]", "inbound" if incoming else "outbound"),
            ("filter[created_at][gte]", written(since)),
            ("filter[created_at][lt]", written(until)),
        )
        return self.listed("/detail_records", RECORDS, *filters, cursor=cursor)

    def read_sms_history(self, reply: Reply) -> Page:
        """Detail records. Raises Unreadable."""
        return page(reply, _record)

    def account_balance(self) -> Request:
        """What is left."""
        return Request("GET", "/balance")

    def read_account_balance(self, reply: Reply) -> AccountState:
        """The balance. Raises Unreadable."""
        found = data(reply)
        names = ("available_credit", "credit_limit", "pending")
        details = {name: value for name in names if (value := text(found.get(name))) is not None}
        return AccountState(needed(found, "balance"), text(found.get("currency")), details, raw=found)

    def refusal(self, reply: Reply) -> DeliveryError | None:
        """By Telnyx's own code."""
        error = _error(reply)
        verdict = _VERDICTS.get(text(error.get("code")) or "")
        if _NOT_OPENED in (text(error.get("detail")) or ""):
            verdict = NotServed
        return None if verdict is None else verdict(f"Telnyx says: {self.complaint(reply)}.")

    def complaint(self, reply: Reply) -> str:
        """The first error's title, detail and code."""
        error = _error(reply)
        title, detail = text(error.get("title")), text(error.get("detail"))
        said = ": ".join(dict.fromkeys(filter(None, (title, detail)))).rstrip(". ")
        code = text(error.get("code"))
        return " ".join(filter(None, (said, f"({code})" if code else None)))

    def objections(self, kind: str, call: Call, task: Task | None) -> Iterator[Mistake]:
        """What Telnyx can't express, or surely won't take."""
        if isinstance(task, Sms):
            yield from self._against_message(task)
        elif isinstance(task, Fax):
            yield from self.against_fax(task, call.caller_id_number)
        elif isinstance(task, NumberOrder):
            yield from against_order(task)
        elif task is None or isinstance(task, Conference):
            yield from self.against_call(call, task)

    def verify(self, callback: Callback) -> bool:
        """telnyx-signature-ed25519, over the time and the body."""
        sent = callback.headers.get("telnyx-timestamp", "")
        if not sent.isascii() or not sent.isdigit() or abs(self.clock() - int(sent[:12])) > TOLERANCE_S:
            return False
        signature = callback.headers.get("telnyx-signature-ed25519", "")
        signed = sent.encode() + b"|" + callback.body
        return ed25519.is_signed(self.options.get("public_key", ""), signed, signature)

    def told(self, callback: Callback) -> list[Told]:
        """Events (JSON), and the status callbacks of TeXML (forms). Raises Unreadable."""
        return told(callback)

    def _against_message(self, task: Sms) -> Iterator[Mistake]:
        profile = "messaging_profile_id" in self.options or "messaging_profile_id" in dict(task.extra)
        sender = task.sender or self.options.get("sender")
        if not sender and not profile:
            yield Mistake("sender", f"Telnyx needs a number of the account's: {GIVE.format('sender')}")
        elif sender and not profile and not sender.removeprefix("+").isdigit():
            what = "messaging_profile_id in the provider's section of the configuration"
            yield Mistake("sender", f"Telnyx takes a name as sender only with {what}.")
        if task.template is not None:
            yield Mistake("template", "Telnyx has no templates: write the text.")
        yield from against_extra(task.extra, _RESERVED)


def _record(found: Mapping[str, Any]) -> Receipt:
    word = text(found.get("status")) or ""
    return Receipt(
        ref=text(found.get("uuid")) or needed(found, "id"),
        disposition=RECORD_WORDS.get(word),
        word=word,
        to=text(found.get("cld")),
        sender=text(found.get("cli")),
        incoming=found.get("direction") == "inbound",
        at=moment(found.get("sent_at")) or moment(found.get("created_at")),
        parts=whole(found.get("parts")),
        price=text(found.get("cost")),
        currency=text(found.get("currency")),
        raw=found,
    )


def _error(reply: Reply) -> Mapping[str, Any]:
    try:
        return nested(reply.object(), "errors")
    except Unreadable:
        return {}
