"""What a call does, as an XML document: TwiML of Twilio, which Telnyx takes too and calls TeXML
(twilio.com/docs/voice/twiml)."""

import re
from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape

from dialerd.core.errors import Mistake
from dialerd.core.tasks import Script

LONGEST = 4000
"""Letters of a document that goes along with a call (twilio.com/docs/voice/api/call-resource, Twiml)."""

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
_QUOTES = {'"': "&quot;"}
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def document(inside: str = "") -> str:
    """A document of these verbs."""
    return f"{_HEAD}<Response>{inside}</Response>"


def connect(number: str, caller_id: str | None) -> str:
    """Rings a second number, and connects both."""
    return _element("Dial", f"<Number>{escape(number)}</Number>", ("callerId", caller_id))


def conference(room: str) -> str:
    """Enters a room."""
    return _element("Dial", f"<Conference>{escape(room)}</Conference>")


def play(url: str) -> str:
    """Plays a sound."""
    return _element("Play", escape(url))


def say(text: str, language: str | None) -> str:
    """Speaks a text."""
    return _element("Say", escape(text), ("language", language))


def of_script(script: Script, caller_id: str | None) -> str:
    """The document of a script that is no flow."""
    if script.connect is not None:
        return document(connect(script.connect, caller_id))
    if script.play_url is not None:
        return document(play(script.play_url))
    return document(say(script.say or "", script.language))


def letters(where: str, value: str | None, provider: str) -> Iterator[Mistake]:
    """Why a text can't stand in a document."""
    if (found := _NOT_IN_XML.search(value or "")) is not None:
        yield Mistake(where, f"{provider} can't be told the letter {found[0]!r}: take it out.")


def objections(script: Script, provider: str) -> Iterator[Mistake]:
    """Why a script that is no flow can't be written."""
    for name in ("say", "play_url", "language"):
        yield from letters(name, getattr(script, name), provider)
    too_long = len(of_script(script, "+" + 15 * "0")) - LONGEST
    if script.flow is None and too_long > 0:
        yield Mistake("say", f"It is {too_long} letters too long for {provider}: shorten it.")


def _element(name: str, inside: str, *attributes: tuple[str, str | None]) -> str:
    return f"<{name}{_written(attributes)}>{inside}</{name}>"


def _written(attributes: Iterable[tuple[str, str | None]]) -> str:
    return "".join(f' {key}="{escape(value, _QUOTES)}"' for key, value in attributes if value is not None)
