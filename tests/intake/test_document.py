import json
import time
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialerd.core.errors import InvalidJob, Mistake
from dialerd.core.model import Attempt, Call, Disposition, Draft, Event, Job, OnDoubt, Result
from dialerd.core.policy import Rules, Trunk
from dialerd.core.routing import channel_for, extension_pattern
from dialerd.core.states import State
from dialerd.intake.document import (
    FIELDS,
    json_schema,
    loads,
    parse,
    parse_row,
    present,
    present_attempt,
    present_event,
)
from dialerd.pbx.callfile import render

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
RULES = Rules(
    trunks={
        "provider": Trunk("provider", "PJSIP/{digits}@provider", extension_pattern(["1XXX"])),
        "other": Trunk("other", "Local/{extension}@x", extension_pattern(["2XX"])),
    },
    default_trunk="provider",
    default_country="DE",
    applications=("Playback", "NoOp"),
    functions=("CDR",),
    channels=("PJSIP/*",),
    contexts=("survey",),
)
EXAMPLES = Path(__file__).parents[2] / "etc/examples"
SIMPLE = {"to": "+4930123456", "play": "hello-world"}


def mistakes_in(document: Any, rules: Rules = RULES) -> dict[str, str]:
    with pytest.raises(InvalidJob) as caught:
        parse(document, rules, NOW)
    return {mistake.where: mistake.what for mistake in caught.value.mistakes}


def one(document: Any) -> Draft:
    (draft,) = parse(document, RULES, NOW)
    return draft


def action_for(field: str) -> dict[str, str]:
    """The action that this field stands with."""
    if field in ("context", "extension", "dialplan_priority"):
        return {"context": "survey"}
    return {"application": "NoOp"} if field in ("application", "data") else {"play": "hello-world"}


def with_field(field: str, value: Any) -> dict[str, Any]:
    """A right document with this field in it."""
    whom = {} if field in ("to", "channel") else {"to": "+4930123456"}
    return {**whom, **action_for(field), field: value}


def test_a_call_that_plays_a_sound_needs_two_fields() -> None:
    draft = one(SIMPLE)

    assert draft.call == Call(to=("+4930123456",), trunk="provider", play="hello-world")
    assert (draft.priority, draft.max_retries, draft.retry_time, draft.on_doubt) == (5, 0, 300, OnDoubt.HOLD)


def test_every_field_finds_its_place() -> None:
    document = loads((EXAMPLES / "every-field.json").read_bytes())

    draft = one(document)

    assert draft.call == Call(
        to=("+4930123456", "+4930123457", "1000"),
        trunk="provider",
        context="survey",
        extension="s",
        caller_id_name="Test User",
        caller_id_number="5555555555",
        variables=(("greeting", "tt-monkeys"), ("CDR(userfield)", "spring")),
        account="randall",
        wait_time=30,
        codecs=("ulaw", "alaw"),
    )
    expected = Draft(
        call=draft.call,
        digest=draft.digest,
        key="survey-2026-117",
        batch="survey-2026",
        tags=("survey", "berlin"),
        priority=7,
        not_before=datetime(2026, 12, 1, 9, tzinfo=UTC),
        not_after=datetime(2026, 12, 1, 19, tzinfo=UTC),
        max_retries=2,
        retry_time=600,
    )
    assert draft == expected


