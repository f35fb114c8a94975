from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialerd.core.model import Disposition, Result
from dialerd.core.retry import (
    Again,
    Kind,
    Never,
    RetryPolicy,
    Rule,
    kind_of,
    next_way,
    plan,
    simple,
    with_overrides,
)

FIRST = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ENDED = FIRST + timedelta(minutes=1)
BUSY = Result(Disposition.BUSY, hangup_cause=17)
MIDDLE = 0.5
"""The noise that moves nothing."""

POLICY = RetryPolicy(
    "office",
    busy=Rule(180, growth=1.5, count=3, longest_s=400),
    noanswer=Rule(300, count=2),
    congestion=Rule(60, growth=2.0, count=5),
    failed=Rule(600, count=0),
    max_dials=8,
    kill_after_s=86400,
)


def planned(
    policy: RetryPolicy = POLICY,
    result: Result = BUSY,
    same: int = 1,
    dials: int = 1,
    ended: datetime = ENDED,
    noise: float = MIDDLE,
) -> Again | Never:
    return plan(policy, result, same, dials, FIRST, ended, noise)


def seconds(again: Again | Never, ended: datetime = ENDED) -> float:
    """The delay from the end of the attempt."""
    assert isinstance(again, Again)
    return (again.at - ended).total_seconds()


@pytest.mark.parametrize(
    ("disposition", "delay"),
    [
        (Disposition.BUSY, 180),
        (Disposition.NOANSWER, 300),
        (Disposition.CONGESTION, 60),
        (Disposition.CHANUNAVAIL, 60),
    ],
)
def test_each_kind_of_end_has_its_own_delay(disposition: Disposition, delay: int) -> None:
    assert seconds(planned(result=Result(disposition))) == delay


def test_the_delay_counts_from_the_end_of_the_attempt() -> None:
    ended = FIRST + timedelta(minutes=20)

    assert planned(ended=ended) == Again(ended + timedelta(seconds=180))


def test_delays_grow_up_to_the_longest() -> None:
    assert [seconds(planned(same=same)) for same in (1, 2, 3)] == [180, 270, 400]


@given(
    same=st.integers(1, 10_000),
    growth=st.floats(1, 10),
    jitter=st.floats(0, 0.5),
    noise=st.floats(0, 1, exclude_max=True),
)
def test_no_delay_leaves_its_bounds(same: int, growth: float, jitter: float, noise: float) -> None:
    rule = Rule(60, growth, jitter, count=10_000, longest_s=3600)
    policy = RetryPolicy("", busy=rule, max_dials=10_000, kill_after_s=None)

    delay = seconds(planned(policy, same=same, noise=noise))

    assert 60 * (1 - jitter) - 0.001 <= delay <= 3600 * (1 + jitter) + 0.001


@pytest.mark.parametrize(("noise", "delay"), [(0.0, 90), (0.5, 100), (0.75, 105)])
def test_jitter_moves_a_delay_both_ways(noise: float, delay: float) -> None:
    policy = RetryPolicy("", busy=Rule(100, jitter=0.1))

    assert seconds(planned(policy, noise=noise)) == pytest.approx(delay)


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (Result(Disposition.ANSWERED), "answered"),
        (Result(Disposition.CANCELLED), "cancelled"),
        (Result(Disposition.FAILED, permanent=True, hangup_cause=1), "permanent: cause 1"),
        (Result(Disposition.FAILED, permanent=True, detail="no such file"), "permanent: no such file"),
        (Result(Disposition.FAILED, permanent=True), "permanent"),
        (Result(Disposition.FAILED, hangup_cause=21), "failed, which is not tried again"),
    ],
)
def test_some_ends_are_never_tried_again(result: Result, why: str) -> None:
    assert planned(result=result) == Never(why)


@pytest.mark.parametrize(
    ("disposition", "same", "why"),
    [
        (Disposition.BUSY, 4, "busy for the 4th time"),
        (Disposition.NOANSWER, 3, "not answered for the 3rd time"),
        (Disposition.CHANUNAVAIL, 6, "no way free for the 6th time"),
        (Disposition.BUSY, 11, "busy for the 11th time"),
        (Disposition.BUSY, 22, "busy for the 22nd time"),
        (Disposition.BUSY, 101, "busy for the 101st time"),
    ],
)
def test_a_kind_of_end_is_tried_again_as_often_as_its_count(
    disposition: Disposition, same: int, why: str
) -> None:
    assert planned(result=Result(disposition), same=same) == Never(why)


def test_the_last_retry_that_the_count_allows_is_made() -> None:
    assert seconds(planned(same=3)) > 0


def test_a_cap_on_dials_ends_a_job_whose_counts_would_go_on() -> None:
    assert seconds(planned(same=1, dials=7)) == 180
    assert planned(same=1, dials=8) == Never("8 dials are the most")


def test_no_retry_is_planned_past_the_kill_time() -> None:
    last = FIRST + timedelta(days=1, seconds=-180)

    assert planned(ended=last) == Again(FIRST + timedelta(days=1))
    assert planned(ended=last + timedelta(seconds=1)) == Never("kill time")


def test_a_policy_without_kill_time_goes_on() -> None:
    policy = RetryPolicy("", kill_after_s=None)

    assert seconds(planned(policy, ended=ENDED + timedelta(days=400)), ENDED + timedelta(days=400)) == 180


