"""A local user who wants to be in the way: by pipes under our names, by size, by folders that he closes."""

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from dialerd.core.signals import Submission
from tests.intake.dropping import JOB, Place, csv
from tests.intake.test_dropbox_users import ANNA, as_child, needs_root, owned
from tests.users import ROOT, give
from tests.waiting import until

__all__ = ["owned"]
NUMBER = "015112345678"


def pipe(path: Path) -> None:
    os.mkfifo(path)


def link_to_a_pipe(path: Path) -> None:
    os.mkfifo(path.with_name(".pipe"))
    path.symlink_to(path.with_name(".pipe"))


def look_within(place: Place, seconds: float = 10.0) -> bool:
    """Looks in a thread of its own; whether that came to an end."""
    looking = threading.Thread(target=place.look, daemon=True)
    looking.start()
    looking.join(seconds)
    return not looking.is_alive()


@pytest.mark.parametrize("make", [pipe, link_to_a_pipe])
def test_a_pipe_under_the_name_of_a_reason_hangs_nobody(place: Place, make: Any) -> None:
    make(place.drop / "foo.json.reason")
    place.look()
    place.put("foo.json", "bad")
    place.put("good.json", JOB)

    assert look_within(place)
    assert len(place.desk.accepted) == 1
    assert "not JSON" in place.reason("foo.json")


@pytest.mark.parametrize("make", [pipe, link_to_a_pipe])
def test_a_pipe_that_lies_in_rejected_already_is_not_opened(place: Place, make: Any) -> None:
    make(place.rejected / "foo.json.reason")
    place.put("foo.json", "bad")

    ended = look_within(place)

    assert ended
    assert "not JSON" in place.reason("foo.2.json")


@pytest.mark.parametrize("suffix", ["", ".json"])
def test_no_name_however_long_ends_as_our_reasons_do(place: Place, suffix: str) -> None:
    place.put("x" * 200 + ".reason" + "." + "y" * 40 + suffix, "bad")
    place.put("x.reason", "bad")

    place.look()

    names = place.names()["rejected"]
    assert len(names) == 4
    assert sum(name.endswith(".reason") for name in names) == 2


def test_a_header_of_very_many_columns_is_refused_at_once_and_shortly(place: Place) -> None:
    place.put("short.csv", ";".join(f"c{number}" for number in range(600)) + "\n")
    place.put("long.csv", ";".join(f"column{number}" for number in range(10_000)) + "\n")
    place.put("longest.csv", ";".join(f"column{number}" for number in range(100_000)) + "\n")

    before = time.thread_time()
    place.look()

    assert time.thread_time() - before < 2
    assert "The header names 600 columns, and 500 are the most" in place.reason("short.csv")
    assert "The header line has more than 65536 characters" in place.reason("long.csv")
    assert "The row is too long" in place.reason("longest.csv")
    assert max(path.stat().st_size for path in place.rejected.glob("*.reason")) < 1000


def test_of_very_many_mistakes_a_hundred_are_said(place: Place) -> None:
    place.put("list.csv", ";".join(f"column{number}" for number in range(400)) + "\n")

    place.look()

    assert place.reason("list.csv").count("There is no such field") == 100
    assert place.reason("list.csv").endswith("\n... and 300 more mistakes.\n")


def test_the_reason_of_very_many_bad_rows_has_an_end_and_the_rows_come_back(place: Place) -> None:
    data = csv(*(word for number in range(8000) for word in (f"nobody{number}" + "x" * 60, f"+{number}")))
    place.put("list.csv", data)

    place.look()

    reason = place.reason("list.csv")
    assert len(reason) < 1_200_000
    assert reason.splitlines()[-1].startswith("... and ")
    assert reason.endswith(" more rows.\n")
    assert (place.rejected / "list.csv").read_text() == data


@pytest.mark.parametrize("head", ['"";""', "\u00a0", '" "'])
def test_a_header_of_empty_names_is_none(place: Place, head: str) -> None:
    place.put("list.csv", f"{head}\n1;2\n")

    place.look()

    assert "There is no header line" in place.reason("list.csv")


