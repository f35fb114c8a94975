"""Stop lists: what is said of a number, what changes them, and what is in force while a file is broken."""

import os
import time
from io import BytesIO
from pathlib import Path

import pytest

from dialerd.core.errors import Broken, ConfigError, InvalidJob
from dialerd.lists import ListFile, StopLists
from tests.lists.making import BERLIN, MUNICH, NOW, hashed, lists_of, stopped


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "list.txt"


def refused(lists: StopLists, text: str) -> list[str]:
    with pytest.raises(InvalidJob) as caught:
        lists.import_("customers", BytesIO(text.encode()), 0, NOW)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_the_sentence_names_the_list_and_its_reason(path: Path) -> None:
    assert lists_of(path, BERLIN).stopped(BERLIN) == (
        f"{BERLIN} is on the do-not-call list customers: a customer"
    )


def test_of_several_lists_the_first_that_has_it_is_named(tmp_path: Path) -> None:
    files = []
    for name, text in (("one", MUNICH), ("two", BERLIN), ("three", BERLIN)):
        (tmp_path / name).write_text(text)
        files.append(ListFile(name, tmp_path / name))
    lists = StopLists(files, "DE")
    lists.load()

    assert lists.stopped(BERLIN) == f"{BERLIN} is on the do-not-call list two"
    assert [found[0] for found in lists.check(BERLIN)] == ["two", "three"]


def test_check_shows_the_lines_because_of_which_a_number_is_stopped(path: Path) -> None:
    text = f"030 123456 Meier\n{MUNICH}\n{hashed(BERLIN)},secret\n+4930*,all Berlin\n{BERLIN}\n+4930123457\n"

    found = lists_of(path, text).check(BERLIN)

    assert [line for _, _, line in found] == [
        "030 123456 Meier",
        f"{hashed(BERLIN)},secret",
        "+4930*,all Berlin",
        BERLIN,
    ]


def test_a_number_that_is_added_is_stopped_at_once_and_on_disk(path: Path) -> None:
    lists = lists_of(path, MUNICH)

    new = lists.add("customers", BERLIN, "asked\nby fax", 1000, NOW)

    assert new
    assert stopped(lists, [BERLIN, MUNICH]) == [BERLIN, MUNICH]
    assert path.read_text() == f"{MUNICH}\n{BERLIN},asked by fax, by uid 1000, 2026-11-21T12:00:00.000Z\n"
    assert stopped(lists_of(path, path.read_text()), [BERLIN, MUNICH]) == [BERLIN, MUNICH]


@pytest.mark.parametrize("number", [BERLIN, "1000", "12345678", "*97"])
def test_what_is_added_is_read_as_the_same_and_can_be_removed(path: Path, number: str) -> None:
    lists = lists_of(path, "")

    lists.add("customers", number, "", 0, NOW)
    again = lists_of(path, path.read_text())
    before = stopped(again, [number])
    count = again.remove("customers", number)

    assert before == [number]
    assert (count, stopped(again, [number]), path.read_text()) == (1, [], "")


@pytest.mark.parametrize("written", ["030 123456", hashed(BERLIN), BERLIN])
def test_adding_twice_is_no_error_and_writes_nothing(path: Path, written: str) -> None:
    lists = lists_of(path, f"{written}\n")
    lists.add("customers", BERLIN, "", 0, NOW)
    once = path.read_text()

    new = lists.add("customers", BERLIN, "", 0, NOW)

    assert not new
    assert path.read_text() == once


def test_a_number_that_only_a_prefix_stops_is_added_all_the_same(path: Path) -> None:
    lists = lists_of(path, "+4930*\n")

    lists.add("customers", BERLIN, "", 0, NOW)
    lists.remove("customers", "+4930*")

    assert stopped(lists, [BERLIN, "+4930123457"]) == [BERLIN]


def test_a_list_with_columns_gets_a_row(path: Path) -> None:
    lists = lists_of(path, "name;number;reason;date\nMeier;+4989123456;asked;2026\n")

    lists.add("customers", BERLIN, "x; y", 0, NOW)

    assert path.read_text().splitlines()[-1] == f';{BERLIN};"x; y";2026-11-21T12:00:00.000Z'
    assert stopped(lists_of(path, path.read_text()), [BERLIN, MUNICH]) == [BERLIN, MUNICH]


def test_a_list_with_a_salt_gets_hashes(path: Path, tmp_path: Path) -> None:
    salt = tmp_path / "salt"
    salt.write_text("pepper")
    lists = lists_of(path, "", salt_path=salt)

    lists.add("customers", BERLIN, "", 0, NOW)
    lists.import_("customers", BytesIO(MUNICH.encode()), 0, NOW)

    text = path.read_text()
    assert BERLIN not in text
    assert MUNICH not in text
    assert [line.split(",")[0] for line in text.splitlines()] == [
        hashed(each, "pepper") for each in (BERLIN, MUNICH)
    ]
    assert stopped(lists, [BERLIN, MUNICH]) == [BERLIN, MUNICH]


def test_removing_takes_every_line_of_the_number_and_no_other(path: Path) -> None:
    other = b"# M\xfcnchen\r\n+4989123456,M\xfcller\r\n"
    lists = lists_of(path, b"030 123456,x\n" + other + f"{hashed(BERLIN)}\n{BERLIN}".encode())
    path.chmod(0o644)

    count = lists.remove("customers", BERLIN)

    assert count == 3
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (other, 0o644)
    assert stopped(lists, [BERLIN, MUNICH]) == [MUNICH]
    assert list(path.parent.iterdir()) == [path]


