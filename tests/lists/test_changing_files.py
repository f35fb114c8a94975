"""Stop lists whose files change: what is in force then, and while a file is broken."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialerd.lists import ListFile, StopLists
from tests.lists.making import BERLIN, MUNICH, NOW, lists_of, stopped
from tests.waiting import until


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "list.txt"


@pytest.fixture
def watched(path: Path) -> Iterator[StopLists]:
    path.write_text(f"{BERLIN}\n")
    lists = StopLists([ListFile("customers", path, "a customer", writable=True)], "DE", look_every=0.02)
    lists.load()
    lists.start()
    yield lists
    lists.stop()


def test_a_changed_file_counts_soon(watched: StopLists, path: Path) -> None:
    path.write_text(f"{MUNICH}\n")

    until(lambda: watched.stopped(MUNICH))

    assert stopped(watched, [BERLIN, MUNICH]) == [MUNICH]


def test_a_replaced_file_counts_soon(watched: StopLists, path: Path) -> None:
    fresh = path.with_name("fresh")
    fresh.write_text(f"{MUNICH}\n")
    fresh.replace(path)

    until(lambda: watched.stopped(MUNICH))


@pytest.mark.parametrize("broken", ["bad\n", None])
def test_while_a_file_is_broken_its_last_good_state_is_in_force(
    watched: StopLists, path: Path, broken: str | None
) -> None:
    path.unlink() if broken is None else path.write_text(f"{MUNICH}\n{broken}")

    (problem,) = until(watched.problems)

    assert ("line 2" in problem) == (broken is not None)
    assert stopped(watched, [BERLIN, MUNICH]) == [BERLIN]
    path.write_text(f"{MUNICH}\n")
    until(lambda: not watched.problems())
    assert stopped(watched, [BERLIN, MUNICH]) == [MUNICH]


def test_a_file_that_is_being_written_is_not_taken_by_halves(path: Path) -> None:
    lists = lists_of(path, f"{BERLIN}\n")
    lists.look()
    path.write_text("")

    lists.look()
    path.write_text(f"{BERLIN}\n# more\n")
    lists.look()
    seen = stopped(lists, [BERLIN])
    path.write_text(f"{MUNICH}\n")
    lists.look()
    lists.look()

    assert (seen, stopped(lists, [BERLIN, MUNICH])) == ([BERLIN], [MUNICH])


def test_a_number_can_be_added_while_the_file_is_broken(path: Path) -> None:
    lists = lists_of(path, f"{MUNICH}\n")
    path.write_text(f"{MUNICH}\nbad\n")
    lists.reload()

    lists.add("customers", BERLIN, "", 0, NOW)

    assert stopped(lists, [BERLIN, MUNICH]) == [BERLIN, MUNICH]
    assert "line 2" in lists.problems()[0]
    assert path.read_text().splitlines()[2].startswith(BERLIN)


def test_our_own_change_is_no_reason_to_read_the_file_again(path: Path) -> None:
    lists = lists_of(path, f"{MUNICH}\n")
    (only,) = lists._all
    lists.add("customers", BERLIN, "", 0, NOW)
    lists.remove("customers", MUNICH)
    before = only.entries

    lists.look()
    lists.look()

    assert only.entries is before
    assert stopped(lists, [BERLIN, MUNICH]) == [BERLIN]


def test_a_line_that_someone_else_wrote_meanwhile_is_read_all_the_same(path: Path) -> None:
    lists = lists_of(path, "")
    path.write_text(f"{MUNICH}\n")

    lists.add("customers", BERLIN, "", 0, NOW)
    lists.look()
    lists.look()

    assert stopped(lists, [BERLIN, MUNICH]) == [BERLIN, MUNICH]


def test_no_number_is_lost_that_is_added_while_the_file_is_read(path: Path) -> None:
    lists = lists_of(path, "".join(f"+4989{number:07}\n" for number in range(20_000)))
    added = [f"+4930{number:06}" for number in range(60)]
    gone = [f"+4989{number:07}" for number in range(5)]
    over = threading.Event()

    def read_for_ever() -> None:
        while not over.is_set():
            lists.reload()

    reader = threading.Thread(target=read_for_ever)
    reader.start()
    lost = []
    for number in added:
        lists.add("customers", number, "", 0, NOW)
        lost += [number] if lists.stopped(number) is None else []
    for number in gone:
        lists.remove("customers", number)
        lost += [number] if lists.stopped(number) else []
    over.set()
    reader.join()
    lists.reload()

    assert lost == []
    assert stopped(lists, added + gone) == added
