"""Trace: which channels belong to an attempt, and what AMI's events say of them.

A call file sets DIALERD_ATTEMPT on the channel that Asterisk makes for it; on a Local channel on both
halves. `;1` (or the direct channel) is *near*: it runs the call's action. What the dialplan behind `;2`
dials is *far*, through further Local channels where there are any. A Dial by the near channel is the
action, and no far leg.

Facts by experiment, on Asterisk 22 and 16: a thread's events come in order, those of two threads need not.
Each half's Dial events come before its own Hangup. Newexten with AppDial2 comes for every near channel
before VarSet. An action that is an application shows no Newexten; only Asterisk's call record (Cdr) names
it, and under load that comes even before the channel's first event.
"""

import re
from collections import OrderedDict
from collections.abc import Mapping

from dialerd.core.disposition import NO_CHANNEL, ORIGINATE
from dialerd.core.model import Trace
from dialerd.pbx.legs import Followed, Leg, all_gone, may_have_done_nothing, told

ATTEMPT_VARIABLE = "DIALERD_ATTEMPT"
OPT_OUT_VARIABLE = "DIALERD_OPT_OUT"
"""What the dialplan sets on a channel of a call whose callee asks not to be called again: the reason."""

EVENTS = ("VarSet", "Newexten", "LocalBridge", "DialBegin", "DialState", "DialEnd", "Hangup", "Cdr")
VARIABLES = (ATTEMPT_VARIABLE, OPT_OUT_VARIABLE, "AGISTATUS", "DIALSTATUS")
"""What feed() wants to see, and of VarSet which variables."""

MAX_CALLS = 50_000
MAX_LOOSE = 20_000
"""Bounds of what is remembered: calls, and channels that may yet turn out to be ours."""

MAX_AGE_S = 26 * 3600
LONGEST_REASON = 200
"""Characters that are kept of an opt-out's reason."""

RECORD_WAIT_S = 0.3
"""How long a call that may have done nothing waits for its record, which comes milliseconds after its
Hangup."""

FAILED_CHANNEL = "OutgoingSpoolFailed"
"""The channel on which the spool runs the extension `failed`: it has the variables, but is nobody's call."""

_ATTEMPT = re.compile(r"[0-9A-Za-z]{1,32}\.[0-9]{1,15}")
_NOT_STEPS = ("h", "i")
"""Extensions that run where the wanted one does not: at the hangup, and for an invalid one."""

Seen = tuple[str, Trace]
_Headers = Mapping[str, str]


