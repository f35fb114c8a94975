"""Job documents: plain values (JSON, a row of CSV) in, checked drafts or every mistake at once out.

docs/jobs.md is the user's view of the fields. What passes can always be written as a call file.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)

from dialerd.core import texts
from dialerd.core.errors import InvalidJob, Mistake
from dialerd.core.model import Draft
from dialerd.core.policy import Rules
from dialerd.core.routing import CHANNEL
from dialerd.core.sentences import mistake_of
from dialerd.intake.drafts import EXACTLY_ONE, ONLY_WITH, drafts
from dialerd.intake.present import present, present_attempt, present_event
from dialerd.intake.rows import document_of
from dialerd.intake.strictjson import MAX_BYTES, loads

__all__ = [
    "FIELDS", "MAX_BYTES", "json_schema", "loads", "parse", "parse_row", "present", "present_attempt",
    "present_event",
]  # fmt: skip

MOST_NUMBERS = 1000
MOST_MISTAKES = 100
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


def _field(description: str, example: Any, default: Any = None) -> Any:
    """A field that may be left out; `default` is what the job then has."""
    schema = {} if default is None else {"default": default}
    return Field(default=None, description=description, examples=[example], json_schema_extra=schema)


def _bare(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without the null that stands for "left out" in our code, but is refused in a document."""
    for field in schema["properties"].values():
        if field.get("default", 0) is None:
            del field["default"]
    return schema


