"""Types of settings: how one value of the configuration is read and checked."""

import os
import re
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from dialerd.core import texts
from dialerd.core.numbers import countries
from dialerd.core.routing import extension_pattern
from dialerd.core.times import format_duration, parse_duration

LONGEST_SOCKET_PATH = 107
"""Bytes; the kernel's sockaddr_un has 108 with the closing NUL."""


def _path(value: object) -> object:
    if not isinstance(value, str):
        return value
    texts.without_controls(value)
    if not value.startswith("/"):
        raise ValueError("Write the whole path, from / on.")
    return Path(value)


def socket_path(path: Path) -> Path:
    """The path itself, if the kernel can bind it."""
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise ValueError(
            f"The path of a socket has at most {LONGEST_SOCKET_PATH} bytes: choose a shorter one."
        )
    return path


def file_mode(value: object) -> object:
    """A file's mode, from octal digits in quotes."""
    if not isinstance(value, str) or not re.fullmatch("0?[0-7]{3}", value):
        raise ValueError('Write the mode as octal digits in quotes, such as "0660".')
    return int(value, 8)


def duration(value: object) -> object:
    """Seconds, from a text such as "4h"."""
    if not isinstance(value, str):
        raise ValueError('Write the duration with its unit and in quotes, such as "4h".')
    return parse_duration(value)


def _duration_or_forever(value: object) -> object:
    return None if value == "" else duration(value)


def _within(seconds: int | None, least: int, most: int) -> int | None:
    if seconds is not None and not least <= seconds <= most:
        raise ValueError(f"It lies between {format_duration(least)} and {format_duration(most)}.")
    return seconds


def bounds(least: int, most: int) -> AfterValidator:
    """For a Duration: the least and the most seconds."""
    return AfterValidator(partial(_within, least=least, most=most))


def as_tuple(value: object) -> object:
    """A list, or one text that stands for one."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def extension_patterns(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """The patterns themselves, if they are such as Asterisk's extensions have."""
    extension_pattern(patterns)
    return patterns


def country(text: str) -> str:
    """The text itself, if it is a country of ISO 3166."""
    if text not in countries():
        hint = texts.nearest(text.upper(), countries())
        raise ValueError(f"{text!r} is no country: give two capital letters of ISO 3166, such as DE.{hint}")
    return text


def word(text: str, pattern: str, otherwise: str) -> str:
    """The text itself, if it fits the pattern; `otherwise` is the sentence for one that does not."""
    if not re.fullmatch(pattern, text):
        raise ValueError(otherwise)
    return text


def _account(text: str) -> str:
    otherwise = "This is no user or group: write its name as in /etc/passwd or /etc/group, or its number."
    return word(text, r"(?:[A-Za-z_][A-Za-z0-9_.\-]{0,31}\$?|[0-9]{1,10})?", otherwise)


Duration = Annotated[int, BeforeValidator(duration)]
Forever = Annotated[int | None, BeforeValidator(_duration_or_forever)]
"""Seconds; "" in the configuration is for ever."""
Place = Annotated[Path, BeforeValidator(_path)]
Pattern = Annotated[str, AfterValidator(partial(texts.bounded, most=200))]
Patterns = Annotated[tuple[Pattern, ...], BeforeValidator(as_tuple)]
Texts = Patterns
Account = Annotated[str, AfterValidator(_account)]
Name = Annotated[
    str,
    AfterValidator(
        partial(
            word,
            pattern=r"[A-Za-z0-9_\-]{1,40}",
            otherwise="A name has 1 to 40 letters, digits, _ and -",
        )
    ),
]
Context = Annotated[
    str,
    AfterValidator(
        partial(
            word,
            pattern=r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,78}",
            otherwise="A context has letters, digits and _ . -",
        )
    ),
]


class Section(BaseModel):
    """A table of the configuration: unknown names are mistakes, and no type is taken for another."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