LIMITS: list[tuple[str, Any, Any]] = [
    ("data", "x" * 1016, "x" * 1017),
    ("data", "x;" * 338 + "xx", "x;" * 338 + "xxx"),
    ("data", "é" * 508, "é" * 509),
    ("application", "Playback", "a" * 80),
    ("context", "survey", "c" * 80),
    ("extension", "e" * 79, "e" * 80),
    ("dialplan_priority", 9999, 10000),
    ("dialplan_priority", 1, 0),
    ("play", "x" * 1016, "x" * 1017),
    ("play", "a", ""),
    ("caller_id", {"name": "x" * 79}, {"name": "x" * 80}),
    ("caller_id", {"name": "ü" * 39}, {"name": "ü" * 40}),
    ("caller_id", {"number": "1" * 40}, {"number": "1" * 41}),
    ("caller_id", {"number": "+1"}, {"number": "+"}),
    ("caller_id", "x", ""),
    ("caller_id", "<1>", {}),
    ("variables", {}, {f"v{number}": "" for number in range(101)}),
    ("variables", {"a" * 41: "x"}, {"a" * 42: "x"}),
    ("variables", {"x": "y" * 1012}, {"x": "y" * 1013}),
    ("variables", {"x": ""}, {"": "x"}),
    ("account", "a" * 79, "a" * 80),
    ("account", "a", ""),
    ("wait_time", 1, 0),
    ("wait_time", 600, 601),
    ("codecs", ["ulaw"] * 20, ["ulaw"] * 21),
    ("codecs", "ulaw", ""),
    ("codecs", ["c" * 32], ["c" * 33]),
    ("max_retries", 0, -1),
    ("max_retries", 100, 101),
    ("retry_time", 1, 0),
    ("retry_time", 86400, 86401),
    ("priority", 0, -1),
    ("priority", 9, 10),
    ("key", "k" * 200, "k" * 201),
    ("key", "k", ""),
    ("batch", "b" * 200, "b" * 201),
    ("batch", "b", ""),
    ("tags", [f"t{number}" for number in range(32)], [f"t{number}" for number in range(33)]),
    ("tags", ["t" * 64], ["t" * 65]),
    ("tags", "t", []),
    (
        "to",
        [f"+4930123{number:04}" for number in range(1000)],
        [f"+4930123{number:04}" for number in range(1001)],
    ),
    ("to", "1000", ""),
    ("to", ["1000"], []),
    ("channel", "PJSIP/" + "x" * 400, "PJSIP/" + "x" * 401),
    ("channel", [f"PJSIP/{number}" for number in range(1000)], [f"PJSIP/{number}" for number in range(1001)]),
    ("channel", "PJSIP/1", "PJSIP/"),
    ("trunk", "provider", "p" * 41),
    ("not_before", "in 3660 days", "in 3661 days"),
    ("not_after", "2000-01-01T00:00Z", "1999-12-31T23:59Z"),
]


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
    "to": "{}", "channel": "PJSIP/{}", "trunk": "p{}", "application": "P{}", "data": "x{}y", "context": "s{}",
    "extension": "s{}", "play": "s{}y", "caller_id": '"T{}" <1>', "account": "r{}y", "codecs": "u{}", "not_before": "in {}1h",
    "not_after": "in {}1h", "key": "k{}y", "batch": "b{}y", "tags": "t{}y", "ring": "an{}y", "on_doubt": "ho{}ld", "kind": "ca{}ll",
}  # fmt: skip


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize(
    "wrong", ["\0", "\n", "\r", "\t", "\x1b", "\x7f", "\x85", "\x9f", "\ud800", "\udfff", "\ufeff"]
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


@pytest.mark.parametrize("field", [*FIELDS, "variables.x"])
def test_no_whole_number_is_taken_for_a_text(field: str) -> None:
    integers = {"dialplan_priority", "wait_time", "max_retries", "retry_time", "priority"}
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


def test_all_mistakes_come_at_once() -> None:
    found = mistakes_in(
        {
            "to": ["112", "+4930123456", "+49 30 123456", "nobody"],
            "channel": "A&B",
            "application": "System",
            "data": "a #b",
            "extension": "7",
            "wait_time": 0,
            "colour": "red",
            "variables": {"DIALERD_JOB": "x", "SHELL(ls)": "1", "good": "a\nb"},
            "not_before": "2026-12-02T00:00Z",
            "not_after": "2026-12-01T00:00Z",
            "caller_id": {"name": 'a"b', "num": "1"},
        }
    )

    assert set(found) == {
        "to.0", "to.2", "to.3", "channel", "channel.0", "application", "data", "extension", "wait_time", "colour",
        "variables.DIALERD_JOB", "variables.SHELL(ls)", "variables.good", "not_after", "caller_id.name", "caller_id.num",
    }  # fmt: skip


def test_the_list_of_mistakes_has_an_end() -> None:
    with pytest.raises(InvalidJob) as caught:
        parse({f"field{number}": 1 for number in range(5000)}, RULES, NOW)

    assert len(caught.value.mistakes) == 101
    assert caught.value.mistakes[-1] == Mistake("", "And 4902 more.")


@pytest.mark.parametrize(
    ("document", "where", "sentence"),
    [
        ({"play": "x"}, "to", "Say whom to call"),
        ({"to": "1000"}, "play", "Say what happens on answer"),
        ({"to": "1000", "channel": "PJSIP/1", "play": "x"}, "channel", "only one of to and channel"),
        ({"to": "1000", "play": "x", "context": "survey"}, "context", "only one of play and context"),
        ({"to": "1000", "play": "x", "data": "y"}, "data", "only together with application"),
        ({"to": "1000", "play": "x", "extension": "1"}, "extension", "only together with context"),
        ({"to": "1000", "play": "x", "dialplan_priority": 1}, "dialplan_priority", "only together with context"),
        ({"channel": "PJSIP/1", "trunk": "other", "play": "x"}, "trunk", "only together with to"),
        ({"to": "1000", "play": "x", "ring": "any"}, "ring", "takes several"),
        ({"channel": ["PJSIP/1"], "play": "x", "ring": "any"}, "ring", "takes several"),
        ({**SIMPLE, "not_before": "in 2h", "not_after": "in 2h"}, "not_after", "not later"),
        ({**SIMPLE, "not_before": "2027-03-28 02:30 Europe/Berlin"}, "not_before", "does not exist"),
        ({**SIMPLE, "not_after": "2027-10-31 02:30 Europe/Berlin"}, "not_after", "comes twice"),
        ({**SIMPLE, "not_before": "2026-12-01T01:00:00"}, "not_before", "has no zone"),
        ({**SIMPLE, "trunk": "provder"}, "trunk", 'Did you mean "provider"'),
        ({**SIMPLE, "trunk": "other"}, "to", "takes no public numbers"),
        ({"to": "2000", "play": "x"}, "to", "no extension that the trunk 'provider' takes"),
        ({"to": ["1000", "1000"], "play": "x"}, "to.1", "the same as to.0"),
        ({"to": ["+4930123456", "030 12 34 56"], "play": "x"}, "to.1", "the same as to.0"),
        ({"channel": "DAHDI/1", "play": "x"}, "channel", 'channels = ["DAHDI/1"]'),
        ({"channel": ["PJSIP/1", "DAHDI/1"], "play": "x", "ring": "any"}, "channel", 'channels = ["DAHDI/1"]'),
        ({"channel": "PJSIP/300&DAHDI/g1/1", "play": "x"}, "channel.0", "without blanks, & and commas"),
        ({"to": "1000", "application": "System", "data": "id"}, "application", 'applications = ["System"]'),
        ({"to": "1000", "context": "from-internal"}, "context", 'contexts = ["from-internal"]'),
        ({**SIMPLE, "variables": {"FILE(/x)": "1"}}, "variables.FILE(/x)", 'functions = ["FILE"]'),
        ({**SIMPLE, "variables": {"_DIALERD_JOB": "1"}}, "variables._DIALERD_JOB", "dialerd's own"),
        ({**SIMPLE, "variables": {"dialerd_ring": "1"}}, "variables.dialerd_ring", "dialerd's own"),
        ({**SIMPLE, "variables": {"B ": "2"}}, "variables.B ", "no variable's name"),
        ({**SIMPLE, "variables": {"A=B": "2"}}, "variables.A=B", "no variable's name"),
        ({**SIMPLE, "variables": {"CDR(a)=x": "2"}}, "variables.CDR(a)=x", "no variable's name"),
        ({**SIMPLE, "variables": {"x": "No #1"}}, "variables.x", "comment"),
        ({**SIMPLE, "variables": {"x": "a "}}, "variables.x", "blank"),
        ({"to": "1000", "application": "Playback", "data": "#1"}, "data", "comment"),
        ({"to": "1000", "application": "Playback", "data": "/etc/passwd"}, "data", "not the name of a sound"),
        ({"to": "1000", "application": "playback", "data": "http://x/y.wav"}, "data", "not the name of a sound"),
        ({"to": "1000", "application": "Playback", "data": "hello,loud"}, "data", "no such option"),
        ({"to": "1000", "play": "../../voicemail/msg0000"}, "play", "not the name of a sound"),
        ({"to": "1000", "play": "hello,noanswer"}, "play", "not the name of a sound"),
        ({**SIMPLE, "caller_id": '"A #1" <100>'}, "caller_id.name", "take '#' out"),
        ({**SIMPLE, "caller_id": '"A" <100> x'}, "caller_id", '"Name" <number>'),
        ({**SIMPLE, "caller_id": '"A" <abc>'}, "caller_id.number", "digits"),
        ({**SIMPLE, "account": 'a"b'}, "account", "letters, digits"),
        ({**SIMPLE, "ring": "all"}, "ring", "'each' or 'any'"),
        ({**SIMPLE, "kind": "fax"}, "kind", "'call'"),
        ({**SIMPLE, "early_media": "yes"}, "early_media", "true or false"),
        ({**SIMPLE, "key": None}, "key", "leave the field out"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_field_and_a_sentence(document: Any, where: str, sentence: str) -> None:
    found = mistakes_in(document)

    assert list(found) == [where]
    assert sentence in found[where]


def test_a_mistake_in_a_field_does_not_count_as_its_absence() -> None:
    assert list(mistakes_in({"to": 5, "play": 6, "trunk": 7})) == ["to", "trunk", "play"]


def test_without_any_trunk_the_sentence_says_what_the_administrator_does() -> None:
    assert "[trunks.NAME]" in mistakes_in(SIMPLE, Rules())["trunk"]


@pytest.mark.parametrize(
    ("written", "name", "number"),
    [
        ('"Test User" <5555555555>', "Test User", "5555555555"),
        ("'Test User' <5555555555>", "Test User", "5555555555"),
        ("Test User <+1 (555) 555-5555>", "Test User", "+15555555555"),
        ("<100>", None, "100"),
        ("100", None, "100"),
        ("Müller, J. (Büro)", "Müller, J. (Büro)", None),
        ('"100"', "100", None),
        ("Zimmer 100", "Zimmer 100", None),
        ({"name": "नमस्ते", "number": "030-123"}, "नमस्ते", "030123"),
    ],
)
def test_a_caller_id_is_read_in_each_of_its_forms(written: Any, name: str | None, number: str | None) -> None:
    call = one({**SIMPLE, "caller_id": written}).call

    assert (call.caller_id_name, call.caller_id_number) == (name, number)


def test_several_numbers_become_drafts_with_keys_of_their_own_and_one_batch() -> None:
    drafts = parse({"to": ["1000", "1001", "+4930123456"], "play": "hello", "key": "k"}, RULES, NOW)

    assert [draft.call.to for draft in drafts] == [("1000",), ("1001",), ("+4930123456",)]
    assert [(draft.key, draft.batch) for draft in drafts] == [("k/1", "k"), ("k/2", "k"), ("k/3", "k")]
    assert len({draft.digest for draft in drafts}) == 3


def test_several_numbers_without_a_key_share_a_batch_that_nobody_else_has() -> None:
    batches = [
        {draft.batch for draft in parse({"to": ["1000", "1001"], "play": "hello"}, RULES, NOW)}
        for _ in range(2)
    ]

    assert [len(batch) for batch in batches] == [1, 1]
    assert batches[0] != batches[1]


def test_a_batch_that_was_given_stays() -> None:
    document = {"channel": ["PJSIP/1", "PJSIP/2"], "play": "hello", "batch": "b", "key": "k"}

    drafts = parse(document, RULES, NOW)

    assert [(draft.call.channel, draft.key, draft.batch) for draft in drafts] == [
        ("PJSIP/1", "k/1", "b"),
        ("PJSIP/2", "k/2", "b"),
    ]


def test_channels_that_ring_at_once_are_one_draft() -> None:
    draft = one({"channel": ["PJSIP/1", "PJSIP/2"], "ring": "any", "play": "hello"})

    assert draft.call.channel == "PJSIP/1&PJSIP/2"


def test_too_many_numbers_to_ring_at_once_are_refused() -> None:
    document = {"to": [f"+4930123{number:04}" for number in range(60)], "ring": "any", "play": "hello"}

    assert "too many to ring at once" in mistakes_in(document)["ring"]


def test_the_digest_tells_bodies_apart_but_not_keys_and_not_the_order_of_fields() -> None:
    same = [SIMPLE, {**SIMPLE, "key": "a"}, dict(reversed(SIMPLE.items()))]
    others = [{**SIMPLE, "priority": 6}, {**SIMPLE, "to": "+4930123457"}]

    digests = [one(document).digest for document in same + others]

    assert len(set(digests[:3])) == 1
    assert len(set(digests)) == 3


def test_relative_times_count_from_now_and_leave_the_digest_alone() -> None:
    document = {**SIMPLE, "not_before": "in 1h30m", "not_after": "in 2 days"}

    early, late = (parse(document, RULES, NOW + timedelta(hours=hours))[0] for hours in (0, 1))

    assert (early.not_before, early.not_after) == (NOW + timedelta(minutes=90), NOW + timedelta(days=2))
    assert late.not_before == NOW + timedelta(minutes=150)
    assert early.digest == late.digest


@pytest.mark.parametrize(
    ("row", "document"),
    [
        (
            {"to": "030 123456", "play": "hello-world", "key": "", "": ""},
            {"to": "030 123456", "play": "hello-world"},
        ),
        (
            {"to": "1000, 1001", "play": "a", "ring": "any"},
            {"to": ["1000", "1001"], "play": "a", "ring": "any"},
        ),
        ({"channel": "PJSIP/1", "play": " a "}, {"channel": "PJSIP/1", "play": "a"}),
        ({**SIMPLE, "wait_time": "20", "max_retries": "1"}, {**SIMPLE, "wait_time": 20, "max_retries": 1}),
        ({**SIMPLE, "early_media": "YES"}, {**SIMPLE, "early_media": True}),
        ({**SIMPLE, "early_media": "0"}, {**SIMPLE, "early_media": False}),
        (
            {**SIMPLE, "tags": "a, b c", "codecs": "ulaw alaw"},
            {**SIMPLE, "tags": "a, b c", "codecs": "ulaw alaw"},
        ),
        (
            {**SIMPLE, "variables.x": "1", "variables.CDR(a)": "2"},
            {**SIMPLE, "variables": {"x": "1", "CDR(a)": "2"}},
        ),
    ],
)
def test_a_row_is_read_as_the_document_that_it_stands_for(
    row: dict[str, str], document: dict[str, Any]
) -> None:
    from_row, from_document = (
        [replace(draft, batch=None) for draft in drafts]
        for drafts in (parse_row(row, RULES, NOW), parse(document, RULES, NOW))
    )

    assert from_row == from_document


@pytest.mark.parametrize(
    ("row", "where", "sentence"),
    [
        ({**SIMPLE, "wait_time": "soon"}, "wait_time", "whole number"),
        ({**SIMPLE, "wait_time": "1.5"}, "wait_time", "whole number"),
        ({**SIMPLE, "wait_time": "９"}, "wait_time", "whole number"),
        ({**SIMPLE, "early_media": "maybe"}, "early_media", "true or false"),
        ({**SIMPLE, "colour": "red"}, "colour", "not known"),
        ({"to": "1000 1001", "play": "x"}, "to", "1000 1001"),
        ({**SIMPLE, "variables.a b": "x"}, "variables.a b", "no variable's name"),
    ],
)
def test_a_row_with_a_mistake_is_refused_with_its_column(
    row: dict[str, str], where: str, sentence: str
) -> None:
    with pytest.raises(InvalidJob) as caught:
        parse_row(row, RULES, NOW)

    assert [mistake.where for mistake in caught.value.mistakes] == [where]
    assert sentence in caught.value.mistakes[0].what


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{", "line 1, column 2"),
        (b'{"to": "1000",\n}', "line 2, column 1"),
        (b"{'to': 1}", "not JSON"),
        (b'{"to": "\xff"}', "Byte 9 is not UTF-8"),
        ('{"to": "1000"}'.encode("utf-16"), "not UTF-8"),
        (b'{"to": "1000", "to": "1001"}', "'to' stands twice"),
        (b'{"variables": {"a": "1", "a": "2"}}', "'a' stands twice"),
        (b'{"wait_time": NaN}', "NaN is not JSON"),
        (b'{"wait_time": -Infinity}', "-Infinity is not JSON"),
        (b'{"wait_time": 1e999}', "too large"),
        (b'{"wait_time": ' + b"9" * 5000 + b"}", "too many digits"),
        (b"[" * 9 + b"]" * 9, "deep"),
        (b"[" * 100_000, "deep"),
        (b'{"a":' * 100_000, "deep"),
        (b"[" * 100_000 + b"]" * 100_000, "deep"),
        (b'{"to": "a\nb"}', "control character"),
        (b'{"to": "1000"} {}', "not JSON"),
        (b'"' + b"x" * 1024 * 1024 + b'"', "1048576 are the most"),
    ],
)
def test_what_is_not_strict_json_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(InvalidJob) as caught:
        loads(data)

    assert sentence in str(caught.value)


def test_a_byte_order_mark_before_json_is_skipped() -> None:
    assert loads(b'\xef\xbb\xbf{"to": "1000"}') == {"to": "1000"}


def test_a_list_of_jobs_with_variables_is_not_too_deep() -> None:
    assert loads(b'[{"variables": {"a": "b"}}]') == [{"variables": {"a": "b"}}]


def test_a_bomb_is_refused_in_no_time() -> None:
    started = time.perf_counter()
    with pytest.raises(InvalidJob):
        loads(b'{"a":' * 200_000)

    assert time.perf_counter() - started < 2


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

    assert defaults == {**drafted, "kind": "call", "ring": "each", "extension": "s"}


@pytest.mark.parametrize("field", FIELDS)
def test_the_schemas_own_examples_are_right(field: str) -> None:
    schema = json_schema()
    (example,) = schema["properties"][field]["examples"]
    document = with_field(field, example) | ({"to": ["1000", "1001"]} if field == "ring" else {})

    jsonschema.validate(document, schema, jsonschema.Draft202012Validator)

    assert parse(document, RULES, NOW)


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


def _texts(alphabet: str) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=1, max_size=12) | st.text(max_size=12)


DOCUMENTS = st.fixed_dictionaries(
    {"to": st.sampled_from(["1000", "+4930123456"])},
    optional={
        "play": _texts("abc/&.-"),
        "application": st.sampled_from(["Playback", "NoOp", "NoOp2"]),
        "data": _texts("ab;#\\, \"'"),
        "context": _texts("abc_.-@"),
        "extension": _texts("s1*#+_"),
        "caller_id": st.fixed_dictionaries(
            {}, optional={"name": _texts("aZ é,.'()_-\""), "number": _texts("+12 -")}
        ),
        "variables": st.dictionaries(_texts("aZ_9()"), _texts("ab;#\\= "), max_size=3),
        "account": _texts("ab_@: #"),
        "codecs": st.lists(_texts("ulaw"), max_size=2),
        "wait_time": st.integers(-1, 700),
    },
)


@given(DOCUMENTS)
def test_whatever_is_accepted_can_be_written_as_a_call_file(document: dict[str, Any]) -> None:
    rules = replace(RULES, applications=("*",), functions=("*",), contexts=("*",))
    try:
        drafts = parse(document, rules, NOW)
    except InvalidJob as error:
        assert error.mistakes
        return

    for draft in drafts:
        channel, extra = channel_for(draft.call, rules)
        assert render(draft.call, channel, "0123456789abc.1", extra)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: (
    st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), inner, max_size=4)
)))  # fmt: skip
def test_no_value_whatever_makes_parse_stumble(document: Any) -> None:
    try:
        parse(document, RULES, NOW)
    except InvalidJob as error:
        assert all(mistake.what for mistake in error.mistakes)


