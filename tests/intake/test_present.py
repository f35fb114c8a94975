import json
from dataclasses import fields, replace

import pytest

from dialerd.core.model import Attempt, Disposition, Draft, Event, Job, Result
from dialerd.core.states import State
from dialerd.intake.document import (
    FIELDS,
    loads,
    present,
    present_attempt,
    present_event,
)
from tests.intake.documents import (
    EXAMPLES,
    NOW,
    SIMPLE,
    one,
)


def test_the_public_json_of_a_job_tells_what_was_asked_and_what_came_of_it() -> None:
    draft = one({**SIMPLE, "caller_id": "<100>", "tags": "a", "not_before": "in 1h", "key": "k"})
    kept = {
        each.name: getattr(draft, each.name) for each in fields(Draft) if each.name not in ("digest", "notes")
    }
    job = Job(
        id="0123456789abc", owner=1000, state=State.COMPLETED, created=NOW, updated=NOW, attempts=1, **kept
    )
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
        "not_after": "2026-11-22T13:00:00.000Z",
        "to": "+4930123456",
        "trunk": "provider",
        "play": "hello-world",
        "caller_id": {"number": "100"},
        "wait_time": 45,
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

    named = {"digest": b"", "terms": replace(draft.terms, patience=None)}
    assert replace(again, **named) == replace(draft, **named)


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