class Tracer:
    """Follows calls through events. Pure: no clock, no I/O; memory is bounded."""

    def __init__(self) -> None:
        self._calls: OrderedDict[str, Followed] = OrderedDict()
        self._channels: dict[str, Followed] = {}
        self._pairs: OrderedDict[str, str] = OrderedDict()
        self._stepped: OrderedDict[str, str] = OrderedDict()
        self._recorded: OrderedDict[str, str] = OrderedDict()
        self._waiting: dict[str, Followed] = {}
        self._records: bool | None = None
        self._order = 0
        self._now = 0.0
        self._handlers = {
            "VarSet": self._var_set,
            "Newexten": self._newexten,
            "LocalBridge": self._local_bridge,
            "DialBegin": self._dial_begin,
            "DialState": self._dial_state,
            "DialEnd": self._dial_end,
            "Hangup": self._hangup,
            "Cdr": self._cdr,
        }

    def __len__(self) -> int:
        return len(self._calls)

    def feed(self, headers: _Headers, at: float) -> Seen | None:
        """Takes an event, received `at` (epoch seconds). Returns the call file's name and its trace
        where the event told something that the engine waits for."""
        handler = self._handlers.get(headers.get("Event", ""))
        if handler is None:
            return None
        self._order += 1
        self._now = at
        call = handler(headers, _timestamp(headers, at))
        return None if call is None else (call.name, told(call))

    def tick(self, at: float) -> list[Seen]:
        """What became final because no more came: call once a second or oftener. Forgets what is too old."""
        late = [call for call in self._waiting.values() if at - (call.waiting_since or at) >= RECORD_WAIT_S]
        if late and self._records is None:
            self._records = False
        while self._calls and at - next(iter(self._calls.values())).started > MAX_AGE_S:
            self._forget(next(iter(self._calls.values())))
        return [(call.name, told(call)) for call in late if self._end(call)]

    def gap(self) -> None:
        """AMI was away: what is known of running calls may lack something."""
        for call in self._calls.values():
            call.complete = False
        self._records = None

    def clear(self) -> None:
        """Asterisk was restarted: nothing that was known lives on."""
        loose = (self._pairs, self._stepped, self._recorded)
        for memory in (self._calls, self._channels, self._waiting, *loose):
            memory.clear()
        self._records = None

    def _var_set(self, headers: _Headers, at: float) -> Followed | None:
        variable, uniqueid = headers.get("Variable", ""), headers.get("Uniqueid", "")
        if variable == ATTEMPT_VARIABLE:
            return self._begin(headers.get("Channel", ""), uniqueid, headers.get("Value", ""), at)
        call = self._channels.get(uniqueid)
        if call is None:
            return None
        if variable == OPT_OUT_VARIABLE:
            said = _plain(headers.get("Value", ""))
            call.opt_out = said or call.opt_out
            return call if said and call.near is not None else None
        if variable == "AGISTATUS" and uniqueid == call.near:
            call.agi_failed = headers.get("Value") == "FAILURE"
        elif variable == "DIALSTATUS" and uniqueid in call.halves and headers.get("Value") == NO_CHANNEL:
            call.no_way_order = self._order
        return None

    def _begin(self, channel: str, uniqueid: str, value: str, at: float) -> Followed | None:
        if channel == FAILED_CHANNEL or uniqueid in ("", "none") or not _ATTEMPT.fullmatch(value):
            return None
        name = f"{value}.call"
        call = self._calls.get(name)
        fresh = call is None
        if call is None:
            call = self._calls[name] = Followed(name, at)
            if len(self._calls) > MAX_CALLS:
                self._forget(next(iter(self._calls.values())))
        if channel.endswith(";2"):
            self._adopt_half(call, uniqueid)
        elif call.near is None:
            call.near, call.channel = uniqueid, channel
            call.steps_shown = uniqueid in self._stepped
            self._stepped.pop(uniqueid, None)
            call.last_application = self._recorded.pop(uniqueid, None)
            self._channels[uniqueid] = call
            fresh = True
        return call if fresh and call.near is not None else None

    def _newexten(self, headers: _Headers, at: float) -> None:
        uniqueid = headers.get("Uniqueid", "")
        call = self._channels.get(uniqueid)
        if headers.get("Application") == ORIGINATE:
            if call is None:
                _remember(self._stepped, uniqueid, "")
            else:
                call.steps_shown = True
        elif call is not None and uniqueid == call.near and headers.get("Extension") not in _NOT_STEPS:
            call.acted = True

    def _local_bridge(self, headers: _Headers, at: float) -> None:
        one, two = headers.get("LocalOneUniqueid", ""), headers.get("LocalTwoUniqueid", "")
        call = self._channels.get(one)
        if call is None:
            _remember(self._pairs, one, two)
        elif one == call.near or one in call.legs:
            self._adopt_half(call, two, call.legs.get(one))

    def _dial_begin(self, headers: _Headers, at: float) -> None:
        dialler, dialled = headers.get("Uniqueid"), headers.get("DestUniqueid", "")
        if dialler is None:
            call = self._channels.get(dialled)
            if call is not None and dialled == call.near:
                call.dialled = True
            return
        call = self._channels.get(dialler)
        if call is not None and dialler in call.halves and dialled not in self._channels:
            leg = call.legs[dialled] = Leg(dialler, self._order)
            self._channels[dialled] = call
            half = self._pairs.pop(dialled, None)
            if half is not None:
                self._adopt_half(call, half, leg)

    def _dial_state(self, headers: _Headers, at: float) -> Followed | None:
        dialled = headers.get("DestUniqueid", "")
        call = self._channels.get(dialled)
        if call is None or headers.get("DialStatus") != "RINGING":
            return None
        if dialled in call.legs:
            call.legs[dialled].rang = True
        if call.rang is not None:
            return None
        call.rang = at
        return call

    def _dial_end(self, headers: _Headers, at: float) -> Followed | None:
        dialled, status = headers.get("DestUniqueid", ""), headers.get("DialStatus", "")
        call = self._channels.get(dialled)
        if call is None:
            return None
        if dialled == call.near:
            call.dialled, call.dial_status = True, status
            if status != "ANSWER":
                return None
            call.answered, call.answered_order = at, self._order
            return call
        leg = call.legs.get(dialled)
        if leg is None:
            return None
        leg.ended, leg.status = self._order, status
        if status != "ANSWER":
            return None
        leg.answered = at
        return call if call.answered is not None else None

    def _hangup(self, headers: _Headers, at: float) -> Followed | None:
        uniqueid = headers.get("Uniqueid", "")
        for memory in (self._pairs, self._stepped, self._recorded):
            memory.pop(uniqueid, None)
        call = self._channels.get(uniqueid)
        if call is None:
            return None
        cause = _number(headers.get("Cause"))
        if uniqueid == call.near:
            call.near_cause, call.hung_up = cause, at
        elif uniqueid in call.halves:
            call.open_halves.discard(uniqueid)
            if call.half_cause is None and not any(leg.half == uniqueid for leg in call.legs.values()):
                call.half_cause = cause
        else:
            leg = call.legs[uniqueid]
            leg.cause, leg.gone = cause, True
        return call if self._settle(call) else None

    def _cdr(self, headers: _Headers, at: float) -> Followed | None:
        self._records = True
        uniqueid = headers.get("UniqueID", "")
        call = self._channels.get(uniqueid)
        application = headers.get("LastApplication", "")
        if call is None:
            _remember(self._recorded, uniqueid, application)
            return None
        if uniqueid != call.near:
            return None
        if application and call.last_application in (None, ORIGINATE):
            call.last_application = application
        return call if self._settle(call) else None

    def _adopt_half(self, call: Followed, uniqueid: str, leg: Leg | None = None) -> None:
        if leg is not None:
            leg.half = uniqueid
        if uniqueid not in call.halves:
            call.halves.add(uniqueid)
            call.open_halves.add(uniqueid)
            self._channels[uniqueid] = call

    def _settle(self, call: Followed) -> bool:
        """Whether the call is over just now: its channels are gone, and so is each far one that failed."""
        if call.ended is not None:
            if all_gone(call):
                self._forget(call)
            return False
        unanswered = [leg for leg in call.legs.values() if leg.status != "ANSWER"]
        if call.hung_up is None or call.open_halves or not all(leg.gone for leg in unanswered):
            return False
        if self._records is not False and call.last_application is None and may_have_done_nothing(call):
            call.waiting_since = call.waiting_since or self._now
            self._waiting[call.name] = call
            return False
        return self._end(call)

    def _end(self, call: Followed) -> bool:
        self._waiting.pop(call.name, None)
        call.ended = call.hung_up
        if all_gone(call):
            self._forget(call)
        return True

    def _forget(self, call: Followed) -> None:
        self._calls.pop(call.name, None)
        self._waiting.pop(call.name, None)
        for uniqueid in (call.near, *call.halves, *call.legs):
            if uniqueid is not None:
                self._channels.pop(uniqueid, None)


def _remember(memory: OrderedDict[str, str], key: str, value: str) -> None:
    memory[key] = value
    if len(memory) > MAX_LOOSE:
        memory.popitem(last=False)


def _timestamp(headers: _Headers, at: float) -> float:
    try:
        return float(headers["Timestamp"])
    except (KeyError, ValueError):
        return at


def _plain(text: str) -> str:
    """The dialplan's word for a record: one line, and not a long one."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:LONGEST_REASON]).strip()


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
