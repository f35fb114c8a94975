"""Reports of what providers do: messages that came in, and attempts with a provider's own words."""

import json
from datetime import UTC, datetime

from dialerd.core.model import Attempt, Call, Disposition, Event, Job, Result
from dialerd.core.states import State
from dialerd.core.tasks import Received, Sms
from dialerd.reports.body import body
from dialerd.reports.ports import Report

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def said(task, type, attempts=()):
    job = Job("1n2v3x4z5a6b7", 1000, State.COMPLETED, Call(to=("+4930123456",)), NOW, NOW, task=task)
    return json.loads(body(Report(Event(7, NOW, job.id, type, {"state": "completed"}), job, attempts)))


def test_a_message_that_came_in_is_told_whole():
    received = Received("sms", "flow", "mdr2-1", "+15551", "+15552", "Hello", ("https://x/1",), price="0.004")

    report = said(received, "received")

    assert report["type"] == "sms.received"
    assert report["data"]["message"] == {
        "provider": "flow",
        "ref": "mdr2-1",
        "sender": "+15551",
        "to": "+15552",
        "body": "Hello",
        "media": ["https://x/1"],
        "price": "0.004",
    }


def test_a_report_of_a_message_that_was_sent_has_the_providers_words_but_not_its_text():
    result = Result(Disposition.DELIVERED, word="delivered", price="0.05", currency="USD", parts=2)
    attempt = Attempt("1n2v3x4z5a6b7", 1, "twi", "", NOW, ended=NOW, result=result, ref="SM1")

    report = said(Sms("a secret"), "completed", [attempt])

    shown = report["data"]["attempt"]
    assert (report["type"], shown["ref"], shown["word"]) == ("sms.completed", "SM1", "delivered")
    assert (shown["price"], shown["currency"], shown["parts"]) == ("0.05", "USD", 2)
    assert "a secret" not in json.dumps(report)
