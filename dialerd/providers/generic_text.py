"""The small language of the generic provider: texts with {places}, and where something is in an answer."""

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

from dialerd.core import texts
from dialerd.core.callbacks import Unreadable, parse_json
from dialerd.core.errors import Rejected
from dialerd.providers.base import text
from dialerd.providers.wire import Pairs

Values = Mapping[str, str | None]
Quote = Callable[[str], str]

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_PATH = re.compile(r"(?:[^.\[\]]+|\[\d+\])(?:\.[^.\[\]]+|\[\d+\])*")
_QUOTES = {'"': "&quot;"}
_OWN = "extra."


@dataclass(frozen=True, slots=True)
class Text:
    """A text with places: each piece is what stands before a place, and the place's name (None at the
    end)."""

    pieces: tuple[tuple[str, str | None], ...]

    @property
    def places(self) -> frozenset[str]:
        """The names of its places."""
        return frozenset(name for _, name in self.pieces if name is not None)

    def filled(self, values: Values, quoted: Quote = str) -> str:
        """The text itself; a place without a value is left empty."""
        return "".join(
            before + (quoted(values.get(name) or "") if name is not None else "")
            for before, name in self.pieces
        )

    def given(self, values: Values) -> str | None:
        """The text, or None where one of its places has no value: its field is left out."""
        return None if any(values.get(name) is None for name in self.places) else self.filled(values)


def parse_text(written: object, places: Collection[str]) -> Text:
    """A text with places of these names, or of fields of the job's own ({extra.NAME}); {{ and }} are braces.
    Raises ValueError with a sentence."""
    if not isinstance(written, str):
        raise ValueError("Give a text in quotes.")
    try:
        found = [(before, name, spec, way) for before, name, spec, way in Formatter().parse(written)]
    except ValueError:
        raise ValueError(
            "Braces enclose the name of a place: write {{ and }} for braces themselves."
        ) from None
    for _, name, spec, way in found:
        if name is None:
            continue
        own = name.startswith(_OWN) and len(name) > len(_OWN)
        if spec or way or not (own or name in places):
            hint = texts.nearest(name, places)
            raise ValueError(f"There is no place {{{name}}}, only {_listed(places)}.{hint}")
    return Text(tuple((before, name) for before, name, _, _ in found))


def in_path(value: str) -> str:
    """Quoted for one part of a path."""
    return quote(value, safe="")


def quote_for(media_type: str) -> Quote:
    """How values are quoted in a body of this kind: JSON, XML and forms are known, in others they stand as
    they are."""
    if "json" in media_type:
        return lambda value: json.dumps(value)[1:-1]
    if "xml" in media_type:
        return lambda value: escape(value, _QUOTES)
    return quote_plus if "form-urlencoded" in media_type else str


@dataclass(frozen=True, slots=True)
class Finder:
    """Where something is in an answer: at a path of its JSON, or by a pattern's group in its text."""

    path: tuple[str | int, ...] | None = None
    pattern: re.Pattern[str] | None = None

    def find(self, answer: str) -> str | None:
        """What is there; None for nothing."""
        if self.pattern is not None:
            found = self.pattern.search(answer)
            return (found[1] or None) if found is not None else None
        try:
            return text(at(parse_json(answer), self.path or ()))
        except (ValueError, RecursionError):
            return None


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    """What is at a path; None for nothing."""
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def parse_path(written: object) -> tuple[str | int, ...]:
    """A path such as data.messages[0].id. Raises ValueError with a sentence."""
    if not isinstance(written, str) or not _PATH.fullmatch(written):
        raise ValueError("Write a path into JSON: names with . between them, and [0] for places of a list.")
    return tuple(int(index) if index else name for name, index in _STEP.findall(written))


def parse_pattern(written: object, *, finds: bool) -> re.Pattern[str]:
    """A regular expression; one that finds something has one group. Raises ValueError with a sentence."""
    try:
        found = re.compile(written if isinstance(written, str) else "(", re.MULTILINE)
    except (re.error, OverflowError, RecursionError):
        raise ValueError("Write a regular expression (as Python has them) in quotes.") from None
    if finds and found.groups != 1:
        raise ValueError("It needs one group, in round brackets: what is looked for.")
    return found


def from_fields(fields: Mapping[str, str], body: bytes, path: str) -> str | None:
    """What a callback says: a field by its name, else what is at the path of its JSON."""
    if path in fields:
        return fields[path] or None
    try:
        return text(at(parse_json(body), parse_path(path)))
    except (ValueError, RecursionError, Unreadable):
        return None


def _listed(places: Collection[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(places)) + " and {extra.NAME}"


def pairs(fields: tuple[tuple[str, Text], ...], values: Values) -> Pairs:
    """Fields with their texts filled in; what has no value is left out."""
    filled = ((name, each.given(values)) for name, each in fields)
    return tuple((name, value) for name, value in filled if value is not None)


def headers(fields: tuple[tuple[str, Text], ...], values: Values) -> Pairs:
    """The same for headers. Raises Rejected for what can't stand in one."""
    filled = pairs(fields, values)
    for name, value in filled:
        if not value.isprintable() or not value.isascii():
            raise Rejected(f"The header {name} can't hold this value: it takes printable ASCII only.")
    return filled


def filled_json(value: Any, values: Values) -> Any:
    """JSON with its texts filled in; what has no value is left out."""
    if isinstance(value, Text):
        return value.given(values)
    if isinstance(value, dict):
        filled = {name: filled_json(each, values) for name, each in value.items()}
        return {name: each for name, each in filled.items() if each is not None}
    if isinstance(value, list):
        return [each for each in (filled_json(each, values) for each in value) if each is not None]
    return value
