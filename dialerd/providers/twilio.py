"""Twilio: messages, the account, errors and callbacks; calls and numbers are in files of their own.

`account` is the account's SID (AC...) with its auth token, or an API key (SK...) with its secret; then the
option account_sid says of which account. Callbacks are signed with the auth token, so they can only be
verified in the first case. Twilio keeps no reference of ours: a callback's address carries it, and an attempt
in doubt is looked for by its numbers, text and day.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit, urlunsplit

from dialerd.core.callbacks import Answer, Callback, Unreadable
from dialerd.core.errors import AccountRefused, DeliveryError, Mistake, NotServed, Rejected, Unavailable
from dialerd.core.model import Call
from dialerd.core.receipts import AccountState, Errand, Message, Page, Receipt, Told
from dialerd.core.tasks import Conference, NumberOrder, Sms, Task
from dialerd.providers import twiml
from dialerd.providers.base import text, whole
from dialerd.providers.pairs import GIVE, against_extra, merged
from dialerd.providers.twilio_api import (
    CALL_WORDS,
    SMS_WORDS,
    at,
    day_of,
    is_sid,
    moment,
    needed,
    page,
)
from dialerd.providers.twilio_calls import TwilioCalls
from dialerd.providers.twilio_numbers import TwilioNumbers, against_order
from dialerd.providers.wire import Reply, Request, basic

LONGEST_BODY = 1600
MOST_MEDIA = 10
_RESERVED = frozenset(("To", "From", "FallbackFrom", "Body", "MediaUrl", "ContentSid", "StatusCallback"))
_PORTS = {"https": 443, "http": 80}

_VERDICTS: dict[int, type[Rejected] | type[Unavailable]] = {
    **dict.fromkeys((10001, 20003, 20005, 20006, 20008), AccountRefused),
    **dict.fromkeys((21210, 21212, 21214, 21215, 21216, 21219), NotServed),
    **dict.fromkeys((21408, 21606, 21608, 21612, 21635, 21659, 21660), NotServed),
    **dict.fromkeys((21211, 21217, 21266, 21610, 21614, 21617), Rejected),
    21611: Unavailable,
}
"""By Twilio's error code (twilio.com/docs/api/errors). Not served: caller ids and senders that are not the
account's, countries that it may not call or write to, numbers that this sender can't reach. 21610: the callee
has unsubscribed. 21611: the sender's own queue is full. All others mean what their HTTP status does."""


