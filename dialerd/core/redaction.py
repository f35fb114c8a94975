"""Redaction: what is taken out of a job some time after its end.

What remains is what figures are made of: states, dispositions, trunks, times, causes, and the user's own
words for finding the job again (key, batch, tags). Redacting twice changes nothing more.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dialerd.core.model import Attempt, Call, Job, Result, Terms
from dialerd.core.tasks import (
    Conference,
    Extra,
    Fax,
    Ivr,
    NumberOrder,
    Received,
    Script,
    Sms,
    Step,
    Task,
)

HIDDEN = "*"
"""Stands for a whole text."""

_KEPT = 2
"""Digits of a number's end that stay."""

_LONG = 5
"""As many digits in a row count as a number that somebody may be called at."""

_ONE_DIGIT = ("1", "7")
_TWO_DIGITS = frozenset(
    str(code)
    for first, last in ((20, 20), (27, 27), (30, 34), (36, 36), (39, 41), (43, 49), (51, 58), (60, 66),
                        (81, 82), (84, 84), (86, 86), (90, 95), (98, 98))
    for code in range(first, last + 1)
)  # fmt: skip
"""Country codes of one and two digits; all others have three (ITU-T E.164, list of assigned codes)."""

_NUMBER = re.compile(r"\+?[0-9*]+")
_TEXTS = frozenset(
    ("body", "message", "say", "media", "recording", "digits", "filename", "header", "room", "sender", "raw")
)
"""In data and evidence: what people said and wrote, and what providers answered as it came."""

_DIGITS = re.compile(rf"(?<![0-9A-Za-z+])\+?[0-9]{{{_LONG},}}(?![0-9A-Za-z])")


def number(text: str) -> str:
    """A number with its country code and its last two digits: +49*******56. Of an extension two digits stay
    where it has four or more."""
    if text.startswith("+"):
        start = 1 + _country_digits(text[1:])
    elif len(text) >= 2 * _KEPT:
        start = 0
    else:
        return HIDDEN * len(text)
    kept = min(_KEPT, len(text) - start)
    return text[:start] + HIDDEN * (len(text) - start - kept) + text[len(text) - kept :]


def _country_digits(digits: str) -> int:
    if digits.startswith(_ONE_DIGIT):
        return 1
    return 2 if digits[:2] in _TWO_DIGITS else min(3, len(digits))


def words(text: str) -> str:
    """A sentence of ours, without the numbers in it. Job ids and the like, where digits stand among letters,
    stay."""
    return _DIGITS.sub(lambda found: number(found[0]), text)


def channel(text: str) -> str:
    """A dial string without what is dialled: PJSIP/*@provider."""
    return "&".join(_one_channel(each) for each in text.split("&"))


def _one_channel(text: str) -> str:
    technology, slash, rest = text.partition("/")
    if not slash:
        return HIDDEN
    _, at, place = rest.rpartition("@")
    return f"{technology}{slash}{HIDDEN}{at}{words(place)}" if at else f"{technology}{slash}{HIDDEN}"


def call(what: Call) -> Call:
    """A call without the people in it."""
    return replace(
        what,
        to=tuple(number(each) for each in what.to),
        channel=None if what.channel is None else channel(what.channel),
        data=_hidden(what.data),
        extension=None if what.extension is None else words(what.extension),
        caller_id_name=_hidden(what.caller_id_name),
        caller_id_number=None if what.caller_id_number is None else number(what.caller_id_number),
        variables=_values(what.variables),
        script=None if what.script is None else _script(what.script),
    )


def task(what: Task | None) -> Task | None:
    """What a job asks of a provider, without people and texts. A fax does not name its document any more, so
    that nothing needs that."""
    match what:
        case Sms():
            return replace(
                what,
                body=HIDDEN if what.body else "",
                sender=_sender(what.sender),
                media=(HIDDEN,) * len(what.media),
                extra=_values(what.extra),
            )
        case Fax():
            return replace(
                what,
                document="",
                filename=_hidden(what.filename),
                caller_id=_sender(what.caller_id),
                header=_hidden(what.header),
                extra=_values(what.extra),
            )
        case Conference():
            caller_id = _sender(what.caller_id)
            return replace(what, room=_hidden(what.room), caller_id=caller_id, extra=_values(what.extra))
        case Ivr():
            return replace(
                what,
                steps=_steps(what.steps),
                message=_hidden(what.message),
                caller_id=_sender(what.caller_id),
                extra=_values(what.extra),
            )
        case NumberOrder():
            return replace(what, subject=_sender(what.subject) or "", details=_values(what.details))
        case Received():
            return replace(
                what,
                sender=_sender(what.sender) or "",
                dest=_sender(what.dest) or "",
                body=HIDDEN if what.body else "",
                media=(HIDDEN,) * len(what.media),
            )
    return None


def _script(what: Script) -> Script:
    return replace(
        what,
        connect=_sender(what.connect),
        flow=_hidden(what.flow),
        play_url=_hidden(what.play_url),
        say=_hidden(what.say),
        extra=_values(what.extra),
    )


def _steps(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(
        replace(
            step,
            message=_hidden(step.message),
            dest=_sender(step.dest),
            caller_id=_sender(step.caller_id),
            on_digits=tuple((digits, _steps(inner)) for digits, inner in step.on_digits),
            on_failure=_steps(step.on_failure),
        )
        for step in steps
    )


def _sender(text: str | None) -> str | None:
    """A number as numbers are redacted, and nothing of a name, a room or an id."""
    if not text or text.strip("*") == "":
        return text
    return number(text) if _NUMBER.fullmatch(text) else HIDDEN


def _values(pairs: Extra) -> Extra:
    return tuple((name, HIDDEN) for name, _ in pairs)


def job(what: Job) -> Job:
    """A job that ended, without the people in it."""
    return replace(
        what,
        call=call(what.call),
        reason=words(what.reason),
        terms=_terms(what.terms),
        task=task(what.task),
    )


def _terms(terms: Terms) -> Terms:
    """The address of the reports without its path, which may hold a secret or a name."""
    url = terms.report_url
    if url is None:
        return terms
    scheme, mark, rest = url.partition("://")
    return replace(terms, report_url=f"{scheme}{mark}{rest.partition('/')[0].rpartition('@')[2]}/{HIDDEN}")


def attempt(what: Attempt) -> Attempt:
    """An attempt without what it dialled. A provider's, which has no channel, gets none."""
    result = None if what.result is None else _result(what.result)
    dialled = channel(what.channel) if what.channel else ""
    return replace(what, channel=dialled, result=result, evidence=data(what.evidence))


def _result(result: Result) -> Result:
    return replace(
        result,
        detail=words(result.detail),
        warning=words(result.warning),
        recording=_hidden(result.recording),
    )


def data(what: Mapping[str, Any]) -> dict[str, Any]:
    """An event's data, or an attempt's evidence."""
    return {words(name): _value(name, value) for name, value in what.items()}


def _value(name: str, value: Any) -> Any:
    if name in _TEXTS:
        return _emptied(value)
    if isinstance(value, str):
        return channel(value) if name == "channel" else words(value)
    if isinstance(value, Mapping):
        return data(value)
    if isinstance(value, list | tuple):
        return [_value(name, each) for each in value]
    return value


def _emptied(value: Any) -> Any:
    """What people or providers wrote, without a word of it; how much there was stays."""
    if isinstance(value, Mapping):
        return dict.fromkeys(map(words, value), HIDDEN)
    if isinstance(value, list | tuple):
        return [HIDDEN] * len(value)
    return HIDDEN if value else value


def _hidden(text: str | None) -> str | None:
    return HIDDEN if text else text
