"""What redaction takes out and what it leaves."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialerd.core import redaction
from dialerd.core.model import Attempt, Call, Disposition, Job, Result, Terms
from dialerd.core.states import State

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
CALL = Call(
    to=("+4930123456", "+15551234567"),
    trunk="main",
    application="Dial",
    data="PJSIP/anna",
    extension="4930987654",
    caller_id_name="Anna Beispiel",
    caller_id_number="+4930111222",
    variables=(("NAME", "Anna"), ("PIN", "9876")),
)
JOB = Job(
    "38fw7bp020000",
    1000,
    State.FAILED,
    CALL,
    NOW,
    NOW,
    key="order-7",
    batch="spring",
    tags=("vip",),
    reason="+4930123456 is on the do-not-call list customers",
    terms=Terms(report_url="https://user@shop.example/hook/SECRET"),
)


@pytest.mark.parametrize(
    ("given_", "left"),
    [
        ("+493012345656", "+49********56"),
        ("+4930123456", "+49******56"),
        ("+15551234567", "+1********67"),
        ("+79161234567", "+7********67"),
        ("+35312345678", "+353******78"),
        ("+491", "+491"),
        ("1000", "**00"),
        ("4930123456", "********56"),
        ("112", "***"),
        ("", ""),
    ],
)
def test_of_a_number_the_country_and_the_last_digits_stay(given_, left):
    assert redaction.number(given_) == left


@pytest.mark.parametrize(
    ("given_", "left"),
    [
        ("PJSIP/4930123456@provider", "PJSIP/*@provider"),
        ("Local/1@sim&Local/2@sim", "Local/*@sim&Local/*@sim"),
        ("PJSIP/provider/sip:4930123456@10.0.0.1", "PJSIP/*@10.0.0.1"),
        ("DAHDI/g1/030123456", "DAHDI/*"),
        ("", "*"),
    ],
)
def test_of_a_channel_the_technology_and_the_place_stay(given_, left):
    assert redaction.channel(given_) == left


@pytest.mark.parametrize(
    ("given_", "left"),
    [
        ("called +4930123456 twice", "called +49******56 twice"),
        ("job 38fw7bp020000 ended after 120 seconds", "job 38fw7bp020000 ended after 120 seconds"),
        ("NOANSWER", "NOANSWER"),
        ("no list knows 030123456", "no list knows *******56"),
    ],
)
def test_sentences_lose_their_numbers_and_nothing_else(given_, left):
    assert redaction.words(given_) == left


def test_a_job_keeps_what_it_is_found_by_and_loses_who_was_called():
    left = redaction.job(JOB)
    told = repr(left)
    assert (left.key, left.batch, left.tags, left.state) == ("order-7", "spring", ("vip",), State.FAILED)
    assert left.call.to == ("+49******56", "+1********67")
    assert left.call.variables == (("NAME", "*"), ("PIN", "*"))
    assert not re.search("Anna|anna|9876|123456|987654|111222|SECRET|user@", told)


def test_a_job_without_people_is_left_as_it_was():
    job = replace(JOB, call=Call(to=("100",), play="hello-world"), reason="BUSY", terms=Terms())
    assert redaction.job(job) == replace(job, call=replace(job.call, to=("***",)))


def test_an_attempt_keeps_its_outcome_and_loses_its_channel():
    result = Result(Disposition.BUSY, hangup_cause=17, detail="+4930123456 was busy")
    evidence = {"lines": ["StartRetry: 4711 1 (1826745600)"], "channel": "PJSIP/anna@x", "by": 1000}
    attempt = Attempt("38fw7bp020000", 1, "main", "PJSIP/4930123456@x", NOW, result=result, evidence=evidence)
    left = redaction.attempt(attempt)
    assert left.channel == "PJSIP/*@x"
    assert left.result == replace(result, detail="+49******56 was busy")
    assert left.evidence == {
        "lines": ["StartRetry: 4711 1 (********00)"],
        "channel": "PJSIP/*@x",
        "by": 1000,
    }


NUMBERS = st.from_regex(r"\+[1-9][0-9]{7,14}", fullmatch=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | NUMBERS.map(lambda it: f"to {it}, or not"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(NUMBERS)
def test_no_number_can_be_read_back(number):
    left = redaction.number(number)
    assert len(left) == len(number)
    assert left.count("*") >= len(number) - 1 - 3 - 2


@given(st.dictionaries(st.text(), JSON))
def test_data_redacted_twice_is_as_redacted_once(data):
    once = redaction.data(data)
    assert redaction.data(once) == once
    assert not re.search(r"(?<!\\u)(?<![0-9A-Za-z+])\+[0-9]{8}", json.dumps(once, ensure_ascii=False))


@given(NUMBERS, st.text(max_size=20))
def test_a_job_redacted_twice_is_as_redacted_once(number, text):
    job = replace(JOB, call=replace(CALL, to=(number,), data=text, channel=text), reason=text + number)
    once = redaction.job(job)
    assert redaction.job(once) == once
