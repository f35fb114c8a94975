from hypothesis import given
from hypothesis import strategies as st

from dialerd.core.pacing import FAILURES, FIRST_PAUSE_S, LONGEST_PAUSE_S, MANY, PROBE_S, Breaker

NOW = 86_400.0


def opened(at: float = NOW) -> Breaker:
    breaker = Breaker()
    for _ in range(FAILURES):
        breaker.failed(at - 1, at)
    return breaker


def test_a_breaker_opens_after_failures_in_a_row() -> None:
    breaker = Breaker()
    for _ in range(FAILURES - 1):
        breaker.failed(NOW - 1, NOW)
    before = breaker.state(NOW), breaker.allows(NOW), breaker.until()

    breaker.failed(NOW - 1, NOW)

    assert before == ("closed", MANY, None)
    assert (breaker.state(NOW), breaker.allows(NOW), breaker.until()) == ("open", 0, NOW + FIRST_PAUSE_S)


def test_a_success_in_between_keeps_a_breaker_closed() -> None:
    breaker = Breaker()
    for _ in range(20):
        breaker.failed(NOW - 1, NOW)
        breaker.failed(NOW - 1, NOW)
        breaker.succeeded(NOW - 1, NOW)

    assert breaker.state(NOW) == "closed"


def test_after_the_pause_one_probe_goes() -> None:
    breaker, after = opened(), NOW + FIRST_PAUSE_S
    first = breaker.state(after), breaker.allows(after)

    breaker.begin(after)

    assert first == ("half-open", 1)
    assert breaker.allows(after + 1) == 0


def test_a_probes_success_closes_the_breaker_and_forgets_the_pauses() -> None:
    breaker, after = opened(), NOW + FIRST_PAUSE_S
    breaker.begin(after)
    breaker.succeeded(after, after + 5)
    state = breaker.state(after + 5)
    for _ in range(FAILURES):
        breaker.failed(after + 6, after + 7)

    assert state == "closed"
    assert breaker.until() == after + 7 + FIRST_PAUSE_S


def test_each_failed_probe_doubles_the_pause_up_to_a_quarter_of_an_hour() -> None:
    breaker, now, pauses = opened(), NOW, []
    for _ in range(8):
        until = breaker.until()
        assert until is not None
        pauses.append(until - now)
        breaker.begin(until)
        now = until + 1
        breaker.failed(until, now)

    assert pauses == [30, 60, 120, 240, 480, LONGEST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_PAUSE_S]


def test_failures_of_calls_from_before_do_not_double_the_pause() -> None:
    breaker, probe = opened(), NOW + FIRST_PAUSE_S
    breaker.failed(NOW - 1, NOW + 5)
    breaker.begin(probe)
    breaker.failed(NOW - 1, probe + 1)

    assert (breaker.state(probe + 1), breaker.allows(probe + 1)) == ("half-open", 0)
    assert breaker.until() == NOW + FIRST_PAUSE_S


def test_a_call_that_was_on_its_way_when_the_breaker_opened_is_no_probe() -> None:
    breaker = opened()

    breaker.failed(NOW + 0.1, NOW + 1)

    assert breaker.until() == NOW + FIRST_PAUSE_S


def test_a_success_of_a_call_from_before_does_not_close_the_breaker() -> None:
    breaker = opened()

    breaker.succeeded(NOW - 1, NOW + 5)

    assert breaker.state(NOW + 5) == "open"


def test_an_abandoned_probe_makes_room_for_the_next() -> None:
    breaker, probe = opened(), NOW + FIRST_PAUSE_S
    breaker.begin(probe)
    breaker.abandoned(NOW - 1, probe + 1)
    of_an_old_call = breaker.allows(probe + 1)

    breaker.abandoned(probe, probe + 1)

    assert (of_an_old_call, breaker.allows(probe + 1)) == (0, 1)


def test_a_probe_that_lasts_does_not_stand_in_the_way_for_ever() -> None:
    breaker, probe = opened(), NOW + FIRST_PAUSE_S
    breaker.begin(probe)

    assert breaker.allows(probe + PROBE_S - 1) == 0
    assert breaker.allows(probe + PROBE_S) == 1


def test_an_operator_closes_a_breaker() -> None:
    breaker = opened()

    breaker.reset()

    assert (breaker.state(NOW), breaker.allows(NOW), breaker.until()) == ("closed", MANY, None)


def test_calls_that_begin_in_a_closed_breaker_are_no_probes() -> None:
    breaker = Breaker()
    breaker.begin(NOW)

    for _ in range(FAILURES):
        breaker.failed(NOW, NOW + 1)

    assert breaker.allows(NOW + 1 + FIRST_PAUSE_S) == 1


EVENTS = st.lists(
    st.tuples(st.floats(0.001, 40), st.sampled_from(["begin", "failed", "succeeded", "abandoned"])),
    max_size=200,
)


@given(EVENTS)
def test_an_open_breaker_lets_at_most_one_probe_through_at_a_time(events: list[tuple[float, str]]) -> None:
    breaker, now, probes = opened(), NOW, list[float]()
    for pause, word in events:
        now += pause
        if word == "begin" and breaker.allows(now):
            breaker.begin(now)
            probes.append(now)
        elif word != "begin" and probes:
            getattr(breaker, word)(probes.pop(0), now)
        if breaker.state(now) == "closed":
            return
        in_the_way = [begun for begun in probes if now - begun < PROBE_S]
        assert breaker.allows(now) == (breaker.state(now) == "half-open" and not in_the_way)
        assert len(in_the_way) <= 1
