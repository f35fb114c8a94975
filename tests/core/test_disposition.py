"""Every row of the table of outcomes, as values. The same rows on a real Asterisk:
tests/pbx/test_dispositions.py."""

import pytest

from dialerd.core.disposition import judge
from dialerd.core.model import Disposition, Result, Trace

T = 1_800_000_000.0
DIALLED = Trace(started=T, channel="PJSIP/a-1", dialled=True, ended=T + 9, hung_up=T + 9)


def trace(**facts: object) -> Trace:
    """A direct channel's call of nine seconds, seen whole."""
    values = {name: getattr(DIALLED, name) for name in Trace.__dataclass_fields__} | facts
    return Trace(**values)  # type: ignore[arg-type]


def failed(status: str, cause: int, **facts: object) -> Trace:
    return trace(dial_status=status, near_cause=cause, **facts)


def short(result: Result) -> tuple[str, bool]:
    return result.disposition.value, result.permanent


def test_a_completed_call_is_answered_with_its_ring_and_talk_seconds() -> None:
    result = judge(
        "Completed", trace(rang=T + 1, answered=T + 3.5, dial_status="ANSWER", near_cause=16), ami=True
    )

    assert result == Result(Disposition.ANSWERED, hangup_cause=16, ring_seconds=2.5, talk_seconds=5.5)


@pytest.mark.parametrize(
    ("status", "cause", "expected"),
    [
        ("BUSY", 17, ("BUSY", False)),
        ("BUSY", 0, ("BUSY", False)),
        ("NOANSWER", 17, ("BUSY", False)),
        ("CONGESTION", 0, ("CONGESTION", False)),
        *(("CONGESTION", cause, ("CONGESTION", False)) for cause in (34, 38, 41, 42, 44, 47, 58)),
        *(("NOANSWER", cause, ("CONGESTION", False)) for cause in (38, 41, 42, 44, 47, 58)),
        ("NOANSWER", 21, ("FAILED", False)),
        *(("NOANSWER", cause, ("FAILED", True)) for cause in (1, 2, 3, 22, 28)),
        ("CHANUNAVAIL", 3, ("FAILED", True)),
        ("CHANUNAVAIL", 20, ("CHANUNAVAIL", False)),
        ("NOANSWER", 18, ("NOANSWER", False)),
        ("NOANSWER", 19, ("NOANSWER", False)),
        ("NOANSWER", 0, ("NOANSWER", False)),
        ("NOANSWER", 27, ("FAILED", False)),
    ],
)
def test_an_expired_call_is_judged_by_its_cause_and_then_by_dials_word(
    status: str, cause: int, expected: tuple[str, bool]
) -> None:
    result = judge("Expired", failed(status, cause), ami=True)

    assert short(result) == expected
    assert result.hangup_cause == cause


@pytest.mark.parametrize("cause", [19, 0])
def test_a_call_that_was_dialled_and_never_ended_by_dial_was_not_answered(cause: int) -> None:
    result = judge("Expired", trace(near_cause=cause, rang=T + 2), ami=True)

    assert short(result) == ("NOANSWER", False)
    assert (result.hangup_cause, result.ring_seconds, result.talk_seconds) == (cause, 7.0, None)


def test_a_busy_far_half_gives_its_cause_where_the_near_half_has_none() -> None:
    result = judge("Expired", failed("BUSY", 0, far_cause=17), ami=True)

    assert (short(result), result.hangup_cause) == (("BUSY", False), 17)


def test_the_callees_leg_counts_more_than_the_near_half() -> None:
    result = judge("Expired", failed("CONGESTION", 0, far_status="BUSY", far_cause=17), ami=True)

    assert short(result) == ("BUSY", False)


@pytest.mark.parametrize(
    ("far_status", "far_cause", "expected"),
    [
        ("BUSY", 17, ("BUSY", False)),
        ("NOANSWER", 0, ("NOANSWER", False)),
        ("CANCEL", None, ("NOANSWER", False)),
        ("NOANSWER", 1, ("FAILED", True)),
        ("NOANSWER", 21, ("FAILED", False)),
        ("CONGESTION", 34, ("CONGESTION", False)),
    ],
)
def test_where_the_dialplan_answered_first_the_callees_result_counts(
    far_status: str, far_cause: int | None, expected: tuple[str, bool]
) -> None:
    seen = trace(
        answered=T + 1, dial_status="ANSWER", near_cause=16, far_status=far_status, far_cause=far_cause
    )

    result = judge("Completed", seen, ami=True)

    assert short(result) == expected
    assert "answered before it dialled" in result.detail


def test_where_the_dialplan_answered_first_the_talk_begins_with_the_callees_answer() -> None:
    seen = trace(
        answered=T + 1,
        dial_status="ANSWER",
        rang=T + 2,
        far_status="ANSWER",
        far_answered=T + 5,
        near_cause=16,
    )

    result = judge("Completed", seen, ami=True)

    assert short(result) == ("ANSWERED", False)
    assert (result.ring_seconds, result.talk_seconds) == (3.0, 4.0)


def test_a_dialplan_that_answered_first_and_found_no_channel_to_dial_is_suspect() -> None:
    result = judge("Completed", trace(answered=T, dial_status="ANSWER", no_way=True), ami=True)

    assert short(result) == ("CHANUNAVAIL", False)
    assert result.warning


