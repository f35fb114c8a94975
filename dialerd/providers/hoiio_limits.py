"""What Hoiio can't do or surely refuses, told before a job is accepted (openapi.hoiio.com, the pages of each
call)."""

import re
from collections.abc import Iterator

from dialerd.core.errors import Mistake
from dialerd.core.model import Call
from dialerd.core.segments import Limits, segments
from dialerd.core.tasks import Conference, Fax, Ivr, NumberOrder, Script, Sms, Step, Task
from dialerd.core.texts import nearest
from dialerd.providers.hoiio_api import LONGEST_MESSAGE, in_language, spoken
from dialerd.providers.pairs import against_extra

SEGMENTS = Limits(ascii=True)
MOST_PARTS = 3
"""160 ASCII characters or 70 others, in three parts 459 or 201 (sms/send, "Message Characters Limit")."""

MOST_IN_BULK = 1000
"""Numbers of one request (sms/bulk_send)."""

LARGEST_FAX = 2 * 1024 * 1024
"""Bytes (fax/send)."""

MOST_IN_ROOM = 8
LONGEST_HEADER = 100
DURATIONS = ("1", "3", "12", "auto_extend")

_NAME = range(3, 12)
"""Characters of a sender name (sms/send)."""

_ROOM = re.compile(r"[A-Za-z0-9._]{1,32}")
_HEADER = re.compile(r"[A-Za-z0-9 ]*")
_MOST_DIGITS = 255
_FORWARDING = ("forward_to", "forward_sms_to", "mode")
_JUST_SAID = ("play", "monitor", "hangup")
"""Steps that are followed by a text, where others have fields."""

_RESERVED = frozenset(
    {"access_token", "app_id", "dest", "dest1", "dest2", "file", "msg", "notify_url", "room", "tag"}
)


def objections(kind: str, call: Call, task: Task | None) -> Iterator[Mistake]:
    """Of a job of any kind."""
    if isinstance(task, Sms):
        yield from _against_message(call, task)
    elif isinstance(task, Fax):
        yield from _against_fax(task)
    elif isinstance(task, Conference):
        yield from _against_conference(call, task)
    elif isinstance(task, Ivr):
        yield from _against_session(task)
    elif isinstance(task, NumberOrder):
        yield from _against_order(task)
    elif kind == "call":
        yield from _against_call(call, call.script or Script())


def _against_message(call: Call, task: Sms) -> Iterator[Mistake]:
    if len(call.to) > MOST_IN_BULK:
        yield Mistake("to", f"Hoiio takes {MOST_IN_BULK} numbers at once: take some out.")
    if task.media:
        yield Mistake("media", "Hoiio has no MMS: leave media out, or use a provider that has it.")
    if task.template is not None:
        yield Mistake("template", "Hoiio keeps no templates: give the text as body.")
    if (parts := segments(task.body, SEGMENTS).parts) > MOST_PARTS:
        yield Mistake("body", f"It takes {parts} messages, Hoiio sends {MOST_PARTS}: make it shorter.")
    sender = task.sender
    if sender is not None and not sender.startswith("+") and len(sender) not in _NAME:
        yield Mistake("sender", "A sender name has 3 to 11 characters with Hoiio.")
    yield from against_extra(task.extra, _RESERVED)


def _against_fax(task: Fax) -> Iterator[Mistake]:
    if task.media_type != "application/pdf":
        yield Mistake("document", "Hoiio faxes PDF only: turn it into one (A4 or Letter).")
    if task.size > LARGEST_FAX:
        yield Mistake("document", f"It has {task.size} bytes, Hoiio takes {LARGEST_FAX}: make it smaller.")
    header = task.header or ""
    if len(header) > LONGEST_HEADER or not _HEADER.fullmatch(header):
        yield Mistake("header", f"Hoiio takes {LONGEST_HEADER} letters without accents, digits and blanks.")
    yield from against_extra(task.extra, _RESERVED)


def _against_conference(call: Call, task: Conference) -> Iterator[Mistake]:
    if len(call.to) > MOST_IN_ROOM:
        yield Mistake("to", f"Hoiio calls {MOST_IN_ROOM} numbers into a room: take some out.")
    if task.room is not None and not _ROOM.fullmatch(task.room):
        yield Mistake("room", "A room has 1 to 32 letters without accents, digits, dots and _ with Hoiio.")
    yield from against_extra(task.extra, _RESERVED)


def _against_session(task: Ivr) -> Iterator[Mistake]:
    yield from _against_said("message", spoken(task.message))
    yield from _against_steps("steps", task.steps)
    yield from against_extra(task.extra, _RESERVED)


def _against_steps(where: str, steps: tuple[Step, ...]) -> Iterator[Mistake]:
    for place, step in enumerate(steps):
        here = f"{where}.{place}.{step.verb}"
        said = here if step.verb in _JUST_SAID else f"{here}.message"
        yield from _against_said(said, spoken(step.message))
        if step.max_digits is not None and not 0 <= step.max_digits <= _MOST_DIGITS:
            yield Mistake(f"{here}.max_digits", f"Hoiio takes 0 to {_MOST_DIGITS}.")
        if step.verb == "play" and not step.message:
            yield Mistake(said, "Hoiio has nothing to play: give a text or the address of a sound.")
        for digits, inside in step.on_digits:
            yield from _against_steps(f"{here}.on.{digits}", inside)
        yield from _against_steps(f"{here}.on_failure", step.on_failure)


def _against_call(call: Call, script: Script) -> Iterator[Mistake]:
    chosen = [each for each in (script.connect, script.play_url, script.say) if each is not None]
    if script.flow is not None:
        yield Mistake("flow", "Hoiio has no flows: give a session (kind ivr) its steps.")
    elif not chosen:
        yield Mistake(
            "connect", "Hoiio connects two numbers, or says something: give connect, say or play_url."
        )
    if len(call.to) > 1:
        yield Mistake("to", "Hoiio rings one number first: give one here, the other as connect.")
    if not call.to and script.connect is None:
        yield Mistake("to", "Hoiio needs a number to call.")
    if script.connect is not None and script.connect in call.to:
        yield Mistake("connect", "Hoiio does not connect a number with itself: give another.")
    if script.record:
        yield Mistake("record", "Hoiio records sessions only: make it one (kind ivr) with a step monitor.")
    yield from _against_said("say", in_language(script.say, script.language) if script.say else None)
    yield from _against_said("play_url", spoken(script.play_url))
    yield from against_extra(script.extra, _RESERVED)


def _against_order(task: NumberOrder) -> Iterator[Mistake]:
    details = dict(task.details)
    if task.verb == "buy":
        yield from _unknown(details, ("duration",))
        if details.get("duration") not in DURATIONS:
            yield Mistake("details.duration", f"Hoiio needs one of {', '.join(DURATIONS)} (months).")
    if task.verb == "configure":
        yield from _unknown(details, _FORWARDING)
        if not details:
            yield Mistake("details", f"There is nothing to change: give any of {', '.join(_FORWARDING)}.")
        if details.get("mode") not in (None, "voice", "fax"):
            yield Mistake("details.mode", "A number of Hoiio's takes voice or fax.")


def _unknown(details: dict[str, str], known: tuple[str, ...]) -> Iterator[Mistake]:
    for name in details:
        if name not in known:
            yield Mistake(f"details.{name}", f"Hoiio does not know this here.{nearest(name, known)}")


def _against_said(where: str, said: str | None) -> Iterator[Mistake]:
    if said is not None and len(said) > LONGEST_MESSAGE:
        yield Mistake(where, f"It has {len(said)} characters, Hoiio says {LONGEST_MESSAGE}: make it shorter.")