def test_a_number_that_a_prefix_stops_can_not_be_removed_alone(path: Path) -> None:
    lists = lists_of(path, "+4930*\n")

    with pytest.raises(InvalidJob, match="by a prefix"):
        lists.remove("customers", BERLIN)

    assert lists.stopped(BERLIN)


def test_removing_what_is_not_there_is_no_error(path: Path) -> None:
    assert lists_of(path, MUNICH).remove("customers", BERLIN) == 0


def test_an_import_adds_what_is_not_there_yet(path: Path) -> None:
    lists = lists_of(path, "# mine\n030 123456")
    text = f"number,reason\n{BERLIN},there\n{MUNICH},new\n040 123456,\n"

    added = lists.import_("customers", BytesIO(text.encode()), 1000, NOW)

    assert added == 2
    assert path.read_text().splitlines() == [
        "# mine",
        "030 123456",
        f"{MUNICH},new, by uid 1000, 2026-11-21T12:00:00.000Z",
        "+4940123456,by uid 1000, 2026-11-21T12:00:00.000Z",
    ]
    assert stopped(lists, [BERLIN, MUNICH, "+4940123456"]) == [BERLIN, MUNICH, "+4940123456"]


def test_an_import_with_mistakes_adds_nothing_and_tells_each(path: Path) -> None:
    lists = lists_of(path, f"{BERLIN}\n")

    found = refused(lists, f"{MUNICH}\nbad\n\nworse\n")

    assert [each.split(":")[0] for each in found] == ["line 2", "line 4"]
    assert (path.read_text(), lists.stopped(MUNICH)) == (f"{BERLIN}\n", None)


@pytest.mark.parametrize("verb", ["add", "remove", "import"])
def test_a_list_that_is_not_ours_to_write_is_left_alone(path: Path, verb: str) -> None:
    path.write_text(f"{BERLIN}\n")
    lists = StopLists([ListFile("law", path)], "DE")
    lists.load()
    verbs = {
        "add": lambda: lists.add("law", MUNICH, "", 0, NOW),
        "remove": lambda: lists.remove("law", BERLIN),
        "import": lambda: lists.import_("law", BytesIO(MUNICH.encode()), 0, NOW),
    }

    with pytest.raises(InvalidJob, match="not dialerd's to write"):
        verbs[verb]()

    assert path.read_text() == f"{BERLIN}\n"


def test_a_list_that_is_not_there_is_named_with_the_nearest(path: Path) -> None:
    with pytest.raises(InvalidJob, match='Did you mean "customers"'):
        lists_of(path, "").add("custmers", BERLIN, "", 0, NOW)


def test_a_file_that_can_not_be_written_says_so_and_nothing_changed(path: Path) -> None:
    lists = lists_of(path, MUNICH)
    path.unlink()

    with pytest.raises(Broken, match="can't be written"):
        lists.add("customers", BERLIN, "", 0, NOW)

    assert stopped(lists, [BERLIN, MUNICH]) == [MUNICH]


def test_a_list_of_dialerds_own_is_made_where_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "state" / "stop-lists" / "opt-out.txt"
    lists = StopLists([ListFile("opt-out", path, writable=True, own=True)], None)

    lists.load()
    lists.add("opt-out", BERLIN, "", 0, NOW)

    assert path.stat().st_mode & 0o007 == 0
    assert lists.stopped(BERLIN)


@pytest.mark.parametrize("kind", ["missing", "folder", "fifo", "salt"])
def test_at_the_start_a_list_that_can_not_be_read_is_a_mistake(path: Path, kind: str) -> None:
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "salt":
        path.touch()
    salt = path.with_name("salt") if kind == "salt" else None

    with pytest.raises(ConfigError) as caught:
        StopLists([ListFile("law", path, salt_path=salt)], "DE").load()

    assert [mistake.where for mistake in caught.value.mistakes] == ["stop_lists.law"]


def test_a_look_up_in_a_hundred_thousand_costs_hardly_more_than_in_a_hundred(path: Path) -> None:
    def cost(count: int) -> float:
        lists = lists_of(path, "".join(f"+4989{number * 7:08}\n" for number in range(count)))
        asked = [f"+4989{number:08}" for number in range(0, 700_000, 350)]
        runs = []
        for _ in range(5):
            start = time.thread_time()
            stopped(lists, asked)
            runs.append(time.thread_time() - start)
        return min(runs)

    assert cost(100_000) < 4 * cost(100)


def test_what_can_not_be_written_now_stops_the_number_at_once_and_is_written_later(path: Path) -> None:
    lists = lists_of(path, "")
    path.rename(path.with_suffix(".away"))
    lists.insist("customers", BERLIN, "pressed 9", 0, NOW)
    meanwhile, told = lists.stopped(BERLIN), lists.problems()
    path.with_suffix(".away").rename(path)
    lists.look()
    assert meanwhile == f"{BERLIN} is on the do-not-call list customers"
    assert "1 numbers wait" in told[0]
    assert "pressed 9" in path.read_text()
    assert lists.problems() == []


def test_what_was_put_on_a_list_while_others_were_read_is_in_force_with_them(path: Path) -> None:
    before = lists_of(path, "")
    after = lists_of(path, "")
    before.add("customers", BERLIN, "", 0, NOW)
    after.succeed(before)
    assert after.stopped(BERLIN)
