"""What redaction takes out of jobs that providers carry, and of what providers say."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dialerd.core import redaction
from dialerd.core.model import Attempt, Call, Disposition, Job, Result
from dialerd.core.states import State
from dialerd.core.tasks import (
    Conference,
    Fax,
    Ivr,
    NumberOrder,
    Received,
    Script,
    Sms,
    Step,
    Task,
)

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
NUMBER, LEFT = "+4930123456", "+49******56"
EXTRA = (("Name", "Anna"),)
TRANSFER = Step("transfer", dest=NUMBER, caller_id=NUMBER, on_failure=(Step("hangup", message="Anna"),))
TASKS: list[tuple[Task, Task]] = [
    (
        Sms("Dear Anna", NUMBER, ("https://a.example/Anna",), "t1", True, extra=EXTRA),
        Sms("*", LEFT, ("*",), "t1", True, extra=(("Name", "*"),)),
    ),
    (Sms("", "ACME", template="t1"), Sms("", "*", template="t1")),
    (
        Fax("0" * 64, "application/pdf", 1000, 2, "Anna.pdf", NUMBER, "to Anna", EXTRA),
        Fax("", "application/pdf", 1000, 2, "*", LEFT, "*", (("Name", "*"),)),
    ),
    (Conference("Anna", NUMBER), Conference("*", LEFT)),
    (
        Ivr(
            (Step("play", message="Anna"), Step("gather", max_digits=4, on_digits=(("1", (TRANSFER,)),))),
            "Anna",
            NUMBER,
            60,
        ),
        Ivr(
            (
                Step("play", message="*"),
                Step(
                    "gather",
                    max_digits=4,
                    on_digits=(
                        (
                            "1",
                            (
                                Step(
                                    "transfer",
                                    dest=LEFT,
                                    caller_id=LEFT,
                                    on_failure=(Step("hangup", message="*"),),
                                ),
                            ),
                        ),
                    ),
                ),
            ),
            "*",
            LEFT,
            60,
        ),
    ),
    (NumberOrder("buy", NUMBER, EXTRA), NumberOrder("buy", LEFT, (("Name", "*"),))),
    (
        Received(
            "sms", "cloud", "SM1", NUMBER, "Anna", "Hello, Anna", ("https://a.example/Anna",), price="1"
        ),
        Received("sms", "cloud", "SM1", LEFT, "*", "*", ("*",), price="1"),
    ),
]


def job_of(task: Task | None, call: Call | None = None) -> Job:
    return Job("38fw7bp020000", 1000, State.FAILED, call or Call(to=(NUMBER,)), NOW, NOW, task=task)


@pytest.mark.parametrize(("task", "left"), TASKS, ids=lambda task: type(task).__name__)
def test_of_a_task_its_form_stays_and_no_text_and_nobody(task: Task, left: Task) -> None:
    once = redaction.job(job_of(task))

    assert once.task == left
    assert once.kind == job_of(task).kind
    assert redaction.job(once) == once


@pytest.mark.parametrize(
    "script",
    [
        Script(connect=NUMBER, record=True, longest=60, extra=EXTRA),
        Script(say="Dear Anna", language="en"),
        Script(play_url="https://a.example/Anna.mp3"),
        Script(flow="https://a.example/Anna"),
    ],
)
def test_of_a_providers_call_nobody_stays(script: Script) -> None:
    once = redaction.job(job_of(None, Call(to=(NUMBER,), script=script)))

    assert not re.search("Anna|123456", repr(once))
    assert once.call.script is not None
    assert (once.call.script.language, once.call.script.longest) == (script.language, script.longest)
    assert redaction.job(once) == once


def test_of_what_a_provider_said_of_an_attempt_the_figures_stay() -> None:
    result = Result(
        Disposition.ANSWERED,
        detail=f"{NUMBER} said yes",
        word="done",
        price="1",
        parts=2,
        recording="https://a/x",
    )
    evidence = {
        "ref": "SM1",
        "body": "Anna",
        "raw": {"To": NUMBER, "Body": ["Anna"]},
        "media": ["https://a/x"],
    }
    attempt = Attempt("38fw7bp020000", 1, "cloud", "", NOW, result=result, evidence=evidence, ref="SM1")

    left = redaction.attempt(attempt)

    assert left.result == replace(result, detail=f"{LEFT} said yes", recording="*")
    assert left.evidence == {"ref": "SM1", "body": "*", "raw": {"To": "*", "Body": "*"}, "media": ["*"]}
    assert (left.trunk, left.ref, left.channel) == ("cloud", "SM1", "")
    assert redaction.attempt(left) == left