@pytest.mark.parametrize("name", ["blank.csv", "blank.ndjson"])
def test_nobody_waits_while_a_long_file_of_blank_lines_is_proved_or_read(place: Place, name: str) -> None:
    head, row = ("to;play\n", "+4930111111;beep\n") if name.endswith("csv") else ("", f"{JOB.decode()}\n")
    for number in range(6):
        place.put(f"{number}{name}", head + "\n" * 3_000_000 + row)
    box = place.new(look_seconds=0.2)
    box.look()
    waits = []
    for number in range(5):
        place.put(f"good{number}.json", JOB)
        box.wake(f"good{number}.json", closed=True)
        before = time.thread_time()
        while len(place.desk.accepted) <= number:
            box.look()
        waits.append(time.thread_time() - before)

    assert max(waits) < 1.0
    assert len([each for each in place.names()["claimed"] if each.endswith(name)]) == 6


def test_all_of_one_owners_long_files_come_to_their_end(place: Place) -> None:
    rows = csv(*(f"+4930{number}" for number in range(100_000, 104_000)))
    for number in range(6):
        place.put(f"{number}.csv", rows)

    place.look_until(lambda: len(place.desk.accepted) == 24_000, seconds=60)

    assert place.names() == {}


@pytest.mark.skipif(not ROOT, reason="takes two users, so root")
def test_anothers_large_file_is_taken_while_one_owner_has_as_many_as_he_may(place: Place) -> None:
    for number in range(8):
        place.put(f"{number}.csv", "to;play\n" + "\n" * 5_000_000, owner=ANNA)
    box = place.new(look_seconds=0.1)
    box.look()
    place.put("list.csv", csv(*(f"+4930{number}" for number in range(100_000, 104_000))))

    for _ in range(30):
        box.look()

    assert len(place.desk.accepted) == 4000


def test_stopping_interrupts_the_proof_of_a_long_file(place: Place) -> None:
    box = place.new(look_seconds=60.0)
    place.put("blank.csv", "to;play\n" + "\n" * 10_000_000)
    box.start()
    until(lambda: box._open)

    before = time.process_time()
    box.stop()

    assert not box._thread.is_alive()
    assert time.process_time() - before < 2
    assert "claimed" in place.names()


@needs_root
def test_a_folder_that_its_owner_closed_is_given_up_and_said_once(owned: Place) -> None:
    trap = owned.drop / "trap.json"
    trap.mkdir()
    give(trap, ANNA, ANNA, 0o777)
    code = "\n".join(
        [
            "import os, dialerd.intake.dropbox_files as files",
            "claim = files.claim",
            "def shut(folders, name):",
            "    done = claim(folders, name)",
            "    import subprocess; open(place.folder / 'claimed-now', 'w').close()",
            "    until(lambda: not (done.path.stat().st_mode & 0o777))",
            "    return done",
            "from tests.waiting import until",
            "files.claim = shut",
            "place.look(5); print(place.box.problems()); print(place.new().problems()); place.look(3)",
        ]
    )
    closing = threading.Thread(target=close_when_claimed, args=[owned])
    closing.start()

    told = as_child(owned, code)
    closing.join()

    (kept,) = owned.claimed.iterdir()
    assert kept.name.startswith(".kept.")
    assert told.count("drop_folder_kept") == 1
    assert told.count("drop_work_failed") == 0
    assert told.count("A dropped folder could not be moved out of") == 2
    assert "for an administrator to remove" in owned.reason("trap.json")


def close_when_claimed(place: Place) -> None:
    """What the folder's owner does through a handle that he holds."""
    until((place.folder / "claimed-now").exists)
    next(place.claimed.iterdir()).chmod(0)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", f"to;{NUMBER};play\n1;2;3\n"),
        ("a.json", f'{{"{NUMBER}": "{NUMBER}"}}'),
        ("a.json", f'[{{"to": "{NUMBER}"}}'),
        ("a.call", f"Channel: {NUMBER}\n"),
    ],
)
def test_the_log_holds_nothing_of_what_was_refused(
    place: Place, name: str, data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place.put(name, data)

    place.look()

    told = capsys.readouterr()
    assert name in told.out + told.err
    assert NUMBER not in told.out + told.err


def test_the_log_holds_nothing_of_a_row_that_a_bug_stumbled_on(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(submissions: list[Submission]) -> None:
        raise ValueError(f"invalid number {submissions[0].draft.call.to[0]}")

    place.desk.on_submit = fail
    place.put("a.json", JOB)

    place.look()

    told = capsys.readouterr()
    assert "ValueError at " in told.out + told.err
    assert "30123456" not in told.out + told.err
