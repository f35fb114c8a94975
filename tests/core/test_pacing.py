import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialerd.core.pacing import MANY, READY_S, Bucket, Pace

NOW = 86_400.0
ALMOST = 1e-6
"""Seconds that floating point may lose."""

RATES = st.floats(0.05, 200)
LATENESSES = st.lists(st.floats(0, READY_S * 0.99), min_size=1, max_size=50)
"""How late the caller comes after a token fell due, time after time."""

STEPS = st.lists(st.floats(0, 3), min_size=1, max_size=150)
"""Pauses between two looks of the caller, in seconds."""


def times_taken(bucket: Bucket, latenesses: list[float], count: int) -> tuple[list[float], list[float]]:
    """When `count` tokens were due and when they were taken by a caller that is late each time."""
    now, due, taken = NOW, [], []
    while len(due) < count:
        now = max(now, bucket.next(now) or now) + latenesses[len(due) % len(latenesses)]
        for _ in range(bucket.available(now)):
            due.append(bucket.take(now))
            taken.append(now)
    return due, taken


@given(RATES, LATENESSES)
def test_the_rate_is_exact_however_late_the_caller_comes_each_time(
    rate: float, latenesses: list[float]
) -> None:
    due, taken = times_taken(Bucket(rate, NOW), latenesses, count=300)

    measured = (len(taken) - 1) / (taken[-1] - READY_S - taken[0])
    assert measured >= rate * 0.99
    assert (len(taken) - 1) / (due[-1] - due[0]) == pytest.approx(rate, rel=0.01)
    assert all(0 <= at - when + ALMOST < READY_S + ALMOST for when, at in zip(due, taken, strict=True))


@given(RATES, STEPS, st.booleans())
def test_no_interval_sees_more_than_the_burst_and_the_rate(
    rate: float, steps: list[float], whole: bool
) -> None:
    bucket = Bucket(rate, NOW, burst=3.0 if whole else None)
    now, taken = NOW, []
    for step in steps:
        now += step
        taken += [(bucket.take(now), now)[1] for _ in range(bucket.available(now))]

    for index, start in enumerate(taken):
        most = max(count - rate * (at - start) for count, at in enumerate(taken[index:], start=1))
        assert most <= bucket.burst + 1e-3


def test_a_new_bucket_has_one_token_and_the_next_falls_due_by_the_rate() -> None:
    bucket = Bucket(4.0, NOW)

    assert (bucket.available(NOW), bucket.next(NOW), bucket.take(NOW)) == (1, None, NOW)
    assert (bucket.available(NOW), bucket.next(NOW)) == (0, NOW + 0.25)


def test_after_a_rest_no_more_than_the_burst_is_there() -> None:
    bucket = Bucket(100.0, NOW)

    assert bucket.available(NOW + 3600) == pytest.approx(1 + 100 * READY_S, abs=1)


def test_a_slow_rate_gives_one_at_a_time_after_a_rest() -> None:
    assert Bucket(1.0, NOW).available(NOW + 3600) == 1


def test_without_a_rate_there_are_always_many() -> None:
    bucket = Bucket(None, NOW)
    for _ in range(1000):
        bucket.take(NOW)

    assert (bucket.available(NOW), bucket.next(NOW), bucket.take(NOW)) == (MANY, None, NOW)


def test_a_token_taken_too_early_is_paid_for_by_the_next() -> None:
    bucket = Bucket(10.0, NOW)
    for _ in range(3):
        bucket.take(NOW)

    assert bucket.next(NOW) == pytest.approx(NOW + 0.3)


@pytest.mark.parametrize(("before", "after", "wait"), [(0.01, 100.0, 0.01), (100.0, 0.5, 2.0)])
def test_a_new_rate_counts_at_once(before: float, after: float, wait: float) -> None:
    bucket = Bucket(before, NOW)
    bucket.take(NOW)

    bucket.reconfigure(after, NOW)

    assert bucket.next(NOW) == pytest.approx(NOW + wait)


def test_a_new_rate_after_a_rest_brings_no_larger_burst() -> None:
    bucket = Bucket(1.0, NOW)

    bucket.reconfigure(100.0, NOW + 3600)

    assert bucket.available(NOW + 3600) == 1


