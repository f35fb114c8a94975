"""Telnyx: calls (developers.telnyx.com, TeXML REST commands and call control).

A document of TeXML says all that a call does in one request, so with the options texml_application and
texml_account calls are made that way. Without them there is call control, where each step waits for an event
of the one before: in one request it plays a sound, and no more.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dialerd.core.callbacks import Unreadable
from dialerd.core.errors import Mistake
from dialerd.core.model import Call, Disposition
from dialerd.core.receipts import Errand, Page, Receipt
from dialerd.core.tasks import Conference, Script
from dialerd.providers import twiml
from dialerd.providers.base import moment, text, whole
from dialerd.providers.pairs import GIVE, against_extra, given
from dialerd.providers.telnyx_api import TelnyxApi, body, data, needed, place, reference, state
from dialerd.providers.wire import Reply, Request

SHORTEST_RINGING_S = 5
LONGEST_RINGING_S = 120
SHORTEST_CALL_S = 30
LONGEST_CALL_S = 14400
PAGE_SIZE = "100"

WORDS = {
    "completed": Disposition.ANSWERED,
    "busy": Disposition.BUSY,
    "no-answer": Disposition.NOANSWER,
    "failed": Disposition.FAILED,
    "canceled": Disposition.CANCELLED,
}
"""status of a TeXML call. All others (queued, ringing, in-progress) are under way."""

CAUSES = {
    "normal_clearing": Disposition.ANSWERED,
    "time_limit": Disposition.ANSWERED,
    "user_busy": Disposition.BUSY,
    "no_answer": Disposition.NOANSWER,
    "timeout": Disposition.NOANSWER,
    "originator_cancel": Disposition.CANCELLED,
    "call_rejected": Disposition.FAILED,
    "not_found": Disposition.FAILED,
    "unspecified": Disposition.FAILED,
}
"""hangup_cause of the event call.hangup."""

DECLINED = frozenset(("486", "600", "603"))
"""SIP responses of a callee who is busy, or turns a call down."""

_RESERVED = frozenset(
    (
        *("To", "From", "Texml", "Url", "ApplicationSid", "FallbackUrl", "StatusCallback", "TimeLimit"),
        *("to", "from", "connection_id", "audio_url", "webhook_url", "command_id", "client_state", "link_to"),
    )
)
_BY_TEXML = ("voice.connect", "voice.flow", "voice.say", "voice.conference", "voice.history")


@dataclass(frozen=True, kw_only=True)
class TelnyxCalls(TelnyxApi):
    """Calls of an account."""

    @property
    def has_texml(self) -> bool:
        """Whether calls are made by TeXML."""
        return {"texml_application", "texml_account"} <= self.options.keys()

    def without_calls(self) -> frozenset[str]:
        """The operations that the options leave out."""
        if self.has_texml:
            return frozenset()
        control = () if "call_application" in self.options else ("voice.play", "voice.status", "voice.hangup")
        return frozenset((*_BY_TEXML, *control))

    def voice_connect(self, errand: Errand) -> Request:
        """Rings the first number, then the second."""
        return self._scripted(errand)

    def voice_say(self, errand: Errand) -> Request:
        """Rings a number, and speaks a text."""
        return self._scripted(errand)

    def voice_play(self, errand: Errand) -> Request:
        """Rings a number, and plays a sound."""
        return self._scripted(errand) if self.has_texml else self._controlled(errand)

    def voice_flow(self, errand: Errand) -> Request:
        """Rings a number; what follows is at an address."""
        return self._texml(errand, {"Url": (errand.call.script or Script()).flow})

    def voice_conference(self, errand: Errand) -> Request:
        """Rings one number, which enters a room."""
        task = errand.task
        assert isinstance(task, Conference)
        document = twiml.document(twiml.conference(task.room or ""))
        return self._texml(errand, {"Texml": document}, task)

    def read_voice_connect(self, reply: Reply) -> Receipt:
        """A call that was begun. Raises Unreadable: the published answer has no id, but what is seen of
        Telnyx has call_sid."""
        return texml_call(reply.object())

    read_voice_say = read_voice_connect
    read_voice_flow = read_voice_connect
    read_voice_conference = read_voice_connect

    def read_voice_play(self, reply: Reply) -> Receipt:
        """A call that was begun. Raises Unreadable."""
        return texml_call(reply.object()) if self.has_texml else controlled_call(data(reply))

    def voice_status(self, ref: str) -> Request:
        """What became of a call."""
        if self.has_texml:
            return Request("GET", self._texml_calls(ref))
        return Request("GET", place("calls", ref))

    read_voice_status = read_voice_play

    def voice_history(
        self, since: datetime | None = None, until: datetime | None = None, cursor: str | None = None
    ) -> Request:
        """The calls of a period, by whole days."""
        pairs = (("StartTime_gt", _day(since)), ("StartTime_lt", _day(until)), ("PageSize", PAGE_SIZE))
        return Request("GET", self._texml_calls(), query=cursor if cursor is not None else given(pairs))

    def read_voice_history(self, reply: Reply) -> Page:
        """Calls. Raises Unreadable."""
        answer = reply.object()
        found = answer.get("calls")
        if not isinstance(found, list):
            raise Unreadable("its answer has no calls")
        following = (text(answer.get("next_page_uri")) or "").partition("?")[2]
        return Page(tuple(texml_call(each) for each in found if isinstance(each, dict)), following or None)

    def voice_hangup(self, ref: str) -> Request:
        """Hangs a call up."""
        if self.has_texml:
            return Request("POST", self._texml_calls(ref), form=(("Status", "completed"),))
        return Request("POST", place("calls", ref, "actions", "hangup"), json={})

    def read_voice_hangup(self, reply: Reply) -> Receipt:
        """That it was heard. Raises Unreadable."""
        if self.has_texml:
            return texml_call(reply.object())
        return Receipt(word=needed(data(reply), "result"))

    def against_call(self, call: Call, task: Conference | None) -> Iterator[Mistake]:
        """What Telnyx can't do with a call."""
        script = call.script or Script()
        if not self._shown(call, task):
            yield Mistake("caller_id", f"Telnyx needs the number to show: {GIVE.format('caller_id')}")
        if not SHORTEST_RINGING_S <= call.wait_time <= LONGEST_RINGING_S:
            yield Mistake("wait_time", f"Telnyx rings {SHORTEST_RINGING_S} to {LONGEST_RINGING_S} seconds.")
        if script.longest is not None and not SHORTEST_CALL_S <= script.longest <= LONGEST_CALL_S:
            yield Mistake("longest", f"Telnyx's calls last {SHORTEST_CALL_S} to {LONGEST_CALL_S} seconds.")
        if len(call.to) != 1:
            yield Mistake("to", "Telnyx rings one number a request: give one.")
        if not self.has_texml:
            yield from _without_texml(script, task)
        elif task is not None:
            yield from _against_room(task)
        else:
            yield from _against_script(script)
        yield from against_extra(task.extra if task else script.extra, _RESERVED)

    def _shown(self, call: Call, task: Conference | None) -> str | None:
        return (task.caller_id if task else None) or call.caller_id_number or self.options.get("caller_id")

    def _texml_calls(self, *names: str) -> str:
        return place("texml", "Accounts", self.options.get("texml_account", ""), "Calls", *names)

    def _scripted(self, errand: Errand) -> Request:
        script = errand.call.script or Script()
        return self._texml(errand, {"Texml": twiml.of_script(script, self._shown(errand.call, None))})

    def _texml(
        self, errand: Errand, does: Mapping[str, str | None], task: Conference | None = None
    ) -> Request:
        script = errand.call.script or Script()
        fields = {
            "ApplicationSid": self.options.get("texml_application"),
            "To": errand.to[0],
            "From": self._shown(errand.call, task),
            **does,
            "Timeout": errand.call.wait_time,
            "TimeLimit": script.longest,
            "Record": True if script.record else None,
            "StatusCallback": errand.callback,
        }
        return Request("POST", self._texml_calls(), json=body(fields, task.extra if task else script.extra))

    def _controlled(self, errand: Errand) -> Request:
        """`command_id`: Telnyx ignores a second command with the same one."""
        script = errand.call.script or Script()
        fields = {
            "connection_id": self.options.get("call_application"),
            "to": errand.to[0],
            "from": self._shown(errand.call, None),
            "audio_url": script.play_url,
            "timeout_secs": errand.call.wait_time,
            "time_limit_secs": script.longest,
            "record": "record-from-answer" if script.record else None,
            "command_id": errand.reference,
            "client_state": state(errand.reference),
            "webhook_url": errand.callback,
        }
        return Request("POST", "/calls", json=body(fields, script.extra))


