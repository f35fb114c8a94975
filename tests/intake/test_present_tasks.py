"""The public JSON of jobs that providers carry, of their attempts, and of what came in."""

import json
from dataclasses import fields, replace
from typing import Any

import jsonschema
import pytest

from dialerd.core.model import Attempt, Call, Disposition, Draft, Job, Result
from dialerd.core.policy import Route
from dialerd.core.states import State
from dialerd.core.tasks import Received
from dialerd.intake.api.openapi import openapi
from dialerd.intake.document import FIELDS
from dialerd.intake.present import present, present_attempt, present_last
from tests.intake.documents import NOW, OF_KIND, RULES, one

STEPS = [
    {"play": "Hello."},
    {
        "gather": {
            "message": "Press 1.",
            "max_digits": 1,
            "timeout": 5,
            "attempts": 2,
            "on": {"1": [{"transfer": {"to": "+4930654321", "caller_id": "+493099"}}], "": []},
        }
    },
    {"record": {"message": "Speak.", "longest": 60}},
    {"monitor": "We listen."},
    {"transfer": {"to": "room:monday", "on_failure": [{"hangup": "Sorry."}]}},
    {"hangup": "Goodbye."},
]
TO = {"to": "+4930123456"}
FULL: dict[str, dict[str, Any]] = {
    "call": {**TO, "connect": "+4930654321", "longest": "10m", "record": True, "extra": {"a": "b"}},
    "said": {**TO, "say": "Hi", "language": "en"},
    "own phone": {"connect": "+4930654321"},
    "sms": {
        **OF_KIND["sms"], "sender": "ACME", "media": ["https://a.example/1.png"], "urgent": True,
        "bulk": True, "extra": {"a": "b"},
    },
    "fax": {**OF_KIND["fax"], "filename": "a.pdf", "caller_id": "+493099", "header": ""},
    "conference": {
        **OF_KIND["conference"], "to": ["+4930123456", "+4930123457"], "room": "r", "caller_id": "private",
    },
    "ivr": {**OF_KIND["ivr"], "steps": STEPS, "message": "Hello.", "longest": 60},
    "number": {**OF_KIND["number"], "details": {"duration": "12"}},
}  # fmt: skip


def job_of(draft: Draft) -> Job:
    kept = {
        each.name: getattr(draft, each.name) for each in fields(Draft) if each.name not in ("digest", "notes")
    }
    return Job(id="0123456789abc", owner=0, state=State.QUEUED, created=NOW, updated=NOW, **kept)


def check(name: str, shown: dict[str, Any]) -> None:
    described = openapi()
    whole = {"$ref": f"#/components/schemas/{name}", "components": described["components"]}
    jsonschema.Draft202012Validator(whole).validate(shown)
    assert json.loads(json.dumps(shown)) == shown


@pytest.mark.parametrize("name", FULL)
def test_what_a_job_shows_is_a_document_for_the_same_job(name: str) -> None:
    draft = one({**FULL[name], "provider": "cloud"})

    shown = present(job_of(draft))

    check("Job", shown)
    again = one({name: value for name, value in shown.items() if name in FIELDS})
    named = {"digest": b"", "terms": replace(draft.terms, patience=None)}
    assert replace(again, **named) == replace(draft, **named)
    assert shown["provider"] == "cloud"


def test_several_ways_are_told_and_no_one_provider() -> None:
    rules = replace(RULES, routes=(Route(RULES.destinations, ("provider", "cloud")),))

    shown = present(job_of(one({"to": "+4930123456", "play": "hello", "say": "Hello."}, rules)))

    assert (shown["ways"], shown["trunks"], shown["trunk"]) == (
        ["provider", "cloud"],
        ["provider", "cloud"],
        "provider",
    )
    assert "provider" not in shown


def test_an_attempt_by_a_provider_names_it_and_its_id() -> None:
    result = Result(
        Disposition.DELIVERED,
        word="delivered",
        price="0.0075",
        currency="USD",
        parts=2,
        recording="https://a.example/r",
    )
    attempt = Attempt("0123456789abc", 1, "cloud", "", NOW, NOW, result=result, ref="SM1")

    shown = present_attempt(attempt)

    check("Attempt", shown)
    check("LastAttempt", present_last(attempt))
    assert shown == {
        "number": 1,
        "provider": "cloud",
        "ref": "SM1",
        "begun": "2026-11-21T12:00:00.000Z",
        "handed_over": "2026-11-21T12:00:00.000Z",
        "disposition": "DELIVERED",
        "permanent": False,
        "action_failed": False,
        "word": "delivered",
        "price": "0.0075",
        "currency": "USD",
        "parts": 2,
        "recording": "https://a.example/r",
    }


def test_what_came_in_is_shown_as_it_came() -> None:
    task = Received(
        "sms", "cloud", "SM9", "+4930123456", "+493099", "STOP", ("https://a.example/1",), price="0.01"
    )
    job = Job("0123456789abc", 0, State.COMPLETED, Call(), NOW, NOW, ways=("cloud",), way="cloud", task=task)

    shown = present(job)

    check("Job", shown)
    assert shown["kind"] == "received"
    assert {
        name: shown[name] for name in ("what", "provider", "ref", "sender", "dest", "body", "media", "price")
    } == {
        "what": "sms",
        "provider": "cloud",
        "ref": "SM9",
        "sender": "+4930123456",
        "dest": "+493099",
        "body": "STOP",
        "media": ["https://a.example/1"],
        "price": "0.01",
    }
