from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialerd.core.errors import InvalidJob, Mistake
from dialerd.core.model import Call, Draft, OnDoubt, Terms
from dialerd.core.policy import Rules
from dialerd.core.routing import channel_for
from dialerd.intake.document import (
    FIELDS,
    loads,
    parse,
)
from dialerd.pbx.callfile import render
from tests.intake.documents import (
    EXAMPLES,
    NOW,
    RULES,
    SIMPLE,
    mistakes_in,
    one,
)


def test_a_call_that_plays_a_sound_needs_two_fields() -> None:
    draft = one(SIMPLE)

    assert draft.call == Call(to=("+4930123456",), trunk="provider", play="hello-world")
    assert (draft.priority, draft.max_retries, draft.retry_time, draft.on_doubt) == (
        5,
        None,
        None,
        OnDoubt.HOLD,
    )
    assert (draft.ways, draft.not_after) == (("provider",), NOW + timedelta(days=1))


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
        ways=("provider",),
        terms=Terms(
            windows=("mon-sat 09:00-20:00",),
            zone="Europe/Berlin",
            retry="patient",
            max_dials=6,
            kill_after=3 * 3600,
            report_url="https://crm.example.com/calls",
        ),
    )
    assert draft == expected


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
        "to.0",
        "to.2",
        "to.3",
        "channel",
        "channel.0",
        "application",
        "data",
        "extension",
        "wait_time",
        "colour",
        "variables.DIALERD_JOB",
        "variables.SHELL(ls)",
        "variables.good",
        "not_after",
        "caller_id.name",
        "caller_id.num",
    }


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
        (
            {"to": "1000", "play": "x", "dialplan_priority": 1},
            "dialplan_priority",
            "only together with context",
        ),
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
        (
            {"channel": ["PJSIP/1", "DAHDI/1"], "play": "x", "ring": "any"},
            "channel",
            'channels = ["DAHDI/1"]',
        ),
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
        (
            {"to": "1000", "application": "playback", "data": "http://x/y.wav"},
            "data",
            "not the name of a sound",
        ),
        ({"to": "1000", "application": "Playback", "data": "hello,loud"}, "data", "no such option"),
        ({"to": "1000", "play": "../../voicemail/msg0000"}, "play", "not the name of a sound"),
        ({"to": "1000", "play": "hello,noanswer"}, "play", "not the name of a sound"),
        ({**SIMPLE, "caller_id": '"A #1" <100>'}, "caller_id.name", "take '#' out"),
        ({**SIMPLE, "caller_id": '"A" <100> x'}, "caller_id", '"Name" <number>'),
        ({**SIMPLE, "caller_id": '"A" <abc>'}, "caller_id.number", "digits"),
        ({**SIMPLE, "account": 'a"b'}, "account", "letters, digits"),
        ({**SIMPLE, "ring": "all"}, "ring", "'each' or 'any'"),
        ({**SIMPLE, "kind": "telegram"}, "kind", "'call'"),
        ({**SIMPLE, "early_media": "yes"}, "early_media", "true or false"),
        ({**SIMPLE, "key": None}, "key", "leave the field out"),
    ],
)
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


def read(document: Any, rules: Rules) -> tuple[list[Draft], list[Mistake]]:
    """What parse makes of it: drafts or mistakes."""
    try:
        return parse(document, rules, NOW), []
    except InvalidJob as error:
        return [], error.mistakes


@given(DOCUMENTS)
def test_whatever_is_accepted_can_be_written_as_a_call_file(document: dict[str, Any]) -> None:
    rules = replace(RULES, applications=("*",), functions=("*",), contexts=("*",))

    drafts, mistakes = read(document, rules)

    assert bool(drafts) != bool(mistakes)
    for draft in drafts:
        channel, extra = channel_for(draft.call, draft.ways[0], rules)
        assert render(draft.call, channel, "0123456789abc.1", extra)


ANY_KEY = st.sampled_from(FIELDS) | st.text(max_size=5)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_KEY, inner, max_size=4),
)


@given(ANYTHING)
def test_no_value_whatever_makes_parse_stumble(document: Any) -> None:
    drafts, mistakes = read(document, RULES)

    assert bool(drafts) != bool(mistakes)
    assert all(mistake.what for mistake in mistakes)