def test_a_rate_is_taken_away_and_given_again() -> None:
    bucket = Bucket(1.0, NOW)
    bucket.take(NOW)
    bucket.reconfigure(None, NOW)
    free = bucket.available(NOW)

    bucket.reconfigure(2.0, NOW + 10)

    assert (free, bucket.available(NOW + 10)) == (MANY, 1)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("inf"), float("nan")])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="more than 0"):
        Bucket(rate, NOW)


def test_a_burst_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="whole token"):
        Bucket(1.0, NOW, burst=0.5)


@given(RATES, st.floats(0, 0.95), STEPS, st.randoms(use_true_random=False))
def test_an_urgent_call_waits_for_one_slot_at_most(
    rate: float, share: float, steps: list[float], dice: random.Random
) -> None:
    pace, now = Pace(rate, rate * share, NOW), NOW
    for step in steps:
        now += step
        wait = (pace.next(now, urgent=True) or now) - now
        assert wait <= 1 / rate + ALMOST
        urgent = bool(pace.available(now, urgent=True)) and dice.random() < 0.3
        if urgent:
            pace.take(now, urgent=True)
        for _ in range(pace.available(now, urgent=False)):
            pace.take(now, urgent=False)


@given(st.floats(1, 200), st.floats(0.05, 0.9), LATENESSES)
def test_the_reserved_share_is_there_even_where_others_always_come_first(
    rate: float, share: float, latenesses: list[float]
) -> None:
    reserved, pace, now, urgent = rate * share, Pace(rate, rate * share, NOW), NOW, 0
    end = NOW + 400 / rate
    while now < end:
        for _ in range(pace.available(now, urgent=False)):
            pace.take(now, urgent=False)
        while pace.available(now, urgent=True):
            pace.take(now, urgent=True)
            urgent += 1
        wake = pace.next(now, urgent=True)
        assert wake is not None
        now = wake + latenesses[urgent % len(latenesses)] / rate

    assert urgent >= reserved * (now - NOW) * 0.99 - 2 - READY_S * rate


@given(RATES, st.floats(0, 0.95), STEPS, st.randoms(use_true_random=False))
def test_urgent_and_other_calls_together_keep_to_the_rate(
    rate: float, share: float, steps: list[float], dice: random.Random
) -> None:
    pace, now, taken = Pace(rate, rate * share, NOW), NOW, []
    for step in steps:
        now += step
        urgent = dice.random() < 0.5
        for _ in range(pace.available(now, urgent)):
            pace.take(now, urgent)
            taken.append(now)

    for index, start in enumerate(taken):
        most = max(count - rate * (at - start) for count, at in enumerate(taken[index:], start=1))
        assert most <= 1 + READY_S * rate + 1e-3


def test_calls_that_are_not_urgent_keep_to_their_share() -> None:
    pace, now, count = Pace(10.0, 4.0, NOW), NOW, 0
    while now < NOW + 100:
        now = pace.next(now, urgent=False) or now
        pace.take(now, urgent=False)
        count += 1

    assert count == pytest.approx(600, rel=0.01)


def test_urgent_calls_may_use_the_whole_rate() -> None:
    pace, now, count = Pace(10.0, 4.0, NOW), NOW, 0
    while now < NOW + 100:
        now = pace.next(now, urgent=True) or now
        pace.take(now, urgent=True)
        count += 1

    assert count == pytest.approx(1000, rel=0.01)


def test_a_call_is_due_when_its_share_has_a_token() -> None:
    pace = Pace(10.0, 5.0, NOW)
    pace.take(NOW, urgent=False)
    wake = pace.next(NOW, urgent=False)

    assert wake == pytest.approx(NOW + 0.2)
    assert pace.take(NOW + 0.21, urgent=False) == pytest.approx(NOW + 0.2)


def test_a_pace_without_a_rate_lets_all_through() -> None:
    pace = Pace(None, 0.0, NOW)

    assert (pace.available(NOW, urgent=False), pace.next(NOW, urgent=False)) == (MANY, None)


def test_a_pace_takes_new_rates() -> None:
    pace = Pace(1.0, 0.5, NOW)
    pace.take(NOW, urgent=False)

    pace.reconfigure(100.0, 0.0, NOW)

    assert pace.next(NOW, urgent=False) == pytest.approx(NOW + 0.01)


@pytest.mark.parametrize("reserved", [10.0, 11.0, -1.0])
def test_a_pace_that_leaves_the_others_nothing_is_refused(reserved: float) -> None:
    with pytest.raises(ValueError, match="never all of it"):
        Pace(10.0, reserved, NOW)
