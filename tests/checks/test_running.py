"""All checks run at once; one that hangs or fails says so, and the others count."""

import threading
import time
from collections.abc import Iterator

import pytest

from dialerd.checks.running import Runner
from dialerd.core.findings import Finding, Verdict, error, note, ok, warning
from tests.waiting import until


@pytest.fixture
def never() -> Iterator[threading.Event]:
    """Something to hang on, until the test is over."""
    event = threading.Event()
    yield event
    event.set()


def hanging(event: threading.Event) -> list[Finding]:
    event.wait()
    return [ok("disk", "It came back.")]


def test_the_worst_comes_first_and_equals_stay_in_order() -> None:
    found = Runner(
        {
            "a": lambda: [ok("a", "Fine."), note("b", "So.")],
            "c": lambda: [error("c", "Bad."), warning("d", "Hm.")],
        }
    ).look()

    assert [each.name for each in found] == ["c", "d", "b", "a"]


def test_one_that_hangs_is_named_and_keeps_no_other_from_its_end(never: threading.Event) -> None:
    runner = Runner({"disk": lambda: hanging(never), "fine": lambda: [ok("fine", "Fine.")]}, limit_s=0.2)

    found = runner.look()

    assert [(each.name, each.verdict) for each in found] == [("disk", Verdict.WARNING), ("fine", Verdict.OK)]
    assert "has not ended" in found[0].found


def test_each_runs_in_a_thread_that_says_what_it_looks_at() -> None:
    found = Runner({"disk": lambda: [ok("disk", threading.current_thread().name)]}).look()

    assert [each.found for each in found] == ["check-disk"]


def test_no_second_one_is_begun_beside_one_that_hangs(never: threading.Event) -> None:
    begun: list[int] = []

    def hang() -> list[Finding]:
        begun.append(1)
        return hanging(never)

    runner = Runner({"disk": hang}, limit_s=0.1)
    runner.look()
    begin = time.monotonic()
    again = runner.look()

    assert (len(begun), again[0].verdict) == (1, Verdict.WARNING)
    assert time.monotonic() - begin < 10


def test_one_that_hung_is_asked_anew_once_it_came_back(never: threading.Event) -> None:
    runner = Runner({"disk": lambda: hanging(never)}, limit_s=0.1)
    runner.look()
    never.set()

    assert until(lambda: runner.look()[0].verdict is Verdict.OK)


def test_one_that_fails_says_so_and_the_others_count() -> None:
    def fail() -> Iterator[Finding]:
        yield ok("half", "Seen.")
        raise ZeroDivisionError

    found = Runner({"bad": fail, "good": lambda: [ok("good", "Fine.")]}).look()

    assert [(each.name, each.verdict) for each in found] == [("bad", Verdict.WARNING), ("good", Verdict.OK)]
    assert "ZeroDivisionError" in found[0].found


def test_who_asks_later_is_told_what_is_so_then() -> None:
    now = ["one"]
    runner = Runner({"a": lambda: [ok("a", now[0])]})

    before = runner.look()[0].found
    now[0] = "two"

    assert (before, runner.look()[0].found) == ("one", "two")


def test_who_waited_is_told_what_was_begun_after_he_had_asked() -> None:
    looks: list[int] = []
    runner = Runner({"a": lambda: [ok("a", f"look {looks.append(1) or len(looks)}")]})
    runner.look()
    runner._begun = time.monotonic() + 3600  # as if another's look had begun while he waited

    told = [runner.look()[0].found for _ in range(3)]

    assert told == ["look 1"] * 3
