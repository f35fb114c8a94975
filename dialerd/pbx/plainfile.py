"""A plain Asterisk call file of an old script, as a job document: the script only changes a folder."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from dialerd.core.errors import InvalidJob, Mistake
from dialerd.core.texts import caller_name, caller_number, variable_name
from dialerd.pbx.callfile import CallFile, Line, parse

_CALLER_ID = re.compile(r'(?:"(?P<quoted>[^"]*)"\s*+|(?P<bare>[^"<>]*+))(?:<(?P<number>[^<>]*)>[^<>]*)?')
"""Asterisk does not mind what follows the closing bracket."""

_SPOOLS_OWN = ("startretry", "endretry", "abortretry", "delayedretry", "retry", "status")
_MEANT = {
    "accountcode": "Account",
    "cdr": "Setvar: CDR(name)=value",
    "timeout": "WaitTime",
    "variable": "Setvar",
}
"""Words of other Asterisk interfaces that difflib would not lead to the right key."""

_TRUE = ("yes", "true", "y", "t", "1", "on")
_TEXTS = ("channel", "application", "data", "context", "extension", "account")
_NUMBERS = {
    "priority": ("dialplan_priority", 1, 9999),
    "maxretries": ("max_retries", 0, 100),
    "retrytime": ("retry_time", 1, 86400),
    "waittime": ("wait_time", 1, 600),
}
_NOTES = {
    "archive": "Archive is not needed: dialerd keeps every call's result itself.",
    "alwaysdelete": "AlwaysDelete is not needed: dialerd removes a call file once its result is on disk.",
}
_KEYS = (*_TEXTS, *_NUMBERS, *_NOTES, "callerid", "setvar", "set", "codecs", "early_media")


def to_document(data: bytes, mtime: float, now: float) -> dict[str, Any]:
    """The job document that this call file stands for; times are seconds since the epoch.

    An mtime in the future becomes `not_before`, in whole seconds as in Asterisk. What is accepted without
    being needed is told of in the document's `notes`. Raises InvalidJob with every mistake and its line, also
    for what Asterisk would drop in silence and call all the same.
    """
    file = parse(data.removeprefix(b"\xef\xbb\xbf"))
    mistakes = [*_byte_mistakes(data), *file.ignored]
    document: dict[str, Any] = {"kind": "call"}
    notes: list[str] = []
    for line in file.lines:
        try:
            _read(line, document, notes)
        except ValueError as error:
            mistakes.append(Mistake(f"line {line.number}", str(error)))
    if int(mtime) > now:
        document["not_before"] = _moment(int(mtime), mistakes)
    mistakes += _missing(file)
    if mistakes:
        raise InvalidJob(sorted(mistakes, key=_place))
    _choose_action(document, notes)
    return document | ({"notes": list(dict.fromkeys(notes))} if notes else {})


def _moment(seconds: int, mistakes: list[Mistake]) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        mistakes.append(Mistake("file", "Its modification time lies beyond the calendar. Touch the file."))
        return ""


def _read(line: Line, document: dict[str, Any], notes: list[str]) -> None:
    """Puts one line into the document; of a repeated key the last counts. Raises ValueError."""
    key, value = line.key.lower(), line.value
    if key in _TEXTS:
        document[key] = value
    elif key in _NUMBERS:
        field, least, most = _NUMBERS[key]
        document[field] = _whole_number(line.key, value, least, most)
    elif key in _NOTES:
        notes.append(_NOTES[key])
    elif key == "callerid":
        document["caller_id"] = _caller_id(value)
    elif key in ("setvar", "set"):
        _set(document.setdefault("variables", {}), value, notes)
    elif key == "codecs":
        document["codecs"] = [codec.strip() for codec in value.split(",") if codec.strip()]
    elif key == "early_media":
        document["early_media"] = value.lower() in _TRUE
    else:
        raise ValueError(_unknown(line.key))


def _unknown(key: str) -> str:
    if key.lower() in _SPOOLS_OWN:
        return f"{key} is a line that Asterisk's spool writes itself: hand in the file without it."
    if key != key.strip():
        return f"{key!r} is no keyword: it must begin the line and touch the colon."
    near = _MEANT.get(key.lower()) or "".join(get_close_matches(key.lower(), _KEYS, n=1)).capitalize()
    return f"{key!r} is no keyword of a call file." + (f" Did you mean {near}?" if near else "")


def _whole_number(key: str, text: str, least: int, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
        raise ValueError(f"{key} must be a whole number from {least} to {most}, not {text[:40]!r}.")
    return int(text)


def _caller_id(text: str) -> dict[str, str]:
    """Name and number out of `"Name" <num>`, `Name <num>`, `num` or `Name`, as Asterisk takes them apart."""
    match = _CALLER_ID.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            'A caller id reads "Name" <number>; this one has a quote or bracket too many or too few'
            " (a # after a blank cuts the line)."
        )
    name, number = match["quoted"] or (match["bare"] or "").rstrip(), match["number"] or ""
    if match["quoted"] is None and match["number"] is None and _passes(caller_number, name):
        name, number = "", name
    found = {"name": name and caller_name(name), "number": number and caller_number(number)}
    return {key: value for key, value in found.items() if value}


def _passes(check: Callable[[str], str], text: str) -> bool:
    try:
        check(text)
    except ValueError:
        return False
    return True


def _set(variables: dict[str, str], text: str, notes: list[str]) -> None:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError("A variable is written NAME=value; Asterisk drops a line without =.")
    variable_name(name)
    if name in variables and name.endswith(")"):
        raise ValueError(f"{name} is set twice; a job sets a function once.")
    if name in variables:
        notes.append(f"{name} is set more than once; the last value counts.")
    variables[name] = value


def _byte_mistakes(data: bytes) -> Iterator[Mistake]:
    """What a careless editor leaves: a byte order mark, lone CRs, bytes that are no UTF-8."""
    if data.startswith(b"\xef\xbb\xbf"):
        what = "The file begins with a byte order mark, which Asterisk reads as part of the first key."
        yield Mistake("line 1", f"{what} Save it without.")
    for number, raw in enumerate(data.split(b"\n"), 1):
        text = raw.decode(errors="replace").rstrip("".join(map(chr, range(33))))
        if "\ufffd" in text:
            yield Mistake(f"line {number}", "This line is not UTF-8. Save the file as UTF-8.")
        if re.search("[\x01-\x08\x0b-\x1f\x7f-\x9f]", text):
            yield Mistake(
                f"line {number}", "This line holds a control character. Lines end with LF or CR LF."
            )


def _missing(file: CallFile) -> Iterator[Mistake]:
    if not file.last("Channel"):
        yield Mistake("file", "There is no Channel. Add a line such as Channel: PJSIP/100@trunk.")
    if not file.last("Application") and not file.last("Extension"):
        yield Mistake("file", "There is nothing to do on answer. Add Application, or Context and Extension.")
    elif not file.last("Application") and not file.last("Context"):
        number = next(line.number for line in file.lines if line.key.lower() == "extension")
        yield Mistake(f"line {number}", "Extension needs a Context, such as Context: from-internal.")


def _choose_action(document: dict[str, Any], notes: list[str]) -> None:
    """Of both actions Asterisk takes the application."""
    if document.get("application"):
        unused = ("context", "extension", "dialplan_priority")
        if any(field in document for field in unused):
            notes.append("Application and Extension are both given; as in Asterisk the application counts.")
        for field in unused:
            document.pop(field, None)
    elif document.pop("data", None):
        notes.append("Data is not used without an Application.")
    for field in ("application", "context", "extension", "data", "account", "codecs", "caller_id"):
        if not document.get(field, "x"):
            del document[field]


def _place(mistake: Mistake) -> int:
    return int(mistake.where[5:]) if mistake.where.startswith("line ") else 0
