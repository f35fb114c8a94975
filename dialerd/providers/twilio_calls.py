"""Twilio: calls, and what they do by TwiML (twilio.com/docs/voice/api/call-resource)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dialerd.core.errors import Mistake
from dialerd.core.model import Call
from dialerd.core.receipts import Errand, Page, Receipt
from dialerd.core.tasks import Conference, Extra, Script
from dialerd.providers import twiml
from dialerd.providers.base import text, whole
from dialerd.providers.pairs import GIVE, against_extra, merged
from dialerd.providers.twilio_api import (
    CALL_WORDS,
    TwilioApi,
    at,
    is_sid,
    moment,
    needed,
    page,
)
from dialerd.providers.wire import Reply, Request

LONGEST_RINGING_S = 600

_RESERVED = frozenset(
    ("To", "From", "Twiml", "Url", "ApplicationSid", "FallbackUrl", "StatusCallback", "CallerId", "TimeLimit")
)
"""What a job says in other words, and the configuration may bound."""


@dataclass(frozen=True, kw_only=True)
class TwilioCalls(TwilioApi):
    """Calls of an account."""

    def voice_connect(self, errand: Errand) -> Request:
        """Rings the first number, then the second."""
        return self._scripted(errand)

    def voice_play(self, errand: Errand) -> Request:
        """Rings a number, and plays a sound."""
        return self._scripted(errand)

    def voice_say(self, errand: Errand) -> Request:
        """Rings a number, and speaks a text."""
        return self._scripted(errand)

    def voice_flow(self, errand: Errand) -> Request:
        """Rings a number; what follows is at an address, or an application of the account."""
        script = _script(errand)
        flow = script.flow or ""
        return self._call(errand, ("ApplicationSid" if is_sid("AP", flow) else "Url", flow), script.extra)

    def voice_conference(self, errand: Errand) -> Request:
        """Rings one number, which enters a room."""
        task = errand.task
        assert isinstance(task, Conference)
        document = twiml.document(twiml.conference(task.room or ""))
        return self._call(errand, ("Twiml", document), task.extra, task.caller_id)

    def read_voice_connect(self, reply: Reply) -> Receipt:
        """A call that was begun. Raises Unreadable."""
        return call(reply.object())

    read_voice_play = read_voice_connect
    read_voice_say = read_voice_connect
    read_voice_flow = read_voice_connect
    read_voice_conference = read_voice_connect

    def voice_status(self, ref: str) -> Request:
        """What became of a call."""
        return Request("GET", self.path("Calls", ref))

    read_voice_status = read_voice_connect

    def voice_history(
        self, since: datetime | None = None, until: datetime | None = None, cursor: str | None = None
    ) -> Request:
        """The calls of a period."""
        filters = (("StartTime>", moment(since)), ("StartTime<", moment(until)))
        return self.listed("Calls", *filters, cursor=cursor)

    def read_voice_history(self, reply: Reply) -> Page:
        """Calls. Raises Unreadable."""
        return page(reply, "calls", call)

    def voice_hangup(self, ref: str) -> Request:
        """Hangs a call up."""
        return Request("POST", self.path("Calls", ref), form=(("Status", "completed"),))

    read_voice_hangup = read_voice_connect

    def _scripted(self, errand: Errand) -> Request:
        script = _script(errand)
        caller_id = errand.call.caller_id_number or self.options.get("caller_id")
        return self._call(errand, ("Twiml", twiml.of_script(script, caller_id)), script.extra)

    def _call(
        self, errand: Errand, does: tuple[str, str], extra: Extra, caller_id: str | None = None
    ) -> Request:
        script = errand.call.script or Script()
        fields = (
            ("To", errand.to[0]),
            ("From", caller_id or errand.call.caller_id_number or self.options.get("caller_id")),
            does,
            ("Timeout", str(errand.call.wait_time)),
            ("TimeLimit", text(script.longest)),
            ("Record", "true" if script.record else None),
            ("StatusCallback", errand.callback),
        )
        return Request("POST", self.path("Calls"), form=merged(fields, extra))

    def against_call(self, call: Call, task: Conference | None) -> Iterator[Mistake]:
        """What Twilio can't do with a call."""
        shown = (task.caller_id if task else None) or call.caller_id_number or self.options.get("caller_id")
        if not shown:
            yield Mistake("caller_id", f"Twilio needs the number to show: {GIVE.format('caller_id')}")
        if call.wait_time > LONGEST_RINGING_S:
            yield Mistake("wait_time", f"Twilio rings {LONGEST_RINGING_S} seconds at most.")
        if len(call.to) != 1:
            why = "give one; others can join the same room." if task else "give one."
            yield Mistake("to", f"Twilio rings one number a request: {why}")
        if task is not None:
            yield from _against_conference(task)
        elif call.script is not None:
            yield from _against_script(call.script)


def call(data: Mapping[str, Any]) -> Receipt:
    """A call as Twilio tells of it. Raises Unreadable."""
    word = text(data.get("status")) or ""
    return Receipt(
        ref=needed(data, "sid"),
        disposition=CALL_WORDS.get(word),
        word=word,
        to=text(data.get("to")),
        sender=text(data.get("from")),
        incoming=data.get("direction") == "inbound",
        at=at(data.get("start_time"), data.get("date_created")),
        seconds=whole(data.get("duration")),
        price=text(data.get("price")),
        currency=text(data.get("price_unit")),
        raw=data,
    )


def _against_script(script: Script) -> Iterator[Mistake]:
    yield from twiml.objections(script, "Twilio")
    if script.flow is not None and not (is_sid("AP", script.flow) or script.flow.startswith("https://")):
        yield Mistake("flow", "For Twilio this is an https address of TwiML, or an application's id (AP...).")
    yield from against_extra(script.extra, _RESERVED)


def _against_conference(task: Conference) -> Iterator[Mistake]:
    if not task.room:
        yield Mistake("room", "Twilio makes up no room: name one.")
    yield from twiml.letters("room", task.room, "Twilio")
    yield from against_extra(task.extra, _RESERVED)


def _script(errand: Errand) -> Script:
    assert errand.call.script is not None
    return errand.call.script