def test_a_dialplan_that_found_no_channel_to_dial_is_suspect_and_not_a_bad_number() -> None:
    result = judge("Expired", failed("CHANUNAVAIL", 3, no_way=True), ami=True)

    assert short(result) == ("CHANUNAVAIL", False)
    assert result.warning


def test_an_agi_server_that_was_down_is_an_action_that_failed() -> None:
    result = judge("Completed", trace(answered=T, dial_status="ANSWER", agi_failed=True), ami=True)

    assert (short(result), result.action_failed) == (("ANSWERED", False), True)


AT_ONCE = {"answered": T, "hung_up": T + 0.001, "dial_status": "ANSWER"}


def test_an_extension_of_which_no_step_was_seen_did_not_run() -> None:
    result = judge("Completed", trace(**AT_ONCE, steps_shown=True), ami=True, in_dialplan=True)

    assert (short(result), result.action_failed) == (("ANSWERED", False), True)


def test_an_application_that_the_call_record_does_not_name_did_not_run() -> None:
    result = judge("Completed", trace(**AT_ONCE, last_application="AppDial2"), ami=True)

    assert (short(result), result.action_failed) == (("ANSWERED", False), True)


@pytest.mark.parametrize(
    ("facts", "in_dialplan"),
    [
        ({"steps_shown": False}, True),
        ({"steps_shown": True}, False),
        ({"steps_shown": True, "acted": True}, True),
        ({"steps_shown": True, "complete": False}, True),
        ({"steps_shown": True, "hung_up": T + 30}, True),
        ({"last_application": "NoOp"}, False),
        ({"last_application": None}, False),
        ({"last_application": "AppDial2", "complete": False}, False),
    ],
)
def test_a_failed_action_is_not_claimed_where_it_is_not_shown(
    facts: dict[str, object], in_dialplan: bool
) -> None:
    result = judge("Completed", trace(**(AT_ONCE | facts)), ami=True, in_dialplan=in_dialplan)

    assert (short(result), result.action_failed) == (("ANSWERED", False), False)


def test_no_event_at_all_means_that_no_channel_could_be_made() -> None:
    result = judge("Expired", None, ami=True)

    assert short(result) == ("CHANUNAVAIL", False)
    assert "endpoint" in result.warning


def test_a_channel_that_never_dialled_means_that_the_extension_does_not_exist() -> None:
    result = judge("Expired", trace(dialled=False, near_cause=0), ami=True)

    assert short(result) == ("CHANUNAVAIL", False)
    assert "extension" in result.warning


@pytest.mark.parametrize("seen", [None, trace(dialled=False, near_cause=0)])
def test_near_the_call_limit_a_call_that_dialled_nothing_met_congestion(seen: Trace | None) -> None:
    result = judge("Expired", seen, ami=True, at_limit=True)

    assert short(result) == ("CONGESTION", False)
    assert not result.warning


def test_a_busy_callee_is_busy_also_near_the_call_limit() -> None:
    assert short(judge("Expired", failed("BUSY", 17), ami=True, at_limit=True)) == ("BUSY", False)


@pytest.mark.parametrize("seen", [None, trace(near_cause=19), failed("BUSY", 17)])
def test_hung_up_by_us_before_an_answer_is_cancelled(seen: Trace | None) -> None:
    assert short(judge("Expired", seen, ami=True, cancelled=True)) == ("CANCELLED", False)


def test_an_answer_that_came_before_our_hangup_counts() -> None:
    assert short(judge("Completed", None, ami=True, cancelled=True)) == ("ANSWERED", False)


@pytest.mark.parametrize("ami", [True, False])
def test_a_file_that_asterisk_could_not_read_is_our_error_and_permanent(ami: bool) -> None:
    result = judge("Failed", None, ami=ami)

    assert short(result) == ("FAILED", True)
    assert result.warning


def test_without_ami_completed_is_answered() -> None:
    assert judge("Completed", None, ami=False) == Result(Disposition.ANSWERED)


@pytest.mark.parametrize("seen", [None, trace(complete=False), trace(dialled=False)])
def test_without_ami_expired_is_failed_and_says_that_the_reason_is_unknown(seen: Trace | None) -> None:
    result = judge("Expired", seen, ami=False)

    assert short(result) == ("FAILED", False)
    assert result.detail == "not answered; why is unknown without AMI"
    assert not result.warning


def test_what_ami_saw_before_it_went_away_still_counts() -> None:
    assert short(judge("Expired", failed("BUSY", 17, complete=False), ami=False)) == ("BUSY", False)


def test_a_far_leg_that_failed_says_nothing_where_ami_may_have_missed_the_next() -> None:
    seen = trace(answered=T, dial_status="ANSWER", far_status="BUSY", far_cause=17, complete=False)

    assert short(judge("Completed", seen, ami=False)) == ("ANSWERED", False)


def test_a_call_whose_end_ami_did_not_show_in_time_is_not_guessed_at() -> None:
    result = judge("Expired", trace(ended=None, hung_up=None), ami=True)

    assert short(result) == ("FAILED", False)


def test_an_archive_without_a_status_is_judged_by_what_ami_saw() -> None:
    answered = judge(None, trace(answered=T, dial_status="ANSWER"), ami=True)
    busy = judge(None, failed("BUSY", 17), ami=True)

    assert (short(answered), short(busy)) == (("ANSWERED", False), ("BUSY", False))
