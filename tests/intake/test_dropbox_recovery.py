"""The drop folder, killed at any step, and with a full, silent or broken engine: nothing lost or doubled."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dialerd.core.errors import Broken, Overloaded
from dialerd.core.signals import Submission
from tests.intake.dropping import JOB, SOON, Killed, Place, csv
from tests.waiting import until


@pytest.mark.parametrize("count", [1, 3, 1200])
def test_killed_before_or_after_a_commit_each_row_is_accepted_once(place: Place, count: int) -> None:
    def die(*_: Any) -> None:
        raise Killed

    numbers = [f"+4930{number:06}" for number in range(100_000, 100_000 + count)]
    place.put("list.csv", csv(*numbers, "nobody"))
    for hook in ("on_submit", "on_answer", "on_answer"):
        setattr(place.desk, hook, die)
        with pytest.raises(Killed):
            place.look()
        setattr(place.desk, hook, lambda *_: None)
        place.new()

    place.look(2)

    assert len(place.desk.accepted) == count
    assert place.names() == {"rejected": ["list.csv", "list.csv.reason"]}
    assert f"The other {count} were accepted" in place.reason("list.csv")


@pytest.mark.parametrize("nth", range(1, 20))
def test_killed_at_any_rename_or_removal_each_row_is_accepted_and_refused_once(
    place: Place, nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.put("list.csv", csv("+4930111111", "nobody"))
    place.put("bad.json", "bad")
    calls = 0

    def deadly(name: str, after: bool) -> Any:
        real = getattr(Path, name)

        def step(self: Path, *args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == nth and not after:
                raise Killed
            answer = real(self, *args, **kwargs)
            if calls == nth:
                raise Killed
            return answer

        return step

    with monkeypatch.context() as patch:
        for name in ("rename", "unlink"):
            patch.setattr(Path, name, deadly(name, after=bool(nth % 2)))
        with suppress(Killed):
            place.look(2)
    place.new()
    place.look(2)

    assert len(place.desk.accepted) == 1
    assert place.names() == {"rejected": ["bad.json", "bad.json.reason", "list.csv", "list.csv.reason"]}


def test_a_call_file_whose_time_came_between_crash_and_restart_is_one_call(place: Place) -> None:
    path = place.put("old.call", "Channel: Local/100\n")
    os.utime(path, (SOON, SOON))

    def die() -> None:
        raise Killed

    place.desk.on_answer = die
    with pytest.raises(Killed):
        place.look()
    place.desk.on_answer = lambda: None
    place.new()
    place.now = 2 * 86400

    place.look()

    assert len(place.desk.accepted) == 1
    assert place.names() == {}


def test_a_full_desk_is_waited_for_and_nothing_is_lost(place: Place) -> None:
    place.desk.refuse = Overloaded("The queue is full.", retry_after=1)
    place.desk.refuse_again = 3
    place.put("list.csv", csv("+4930111111", "+4930222222"))

    place.look()

    assert len(place.desk.accepted) == 2
    assert place.names() == {}


def test_rows_that_a_desk_took_no_more_are_asked_for_again_and_the_others_not(place: Place) -> None:
    real = place.desk._accept
    room = [True, False, False, True, True]
    place.desk._accept = (  # type: ignore[method-assign]
        lambda owner, draft: real(owner, draft) if not room or room.pop() else Overloaded("Full.", 1)
    )
    place.put("list.csv", csv("+4930111111", "+4930222222", "+4930333333"))

    place.look()

    assert len(place.desk.accepted) == 3
    assert place.desk.commits == [3, 1, 1]
    assert place.names() == {}


def test_stopping_ends_the_wait_for_a_full_desk_and_leaves_the_file_claimed(place: Place) -> None:
    place.desk.refuse = Overloaded("The queue is full.", retry_after=1000)
    box = place.new(longest_wait_seconds=1000.0)
    place.put("one.json", JOB)
    box.start()
    until(lambda: place.names().get("claimed"))

    box.stop(timeout=5.0)

    assert not box._thread.is_alive()
    place.desk.refuse = None
    place.new()
    place.look()
    assert len(place.desk.accepted) == 1


def test_stopping_ends_the_wait_for_an_answer(place: Place) -> None:
    place.desk.open.clear()
    place.put("one.json", JOB)
    place.box.start()
    until(lambda: place.desk.seen)

    place.box.stop(timeout=5.0)

    assert not place.box._thread.is_alive()


def test_an_engine_that_does_not_answer_is_asked_again_later(place: Place) -> None:
    place.new(answer_seconds=0.05)
    place.desk.open.clear()
    place.put("one.json", JOB)

    place.look()
    place.desk.open.set()
    place.look()

    assert len(place.desk.accepted) == 1
    assert place.names() == {}


def test_one_job_that_the_engine_fails_on_stops_no_other(place: Place) -> None:
    def fail(submissions: list[Submission]) -> None:
        if any(each.draft.call.to == ("+4930666666",) for each in submissions):
            raise RuntimeError("a bug")

    place.desk.on_submit = fail
    for number in (1, 2, 6, 3, 4):
        place.put(f"{number}.csv", csv(f"+4930{number}{number}{number}{number}{number}{number}"))

    place.look(3)

    assert len(place.desk.accepted) == 4
    assert [name[21:] for name in place.names()["claimed"]] == ["6.csv"]


def test_a_broken_engine_leaves_the_rest_in_the_drop_folder(place: Place) -> None:
    def fail(_: list[Submission]) -> None:
        raise Broken("The store is corrupt.")

    place.new(chunk=5)
    for number in range(100):
        place.put(f"{number}.json", JOB)
    place.desk.on_submit = fail

    place.look(5)
    early = place.names()
    place.desk.on_submit = lambda _: None
    place.look_until(lambda: len(place.desk.accepted) == 100)

    assert len(early["drop"]) > 50
    assert place.names() == {}


def test_a_bug_on_one_file_stops_no_other(place: Place) -> None:
    def explode(data: bytes, mtime: float, now: float) -> dict[str, Any]:
        raise ZeroDivisionError

    place.box._parse_callfile = explode
    place.put("a.call", "x\n")
    place.put("b.json", JOB)

    place.look(2)

    assert len(place.desk.accepted) == 1
    assert [name[21:] for name in place.names()["claimed"]] == ["a.call"]