_Number = Annotated[str, AfterValidator(texts.without_controls)]
_Numbers = Annotated[
    list[_Number],
    BeforeValidator(partial(_as_list, most=MOST_NUMBERS)),
    Field(min_length=1),
    _list_schema(MOST_NUMBERS),
]
_Channel = Annotated[
    str,
    _matching(
        CHANNEL,
        "A channel is Technology/Destination, such as PJSIP/100@trunk, without blanks, & and commas"
        " (for several at once: a list, and ring any).",
    ),
]
_Channels = Annotated[
    list[_Channel],
    BeforeValidator(partial(_as_list, most=MOST_NUMBERS)),
    Field(min_length=1),
    _list_schema(MOST_NUMBERS),
]
_Id = Annotated[str, AfterValidator(partial(texts.bounded, most=200)), _text_schema(most=200)]
_Trunk = Annotated[str, AfterValidator(partial(texts.bounded, most=40)), _text_schema(most=40)]
_Application = Annotated[
    str, _matching(_APPLICATION, "An application is a name such as Playback."), _text_schema(_APPLICATION)
]
_Context = Annotated[
    str, _matching(_CONTEXT, "A context has letters, digits and _ . - (79 at most)."), _text_schema(_CONTEXT)
]
_Extension = Annotated[
    str,
    _matching(
        _EXTENSION,
        "An extension has letters, digits and _ . @ * + # - (79 at most), not _ . @ # or - as the first.",
    ),
    _text_schema(_EXTENSION),
]
_Data = Annotated[str, AfterValidator(partial(texts.line_text, "Data: ")), _text_schema(most=1016, least=0)]
_Sounds = Annotated[str, AfterValidator(texts.sounds), _text_schema(most=1016)]
_Account = Annotated[str, AfterValidator(texts.account), _text_schema(most=texts.NAME_BYTES)]
_Codec = Annotated[str, _matching("[A-Za-z0-9_]{1,32}", "A codec is a name such as ulaw, alaw or g722.")]
_Codecs = Annotated[
    list[_Codec], BeforeValidator(partial(_split, most=20)), Field(min_length=1), _list_schema(20)
]
_Tag = Annotated[
    str,
    AfterValidator(partial(texts.bounded, most=64)),
    _matching("[^, ]+", "A tag has no commas and no blanks."),
]
_Tags = Annotated[
    list[_Tag], BeforeValidator(partial(_split, most=32)), Field(min_length=1), _list_schema(32)
]
_Variables = Annotated[
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

    name: Annotated[str, AfterValidator(texts.caller_name), _text_schema(most=texts.NAME_BYTES)] = _field(
        "The name; at most 79 bytes.", "Test User"
    )
    number: Annotated[str, AfterValidator(texts.caller_number), _text_schema(r"[+0-9 ().\-/]+")] = _field(
        "The number; 1 to 40 digits.", "5555555555"
    )


_CallerId = Annotated[
    CallerId,
    BeforeValidator(_caller_id),
    WithJsonSchema({"anyOf": [_ANY_TEXT, _bare(CallerId.model_json_schema()) | {"minProperties": 1}]}),
]
_Priority = Annotated[int, Field(ge=1, le=9999)]


class Document(BaseModel):
    """One phone call to make: whom to call (`to` or `channel`), and what happens on answer (`play`,
    `application` or
    `context`)."""

    model_config = ConfigDict(extra="forbid", strict=True, title="Job")

    kind: Literal["call"] = _field("The kind of job.", "call", "call")
    to: _Numbers = _field(
        "The number to call: E.164, a national number where default_country is configured, or an extension"
        " that the trunk takes. A list makes one job each, or with ring any one job that rings all at once.",
        "+4930123456",
    )
    channel: _Channels = _field(
        "A literal dial string (or a list) in place of to, where the configuration allows it.", "PJSIP/100"
    )
    trunk: _Trunk = _field("The way out for to; else the default trunk, or the only one.", "provider")
    ring: Literal["each", "any"] = _field(
        "Of several: each is called, or all ring at once and any that answers first gets the call.",
        "any",
        "each",
    )
    application: _Application = _field(
        "On answer: run this application of the administrator's list.", "Playback"
    )
    data: _Data = _field("The application's arguments; at most 1016 bytes.", "hello-world&goodbye,noanswer")
    context: _Context = _field(
        "On answer: go to this context of the dialplan, if the administrator lists it.", "survey"
    )
    extension: _Extension = _field("The extension in the context.", "s", "s")
    dialplan_priority: _Priority = _field("The step of the extension to begin at.", 1, 1)
    play: _Sounds = _field("On answer: play this sound (several with & between), and hang up.", "hello-world")
    caller_id: _CallerId = _field(
        'Who the call seems to be from: "Name" <number>, or an object; the name has 79 bytes at most.',
        '"Test User" <5555555555>',
    )
    variables: _Variables = _field("Channel variables, set in this order.", {"greeting": "tt-monkeys"})
    account: _Account = _field("The account in Asterisk's call records; at most 79 bytes.", "randall")
    wait_time: Annotated[int, Field(ge=1, le=600)] = _field("Seconds to wait for an answer.", 30, 45)
    codecs: _Codecs = _field('The codecs to offer: a list, or "ulaw,alaw".', ["ulaw", "alaw"])
    early_media: bool = _field("Run the action on early media already, before the answer.", True, False)
    max_retries: Annotated[int, Field(ge=0, le=100)] = _field("How often a failed call is tried again.", 2, 0)
    retry_time: Annotated[int, Field(ge=1, le=86400)] = _field("Seconds between two tries.", 60, 300)
    not_before: _Number = _field(
        "No call before this time: ISO 8601 with offset, with a zone's name, or in 1h.", "in 1h"
    )
    not_after: _Number = _field(
        "No call after this time; written like not_before.", "2026-12-01 20:00 Europe/Berlin"
    )
    priority: Annotated[int, Field(ge=0, le=9)] = _field("9 goes before all others, 0 after.", 7, 5)
    key: _Id = _field(
        "The same key again stands for the same job, and makes no second call.", "invoice-2026-117"
    )
    batch: _Id = _field("A name that several jobs share.", "reminders-monday")
    tags: _Tags = _field(
        'Words to find jobs by: a list, or "a,b"; each of 64 bytes at most.', ["invoice", "berlin"]
    )
    on_doubt: Literal["hold", "retry", "drop"] = _field(
        "What becomes of the job when nobody can know whether the call was made.", "hold", "hold"
    )


FIELDS = tuple(Document.model_fields)
_KNOWN = frozenset(FIELDS)
INTEGERS = frozenset(name for name, field in Document.model_fields.items() if field.annotation is int)
BOOLEANS = frozenset(name for name, field in Document.model_fields.items() if field.annotation is bool)
"""The fields that a spreadsheet's text must be turned into numbers, or yes and no, for."""


def parse(document: Any, rules: Rules, now: datetime) -> list[Draft]:
    """The drafts that a document stands for: one, or one per number. Raises InvalidJob with every mistake in
    it."""
    if not isinstance(document, dict):
        raise InvalidJob(
            [Mistake("", 'A job is one object, such as {"to": "+4930123456", "play": "hello-world"}.')]
        )
    unknown = [name for name in document if name not in _KNOWN]
    untold = dict.fromkeys(unknown[MOST_MISTAKES:])
    good, mistakes = _read({name: value for name, value in document.items() if name not in untold})
    made = drafts(document, good, mistakes, rules, now)
    if mistakes:
        left = len(mistakes) + len(untold) - MOST_MISTAKES
        raise InvalidJob(mistakes[:MOST_MISTAKES] + ([Mistake("", f"And {left} more.")] if left > 0 else []))
    return made


def parse_row(row: Mapping[str, str], rules: Rules, now: datetime) -> list[Draft]:
    """As `parse`, for a row of a spreadsheet: the column's name is the field's. Raises InvalidJob."""
    return parse(document_of(row, INTEGERS, BOOLEANS), rules, now)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a document. Numbers, times, bytes and what is allowed only `parse` can
    judge."""
    schema = _bare(Document.model_json_schema())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **{name: value for name, value in schema.items() if name != "$defs"},
        "allOf": [{"oneOf": [{"required": [name]} for name in names]} for names, _ in EXACTLY_ONE],
        "dependentRequired": {name: [other] for name, other in ONLY_WITH.items()},
    }


def _read(document: dict[Any, Any]) -> tuple[dict[str, Any], list[Mistake]]:
    """The fields that are right in themselves, and the mistakes in all others."""
    try:
        fields = Document.__pydantic_validator__.validate_python(document)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        mistakes = [mistake_of(each, _names) for each in errors]
        wrong = {each["loc"][0] for each in errors if each["loc"]}
        rest = {name: value for name, value in document.items() if name not in wrong} if wrong else {}
        if not wrong or len(rest) == len(document):
            return {}, mistakes
        good, more = _read(rest)
        return good, mistakes + more
    return {name: getattr(fields, name) for name in document}, []


def _names(place: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(CallerId.model_fields) if place == ("caller_id",) else FIELDS