def texml_call(found: Mapping[str, Any]) -> Receipt:
    """A TeXML call, in an answer. Raises Unreadable."""
    word = text(found.get("status")) or ""
    return Receipt(
        ref=text(found.get("call_sid")) or needed(found, "sid"),
        disposition=WORDS.get(word),
        word=word,
        to=text(found.get("to")),
        sender=text(found.get("from")),
        incoming=found.get("direction") == "inbound",
        at=moment(found.get("start_time")) or moment(found.get("date_created")),
        seconds=whole(found.get("duration")),
        price=text(found.get("price")),
        currency=text(found.get("price_unit")),
        raw=found,
    )


def controlled_call(found: Mapping[str, Any]) -> Receipt:
    """A call of call control, in an answer: it tells whether it is over, but not how it ended (the event
    call.hangup does). Raises Unreadable."""
    return Receipt(
        ref=needed(found, "call_control_id"),
        reference=reference(found.get("client_state")),
        word="ended" if text(found.get("end_time")) else "alive" if found.get("is_alive") else "",
        at=moment(found.get("start_time")),
        seconds=whole(found.get("call_duration")),
        raw=found,
    )


def _day(value: datetime | None) -> str | None:
    return None if value is None else value.strftime("%Y-%m-%d")


def _without_texml(script: Script, task: Conference | None) -> Iterator[Mistake]:
    what = "texml_application and texml_account in the provider's section of the configuration"
    if task is not None or script.play_url is None:
        where = "room" if task is not None else "say" if script.say is not None else "connect"
        yield Mistake(where, f"Telnyx does this in one request by TeXML only: it takes {what}.")
    elif script.longest is None:
        yield Mistake(
            "longest", f"Telnyx doesn't hang up after the sound: say when to, in seconds (or set {what})."
        )


def _against_room(task: Conference) -> Iterator[Mistake]:
    if not task.room:
        yield Mistake("room", "Telnyx makes up no room: name one.")
    yield from twiml.letters("room", task.room, "Telnyx")


def _against_script(script: Script) -> Iterator[Mistake]:
    yield from twiml.objections(script, "Telnyx")
    if script.flow is not None and not script.flow.startswith("https://"):
        yield Mistake("flow", "For Telnyx this is an https address of TeXML.")