def test_the_public_json_of_a_job_tells_what_was_asked_and_what_came_of_it() -> None:
    draft = one({**SIMPLE, "caller_id": "<100>", "tags": "a", "not_before": "in 1h", "key": "k"})
    kept = {
        each.name: getattr(draft, each.name) for each in fields(Draft) if each.name not in ("digest", "notes")
    }
    job = Job(
        id="0123456789abc", owner=1000, state=State.COMPLETED, created=NOW, updated=NOW, attempts=1, **kept
    )  # fmt: skip
    result = Result(Disposition.ANSWERED, hangup_cause=16, ring_seconds=1.5, talk_seconds=0.0)
    attempt = Attempt(job.id, 1, "provider", "PJSIP/4930123456@provider", NOW, NOW, None, "x", result)

    shown = present(job, [attempt])

    assert shown == {
        "id": "0123456789abc",
        "kind": "call",
        "state": "completed",
        "owner": 1000,
        "key": "k",
        "tags": ["a"],
        "priority": 5,
        "created": "2026-11-21T12:00:00.000Z",
        "updated": "2026-11-21T12:00:00.000Z",
        "not_before": "2026-11-21T13:00:00.000Z",
        "to": "+4930123456",
        "trunk": "provider",
        "play": "hello-world",
        "caller_id": {"number": "100"},
        "wait_time": 45,
        "max_retries": 0,
        "retry_time": 300,
        "on_doubt": "hold",
        "retries": 0,
        "attempt_count": 1,
        "attempts": [
            {
                "number": 1,
                "trunk": "provider",
                "channel": "PJSIP/4930123456@provider",
                "begun": "2026-11-21T12:00:00.000Z",
                "handed_over": "2026-11-21T12:00:00.000Z",
                "disposition": "ANSWERED",
                "permanent": False,
                "hangup_cause": 16,
                "ring_seconds": 1.5,
                "talk_seconds": 0.0,
                "action_failed": False,
            }
        ],
    }
    assert json.loads(json.dumps(shown)) == shown


