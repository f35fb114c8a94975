"""What the edges' validation found, in sentences that say what to do: the same for job documents and
configuration."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dialerd.core.errors import Mistake
from dialerd.core.texts import nearest

Names = Callable[[tuple[Any, ...]], Iterable[str]]
"""The names that may stand at a place (the path of the object that holds them)."""

_KINDS = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
}


def mistake_of(error: Mapping[str, Any], known: Names) -> Mistake:
    """One of pydantic's error records (type, loc, msg, input, ctx) as a mistake with its path and a
    sentence."""
    place = error["loc"]
    where = ".".join(_shown(part) for part in place if part != "[key]")
    return Mistake(where, _sentence(error, place, known))


def _shown(part: object) -> str:
    text = str(part)[:80]
    return text if text.isprintable() else ascii(text)


def _sentence(error: Mapping[str, Any], place: tuple[Any, ...], known: Names) -> str:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "extra_forbidden":
        return f"This name is not known here.{nearest(str(place[-1]), known(place[:-1]))}"
    if kind == "missing":
        return "This is needed: add it."
    if (
        kind in ("string_type", "list_type", "tuple_type")
        and isinstance(value, (int, float))
        and not isinstance(value, bool)
    ):
        return f'Write it in quotes: "{str(value)[:40]}".'
    if kind == "literal_error":
        return f"Use {context['expected']}.{_meant(value, context['expected'])}"
    made = _SENTENCES.get(kind)
    return made(value, context) if made else f"{error['msg']}."


def _meant(value: object, expected: str) -> str:
    return nearest(value, expected.split("'")[1::2]) if isinstance(value, str) else ""


def _is(value: object) -> str:
    return (
        "null (leave the field out instead)" if value is None else _KINDS.get(type(value), "something else")
    )


def _whole(value: object, *_: object) -> str:
    if isinstance(value, str):
        return "Give a whole number without quotes, such as 45."
    return f"Give a whole number, such as 45, and not {'a fraction' if type(value) is float else _is(value)}."


_SENTENCES: dict[str, Callable[[Any, Any], str]] = {
    "string_type": lambda value, _: f"Give a text in quotes, and not {_is(value)}.",
    "tuple_type": lambda value, _: f"Give a list, and not {_is(value)}.",
    "path_type": lambda value, _: f"Give a path in quotes, and not {_is(value)}.",
    "is_instance_of": lambda value, _: f"Give a path in quotes, and not {_is(value)}.",
    "list_type": lambda value, _: f"Give a list, and not {_is(value)}.",
    "dict_type": lambda value, _: f'Give an object such as {{"NAME": "value"}}, and not {_is(value)}.',
    "model_type": lambda value, _: f"Give an object with named fields, and not {_is(value)}.",
    "bool_type": lambda value, _: "Give true or false, without quotes.",
    "int_type": _whole,
    "int_from_float": _whole,
    "greater_than_equal": lambda _, context: f"Give {context['ge']} or more.",
    "less_than_equal": lambda _, context: f"Give {context['le']} or less.",
    "too_long": lambda _, context: (
        f"There are {context['actual_length']}: {context['max_length']} are the most."
    ),
    "too_short": lambda _, context: "It is empty: give at least one, or leave the field out.",
    "string_too_long": lambda _, context: f"It is too long: {context['max_length']} characters are the most.",
    "string_too_short": lambda _, context: "It is empty: give it a value or leave it out.",
    "string_unicode": lambda value, _: "It holds half a character (a lone surrogate): take it out.",
    "invalid_key": lambda value, _: "The names of fields are texts: write them in quotes.",
}
