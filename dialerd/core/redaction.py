"""Redaction: what is taken out of a job some time after its end.

What remains is what figures are made of: states, dispositions, trunks, times, causes, and the user's own
words for finding the job again (key, batch, tags). Redacting twice changes nothing more.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dialerd.core.model import Attempt, Call, Job, Result, Terms

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
        variables=tuple((name, HIDDEN) for name, _ in what.variables),
    )


def job(what: Job) -> Job:
    """A job that ended, without the people in it."""
    return replace(what, call=call(what.call), reason=words(what.reason), terms=_terms(what.terms))


def _terms(terms: Terms) -> Terms:
    """The address of the reports without its path, which may hold a secret or a name."""
    url = terms.report_url
    if url is None:
        return terms
    scheme, mark, rest = url.partition("://")
    return replace(terms, report_url=f"{scheme}{mark}{rest.partition('/')[0].rpartition('@')[2]}/{HIDDEN}")


def attempt(what: Attempt) -> Attempt:
    """An attempt without what it dialled."""
    result = None if what.result is None else _result(what.result)
    return replace(what, channel=channel(what.channel), result=result, evidence=data(what.evidence))


def _result(result: Result) -> Result:
    return replace(result, detail=words(result.detail), warning=words(result.warning))


def data(what: Mapping[str, Any]) -> dict[str, Any]:
    """An event's data, or an attempt's evidence."""
    return {words(name): _value(name, value) for name, value in what.items()}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return channel(value) if name == "channel" else words(value)
    if isinstance(value, Mapping):
        return data(value)
    if isinstance(value, list | tuple):
        return [_value(name, each) for each in value]
    return value


def _hidden(text: str | None) -> str | None:
    return HIDDEN if text else text
