"""Asterisk's call file: one renderer, and a parser that reads it as Asterisk does.

What is said here of Asterisk holds for `pbx/pbx_spool.c` of versions 16 to 22 and was seen on running ones:
a line may hold 1022 bytes, `#` begins a comment in column 1 or after a blank and can't be escaped, `;`
begins one anywhere but after a backslash, trailing blanks are cut, and a line that is too long is dropped
and the call made all the same. So nothing is ever written that Asterisk would read differently from how it
was meant: it is refused.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from dialerd.core.errors import Mistake, Rejected
from dialerd.core.ids import ALPHABET, LENGTH
from dialerd.core.model import Call
from dialerd.core.routing import CHANNEL
from dialerd.core.texts import (
    LINE_BYTES,
    account,
    caller_name,
    caller_number,
    line_text,
    sounds,
    variable_name,
)

NEVER_AGAIN_S = 31_536_000
"""RetryTime of every file. Asterisk puts the mtime of a started file ahead by it, so that after a crash of
Asterisk the file is left alone and not dialled again (MaxRetries: 0 alone does not prevent that)."""

ATTEMPT = re.compile(rf"[{ALPHABET}]{{{LENGTH}}}\.[1-9][0-9]{{0,14}}")
"""What an attempt is called: the job's id, a dot, the number of the try."""

_BLANK = "".join(map(chr, range(33)))
_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#")
_APPLICATION = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,78}")
_PLACE = re.compile(r"[A-Za-z0-9_.@*+#-]{1,79}")
_CODEC = re.compile(r"[A-Za-z0-9_.]{1,32}")


@dataclass(frozen=True, slots=True)
class Line:
    """One line as Asterisk reads it: unescaped, comments and blanks cut. `key` stands as it was written."""

    number: int
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class CallFile:
    """A call file as Asterisk reads it. `ignored` tells of the lines that Asterisk drops."""

    lines: tuple[Line, ...]
    ignored: tuple[Mistake, ...] = ()

    def last(self, key: str) -> str | None:
        """The value that counts of a key (any case): the last one, or None."""
        values = [line.value for line in self.lines if line.key.lower() == key.lower()]
        return values[-1] if values else None

    @property
    def variables(self) -> tuple[tuple[str, str], ...]:
        """Name and value of every Setvar or Set, in order; one without `=` is dropped, as Asterisk does."""
        values = [line.value for line in self.lines if line.key.lower() in ("setvar", "set")]
        return tuple(
            (name, value) for name, equals, value in (text.partition("=") for text in values) if equals
        )


def render(call: Call, channel: str, attempt: str, extra: Sequence[tuple[str, str]] = ()) -> bytes:
    """The call file of one attempt ("<job>.<n>") over `channel`; `extra` are variables of our own.

    Raises Rejected, with every problem in a sentence, for what Asterisk would read differently.
    """
    if problems := dict.fromkeys(_problems(call, channel, attempt, extra)):
        raise Rejected(" ".join(problems))
    lines = [f"{key}: {_escape(value)}\n" for _, key, value in _pairs(call, channel, attempt, extra)]
    return "".join(lines).encode()


def parse(data: bytes) -> CallFile:
    """Reads a call file as Asterisk does. Raises nothing: what Asterisk ignores is listed in `ignored`.

    Bytes that are no UTF-8 become surrogate escapes.
    """
    lines: list[Line] = []
    ignored: list[Mistake] = []
    after_nul = False
    for number, raw in enumerate(data.removesuffix(b"\n").split(b"\n"), 1):
        dropped, after_nul = _dropped(raw, after_nul), b"\0" in raw and not after_nul
        text = "" if dropped else _uncomment(raw.decode(errors="surrogateescape"))
        key, colon, value = text.partition(":")
        if dropped or (text and not colon):
            ignored.append(
                Mistake(f"line {number}", dropped or "This line has no colon; Asterisk ignores it.")
            )
        elif text:
            lines.append(Line(number, key, value.lstrip(_BLANK)))
    return CallFile(tuple(lines), tuple(ignored))


def _pairs(
    call: Call, channel: str, attempt: str, extra: Sequence[tuple[str, str]]
) -> Iterator[tuple[str, str, str]]:
    """Every line as the name of our field, Asterisk's key, and the value before escaping."""
    yield "channel", "Channel", channel
    if call.caller_id_name is not None or call.caller_id_number is not None:
        yield "caller_id", "Callerid", _caller_id(call.caller_id_name, call.caller_id_number)
    yield from _action(call)
    yield "max_retries", "MaxRetries", "0"
    yield "retry_time", "RetryTime", str(NEVER_AGAIN_S)
    yield "wait_time", "WaitTime", str(call.wait_time)
    if call.codecs:
        yield "codecs", "Codecs", ",".join(call.codecs)
    if call.account:
        yield "account", "Account", call.account
    if call.early_media:
        yield "early_media", "Early_media", "yes"
    yield "archive", "Archive", "yes"
    ours = (("DIALERD_JOB", attempt.partition(".")[0]), ("DIALERD_ATTEMPT", attempt))
    for name, value in (*ours, *extra, *call.variables):
        yield f"variables.{name}", "Setvar", f"{name}={value}"


