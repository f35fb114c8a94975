"""The types of a job document's fields: what one value may be, and its JSON Schema."""

import re
from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from dialerd.core import texts
from dialerd.core.documents import ID
from dialerd.core.routing import CHANNEL
from dialerd.core.steps import MOST as MOST_STEPS
from dialerd.core.steps import VERBS
from dialerd.intake.checks import (
    FURTHER,
    LONGEST_FURTHER,
    LONGEST_TEXT,
    MOST_FURTHER,
    SENDER,
    address,
    companion,
    further,
    list_of_steps,
    person_text,
    sender,
)

MOST_NUMBERS = 1000
MOST_VARIABLES = 100
LONGEST_CALLER_ID = 200
LONGEST_LIST = 4096
"""Characters of a text that stands for a list."""

_LONGEST_NAME = 500
"""Characters: more than any field that has a pattern may have."""

_CALLER_ID = re.compile(r"""(?:"([^"]*+)" *+|'([^'<]*+)' *+|([^"<>]*+))(?:<([^<>]*+)>)?""")
_BARE_NUMBER = re.compile(r"\+?[0-9 ().\-/]+")

_APPLICATION = "[A-Za-z][A-Za-z0-9_]{0,78}"
_CONTEXT = r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,78}"
_EXTENSION = r"[A-Za-z0-9*+][A-Za-z0-9_.@*+#\-]{0,78}"
_LANGUAGE = "[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}"
_ROOM = "[A-Za-z0-9._]{1,32}"
_ANY_TEXT = {"type": "string", "minLength": 1}


def _matching(pattern: str, otherwise: str) -> AfterValidator:
    """The text must fit the pattern in whole; `otherwise` is the sentence for one that does not."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if len(text) > _LONGEST_NAME or not compiled.fullmatch(texts.without_controls(text)):
            raise ValueError(otherwise)
        return text

    return AfterValidator(check)


def _text_schema(pattern: str = "", most: int = 0, least: int = 1) -> WithJsonSchema:
    schema: dict[str, Any] = {"type": "string", "minLength": least}
    return WithJsonSchema(
        schema | ({"pattern": f"^(?:{pattern})$"} if pattern else {}) | ({"maxLength": most} if most else {})
    )


def _list_schema(most: int) -> WithJsonSchema:
    """A list, or one text that stands for one."""
    array = {"type": "array", "items": _ANY_TEXT, "minItems": 1, "maxItems": most}
    return WithJsonSchema({"anyOf": [_ANY_TEXT, array]})


def _few(value: object, most: int) -> object:
    """The value itself; what has too many parts is refused before each of them is looked at."""
    if isinstance(value, (dict, list)) and len(value) > most:
        raise ValueError(f"There are {len(value)}: {most} are the most.")
    return value


def _as_list(value: object, most: int) -> object:
    return [value] if isinstance(value, str) else _few(value, most)


def _split(value: object, most: int) -> object:
    if not isinstance(value, str):
        return _few(value, most)
    if len(value) > LONGEST_LIST:
        raise ValueError(f"It is too long: {LONGEST_LIST} characters are the most.")
    return _few([each for each in re.split("[, ]+", value) if each], most)


def _parted(value: object, most: int) -> object:
    """A list, or one text with ; between its parts."""
    if not isinstance(value, str):
        return _few(value, most)
    return _few([each.strip() for each in value[:LONGEST_LIST].split(";") if each.strip()], most)


def _caller_id(value: object) -> object:
    """`"Name" <num>`, `Name <num>`, `<num>`, a bare number or a bare name as the two parts."""
    if isinstance(value, str):
        if len(value) > LONGEST_CALLER_ID:
            raise ValueError(f"It is too long: {LONGEST_CALLER_ID} characters are the most.")
        match = _CALLER_ID.fullmatch(value.strip(" "))
        if match is None:
            raise ValueError('Write it as "Name" <number>, such as "Test User" <5555555555>.')
        quoted, single, bare, number = match.groups()
        name = quoted or single or (bare or "").rstrip(" ")
        if number is None and _BARE_NUMBER.fullmatch(bare or ""):
            name, number = "", name
        value = {key: part for key, part in (("name", name), ("number", number)) if part}
    if value == {}:
        raise ValueError("It is empty: give a name, a number or both.")
    return _few(value, MOST_VARIABLES)


def _blank_between(value: object) -> object:
    """A list, or one text with blanks between addresses."""
    return _few(value[:LONGEST_LIST].split() if isinstance(value, str) else value, 10)


def field(description: str, example: Any, default: Any = None) -> Any:
    """A field that may be left out; `default` is what the job then has."""
    schema = {} if default is None else {"default": default}
    return Field(default=None, description=description, examples=[example], json_schema_extra=schema)


def bare(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without the null that stands for "left out" in our code, but is refused in a document."""
    for field in schema["properties"].values():
        if field.get("default", 0) is None:
            del field["default"]
    return schema