@dataclass(frozen=True, kw_only=True)
class Twilio(TwilioCalls, TwilioNumbers):
    """An account with Twilio."""

    TYPE: ClassVar[str] = "twilio"
    BASE_URL: ClassVar[str] = "https://api.twilio.com"
    OPTIONS: ClassVar[Mapping[str, str]] = {
        "account_sid": "the account (AC...), where `account` is an API key (SK...) of it",
        "sender": "the number or messaging service (MG...) of messages that name none",
        "caller_id": "the number that calls show which name none",
    }
    SIGNED: ClassVar[bool] = True

    @property
    def authorization(self) -> str | None:
        """HTTP Basic."""
        return basic(self.account, self.secret.value)

    def sms_send(self, errand: Errand) -> Request:
        """Sends a message; a sender that begins with MG is a messaging service."""
        task = errand.task
        assert isinstance(task, Sms)
        sender = task.sender or self.options.get("sender")
        fields = (
            ("To", errand.to[0]),
            ("MessagingServiceSid" if is_sid("MG", sender) else "From", sender),
            ("ContentSid", task.template),
            ("Body", task.body if task.body or task.template is None else None),
            *(("MediaUrl", each) for each in task.media),
            ("StatusCallback", errand.callback),
        )
        return Request("POST", self.path("Messages"), form=merged(fields, task.extra))

    def read_sms_send(self, reply: Reply) -> Receipt:
        """A message that was taken. Raises Unreadable."""
        return message(reply.object())

    def sms_status(self, ref: str) -> Request:
        """What became of a message."""
        return Request("GET", self.path("Messages", ref))

    read_sms_status = read_sms_send

    def sms_history(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        incoming: bool = False,
        cursor: str | None = None,
    ) -> Request:
        """The messages of a period. Twilio lists both directions together: Receipt.incoming tells them
        apart."""
        filters = (("DateSent>", moment(since)), ("DateSent<", moment(until)))
        return self.listed("Messages", *filters, cursor=cursor)

    def read_sms_history(self, reply: Reply) -> Page:
        """Messages. Raises Unreadable."""
        return page(reply, "messages", message)

    def sms_find(self, errand: Errand, cursor: str | None = None) -> Request:
        """Messages from and to the same numbers since the day on which the attempt began."""
        sender = (errand.task.sender if isinstance(errand.task, Sms) else None) or self.options.get("sender")
        filters = (
            ("To", errand.to[0]),
            ("From", None if is_sid("MG", sender) else sender),
            ("DateSent>", day_of(errand.begun)),
        )
        return self.listed("Messages", *filters, cursor=cursor)

    read_sms_find = read_sms_history

    def is_of(self, errand: Errand, receipt: Receipt) -> bool:
        """Twilio keeps no reference: a message of the same numbers and text, made since the attempt began, is
        taken for it (and only if there is one, which is seen to where this is asked)."""
        task = errand.task
        if not isinstance(task, Sms) or task.template is not None or receipt.incoming:
            return False
        sender = task.sender or self.options.get("sender")
        since = errand.begun is not None and receipt.at is not None and receipt.at >= _whole(errand.begun)
        return (
            since
            and receipt.to == errand.to[0]
            and receipt.body == task.body
            and (is_sid("MG", sender) or receipt.sender == sender)
        )

    def account_balance(self) -> Request:
        """What is left."""
        return Request("GET", self.path("Balance"))

    def read_account_balance(self, reply: Reply) -> AccountState:
        """The balance. Raises Unreadable."""
        data = reply.object()
        return AccountState(needed(data, "balance"), text(data.get("currency")), raw=data)

    def account_info(self) -> Request:
        """What Twilio knows of the account."""
        return Request("GET", self.path())

    def read_account_info(self, reply: Reply) -> AccountState:
        """The account; its answer holds the auth token, which is left out. Raises Unreadable."""
        data = {name: value for name, value in reply.object().items() if name != "auth_token"}
        needed(data, "sid")
        details = {name: found for name, value in data.items() if (found := text(value)) is not None}
        return AccountState(details=details, raw=data)

    def refusal(self, reply: Reply) -> DeliveryError | None:
        """By Twilio's own code."""
        verdict = _VERDICTS.get(whole(_error(reply).get("code")) or 0)
        return None if verdict is None else verdict(f"Twilio says: {self.complaint(reply)}.")

    def complaint(self, reply: Reply) -> str:
        """Twilio's sentence, with its code."""
        error = _error(reply)
        said, code = (text(error.get("message")) or "").rstrip(". "), text(error.get("code"))
        return " ".join(filter(None, (said, f"({code})" if code else None)))

    def objections(self, kind: str, call: Call, task: Task | None) -> Iterator[Mistake]:
        """What Twilio can't express, or surely won't take."""
        if isinstance(task, Sms):
            yield from self._against_message(task)
        elif isinstance(task, NumberOrder):
            yield from against_order(task)
        elif task is None or isinstance(task, Conference):
            yield from self.against_call(call, task)

    def verify(self, callback: Callback) -> bool:
        """X-Twilio-Signature (twilio.com/docs/usage/security): HMAC-SHA1 by the auth token of the address and
        the form's pairs in order. A body that is no form is signed by its hash in the address."""
        if not is_sid("AC", self.account):
            return False
        said = callback.headers.get("x-twilio-signature", "").encode()
        hashed = dict(callback.query).get("bodySHA256")
        if hashed is not None and not callback.form:
            form = ""
            if not hmac.compare_digest(hashlib.sha256(callback.body).hexdigest().encode(), hashed.encode()):
                return False
        else:
            form = "".join(name + value for name, value in sorted(set(callback.form)))
        return any(hmac.compare_digest(self._signature(url + form), said) for url in _spellings(callback.url))

    def told(self, callback: Callback) -> list[Told]:
        """Status callbacks of messages and calls, and what comes in. Raises Unreadable."""
        fields = callback.fields()
        if "CallSid" in fields and fields.get("CallStatus"):
            return [_call_told(fields)]
        if (ref := fields.get("MessageSid") or fields.get("SmsSid")) and fields.get("MessageStatus"):
            return [_message_told(ref, fields)]
        if ref and {"From", "To", "Body"} <= fields.keys():
            return [_message_in(ref, fields)]
        raise Unreadable("it is of no kind that Twilio is known to send")

    def acknowledgement(self, callback: Callback, action: str | None) -> Answer:
        """TwiML: none, or for a call that comes in what the configuration says of its number; where that is
        nothing, the call is turned down, which costs nothing."""
        if callback.fields().get("Direction") == "inbound" and "CallSid" in callback.fields():
            return Answer(200, action or twiml.document("<Reject/>"), "text/xml")
        return Answer(200, twiml.document(), "text/xml")

    def _against_message(self, task: Sms) -> Iterator[Mistake]:
        service = any(name == "MessagingServiceSid" for name, _ in task.extra)
        if not (task.sender or self.options.get("sender") or service):
            what = "a number of the account, or a messaging service (MG...)"
            yield Mistake("sender", f"Twilio needs {what}: {GIVE.format('sender')}")
        if len(task.body) > LONGEST_BODY:
            yield Mistake("body", f"Twilio takes {LONGEST_BODY} letters at most: shorten it.")
        if len(task.media) > MOST_MEDIA:
            yield Mistake("media", f"Twilio takes {MOST_MEDIA} files at most.")
        yield from against_extra(task.extra, _RESERVED)

    def _signature(self, signed: str) -> bytes:
        return base64.b64encode(hmac.new(self.secret.value.encode(), signed.encode(), hashlib.sha1).digest())