def test_the_simple_policy_counts_all_ends_together_with_one_delay() -> None:
    policy = simple(max_retries=2, retry_time=60)

    assert [seconds(planned(policy, same=same, dials=same)) for same in (1, 2)] == [60, 60]
    assert planned(policy, Result(Disposition.NOANSWER), same=3, dials=3) == Never("2 retries are the most")


def test_the_simple_policy_has_no_cap_of_its_own_on_dials() -> None:
    assert seconds(planned(simple(100, 86400), same=100, dials=300)) == 86400


def test_a_single_retry_is_spoken_of_as_one() -> None:
    assert planned(simple(1, 60), same=2, dials=2) == Never("1 retry is the most")


def test_where_nobody_wished_a_retry_there_is_nothing_to_say() -> None:
    assert planned(simple(0, 60)) == Never("")


def test_no_wishes_leave_a_policy_as_it_is() -> None:
    assert with_overrides(POLICY, None, None, None, None) == POLICY


@pytest.mark.parametrize(("wished", "granted"), [(3, 3), (8, 8), (100, 8)])
def test_a_job_may_ask_for_fewer_dials_and_never_for_more(wished: int, granted: int) -> None:
    assert with_overrides(POLICY, max_dials=wished).max_dials == granted


@pytest.mark.parametrize(("wished", "granted"), [(60, 60), (10**6, 86400)])
def test_a_job_may_ask_for_an_earlier_kill_time_and_never_for_a_later(wished: int, granted: int) -> None:
    assert with_overrides(POLICY, kill_after=wished).kill_after_s == granted


def test_a_job_sets_a_kill_time_where_the_policy_has_none() -> None:
    assert with_overrides(simple(3, 60), kill_after=600).kill_after_s == 600


def test_a_jobs_own_retries_count_all_ends_together() -> None:
    policy = with_overrides(POLICY, max_retries=5)

    assert seconds(planned(policy, same=5, dials=5)) == 400
    assert planned(policy, same=6, dials=6) == Never("5 retries are the most")


def test_a_job_can_not_have_more_dials_by_more_retries() -> None:
    policy = with_overrides(POLICY, max_retries=100)

    assert planned(policy, same=8, dials=8) == Never("8 dials are the most")


def test_what_the_policy_never_tries_again_no_job_changes() -> None:
    policy = with_overrides(POLICY, max_retries=5)

    assert planned(policy, Result(Disposition.FAILED)) == Never("failed, which is not tried again")


def test_a_jobs_own_retry_time_takes_the_place_of_every_delay() -> None:
    policy = with_overrides(POLICY, retry_time=7200)

    assert [seconds(planned(policy, same=same)) for same in (1, 2)] == [7200, 7200]
    assert seconds(planned(policy, Result(Disposition.NOANSWER))) == 7200


@given(
    st.integers(0, 100) | st.none(),
    st.integers(1, 86400) | st.none(),
    st.integers(1, 100) | st.none(),
    st.integers(1, 10**7) | st.none(),
)
def test_no_wish_leads_past_the_policys_bounds(
    max_retries: int | None, retry_time: int | None, max_dials: int | None, kill_after: int | None
) -> None:
    policy = with_overrides(POLICY, max_retries, retry_time, max_dials, kill_after)
    ended, dials = ENDED, 1
    while isinstance(again := planned(policy, same=dials, dials=dials, ended=ended), Again):
        ended, dials = again.at, dials + 1

    assert dials <= 8
    assert ended <= FIRST + timedelta(days=1)


def test_congestion_and_a_missing_channel_are_of_one_kind() -> None:
    assert kind_of(Result(Disposition.CHANUNAVAIL)) is Kind.CONGESTION
    assert kind_of(Result(Disposition.CONGESTION)) is Kind.CONGESTION
    assert kind_of(Result(Disposition.ANSWERED)) is None


@pytest.mark.parametrize(
    "result",
    [
        Result(Disposition.CHANUNAVAIL),
        *(Result(Disposition.CONGESTION, hangup_cause=cause) for cause in (34, 38, 41, 42, 44, 47, 58)),
        Result(Disposition.CONGESTION, hangup_cause=0, ring_seconds=0.0),
    ],
)
def test_the_next_trunk_is_tried_where_no_phone_rang(result: Result) -> None:
    assert next_way(("a", "b", "c"), "a", result) == "b"


@pytest.mark.parametrize(
    "result",
    [
        BUSY,
        Result(Disposition.NOANSWER),
        Result(Disposition.ANSWERED),
        Result(Disposition.CANCELLED),
        Result(Disposition.FAILED, hangup_cause=21),
        Result(Disposition.FAILED, permanent=True, hangup_cause=1),
        Result(Disposition.CONGESTION, permanent=True, hangup_cause=28),
        Result(Disposition.CONGESTION, hangup_cause=34, ring_seconds=2.5),
        *(Result(Disposition.CHANUNAVAIL, hangup_cause=cause) for cause in (17, 18, 19, 21)),
    ],
)
def test_no_other_trunk_is_tried_where_a_phone_may_have_rung(result: Result) -> None:
    assert next_way(("a", "b"), "a", result) is None


@pytest.mark.parametrize(("ways", "way"), [(("a", "b"), "b"), ((), ""), (("a",), "gone")])
def test_after_the_last_trunk_there_is_none(ways: tuple[str, ...], way: str) -> None:
    assert next_way(ways, way, Result(Disposition.CHANUNAVAIL)) is None