Number = Annotated[str, AfterValidator(texts.without_controls)]
Numbers = Annotated[
    list[Number],
    BeforeValidator(partial(_as_list, most=MOST_NUMBERS)),
    Field(min_length=1),
    _list_schema(MOST_NUMBERS),
]
Channel = Annotated[
    str,
    _matching(
        CHANNEL,
        "A channel is Technology/Destination, such as PJSIP/100@trunk, without blanks, & and commas"
        " (for several at once: a list, and ring any).",
    ),
]
Channels = Annotated[
    list[Channel],
    BeforeValidator(partial(_as_list, most=MOST_NUMBERS)),
    Field(min_length=1),
    _list_schema(MOST_NUMBERS),
]
Id = Annotated[str, AfterValidator(partial(texts.bounded, most=200)), _text_schema(most=200)]
Trunk = Annotated[str, AfterValidator(partial(texts.bounded, most=40)), _text_schema(most=40)]
Application = Annotated[
    str, _matching(_APPLICATION, "An application is a name such as Playback."), _text_schema(_APPLICATION)
]
Context = Annotated[
    str, _matching(_CONTEXT, "A context has letters, digits and _ . - (79 at most)."), _text_schema(_CONTEXT)
]
Extension = Annotated[
    str,
    _matching(
        _EXTENSION,
        "An extension has letters, digits and _ . @ * + # - (79 at most), not _ . @ # or - as the first.",
    ),
    _text_schema(_EXTENSION),
]
Data = Annotated[str, AfterValidator(partial(texts.line_text, "Data: ")), _text_schema(most=1016, least=0)]
Sounds = Annotated[str, AfterValidator(texts.sounds), _text_schema(most=1016)]
Account = Annotated[str, AfterValidator(texts.account), _text_schema(most=texts.NAME_BYTES)]
Codec = Annotated[str, _matching("[A-Za-z0-9_]{1,32}", "A codec is a name such as ulaw, alaw or g722.")]
Codecs = Annotated[
    list[Codec], BeforeValidator(partial(_split, most=20)), Field(min_length=1), _list_schema(20)
]
Tag = Annotated[
    str,
    AfterValidator(partial(texts.bounded, most=64)),
    _matching("[^, ]+", "A tag has no commas and no blanks."),
]
Tags = Annotated[list[Tag], BeforeValidator(partial(_split, most=32)), Field(min_length=1), _list_schema(32)]
Variables = Annotated[
    dict[str, str],
    BeforeValidator(partial(_few, most=MOST_VARIABLES)),
    WithJsonSchema(
        {
            "type": "object",
            "maxProperties": MOST_VARIABLES,
            "additionalProperties": {"type": "string", "maxLength": 1012},
            "propertyNames": {"pattern": f"^(?:{texts.VARIABLE}|{texts.FUNCTION})$"},
        }
    ),
]


class CallerId(BaseModel):
    """Who a call seems to be from."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, AfterValidator(texts.caller_name), _text_schema(most=texts.NAME_BYTES)] = field(
        "The name; at most 79 bytes.", "Test User"
    )
    number: Annotated[str, AfterValidator(texts.caller_number), _text_schema(r"[+0-9 ().\-/]+")] = field(
        "The number; 1 to 40 digits.", "5555555555"
    )


Caller = Annotated[
    CallerId,
    BeforeValidator(_caller_id),
    WithJsonSchema({"anyOf": [_ANY_TEXT, bare(CallerId.model_json_schema()) | {"minProperties": 1}]}),
]
Priority = Annotated[int, Field(ge=1, le=9999)]
Hours = Annotated[list[Id], BeforeValidator(partial(_parted, most=50)), Field(min_length=1), _list_schema(50)]
Seconds = Annotated[
    int | str,
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, _ANY_TEXT]}),
]
Url = Annotated[str, AfterValidator(partial(texts.bounded, most=2000)), _text_schema(most=2000)]
Urls = Annotated[
    list[Annotated[str, AfterValidator(partial(address, plain=False))]],
    BeforeValidator(_blank_between),
    Field(min_length=1),
    _list_schema(10),
]
Address = Annotated[str, AfterValidator(partial(address, plain=True)), _text_schema(most=2000)]
Words = Annotated[str, AfterValidator(person_text), _text_schema(most=LONGEST_TEXT)]
Sender = Annotated[str, AfterValidator(sender), _text_schema(SENDER)]
Name = Annotated[str, AfterValidator(partial(texts.bounded, most=100)), _text_schema(most=100)]
Header = Annotated[str, AfterValidator(texts.without_controls), Field(max_length=100)]
Flow = Annotated[str, AfterValidator(partial(texts.bounded, most=2000)), _text_schema(most=2000)]
Language = Annotated[
    str,
    _matching(_LANGUAGE, "A language is a tag such as en, ja or en-GB."),
    _text_schema(_LANGUAGE),
]
Room = Annotated[
    str, _matching(_ROOM, "A room has letters, digits, . and _ (32 at most)."), _text_schema(_ROOM)
]
DocumentId = Annotated[
    str, _matching(ID, "This is no document's id: take it from the answer to the upload."), _text_schema(ID)
]
Companion = Annotated[str, AfterValidator(companion), _text_schema(most=200)]
Further = Annotated[
    dict[str, str],
    BeforeValidator(partial(_few, most=MOST_FURTHER)),
    AfterValidator(further),
    WithJsonSchema(
        {
            "type": "object",
            "maxProperties": MOST_FURTHER,
            "additionalProperties": {"type": "string", "maxLength": LONGEST_FURTHER},
            "propertyNames": {"pattern": f"^(?:{FURTHER})$"},
        }
    ),
]
Steps = Annotated[
    list[Any],
    BeforeValidator(list_of_steps),
    WithJsonSchema(
        {
            "anyOf": [
                {**_ANY_TEXT, "description": "The same, as JSON: for a cell of a spreadsheet"},
                {
                    "type": "array",
                    "maxItems": MOST_STEPS,
                    "items": {
                        "type": "object",
                        "minProperties": 1,
                        "maxProperties": 1,
                        "propertyNames": {"enum": list(VERBS)},
                    },
                },
            ]
        }
    ),
]
