"""Exotel, API v1: text messages, calls that connect two numbers, calls into a flow.

Facts are from developer.exotel.com (send SMS, SMS details, make a call, call details, status callback, HTTP
status codes) and support.exotel.com.

What Exotel does not answer: it keeps our reference (CustomField) for callbacks only. No list gives it back,
so an attempt whose answer was lost is known again by its callback, or not at all. It lists no messages.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from urllib.parse import quote

from dialerd.core.callbacks import Callback
from dialerd.core.errors import Mistake
from dialerd.core.model import Call
from dialerd.core.receipts import Errand, Page, Receipt, Told
from dialerd.core.tasks import Extra, Script, Sms, Task
from dialerd.providers import exotel_answers as answers
from dialerd.providers.base import Provider, text
from dialerd.providers.wire import Pairs, Reply, Request, basic

LONGEST_BODY = 2000
"""Characters of a message (send SMS)."""

LONGEST_CALL = 14400
"""Seconds, the most of TimeLimit (make a call)."""

PAGE_SIZE = 100
"""The most calls of one page (call details)."""

_INDIA = "+91"
_RESERVED = frozenset({"From", "To", "Body", "CallerId", "Url", "CustomField"})
_GIVE = "give it here, or as {} in the provider's section of the configuration."


@dataclass(frozen=True, kw_only=True)
class Exotel(Provider):
    """An account: `account` is its API key, `secret` the API token."""

    TYPE = "exotel"
    BASE_URL = "https://api.exotel.com"
    PER_MINUTE = 200.0
    OPTIONS: ClassVar[Mapping[str, str]] = {
        "sid": "!the account SID, which stands in every address",
        "sender": "the ExoPhone or sender id of messages that name none",
        "caller_id": "the ExoPhone that calls show which name none",
        "dlt_entity_id": "the entity id for messages to India, where the job has none (DltEntityId)",
    }

    @property
    def authorization(self) -> str:
        """The API key and token; the account SID is not part of it."""
        return basic(self.account, self.secret.value)

    def sms_send(self, errand: Errand) -> Request:
        """Our reference is the CustomField, which the callback brings back."""
        task = errand.task
        assert isinstance(task, Sms)
        india = errand.to[0].startswith(_INDIA)
        fields = (
            ("From", task.sender or self.options.get("sender")),
            ("To", errand.to[0]),
            ("Body", task.body),
            ("EncodingType", None if task.body.isascii() else "unicode"),
            ("Priority", "high" if task.urgent else None),
            ("StatusCallback", errand.callback),
            ("CustomField", errand.reference),
            ("DltEntityId", self.options.get("dlt_entity_id") if india else None),
        )
        return Request("POST", self._path("Sms", "send.json"), form=_merged(fields, task.extra))

    def read_sms_send(self, reply: Reply) -> Receipt:
        """Raises Unreadable, Rejected, Unavailable."""
        return answers.message(answers.record(reply, "SMSMessage"))

    def sms_status(self, ref: str) -> Request:
        """SMS details."""
        return Request("GET", self._path("Sms", "Messages", f"{ref}.json"))

    def read_sms_status(self, reply: Reply) -> Receipt:
        """Raises Unreadable, Rejected, Unavailable."""
        return answers.message(answers.record(reply, "SMSMessage"))

    def voice_connect(self, errand: Errand) -> Request:
        """The job's number is rung first; once it answers, `connect`."""
        script = _script(errand)
        return self._call(errand, script, ("To", script.connect))

    def read_voice_connect(self, reply: Reply) -> Receipt:
        """Raises Unreadable, Rejected, Unavailable."""
        return answers.call(answers.record(reply, "Call"))

    def voice_flow(self, errand: Errand) -> Request:
        """The flow is an id of the account's, or an address, which goes out as it is."""
        script = _script(errand)
        flow = script.flow or ""
        if not flow.startswith(("http://", "https://")):
            flow = f"http://my.exotel.com/{self._sid}/exoml/start_voice/{quote(flow, safe='')}"
        return self._call(errand, script, ("Url", flow))

    def read_voice_flow(self, reply: Reply) -> Receipt:
        """Raises Unreadable, Rejected, Unavailable."""
        return answers.call(answers.record(reply, "Call"))

    def voice_status(self, ref: str) -> Request:
        """Call details. Duration, price and end are there about two minutes after the end."""
        return Request("GET", self._path("Calls", f"{ref}.json"))

    def read_voice_status(self, reply: Reply) -> Receipt:
        """Raises Unreadable, Rejected, Unavailable."""
        return answers.call(answers.record(reply, "Call"))

    def voice_history(
        self, since: datetime | None = None, until: datetime | None = None, cursor: str | None = None
    ) -> Request:
        """Calls of both directions, newest first. Exotel refuses periods of more than a month, and what is
        older than six; without a period it tells of 31 days."""
        bounds = (("gte", since), ("lte", until))
        period = ";".join(
            f"{sign}:{when.astimezone(answers.IST):%Y-%m-%d %H:%M:%S}" for sign, when in bounds if when
        )
        query = (("DateCreated", period), ("PageSize", str(PAGE_SIZE)), ("After", cursor or ""))
        return Request("GET", self._path("Calls.json"), query=tuple(pair for pair in query if pair[1]))

    def read_voice_history(self, reply: Reply) -> Page:
        """Raises Unreadable, Rejected, Unavailable."""
        return answers.page(reply)

    def complaint(self, reply: Reply) -> str:
        """The message of a RestException, in JSON or XML."""
        return answers.complaint(reply)

    def objections(self, kind: str, call: Call, task: Task | None) -> Iterator[Mistake]:
        """Of messages and calls."""
        if isinstance(task, Sms):
            yield from self._against_message(task)
        elif kind == "call":
            yield from self._against_call(call)

    def told(self, callback: Callback) -> list[Told]:
        """Message callbacks are forms, those of calls forms, multipart or JSON. None is signed."""
        return answers.told(callback)

    @property
    def _sid(self) -> str:
        return quote(self.options["sid"], safe="")

    def _path(self, *parts: str) -> str:
        return "/".join(("/v1/Accounts", self._sid, *(quote(part, safe="") for part in parts)))

    def _call(self, errand: Errand, script: Script, second: tuple[str, str | None]) -> Request:
        """JSON callbacks, since their legs are a list; with the event "terminal" they bring our reference."""
        heard = errand.callback is not None
        fields = (
            ("From", errand.to[0]),
            second,
            ("CallerId", errand.call.caller_id_number or self.options.get("caller_id")),
            ("CallType", "trans"),
            ("TimeLimit", text(script.longest)),
            ("TimeOut", str(errand.call.wait_time)),
            ("Record", "true" if script.record else None),
            ("StatusCallback", errand.callback),
            ("StatusCallbackEvents[]", "terminal" if heard else None),
            ("StatusCallbackContentType", "application/json" if heard else None),
            ("CustomField", errand.reference),
        )
        return Request("POST", self._path("Calls", "connect.json"), form=_merged(fields, script.extra))

    def _against_message(self, task: Sms) -> Iterator[Mistake]:
        if task.media:
            yield Mistake("media", "Exotel has no MMS: leave media out, or use a provider that has it.")
        if task.template is not None:
            yield Mistake("template", "Exotel wants the text as body, and DltTemplateId under extra.")
        if (size := len(task.body)) > LONGEST_BODY:
            yield Mistake("body", f"It has {size} characters, Exotel takes {LONGEST_BODY}: make it shorter.")
        if not (task.sender or self.options.get("sender")):
            yield Mistake("sender", f"Exotel needs an ExoPhone or a sender id: {_GIVE.format('sender')}")
        yield from _against_extra(task.extra)

    def _against_call(self, call: Call) -> Iterator[Mistake]:
        script = call.script or Script()
        for where in ("say", "play_url"):
            if getattr(script, where) is not None:
                yield Mistake(where, "Exotel does this in a flow only: make one, and name it as flow.")
        if (script.connect, script.flow, script.say, script.play_url) == (None,) * 4:
            yield Mistake("connect", "Exotel connects calls: give the second number, or a flow.")
        if len(call.to) > 1:
            yield Mistake("to", "Exotel rings one number first: give one here, the other as connect.")
        if script.longest is not None and not 0 < script.longest <= LONGEST_CALL:
            yield Mistake("longest", f"Exotel's calls last {LONGEST_CALL} seconds at most: ask for less.")
        if not (call.caller_id_number or self.options.get("caller_id")):
            yield Mistake("caller_id", f"Exotel needs the ExoPhone to show: {_GIVE.format('caller_id')}")
        yield from _against_extra(script.extra)


def _script(errand: Errand) -> Script:
    return errand.call.script or Script()


def _merged(fields: Iterable[tuple[str, str | None]], extra: Extra) -> Pairs:
    """The fields that have a value, then the job's own, which stand in place of ours with the same name."""
    theirs = {name for name, _ in extra}
    ours = ((name, value) for name, value in fields if value is not None and name not in theirs)
    return (*ours, *extra)


def _against_extra(extra: Extra) -> Iterator[Mistake]:
    for name in sorted({name for name, _ in extra} & _RESERVED):
        yield Mistake("extra", f"{name} is set by dialerd itself: take it out.")
