"""What Xoxzo can't do, or surely won't take (docs.xoxzo.com: SMS, voice; blog.xoxzo.com, conferences)."""

import re
from collections.abc import Iterator, Mapping

from dialerd.core.errors import Mistake
from dialerd.core.model import Call
from dialerd.core.tasks import Conference, Extra, NumberOrder, Script, Sms, Task

LONGEST_BODY = 660
"""Characters of a message (since 2025)."""

_RESERVED = frozenset(
    {"message", "recipient", "sender", "caller", "participants", "recording_url", "tts_message", "tts_lang"}
)
_SENDER = re.compile(r"\+?[0-9]{1,15}|[A-Za-z0-9]{1,10}")
_MP3 = re.compile(r"http://[A-Za-z0-9_$.*'()!?:/-]+")
_GIVE = "give it here, or as {} in the provider's section of the configuration."

Options = Mapping[str, str]


def against(options: Options, kind: str, call: Call, task: Task | None) -> Iterator[Mistake]:
    """Every mistake in a job for Xoxzo."""
    if isinstance(task, Sms):
        yield from _against_message(options, task)
    elif isinstance(task, NumberOrder):
        yield from _against_order(task)
    elif isinstance(task, Conference):
        yield from _against_conference(call, task)
        yield from _against_caller(options, task.caller_id or call.caller_id_number)
    elif kind == "call":
        yield from _against_call(options, call)
        yield from _against_caller(options, call.caller_id_number)


def action_url(order: NumberOrder) -> str:
    """The address that is asked what becomes of a call that comes in; "" where the order names none."""
    details = dict(order.details)
    return details.get("action_url") or details.get("forward_to") or ""


def _against_message(options: Options, task: Sms) -> Iterator[Mistake]:
    if task.media:
        yield Mistake("media", "Xoxzo has no MMS: leave media out, or use a provider that has it.")
    if (size := len(task.body)) > LONGEST_BODY:
        yield Mistake("body", f"It has {size} characters, Xoxzo takes {LONGEST_BODY}: make it shorter.")
    sender = task.sender or options.get("sender")
    if not sender:
        yield Mistake("sender", f"Xoxzo needs a sender: {_GIVE.format('sender')}")
    elif not _SENDER.fullmatch(sender):
        yield Mistake("sender", "Xoxzo takes up to 15 digits, or up to 10 letters and digits: shorten it.")
    if task.template is None:
        yield from _against_extra(task.extra)


def _against_call(options: Options, call: Call) -> Iterator[Mistake]:
    script = call.script or Script()
    if script.play_url is None and script.say is None:
        where = "flow" if script.flow is not None else "connect"
        yield Mistake(where, "Xoxzo plays or speaks: give play_url or say, or make it a conference.")
    if script.play_url is not None and not _MP3.fullmatch(script.play_url):
        what = "Xoxzo fetches by http:// only, and takes letters, digits, _ - and / in an address: move it."
        yield Mistake("play_url", what)
    if script.say is not None and not (script.language or options.get("language")):
        yield Mistake("language", f"Xoxzo needs the language of the text: {_GIVE.format('language')}")
    if script.longest is not None:
        yield Mistake("longest", "Xoxzo can't end a call after a time: leave longest out.")
    if script.record:
        yield Mistake("record", "Xoxzo can't record a call: leave record out.")
    if len(call.to) > 1:
        yield Mistake("to", "Xoxzo calls one number at a time: make a job for each, or a conference.")
    yield from _against_extra(script.extra)


def _against_conference(call: Call, task: Conference) -> Iterator[Mistake]:
    if len(call.to) not in (2, 3):
        yield Mistake("to", "Xoxzo's conferences are of two or three numbers: give so many.")
    if task.room is not None:
        yield Mistake("room", "Xoxzo names its conferences itself: leave room out.")
    yield from _against_extra(task.extra)


def _against_caller(options: Options, shown: str | None) -> Iterator[Mistake]:
    if not (shown or options.get("caller_id")):
        yield Mistake("caller_id", f"Xoxzo needs the number to show: {_GIVE.format('caller_id')}")


def _against_order(task: NumberOrder) -> Iterator[Mistake]:
    if task.subject.startswith("+"):
        what = "Xoxzo knows numbers by an id (din_uid): take it from dialerctl numbers search, or list."
        yield Mistake("number", what)
    if task.verb == "configure" and not action_url(task):
        what = "Xoxzo asks an address what becomes of a call: give it as action_url."
        yield Mistake("details.action_url", what)


def _against_extra(extra: Extra) -> Iterator[Mistake]:
    for name in sorted({name for name, _ in extra} & _RESERVED):
        yield Mistake("extra", f"{name} is set by dialerd itself: take it out.")