def _action(call: Call) -> Iterator[tuple[str, str, str]]:
    if call.context is not None:
        yield "context", "Context", call.context
        yield "extension", "Extension", call.extension or "s"
        yield "dialplan_priority", "Priority", str(call.dialplan_priority)
        return
    yield "application", "Application", call.application or "Playback"
    data, label = (call.play, "play") if call.application is None else (call.data, "data")
    if data:
        yield label, "Data", data


def _caller_id(name: str | None, number: str | None) -> str:
    """Quotes keep a name of digits from being taken for a number; `<>` says that there is none."""
    return f'"{name}" <{number or ""}>' if name else f"<{number or ''}>"


def _problems(call: Call, channel: str, attempt: str, extra: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Every sentence against it. The last door trusts no other."""
    if not ATTEMPT.fullmatch(attempt):
        yield f"{attempt!r} is no name of an attempt."
    if [call.application, call.context, call.play].count(None) != 2:
        yield "Exactly one of application, context and play must be set."
    yield from _form_problems(call, channel)
    for label, check, text in _texts(call, channel, attempt, extra):
        try:
            check(text)
        except ValueError as error:
            yield f"{label if label.isprintable() else repr(label)}: {error}"


def _texts(
    call: Call, channel: str, attempt: str, extra: Sequence[tuple[str, str]]
) -> Iterator[tuple[str, Callable[[str], object], str]]:
    if call.caller_id_name:
        yield "caller_id.name", caller_name, call.caller_id_name
    if call.caller_id_number:
        yield "caller_id.number", _plain_number, call.caller_id_number
    if call.account:
        yield "account", account, call.account
    if call.play:
        yield "play", sounds, call.play
    yield from ((f"variables.{name}", variable_name, name) for name, _ in call.variables)
    for label, key, value in _pairs(call, channel, attempt, extra):
        yield label, partial(_fits_line, key), value


def _form_problems(call: Call, channel: str) -> Iterator[str]:
    if not re.fullmatch(CHANNEL, channel):
        yield "channel: Write Technology/Destination, such as PJSIP/100@trunk, with one destination."
    if not 1 <= call.wait_time <= 600:
        yield f"wait_time: It is {call.wait_time}, and must be 1 to 600 seconds."
    if not 1 <= call.dialplan_priority <= 9999:
        yield f"dialplan_priority: It is {call.dialplan_priority}, and must be 1 to 9999."
    if call.application is not None and not _APPLICATION.fullmatch(call.application):
        yield "application: The name of an application has letters, digits and _ only."
    for label, text in (("context", call.context), ("extension", call.extension)):
        if text is not None and not _PLACE.fullmatch(text):
            yield f"{label}: It may have letters, digits and _ . @ * + # -, 79 at most."
    for codec in call.codecs:
        if not _CODEC.fullmatch(codec):
            yield f"codecs: {codec!r} is no name of a codec, such as ulaw."


def _plain_number(text: str) -> None:
    if caller_number(text) != text:
        raise ValueError("A caller id's number is digits only, with + before them or without.")


def _fits_line(key: str, value: str) -> None:
    if "\ufeff" in value:
        raise ValueError("It holds a byte order mark (U+FEFF): take it out.")
    line_text(f"{key}: ", value)


def _escape(value: str) -> str:
    return value.replace(";", "\\;")


def _dropped(raw: bytes, after_nul: bool) -> str:
    """Why Asterisk drops this line, or nothing."""
    if after_nul:
        return "Asterisk drops this line, because the one before holds a NUL byte."
    if b"\0" in raw:
        return "This line holds a NUL byte; Asterisk drops it and the next one."
    if len(raw) > LINE_BYTES:
        return f"This line has {len(raw)} bytes; Asterisk drops lines of more than {LINE_BYTES}."
    return ""


def _uncomment(text: str) -> str:
    """Cuts comments and trailing blanks, and makes `\\;` a semicolon. No other escapes exist."""
    if comment := _COMMENT.search(text):
        text = text[: comment.start()]
    at = text.find(";")
    while at >= 0:
        if at == 0 or text[at - 1] != "\\":
            text = text[:at]
            break
        text = text[: at - 1] + text[at:]
        at = text.find(";", at)
    return text.rstrip(_BLANK)
