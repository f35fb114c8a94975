import json
from typing import Any

import jsonschema
import pytest

from dialerd.intake.document import (
    FIELDS,
    json_schema,
    parse,
)
from tests.intake.documents import (
    EXAMPLES,
    LIMITS,
    NOW,
    RULES,
    SIMPLE,
    mistakes_in,
    one,
    uploaded,
    with_field,
)


@pytest.mark.parametrize(("field", "largest", "beyond"), LIMITS)
def test_a_field_is_taken_up_to_its_limit_and_refused_beyond(field: str, largest: Any, beyond: Any) -> None:
    parse(with_field(field, largest), RULES, NOW)

    found = mistakes_in(with_field(field, beyond))

    assert [where.partition(".")[0] for where in found] == [field]
    assert all(what.endswith((".", "?", ")")) for what in found.values())


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", [None, 3.5, {"a": {}}, [[]], [None], b"bytes", float("nan"), 10**30])
def test_a_field_of_the_wrong_type_is_refused_by_its_name(field: str, value: Any) -> None:
    assert field in {where.partition(".")[0] for where in mistakes_in(with_field(field, value))}


TEXTS = {
    "provider": "clo{}ud",
    "flow": "a{}b",
    "connect": "{}+4930123456",
    "play_url": "https://a.example/{}b",
    "language": "e{}n",
    "longest": "1{}h",
    "template": "a{}b",
    "sender": "A{}B",
    "media": "https://a.example/{}b",
    "document": "0{}0",
    "document_file": "a{}b.pdf",
    "filename": "a{}b",
    "header": "a{}b",
    "room": "a{}b",
    "order": "b{}uy",
    "number": "1{}2",
    "kind": "ca{}ll",
    "to": "{}",
    "channel": "PJSIP/{}",
    "trunk": "p{}",
    "ring": "an{}y",
    "application": "P{}",
    "data": "x{}y",
    "context": "s{}",
    "extension": "s{}",
    "play": "s{}y",
    "caller_id": '"T{}" <1>',
    "account": "r{}y",
    "codecs": "u{}",
    "not_before": "in {}1h",
    "not_after": "in {}1h",
    "key": "k{}y",
    "batch": "b{}y",
    "tags": "t{}y",
    "on_doubt": "ho{}ld",
}


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize(
    "wrong", ["\0", "\n", "\r", "\t", "\x1b", "\x7f", "\x85", "\x9f", "\ud800", chr(0xDFFF), "\ufeff"]
)
def test_a_control_character_is_refused_in_every_field(field: str, wrong: str) -> None:
    found = mistakes_in(with_field(field, TEXTS[field].format(wrong)))

    assert {where.partition(".")[0] for where in found} == {field}


@pytest.mark.parametrize("wrong", ["\n", "\0", "\r", "\x85", "\ud800"])
@pytest.mark.parametrize("variables", [{"x": "a{}b"}, {"x{}": "a"}])
def test_a_control_character_is_refused_in_variables(wrong: str, variables: dict[str, str]) -> None:
    spoiled = {name.format(wrong): value.format(wrong) for name, value in variables.items()}

    (where,) = mistakes_in({**SIMPLE, "variables": spoiled})

    assert where.startswith("variables.")
    assert where.isprintable()


@pytest.mark.parametrize(
    "field", [*(each for each in FIELDS if each not in ("kill_after", "longest")), "variables.x"]
)
def test_no_whole_number_is_taken_for_a_text(field: str) -> None:
    integers = {"dialplan_priority", "wait_time", "max_retries", "retry_time", "priority", "max_dials"}
    value: Any = {"x": 5} if field == "variables.x" else "5" if field in integers else 5

    found = mistakes_in(with_field(field.partition(".")[0], value))

    assert next(iter(found)) == field


def test_a_number_without_quotes_is_told_how_to_be_written() -> None:
    assert mistakes_in({"to": 4930123456, "play": "x"}) == {"to": 'Write it in quotes: "4930123456".'}


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("too", "to"),
        ("playback", "play"),
        ("callerid", "caller_id"),
        ("maxretries", "max_retries"),
        ("waittime", "wait_time"),
    ],
)
def test_an_unknown_field_is_refused_with_the_nearest_right_name(wrong: str, right: str) -> None:
    assert f'Did you mean "{right}"?' in mistakes_in({**SIMPLE, wrong: "x"})[wrong]


@pytest.mark.parametrize("document", [None, [], "text", 5, True, [SIMPLE]])
def test_what_is_no_object_is_refused(document: Any) -> None:
    assert mistakes_in(document)[""].startswith("A job is one object")


def test_names_that_are_no_texts_are_refused() -> None:
    assert len(mistakes_in({1: 2, **SIMPLE})) == 1


def test_the_schema_is_valid_and_knows_every_field() -> None:
    schema = json_schema()

    jsonschema.Draft202012Validator.check_schema(schema)
    assert tuple(schema["properties"]) == FIELDS
    assert all(field["description"] and field["examples"] for field in schema["properties"].values())
    assert json.loads(json.dumps(schema)) == schema


def test_the_schemas_defaults_are_those_of_a_job() -> None:
    schema = json_schema()["properties"]
    draft = one(SIMPLE)
    defaults = {name: field["default"] for name, field in schema.items() if "default" in field}

    drafted = {name: getattr(draft, name, getattr(draft.call, name, None)) for name in defaults}

    no = {"record": False, "urgent": False, "bulk": False}
    assert defaults == {**drafted, "kind": "call", "ring": "each", "extension": "s", **no}


@pytest.mark.parametrize("field", FIELDS)
def test_the_schemas_own_examples_are_right(field: str) -> None:
    schema = json_schema()
    (example,) = schema["properties"][field]["examples"]
    document = with_field(field, example) | ({"to": ["1000", "1001"]} if field == "ring" else {})

    jsonschema.validate(document, schema, jsonschema.Draft202012Validator)

    if field == "document_file":
        assert "Only the drop folder" in mistakes_in(document)[field]
    else:
        assert parse(document, RULES, NOW, uploaded)


@pytest.mark.parametrize(("field", "largest", "beyond"), [each for each in LIMITS if each[0] != "data"])
def test_the_schema_takes_whatever_parse_takes(field: str, largest: Any, beyond: Any) -> None:
    jsonschema.validate(with_field(field, largest), json_schema(), jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    "document",
    [
        {"play": "x"},
        {"to": "1000"},
        {"to": "1000", "channel": "PJSIP/1", "play": "x"},
        {"to": 1000, "play": "x"},
        {**SIMPLE, "colour": "red"},
        {**SIMPLE, "key": None},
        {**SIMPLE, "wait_time": 0},
        {**SIMPLE, "extension": "s"},
        {**SIMPLE, "caller_id": {}},
        {**SIMPLE, "variables": {"x": 1}},
    ],
)
def test_the_schema_refuses_what_it_can_tell(document: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, json_schema(), jsonschema.Draft202012Validator)


@pytest.mark.parametrize("field", FIELDS)
def test_the_manual_tells_of_every_field(field: str) -> None:
    manual = (EXAMPLES.parents[1] / "docs/jobs.md").read_text()

    assert f"| `{field}` |" in manual
