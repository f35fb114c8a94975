"""Following calls through events that were recorded on Asterisk 22 and 16 (tests/pbx/events)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dialerd.core.model import Trace
from dialerd.pbx import trace
from dialerd.pbx.trace import Tracer
from dialerd.pbx.wire import Headers, headers

FOLDER = Path(__file__).parent / "events"
NAME = "01h2x3y4z5a6b.1.call"
VERSIONS = pytest.mark.parametrize("version", [22, 16])


def recorded(name: str) -> Iterator[Headers]:
    text = (FOLDER / f"{name}.txt").read_text()
    for block in text.split("\n\n")[1:]:
        yield headers(block.strip("\n").replace("\n", "\r\n").encode())


def follow(tracer: Tracer, name: str) -> list[Trace]:
    """Every report of one recorded call."""
    seen = [tracer.feed(each, 0.0) for each in recorded(name)]
    assert {told[0] for told in seen if told} == {NAME}
    return [told[1] for told in seen if told]


def last(name: str) -> Trace:
    return follow(Tracer(), name)[-1]


@VERSIONS
@pytest.mark.parametrize(
    ("name", "near", "far"),
    [
        ("local_busy", ("BUSY", 0), (None, 17)),
        ("pjsip_404", ("NOANSWER", 1), (None, None)),
        ("dial_busy", ("BUSY", 17), ("BUSY", 17)),
        ("dial_nested_busy", ("BUSY", 17), ("BUSY", 17)),
        ("dial_busy_then_congestion", ("CONGESTION", 0), ("BUSY", 17)),
        ("dial_no_endpoint", ("CHANUNAVAIL", 3), (None, 3)),
        ("answer_first_busy", ("ANSWER", 17), ("BUSY", 17)),
    ],
)
def test_the_near_channel_and_the_callees_leg_are_told_apart(
    version: int, name: str, near: tuple[str, int], far: tuple[str | None, int | None]
) -> None:
    seen = last(f"{name}-{version}")

    assert (seen.dial_status, seen.near_cause) == near
    assert (seen.far_status, seen.far_cause) == far
    assert seen.ended is not None


@VERSIONS
def test_a_timeout_has_no_status_and_the_near_channels_cause(version: int) -> None:
    seen = last(f"local_timeout-{version}")

    assert (seen.dialled, seen.dial_status, seen.near_cause) == (True, None, {22: 19, 16: 0}[version])
    assert seen.rang is not None


@VERSIONS
def test_a_leg_that_was_given_up_at_the_timeout_has_no_cause_of_its_own(version: int) -> None:
    seen = last(f"dial_timeout-{version}")

    assert (seen.far_status, seen.far_cause, seen.near_cause) == ("CANCEL", None, {22: 19, 16: 0}[version])


@VERSIONS
def test_a_local_channel_to_no_extension_is_never_dialled(version: int) -> None:
    seen = last(f"local_no_extension-{version}")

    assert (seen.dialled, seen.dial_status) == (False, None)
    assert seen.ended is not None


@VERSIONS
@pytest.mark.parametrize("name", ["pjsip_answer", "dial_answer"])
def test_an_answered_call_is_reported_at_its_begin_its_answer_and_its_end(version: int, name: str) -> None:
    reports = follow(Tracer(), f"{name}-{version}")

    assert [(r.answered is not None, r.ended is not None) for r in reports] == [
        (False, False),
        (True, False),
        (True, True),
    ]
    assert reports[0].channel is not None
    assert reports[0].channel.startswith(("PJSIP/loop-", "Local/answer@out-"))
    assert not reports[0].channel.endswith(";2")


@VERSIONS
def test_of_two_legs_the_one_that_answered_counts(version: int) -> None:
    seen = last(f"dial_two-{version}")

    assert seen.far_status == "ANSWER"
    assert seen.far_answered is not None


@VERSIONS
def test_a_leg_that_was_busy_before_voicemail_answered_does_not_count(version: int) -> None:
    seen = last(f"voicemail_after_busy-{version}")

    assert (seen.dial_status, seen.far_status, seen.far_answered) == ("ANSWER", None, None)


@VERSIONS
def test_a_callee_who_answers_after_the_dialplan_did_has_a_time_of_his_own(version: int) -> None:
    seen = last(f"answer_first_answer-{version}")

    assert seen.answered is not None
    assert seen.far_answered is not None
    assert seen.far_answered - seen.answered > 0.4


@VERSIONS
def test_a_dialplan_that_dials_no_existing_endpoint_found_no_way(version: int) -> None:
    assert last(f"dial_no_endpoint-{version}").no_way
    assert not last(f"dial_busy-{version}").no_way


@VERSIONS
def test_what_the_calls_action_dials_is_no_far_leg(version: int) -> None:
    seen = last(f"action_dials_busy-{version}")

    assert (seen.dial_status, seen.far_status, seen.last_application) == ("ANSWER", None, "Dial")


@VERSIONS
def test_an_action_that_does_not_exist_shows_neither_step_nor_application(version: int) -> None:
    extension = last(f"action_no_extension-{version}")
    application = last(f"action_no_application-{version}")

    assert (extension.steps_shown, extension.acted) == (True, False)
    assert (application.acted, application.last_application) == (False, "AppDial2")


@VERSIONS
def test_an_agi_server_that_is_down_is_told(version: int) -> None:
    assert last(f"action_agi_down-{version}").agi_failed


ALL = sorted(path.stem for path in FOLDER.glob("*.txt"))


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_remembered_of_a_call_that_is_over(name: str) -> None:
    tracer = Tracer()

    follow(tracer, name)

    assert (len(tracer), tracer._channels, tracer._pairs, tracer._stepped) == (0, {}, {}, {})


def test_a_quick_call_waits_for_its_record_and_ends_without_it_where_none_comes() -> None:
    tracer = Tracer()
    events = [each for each in recorded("action_no_application-22") if each["Event"] != "Cdr"]

    reports = [told for told in (tracer.feed(each, 7.0) for each in events) if told]
    early, late = tracer.tick(7.1), tracer.tick(7.5)

    assert reports[-1][1].ended is None
    assert early == []
    assert [(name, seen.ended is not None, seen.last_application) for name, seen in late] == [
        (NAME, True, None)
    ]


@VERSIONS
def test_a_record_that_comes_before_everything_else_counts(version: int) -> None:
    events = list(recorded(f"action_no_application-{version}"))
    events.sort(key=lambda each: each["Event"] != "Cdr")
    tracer = Tracer()

    reports = [told for told in (tracer.feed(each, 0.0) for each in events) if told]

    assert reports[-1][1].last_application == "AppDial2"
    assert reports[-1][1].ended is not None


def test_after_no_record_came_once_later_calls_do_not_wait() -> None:
    tracer = Tracer()
    events = [each for each in recorded("action_no_application-22") if each["Event"] != "Cdr"]
    for each in events:
        tracer.feed(each, 7.0)
    tracer.tick(7.5)

    again = [told for told in (tracer.feed(each, 0.0) for each in events) if told]

    assert again[-1][1].ended is not None


def test_a_gap_marks_the_calls_that_lived_through_it() -> None:
    tracer = Tracer()
    events = list(recorded("dial_busy-22"))
    half = len(events) // 2
    for each in events[:half]:
        tracer.feed(each, 0.0)

    tracer.gap()
    reports = [told for told in (tracer.feed(each, 0.0) for each in events[half:]) if told]

    assert [seen.complete for _, seen in reports] == [False]


def test_the_time_of_arrival_serves_where_events_have_none() -> None:
    tracer = Tracer()
    told = [
        tracer.feed({k: v for k, v in each.items() if k != "Timestamp"}, 7.0)
        for each in recorded("pjsip_404-22")
    ]

    assert [seen[1].started for seen in told if seen] == [7.0, 7.0]


@pytest.mark.parametrize(
    ("channel", "uniqueid", "value"),
    [
        ("OutgoingSpoolFailed", "1.1", "01h2x3y4z5a6b.1"),
        ("none", "none", "01h2x3y4z5a6b.1"),
        ("PJSIP/a-1", "1.1", "../../etc/passwd"),
        ("PJSIP/a-1", "1.1", ""),
        ("PJSIP/a-1", "1.1", "01h2x3y4z5a6b.x"),
    ],
)
def test_a_variable_that_is_not_of_a_call_file_begins_nothing(
    channel: str, uniqueid: str, value: str
) -> None:
    tracer = Tracer()
    event = {
        "Event": "VarSet",
        "Channel": channel,
        "Uniqueid": uniqueid,
        "Variable": "DIALERD_ATTEMPT",
        "Value": value,
    }

    assert tracer.feed(event, 1.0) is None
    assert len(tracer) == 0


def test_memory_is_bounded_by_number_and_by_age() -> None:
    tracer = Tracer()
    for number in range(trace.MAX_CALLS + 10):
        event = {"Event": "VarSet", "Channel": f"PJSIP/a-{number}", "Uniqueid": f"1.{number}"}
        tracer.feed({**event, "Variable": "DIALERD_ATTEMPT", "Value": f"a.{number}"}, float(number))
        tracer.feed({"Event": "Newexten", "Uniqueid": f"2.{number}", "Application": "AppDial2"}, 0.0)
        tracer.feed({"Event": "Cdr", "UniqueID": f"5.{number}", "LastApplication": "Dial"}, 0.0)
        tracer.feed({"Event": "LocalBridge", "LocalOneUniqueid": f"3.{number}", "LocalTwoUniqueid": "4"}, 0.0)
    most, loose = len(tracer), len(tracer._stepped) + len(tracer._pairs) + len(tracer._recorded)

    tracer.tick(trace.MAX_AGE_S + trace.MAX_CALLS + 20)

    assert (most, loose) == (trace.MAX_CALLS, 3 * trace.MAX_LOOSE)
    assert (len(tracer), len(tracer._channels)) == (0, 0)


def test_events_of_other_channels_are_passed_over() -> None:
    tracer = Tracer()
    for each in recorded("dial_nested_busy-22"):
        if each.get("Variable") != "DIALERD_ATTEMPT":
            assert tracer.feed(each, 0.0) is None

    assert (len(tracer), tracer._channels) == (0, {})
