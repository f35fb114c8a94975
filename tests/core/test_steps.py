from typing import Any

import pytest

from dialerd.core.steps import DEEPEST, MOST, numbers_in, parse_steps
from dialerd.core.tasks import Step


def steps_of(value: object) -> tuple[Step, ...]:
    steps, mistakes = parse_steps(value, "steps")
    assert mistakes == []
    return steps


def mistakes_of(value: object) -> dict[str, str]:
    _, mistakes = parse_steps(value, "steps")
    return {each.where: each.what for each in mistakes}


def test_each_verb_becomes_its_step() -> None:
    steps = steps_of(
        [
            {"play": "Hello."},
            {"gather": {"message": "Press 1.", "max_digits": 1, "timeout": 60, "attempts": 3}},
            {"record": {"message": "Speak.", "longest": 60}},
            {"monitor": "This call is recorded."},
            {"transfer": {"to": "+65 6602 8066", "message": "Wait.", "caller_id": "+6566028067"}},
        ]
    )

    assert steps == (
        Step("play", message="Hello."),
        Step("gather", message="Press 1.", max_digits=1, timeout=60, attempts=3),
        Step("record", message="Speak.", longest=60),
        Step("monitor", message="This call is recorded."),
        Step("transfer", dest="+6566028066", message="Wait.", caller_id="+6566028067"),
    )


def test_what_is_pressed_leads_to_steps_of_its_own() -> None:
    choice = {"1": [{"hangup": "Bye."}], "": [{"play": "What?"}], "2": []}

    (gather,) = steps_of([{"gather": {"on": choice}}])

    assert gather.on_digits == (
        ("1", (Step("hangup", message="Bye."),)),
        ("", (Step("play", message="What?"),)),
        ("2", ()),
    )


@pytest.mark.parametrize("room", ["room:", "room:R1", "room:sales.team_2"])
def test_a_transfer_may_lead_to_a_room(room: str) -> None:
    (step,) = steps_of([{"transfer": {"to": room}}])

    assert step.dest == room


def test_a_session_goes_on_after_a_transfer_that_may_fail() -> None:
    first, last = steps_of(
        [{"transfer": {"to": "+6566028066", "on_failure": [{"play": "Busy."}]}}, {"hangup": ""}]
    )

    assert first.on_failure == (Step("play", message="Busy."),)
    assert last == Step("hangup")


def test_numbers_are_read_at_home_where_there_is_a_country() -> None:
    (step,), mistakes = parse_steps([{"transfer": {"to": "030 123456"}}], "steps", "DE")

    assert (step.dest, mistakes) == ("+4930123456", [])


def test_every_number_that_steps_lead_to_is_found() -> None:
    steps = steps_of(
        [
            {"gather": {"on": {"1": [{"transfer": {"to": "+6566028066"}}]}}},
            {"transfer": {"to": "room:R1", "on_failure": [{"transfer": {"to": "+6566028067"}}]}},
        ]
    )

    assert list(numbers_in(steps)) == ["+6566028066", "+6566028067"]


@pytest.mark.parametrize(
    ("steps", "where", "sentence"),
    [
        ("play", "steps", "Give a list of steps"),
        ([], "steps", "at least one step"),
        (["play"], "steps.0", "one verb of play, gather"),
        ([{}], "steps.0", "one verb"),
        ([{"play": "a", "hangup": ""}], "steps.0", "one verb"),
        ([{"plya": "a"}], "steps.0", 'Did you mean "play"'),
        ([{1: "a"}], "steps.0", "no step"),
        ([{"play": ""}], "steps.0.play", "empty"),
        ([{"play": {"message": "a"}}], "steps.0.play", "a text in quotes"),
        ([{"play": "a\nb"}], "steps.0.play", "line break"),
        ([{"play": "x" * 4001}], "steps.0.play", "4000"),
        ([{"gather": "a"}], "steps.0.gather", "any of message, max_digits"),
        ([{"gather": {"mesage": "a"}}], "steps.0.gather.mesage", 'Did you mean "message"'),
        ([{"gather": {"max_digits": 256}}], "steps.0.gather.max_digits", "between 0 and 255"),
        ([{"gather": {"max_digits": True}}], "steps.0.gather.max_digits", "whole number"),
        ([{"gather": {"timeout": "60"}}], "steps.0.gather.timeout", "whole number"),
        ([{"gather": {"attempts": 0}}], "steps.0.gather.attempts", "between 1 and"),
        ([{"gather": {"on": []}}], "steps.0.gather.on", "what was pressed"),
        ([{"gather": {"on": {"one": []}}}], "steps.0.gather.on.one", "digits, * and #"),
        ([{"gather": {"on": {"1": [{"stop": ""}]}}}], "steps.0.gather.on.1.0", "no step 'stop'"),
        ([{"record": {"longest": 0}}], "steps.0.record.longest", "between 1 and"),
        ([{"monitor": 3}], "steps.0.monitor", "a text"),
        ([{"transfer": {}}], "steps.0.transfer.to", "needed"),
        ([{"transfer": {"to": "123"}}], "steps.0.transfer.to", "+"),
        ([{"transfer": {"to": "room:a b"}}], "steps.0.transfer.to", "A room is"),
        ([{"transfer": {"to": "room:R", "caller_id": "me"}}], "steps.0.transfer.caller_id", "digits"),
        ([{"transfer": {"to": "room:R", "on_failure": []}}], "steps.0.transfer.on_failure", "empty"),
        ([{"transfer": {"to": "room:R"}}, {"play": "a"}], "steps.1", "follows a transfer without on_failure"),
        ([{"hangup": "Bye."}, {"play": "a"}], "steps.1", "follows a hangup"),
        ([{"play": "a"}] * (MOST + 1), "steps", f"{MOST} are the most"),
    ],
)
def test_a_mistake_is_told_with_its_place(steps: object, where: str, sentence: str) -> None:
    found = mistakes_of(steps)

    assert list(found) == [where]
    assert sentence in found[where]


def nested(depth: int) -> list[dict[str, Any]]:
    """Steps that lie so deep in each other."""
    inside: list[dict[str, Any]] = [{"play": "a"}]
    for _ in range(depth - 1):
        inside = [{"gather": {"on": {"1": inside}}}]
    return inside


def test_steps_lie_in_each_other_only_so_deep() -> None:
    steps_of(nested(DEEPEST))

    (what,) = mistakes_of(nested(DEEPEST + 1)).values()

    assert "put them further out" in what


def test_steps_within_others_count() -> None:
    inside = [{"play": "a"}] * (MOST // 2)

    found = mistakes_of([{"gather": {"on": {"1": inside, "2": inside}}}])

    assert list(found) == ["steps.0.gather.on.2"]


def test_every_mistake_comes_at_once() -> None:
    found = mistakes_of([{"play": ""}, {"gather": {"timeout": 0, "attempts": 0}}, {"hangup": 1}])

    assert list(found) == [
        "steps.0.play",
        "steps.1.gather.timeout",
        "steps.1.gather.attempts",
        "steps.2.hangup",
    ]
