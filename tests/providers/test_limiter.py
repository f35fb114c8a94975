from collections.abc import Callable
from threading import Thread
from time import monotonic

import pytest

from dialerd.providers.limiter import Limiter
from tests.waiting import until


def most_in(moments: list[float], window: float) -> int:
    """The most of them that any window holds."""
    first, most = 0, 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - window:
            first += 1
        most = max(most, last - first + 1)
    return most


def sends(limiter: Limiter, begin: float, seconds: float, late: Callable[[int], float]) -> list[float]:
    """When everything went out of a queue that is never empty; each turn of the engine comes so late."""
    now, moments = begin, []
    while now < begin + seconds:
        for _ in range(limiter.room(now)):
            limiter.take(now)
            moments.append(now)
        due = limiter.next(now)
        assert due is None or due > now
        now = (due or now) + late(len(moments)) + 1e-6
    return moments


@pytest.mark.parametrize(("per_minute", "seconds"), [(200, 180), (300, 60), (60, 180), (50, 180)])
def test_a_full_queue_uses_the_limit_and_never_more(per_minute: float, seconds: float) -> None:
    moments = sends(Limiter(per_minute, 0), 0, seconds, lambda _: 0.0)

    assert len(moments) >= 0.99 * per_minute / 60 * seconds - 1
    assert most_in(moments, 60) <= per_minute


def test_five_a_second_are_never_six() -> None:
    moments = sends(Limiter(300, 0), 0, 60, lambda _: 0.0)

    assert len(moments) >= 0.99 * 300 - 1
    assert most_in(moments, 1) <= 5


@pytest.mark.parametrize("late", [0.02, 0.08])
def test_turns_that_come_a_little_late_lose_nothing(late: float) -> None:
    moments = sends(Limiter(300, 0), 0, 60, lambda count: late if count % 3 else 0.0)

    assert len(moments) >= 0.99 * 300 - 1


def test_a_restart_gives_nothing_twice() -> None:
    before = sends(Limiter(200, 0), 0, 40, lambda _: 0.0)
    after = sends(Limiter(200, before[-1]), before[-1], 60, lambda _: 0.0)

    assert most_in(before + after, 60) <= 200


def test_the_gate_keeps_requests_apart_that_became_ready_together() -> None:
    limiter, passed = Limiter(600, 0), list[float]()

    def go() -> None:
        limiter.gate()
        passed.append(monotonic())

    threads = [Thread(target=go) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(passed) == 6
    assert max(passed) - min(passed) >= 0.5


def test_without_a_bound_everything_goes_at_once() -> None:
    limiter = Limiter(None, 0)

    limiter.take(0)

    assert limiter.room(0) > 1000
    assert limiter.next(0) is None
    assert limiter.read(0) is None
    limiter.gate()


def test_nothing_begins_before_the_end_of_a_block() -> None:
    limiter = Limiter(600, 0)
    limiter.block_until(50)
    limiter.block_until(40)

    assert (limiter.room(49), limiter.next(49), limiter.read(49)) == (0, 50, 50)
    assert limiter.blocked(49) == 50
    assert limiter.blocked(50) is None
    assert limiter.room(50) == 1


def test_reads_get_a_tenth_while_things_are_sent() -> None:
    limiter, now, sent, read = Limiter(200, 0), 0.0, 0, 0
    while now < 180:
        if limiter.room(now):
            limiter.take(now)
            sent += 1
        elif limiter.read(now) is None:
            read += 1
        now += 0.01

    assert read <= 60
    assert sent >= 530


def test_a_read_that_waits_gets_its_turn_though_sends_take_all_there_is() -> None:
    limiter, got = Limiter(3000, monotonic()), list[bool]()
    reader = Thread(target=lambda: got.extend(limiter.wait_to_read(monotonic() + 30) for _ in range(5)))
    reader.start()

    def busy() -> bool:
        while limiter.room(now := monotonic()):
            limiter.take(now)
        return not reader.is_alive()

    until(busy, 30)
    assert got == [True] * 5


def test_reads_leave_every_second_token_to_what_may_come() -> None:
    limiter, now, read = Limiter(200, 0), 0.0, 0
    while now < 60:
        read += limiter.read(now) is None
        now += 0.01

    assert 90 <= read <= 101
    assert limiter.room(now) == 1


def test_a_read_gives_up_at_its_deadline() -> None:
    limiter = Limiter(1, monotonic())

    assert not limiter.wait_to_read(monotonic() + 0.1)


def test_nobody_waits_for_a_limiter_that_stopped() -> None:
    limiter, got = Limiter(1, monotonic()), list[bool]()
    reader = Thread(target=lambda: got.append(limiter.wait_to_read(monotonic() + 600)))
    reader.start()
    limiter.stop()
    reader.join(30)

    assert got == [False]


def test_another_rate_counts_from_now_on() -> None:
    limiter = Limiter(60, 0)
    limiter.reconfigure(600, 10)
    moments = sends(limiter, 10, 60, lambda _: 0.0)

    assert 590 <= len(moments) <= 601