def message(data: Mapping[str, Any]) -> Receipt:
    """A message as Twilio tells of it. Raises Unreadable."""
    word = text(data.get("status")) or ""
    why = (text(data.get("error_code")), text(data.get("error_message")))
    return Receipt(
        ref=needed(data, "sid"),
        disposition=SMS_WORDS.get(word),
        handed_on=word == "sent",
        word=word,
        detail=" ".join(filter(None, why)),
        to=text(data.get("to")),
        sender=text(data.get("from")),
        body=text(data.get("body")),
        incoming=data.get("direction") == "inbound",
        at=at(data.get("date_sent"), data.get("date_created")),
        parts=whole(data.get("num_segments")),
        price=text(data.get("price")),
        currency=text(data.get("price_unit")),
        raw=data,
    )


def _message_told(ref: str, fields: Mapping[str, str]) -> Receipt:
    word = fields["MessageStatus"]
    return Receipt(
        ref=ref,
        reference=fields.get("ref"),
        disposition=SMS_WORDS.get(word),
        handed_on=word == "sent",
        word=word,
        detail=fields.get("ErrorCode", ""),
        to=fields.get("To"),
        sender=fields.get("From"),
        raw=fields,
    )


def _message_in(ref: str, fields: Mapping[str, str]) -> Message:
    count = whole(fields.get("NumMedia")) or 0
    media = (fields.get(f"MediaUrl{index}") for index in range(min(count, MOST_MEDIA)))
    return Message(
        "sms", ref, fields["From"], fields["To"], fields["Body"], tuple(filter(None, media)), raw=fields
    )


def _call_told(fields: Mapping[str, str]) -> Receipt | Message:
    ref, word = fields["CallSid"], fields["CallStatus"]
    if fields.get("Direction") == "inbound":
        return Message("call", ref, fields.get("From", ""), fields.get("To", ""), raw=fields)
    return Receipt(
        ref=ref,
        reference=fields.get("ref"),
        disposition=CALL_WORDS.get(word),
        word=word,
        to=fields.get("To"),
        sender=fields.get("From"),
        at=at(fields.get("Timestamp")),
        seconds=whole(fields.get("CallDuration")),
        recording=fields.get("RecordingUrl"),
        raw=fields,
    )


def _whole(moment: datetime) -> datetime:
    """Twilio's times have whole seconds."""
    return moment.replace(microsecond=0)


def _error(reply: Reply) -> Mapping[str, Any]:
    try:
        return reply.object()
    except Unreadable:
        return {}


def _spellings(url: str) -> Iterator[str]:
    """An address as it is, and with the usual port written or left out: Twilio does either."""
    yield url
    parts = urlsplit(url)
    port = _PORTS.get(parts.scheme)
    bare = parts.netloc.removesuffix(f":{port}")
    yield urlunsplit(parts._replace(netloc=bare if bare != parts.netloc else f"{parts.netloc}:{port}"))
