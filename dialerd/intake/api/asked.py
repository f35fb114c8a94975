"""What an operation is asked with: each parameter by its kind, and every mistake at once."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from dialerd.core.destinations import refusal
from dialerd.core.errors import Mistake, Refusal
from dialerd.core.model import Call
from dialerd.core.numbers import parse_public
from dialerd.core.operations import Operation, Parameter
from dialerd.core.policy import Rules, refusals
from dialerd.core.texts import nearest, without_controls
from dialerd.core.times import parse_duration, parse_when
from dialerd.intake.api.problems import invalid

LONGEST_TEXT = 4000
LARGEST_NUMBER = 1_000_000_000
_LINES = ("body", "message")
"""Parameters that may have several lines."""
_ROOM = re.compile(r"room:[A-Za-z0-9._]{0,32}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": True}
_HOW_TIME = (
    "Write it as 2026-12-01T01:00:00+01:00, 2026-12-01 01:00 Europe/Berlin, 2026-12-01 (UTC) or 1d ago."
)


def parameters(operation: Operation, given: Mapping[str, Any], rules: Rules, now: datetime) -> dict[str, Any]:
    """The parameters as an adapter takes them: numbers in E.164, times in aware UTC; null is left out.

    Raises Problem with every mistake: unknown names, missing ones, values of another kind, numbers that may
    not be called.
    """
    known = {each.name: each for each in operation.parameters}
    wrong = [_unknown(name, known) for name in given if name not in known]
    found: dict[str, Any] = {}
    for name, parameter in known.items():
        value = given.get(name)
        if value is None:
            wrong += [Mistake(name, f"This is needed: {parameter.help}")] if parameter.required else []
            continue
        try:
            found[name] = _read(parameter, value, rules, now)
        except ValueError as error:
            wrong.append(Mistake(name, str(error), getattr(error, "rule", "")))
    wrong += _not_allowed(found, rules)
    if wrong:
        raise invalid(wrong)
    return found


def _unknown(name: str, known: Mapping[str, Parameter]) -> Mistake:
    there = f" There are {', '.join(known)}." if known else " It takes none."
    return Mistake(name[:80], f"This name is not known here.{nearest(name, known) or there}")


def _read(parameter: Parameter, value: Any, rules: Rules, now: datetime) -> Any:
    """The value by its kind. Raises ValueError with a sentence."""
    if parameter.kind == "integer":
        return _integer(value)
    if parameter.kind == "flag":
        return _flag(value)
    if not isinstance(value, str):
        raise ValueError("Give a text in quotes.")
    if parameter.kind == "time":
        return moment(value, now)
    if parameter.kind == "number" or (parameter.kind == "owned" and value[:1] in ("+", " ")):
        return _number(value, rules)
    if parameter.kind == "dest":
        return _dest(value, rules)
    return _text(parameter, value)


def _integer(value: Any) -> int:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and re.fullmatch("[0-9]{1,10}", text) and int(text) <= LARGEST_NUMBER:
        return int(text)
    raise ValueError(f"Give a whole number from 0 to {LARGEST_NUMBER}.")


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    found = _FLAGS.get(value.lower()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("Give yes or no.")
    return found


def _text(parameter: Parameter, value: str) -> str:
    if not value:
        raise ValueError("It is empty: give it a value or leave it out.")
    if len(value) > LONGEST_TEXT:
        raise ValueError(f"It has {len(value)} characters: {LONGEST_TEXT} are the most.")
    without_controls(re.sub(r"[\n\r\t]", " ", value) if parameter.name in _LINES else value)
    return value


def _number(value: str, rules: Rules) -> str:
    """A plus that was not percent-encoded has come as a blank."""
    plus = re.fullmatch(r" [1-9][0-9]+", value)
    return parse_public(f"+{value[1:]}" if plus else value, rules.default_country)


def _dest(value: str, rules: Rules) -> str:
    """A number that is called now, by the rules that calls keep to, or a room."""
    if value.startswith("room:"):
        if not _ROOM.fullmatch(value):
            raise ValueError("A room is room: and up to 32 letters, digits, . and _ (none: a new room).")
        return value
    number = _number(value, rules)
    refused = refusal(number, rules.destinations, public=True)
    if refused is not None:
        raise Refusal(refused.rule, refused.what)
    if (why := rules.stopped(number)) is not None:
        raise Refusal("do_not_call", why)
    return number


def _not_allowed(found: Mapping[str, Any], rules: Rules) -> Iterator[Mistake]:
    """What the caller may not show as his number."""
    if "caller_id" in found:
        yield from refusals(Call(to=(), caller_id_number=found["caller_id"]), rules)


def moment(text: str, now: datetime) -> datetime:
    """A time in a question: as in job documents, or a day (its beginning in UTC), or how long ago ("1d ago",
    "24h"). Raises ValueError with a sentence."""
    words = text.strip()
    try:
        return now - timedelta(seconds=parse_duration(re.sub(r" ago$", "", words)))
    except (ValueError, OverflowError):
        pass
    if _DAY.fullmatch(words):
        try:
            return datetime.combine(date.fromisoformat(words), datetime.min.time(), UTC)
        except ValueError:
            raise ValueError(f"There is no {words} in the calendar.") from None
    if " " in words and "+" not in words and re.search(r"T[0-9:.]+ [0-9]{2}:?[0-9]{2}$", words):
        words = "+".join(words.rsplit(" ", 1))  # a plus that was not percent-encoded
    try:
        return parse_when(words, now)
    except ValueError as error:
        raise ValueError(f"{str(error).partition(': write it as')[0].rstrip('.')}. {_HOW_TIME}") from None
