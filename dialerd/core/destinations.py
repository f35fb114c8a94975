"""Destinations: which public numbers may be called, by country and by prefix, and which never are.

A list of patterns: "DE" (a country of ISO 3166), "+4420" (a prefix), "*" (everywhere), each with "!" before
it to deny. The most specific pattern that fits decides: a prefix by its length, then a country, then "*".
What no pattern fits is denied. Extensions are no destinations.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TypeVar

from dialerd.core.numbers import calling_code, countries, kind, region
from dialerd.core.texts import nearest

MOST_PATTERNS = 2000

_EVERYWHERE = "*"
_COUNTRY, _PREFIX = 1, 1
"""How specific: "*" is 0, a country 1, and a prefix 1 and the number of its digits."""

_LONGEST_TEXT = 40
_PREFIX_TEXT = re.compile(r"\+[1-9][0-9]{0,14}")
_MARKS = re.compile(r"[ ().\-/]")
_OFTEN_MEANT = {"UK": "GB", "EN": "GB"}
_NEVER = {
    "premium": "is a premium rate number: dialerd never calls those on a trunk to the public network.",
    "satellite": "is on a satellite or international network, whose calls are dear: dialerd never calls those"
    " on a trunk to the public network.",
}

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Match:
    """The pattern that decides on a number. The greater `specific`, the more it counts."""

    pattern: str
    allowed: bool
    specific: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a number is not called: the rule's code, and a sentence on what to do about it."""

    rule: str
    what: str


@dataclass(frozen=True, slots=True)
class Destinations:
    """A checked list of patterns, without their "!": True for what is allowed. Made by `parse`; empty, it
    allows nothing."""

    patterns: Mapping[str, bool] = field(default_factory=dict)
    longest: int = 0

    def __hash__(self) -> int:
        return hash(frozenset(self.patterns.items()))

    @staticmethod
    def parse(texts: Iterable[str]) -> "Destinations":
        """Raises ValueError with a sentence for each mistake."""
        return _parsed(tuple(texts))

    def best(self, e164: str) -> Match | None:
        """The most specific pattern that fits a number in E.164."""
        patterns = self.patterns
        if not patterns or not e164.startswith("+"):
            return None
        for end in range(min(self.longest, len(e164)), 1, -1):
            if (allowed := patterns.get(e164[:end])) is not None:
                return Match(e164[:end], allowed, _PREFIX + end - 1)
        country = region(e164)
        if country is not None and country in patterns:
            return Match(country, patterns[country], _COUNTRY)
        if _EVERYWHERE in patterns:
            return Match(_EVERYWHERE, patterns[_EVERYWHERE], 0)
        return None

    def allows(self, e164: str) -> bool:
        """Whether a number in E.164 may be called."""
        found = self.best(e164)
        return found is not None and found.allowed


@lru_cache(maxsize=256)
def _parsed(texts: tuple[str, ...]) -> Destinations:
    if len(texts) > MOST_PATTERNS:
        raise ValueError(f"There are {len(texts)} destinations: {MOST_PATTERNS} are the most.")
    patterns: dict[str, bool] = {}
    mistakes = []
    for text in texts:
        word, allowed = text.strip(), True
        if word.startswith("!"):
            word, allowed = word[1:].strip(), False
        try:
            pattern = _pattern(word)
        except ValueError as error:
            mistakes.append(f"{text[:_LONGEST_TEXT]!r}: {error}")
            continue
        if patterns.setdefault(pattern, allowed) is not allowed:
            mistakes.append(f'"{pattern}" and "!{pattern}" contradict each other: take one of them out.')
    mistakes += _contradictions(patterns)
    if mistakes:
        raise ValueError(" ".join(mistakes))
    return Destinations(patterns, max((len(each) for each in patterns if each[0] == "+"), default=0))


def _pattern(word: str) -> str:
    """A pattern without its "!", as it is kept. Raises ValueError with a sentence."""
    if word == _EVERYWHERE or word in countries():
        return word
    digits = _MARKS.sub("", word[:_LONGEST_TEXT])
    if _PREFIX_TEXT.fullmatch(digits):
        return digits
    if re.fullmatch("[0-9]+", digits):
        hint = f' Did you mean "+{digits.lstrip("0")}"?' if digits.strip("0") else ""
        raise ValueError(f"A prefix begins with + and the country code.{hint}")
    if word.startswith("+"):
        raise ValueError("This is no prefix: write + and 1 to 15 digits of which the first is not 0.")
    country = word[:_LONGEST_TEXT].upper()
    hint = nearest(_OFTEN_MEANT.get(country, country), countries())
    raise ValueError(
        f'This is no destination: give a country such as DE, a prefix such as +4420, or "*".{hint}'
    )


def _contradictions(patterns: Mapping[str, bool]) -> Iterator[str]:
    """A country can't be told from the short prefix that it lies under, which goes before it; and denying
    alone allows nothing."""
    for country in (each for each in patterns if each[0] not in "+*"):
        code = calling_code(country)
        for end in range(2, len(code) + 1):
            if patterns.get(code[:end], patterns[country]) is not patterns[country]:
                here, there = ("", "!") if patterns[country] else ("!", "")
                yield (
                    f'"{here}{country}" says nothing beside "{there}{code[:end]}", since prefixes go before'
                    " countries: write the one or the other as what is meant, countries or longer prefixes."
                )
    if patterns and not any(patterns.values()):
        yield 'Here is only what is denied, so nothing is allowed: add what is, such as "*" or "DE".'


def longest_match(
    e164: str, patterns: Mapping[Destinations, Value] | Sequence[tuple[Destinations, Value]]
) -> Value | None:
    """The value of the destinations that allow the number by the most specific pattern; of several, the
    first."""
    pairs = patterns.items() if isinstance(patterns, Mapping) else patterns
    chosen, most = None, -1
    for destinations, value in pairs:
        found = destinations.best(e164)
        if found is not None and found.allowed and found.specific > most:
            chosen, most = value, found.specific
    return chosen


def refusal(number: str, destinations: Destinations, public: bool, section: str = "calls") -> Refusal | None:
    """Why a number must not be called, or None. `section` is the configuration's that lists `destinations`.

    Premium and satellite numbers are never called on `public` trunks. An extension is not refused here.
    """
    if not number.startswith("+"):
        return None
    if public and (never := _NEVER.get(what := kind(number))) is not None:
        return Refusal(what, f"{number} {never}")
    found = destinations.best(number)
    if found is not None and found.allowed:
        return None
    country = region(number)
    place = f" ({country})" if country is not None else ""
    if found is not None:
        line = f'"!{found.pattern}" is among the destinations. The administrator can take it out'
        return Refusal("destination", f"{number}{place} is not called, since {line} under [{section}].")
    wanted = country or number[:4]
    return Refusal(
        "destination",
        f"{number}{place} is not among the destinations that may be called. The administrator can allow it"
        f' under [{section}]: destinations = ["{wanted}"]',
    )


def caller_id_allowed(number: str, patterns: Sequence[str]) -> bool:
    """Whether a caller id's number fits one of a trunk's shell patterns, such as "+4930123*" or "*".

    `+` counts on neither side: providers take an international number with it or without. Nor do blanks and
    marks between the digits.
    """
    digits = _MARKS.sub("", number).removeprefix("+")
    return any(fnmatchcase(digits, _shell(pattern)) for pattern in patterns)


@lru_cache(maxsize=1024)
def _shell(pattern: str) -> str:
    return pattern.replace(" ", "").removeprefix("+")
