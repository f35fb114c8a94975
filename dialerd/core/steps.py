"""The steps of a session, as people write them: lists of objects with one verb each, in jobs and in the
configuration."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dialerd.core.errors import Mistake
from dialerd.core.numbers import parse_public
from dialerd.core.tasks import Step
from dialerd.core.texts import bounded, caller_number, nearest

DEEPEST = 5
"""How many lists of steps may lie in each other."""

MOST = 100
"""Steps of one session, those in other steps too."""

LONGEST_MESSAGE = 4000
"""Bytes. What a provider takes may be less (its objections tell)."""

MOST_DIGITS = 255
LONGEST_TIMEOUT_S = 600
MOST_ATTEMPTS = 20
LONGEST_RECORDING_S = 4 * 3600
PRIVATE = "private"
"""The caller id that shows none."""

_ROOM = re.compile(r"room:[A-Za-z0-9._]{0,32}")
_DIGITS = re.compile(r"[0-9*#]{0,32}")


def parse_steps(
    value: object, where: str, default_country: str | None = None
) -> tuple[tuple[Step, ...], list[Mistake]]:
    """The steps that a list of objects stands for, and every mistake in it, by its place below `where`.

    `default_country` is where numbers without + are at home. With mistakes the steps are not whole: throw
    them away.
    """
    reading = _Reading(default_country)
    return reading.some(value, where, 1), reading.mistakes


def numbers_in(steps: tuple[Step, ...]) -> Iterator[str]:
    """Every number that a step may connect the call with, rooms left out: they must pass the same rules as
    those that are called."""
    for step in steps:
        if step.verb == "transfer" and step.dest is not None and not step.dest.startswith("room:"):
            yield step.dest
        for _, inner in step.on_digits:
            yield from numbers_in(inner)
        yield from numbers_in(step.on_failure)


class _Reading:
    """One list of steps being read: how many there are, and what was wrong so far."""

    def __init__(self, default_country: str | None) -> None:
        self.default_country = default_country
        self.count = 0
        self.mistakes: list[Mistake] = []

    def some(self, value: object, where: str, depth: int, empty: bool = False) -> tuple[Step, ...]:
        """One list of steps. `empty`: it may hold none."""
        if not isinstance(value, list | tuple):
            self._wrong(where, 'Give a list of steps, such as [{"play": "Hello."}].')
            return ()
        if depth > DEEPEST:
            self._wrong(where, f"Steps lie {DEEPEST} deep in each other at most: put them further out.")
            return ()
        self.count += len(value)
        if self.count > MOST:
            self._wrong(where, f"With these there are {self.count} steps: {MOST} are the most.")
            return ()
        if not value and not empty:
            self._wrong(where, "It is empty: give at least one step, or leave the field out.")
        found = [self._step(each, f"{where}.{place}", depth) for place, each in enumerate(value)]
        for place, step in enumerate(found[:-1]):
            if step is not None and _ends(step):
                self._wrong(f"{where}.{place + 1}", f"Nothing follows {_NAMED[step.verb]}: take it out.")
        return tuple(step for step in found if step is not None)

    def _wrong(self, where: str, what: str) -> None:
        self.mistakes.append(Mistake(where, what))

    def _step(self, value: object, where: str, depth: int) -> Step | None:
        if not isinstance(value, dict) or len(value) != 1:
            self._wrong(where, f"A step is an object with one verb of {', '.join(VERBS)}.")
            return None
        (verb, content), *_ = value.items()
        if verb not in VERBS:
            hint = nearest(str(verb), VERBS)
            self._wrong(where, f"There is no step {str(verb)[:40]!r}, only {', '.join(VERBS)}.{hint}")
            return None
        if (fields := _FIELDS.get(verb)) is None:
            return Step(verb, message=self._message(content, f"{where}.{verb}", needed=verb == "play"))
        return self._with_fields(verb, content, fields, f"{where}.{verb}", depth)

    def _with_fields(
        self, verb: str, content: object, fields: tuple[str, ...], where: str, depth: int
    ) -> Step | None:
        if not isinstance(content, dict):
            self._wrong(where, f"Give an object, with any of {', '.join(fields)}.")
            return None
        for name in content:
            if name not in fields:
                self._wrong(
                    f"{where}.{str(name)[:40]}", f"This name is not known here.{nearest(str(name), fields)}"
                )
        if verb == "transfer" and "to" not in content:
            self._wrong(f"{where}.to", "This is needed: a number with +, or room:NAME.")
        read = {
            _SETTING.get(name, name): self._field(name, content[name], f"{where}.{name}", depth)
            for name in fields
            if name in content
        }
        return Step(verb, **read)

    def _field(self, name: str, value: object, where: str, depth: int) -> Any:
        if name == "message":
            return self._message(value, where)
        if name == "on":
            return self._branches(value, where, depth)
        if name == "on_failure":
            return self.some(value, where, depth + 1)
        if name in _BOUNDS:
            return self._whole(value, where, *_BOUNDS[name])
        return self._checked(self._dest if name == "to" else _caller_id, value, where)

    def _branches(self, value: object, where: str, depth: int) -> tuple[tuple[str, tuple[Step, ...]], ...]:
        if not isinstance(value, Mapping):
            self._wrong(where, 'Give an object: what was pressed and what follows, such as {"1": [...]}.')
            return ()
        if len(value) > MOST:
            self._wrong(where, f"There are {len(value)} of them: {MOST} are the most.")
            return ()
        made = []
        for digits, steps in value.items():
            place = f"{where}.{str(digits)[:40]}"
            if not isinstance(digits, str) or not _DIGITS.fullmatch(digits):
                self._wrong(place, "What is pressed are digits, * and #; an empty text is everything else.")
            made.append((str(digits), self.some(steps, place, depth + 1, empty=True)))
        return tuple(made)

    def _message(self, value: object, where: str, needed: bool = False) -> str | None:
        if value == "" and not needed:
            return None
        return self._checked(lambda text: bounded(text, LONGEST_MESSAGE), value, where)

    def _whole(self, value: object, where: str, least: int, most: int) -> int | None:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self._wrong(where, f"Give a whole number between {least} and {most}.")
            return None
        return value

    def _dest(self, text: str) -> str:
        if not text.startswith("room:"):
            return parse_public(text, self.default_country)
        if not _ROOM.fullmatch(text):
            raise ValueError("A room is room: and up to 32 letters, digits, . and _ (none: a new room).")
        return text

    def _checked(self, check: Callable[[str], str], value: object, where: str) -> str | None:
        if not isinstance(value, str):
            self._wrong(where, "Give a text in quotes.")
            return None
        try:
            return check(value)
        except ValueError as error:
            self._wrong(where, str(error))
            return None


def _ends(step: Step) -> bool:
    return step.verb == "hangup" or (step.verb == "transfer" and not step.on_failure)


def _caller_id(text: str) -> str:
    return text if text == PRIVATE else caller_number(text)


VERBS = ("play", "gather", "record", "monitor", "transfer", "hangup")

_FIELDS: Mapping[str, tuple[str, ...]] = {
    "gather": ("message", "max_digits", "timeout", "attempts", "on"),
    "record": ("message", "longest"),
    "transfer": ("to", "message", "caller_id", "on_failure"),
}
"""The fields of those verbs that have some; the others are followed by a text."""

_SETTING = {"to": "dest", "on": "on_digits"}
"""What a field is called in Step, where that is another name."""

_BOUNDS = {
    "max_digits": (0, MOST_DIGITS),
    "timeout": (1, LONGEST_TIMEOUT_S),
    "attempts": (1, MOST_ATTEMPTS),
    "longest": (1, LONGEST_RECORDING_S),
}
_NAMED = {"hangup": "a hangup", "transfer": "a transfer without on_failure"}
