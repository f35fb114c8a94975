"""Strict JSON: UTF-8, no duplicate keys, no NaN, bounded in size and depth. Bytes in, plain values out."""

import json
from math import isfinite
from typing import Any, NoReturn

from dialerd.core.errors import InvalidJob, Mistake

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 24
"""A list of jobs with variables is three deep, one of sessions whose steps lie five deep in each other 23."""


def loads(data: bytes, max_bytes: int = MAX_BYTES) -> Any:
    """The JSON value in `data` (a byte order mark before it is skipped). Raises InvalidJob with a
    sentence."""
    if len(data) > max_bytes:
        raise _refused(f"The document has {len(data)} bytes: {max_bytes} are the most.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(f"Byte {error.start + 1} is not UTF-8: save the document as UTF-8.") from None
    if not text.strip():
        raise _refused("The document is empty: a job is a JSON object.")
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise _refused(
            f"This is not JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        ) from None
    except RecursionError:
        raise _refused(_TOO_DEEP) from None
    except ValueError as error:  # our own sentences, and Python's bound on the digits of a number
        raise _refused(
            str(error) if str(error).endswith(".") else "A number in it has too many digits."
        ) from None
    if _is_deeper(value, MAX_DEPTH):
        raise _refused(_TOO_DEEP)
    return value


_TOO_DEEP = f"The document is nested more than {MAX_DEPTH} deep: a job is an object, at most in a list."


def _refused(what: str) -> InvalidJob:
    return InvalidJob([Mistake("", what)])


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"The key {twice[:80]!r} stands twice in one object: keep one of them.")
    return value


def _finite(text: str) -> float:
    if not isfinite(value := float(text)):
        raise ValueError(f"{text[:40]} is too large for a number.")
    return value


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON: give a number or leave the field out.")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_no_constant)


def _is_deeper(value: Any, most: int) -> bool:
    """Whether containers lie more than `most` deep. Level by level: a recursion would itself be a bomb's
    target."""
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(most):
        inner = (each for outer in level for each in (outer.values() if isinstance(outer, dict) else outer))
        level = [each for each in inner if isinstance(each, (dict, list))]
    return bool(level)