@pytest.mark.parametrize("name", ["every-field.json", "call.json"])
def test_what_a_job_shows_of_its_call_is_a_document_for_the_same_call(name: str) -> None:
    draft = one(loads((EXAMPLES / name).read_bytes()))
    kept = {
        each.name: getattr(draft, each.name) for each in fields(Draft) if each.name not in ("digest", "notes")
    }
    job = Job(id="0123456789abc", owner=0, state=State.QUEUED, created=NOW, updated=NOW, **kept)

    again = one({name: value for name, value in present(job).items() if name in FIELDS})

    assert replace(again, digest=b"") == replace(draft, digest=b"")


def test_an_attempt_and_an_event_are_shown_without_what_they_lack() -> None:
    attempt = Attempt("0123456789abc", 2, None, "PJSIP/1", NOW, evidence={"place": "gone"})
    event = Event(7, NOW, "0123456789abc", "ringing", {})

    assert present_attempt(attempt) == {
        "number": 2,
        "channel": "PJSIP/1",
        "begun": "2026-11-21T12:00:00.000Z",
        "evidence": {"place": "gone"},
    }
    assert present_event(event) == {
        "id": 7,
        "at": "2026-11-21T12:00:00.000Z",
        "job": "0123456789abc",
        "type": "ringing",
        "data": {},
    }


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.name)
def test_the_json_examples_are_right(path: Path) -> None:
    value = loads(path.read_bytes())

    assert all(parse(document, RULES, NOW) for document in (value if isinstance(value, list) else [value]))


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.ndjson")), ids=lambda path: path.name)
def test_the_ndjson_examples_are_right(path: Path) -> None:
    assert all(parse(loads(line), RULES, NOW) for line in path.read_bytes().splitlines())


def test_a_typical_document_is_parsed_in_well_under_a_millisecond() -> None:
    documents = [{"to": f"+49301234{number:03}", "play": "hello-world"} for number in range(200)]
    started = time.perf_counter()

    for document in documents:
        parse(document, RULES, NOW)

    assert (time.perf_counter() - started) / len(documents) < 0.001
