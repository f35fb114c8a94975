import heapq
import random

import pytest

from dialerd.core.pacing import START, Concurrency

NOW = 86_400.0


class Far:
    """A far end that carries `most` calls for about a second each and refuses all above within a moment, and
    a dialer with calls without end. `lost` is the share of calls that some callee's network refuses."""

    def __init__(self, most: int, window: Concurrency, seed: int, lost: float = 0.0) -> None:
        self.most, self.window, self.lost, self.dice = most, window, lost, random.Random(seed)
        self.now, self.carried, self.under_way, self.refused, self.ended = 0.0, 0, 0, 0, 0
        self.area, self.ends = 0.0, list[tuple[float, float, bool]]()

    def run(self, seconds: float) -> float:
        """The mean of calls carried at once over that time."""
        start, before = self.now, self.area
        while self.now < start + seconds:
            while self.under_way < self.window.limit():
                self._begin()
            at, begun, carried = heapq.heappop(self.ends)
            self.area += self.carried * (at - self.now)
            self.now = at
            self._end(begun, carried)
        return (self.area - before) / (self.now - start)

    def _begin(self) -> None:
        carried = self.carried < self.most and self.dice.random() >= self.lost
        lasts = self.dice.uniform(0.5, 1.5) if carried else self.dice.uniform(0.02, 0.06)
        heapq.heappush(self.ends, (self.now + lasts, self.now, carried))
        self.carried += carried
        self.under_way += 1

    def _end(self, begun: float, carried: bool) -> None:
        if carried:
            self.window.succeeded(begun, self.now, self.under_way)
        else:
            self.window.congested(begun, self.now, self.under_way)
        self.under_way -= 1
        self.carried -= carried
        self.refused += not carried
        self.ended += 1


@pytest.mark.parametrize("most", [3, 10, 40, 200, 1000])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_window_finds_a_hidden_limit_and_stays_near_it(most: int, seed: int) -> None:
    far = Far(most, Concurrency(), seed)
    far.run(60)
    far.refused = far.ended = 0

    mean = far.run(40_000 / most if most > 100 else 400)

    assert mean / most >= 0.95
    assert far.refused / far.ended <= 0.2


@pytest.mark.parametrize("most", [40, 200, 1000])
def test_refusals_by_some_callees_networks_leave_the_window_as_it_is(most: int) -> None:
    far = Far(most, Concurrency(), seed=1, lost=0.02)
    far.run(60)

    assert far.run(100) / most >= 0.9


def test_a_limit_that_is_lifted_is_found_again() -> None:
    far = Far(20, Concurrency(), seed=3)
    far.run(100)
    far.most = 400
    far.run(100)

    assert far.run(50) / 400 >= 0.95


def test_a_limit_that_sinks_is_found_again() -> None:
    far = Far(400, Concurrency(), seed=4)
    far.run(100)
    far.most = 20
    far.run(100)

    assert far.run(100) / 20 >= 0.95


def full(window: Concurrency, successes: int, begun: float = NOW) -> None:
    for _ in range(successes):
        window.succeeded(begun, NOW, window.limit())


def refuse(window: Concurrency, begun: float, now: float) -> None:
    """So many refusals that none is forgiven any more."""
    for _ in range(10):
        window.congested(begun, now)


def test_a_window_begins_small_and_each_success_adds_one() -> None:
    window = Concurrency()

    full(window, 10)

    assert window.limit() == START + 10


def test_a_lone_refusal_changes_nothing() -> None:
    window = Concurrency()

    window.congested(NOW, NOW + 1)

    assert window.limit() == START


def test_congestion_halves_once_per_round() -> None:
    window = Concurrency()
    refuse(window, NOW, NOW + 1)
    refuse(window, NOW + 0.5, NOW + 2)
    one_round = window.limit()

    refuse(window, NOW + 2.5, NOW + 3)

    assert (one_round, window.limit()) == (START // 2, START // 4)


def test_congestion_below_the_window_halves_what_was_in_use() -> None:
    window = Concurrency()
    window.congested(NOW, NOW + 1, in_use=6)
    window.congested(NOW, NOW + 1, in_use=6)

    assert window.limit() == 3


def test_the_window_never_falls_below_one() -> None:
    window = Concurrency()
    for step in range(20):
        refuse(window, NOW + step, NOW + step + 0.5)

    assert window.limit() == 1


def test_after_halving_the_window_is_quickly_back_and_then_grows_slowly() -> None:
    window = Concurrency()
    refuse(window, NOW, NOW + 1)
    full(window, START // 2 - 1)
    back = window.limit()
    full(window, back)

    assert (back, window.limit()) == (START - 1, START - 1)


def test_past_the_known_limit_a_windows_worth_of_successes_adds_one() -> None:
    window = Concurrency()
    refuse(window, NOW, NOW + 1)
    full(window, START // 2 - 1 + 4 * (START - 1))
    past = window.limit()
    full(window, past - 1)
    before = window.limit()
    full(window, 1)

    assert (past, before, window.limit()) == (START, START, START + 1)


def test_a_window_that_is_not_used_does_not_grow() -> None:
    window = Concurrency()
    for _ in range(100):
        window.succeeded(NOW, NOW + 1, START // 2)

    assert window.limit() == START


def test_a_window_never_grows_past_its_most() -> None:
    window, small = Concurrency(most=25), Concurrency(most=5)

    full(window, 100)

    assert (window.limit(), small.limit()) == (25, 5)


def test_after_a_restart_the_window_is_as_new() -> None:
    window = Concurrency()
    for step in range(20):
        refuse(window, NOW + step, NOW + step + 0.5)

    window.restart()
    full(window, 10)

    assert window.limit() == START + 10
