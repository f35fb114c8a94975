"""The drop folder: files in, jobs or reasons out, each once, whatever stops us in between."""

import json
import os
import re
from threading import Event
from typing import Any

import pytest

from dialerd.core.errors import InvalidJob, Mistake
from dialerd.core.signals import Submission
from tests.intake.dropping import GOOD, JOB, SOON, Place, csv
from tests.users import ROOT
from tests.waiting import until


def test_a_json_file_becomes_a_job_of_its_owner_and_goes(place: Place) -> None:
    place.put("one.json", JOB, owner=12345 if ROOT else None)

    place.look()

    assert [each.owner for each in place.desk.seen] == [12345 if ROOT else os.geteuid()]
    assert place.desk.seen[0].draft.call.to == ("+4930123456",)
    assert place.names() == {}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.json", json.dumps([GOOD, GOOD, GOOD])),
        ("a.ndjson", "\n".join([JOB.decode()] * 3)),
        ("A.CSV", csv("+4930111111", "+4930222222", "+4930333333")),
    ],
)
def test_each_row_has_a_key_of_its_own(place: Place, name: str, data: str) -> None:
    place.put(name, data)

    place.look()

    keys = [str(each.draft.key) for each in place.desk.seen]
    first = 2 if name.endswith("CSV") else 1
    assert [key.split(":")[0] for key in keys] == ["drop"] * 3
    assert [int(key.split(":")[2]) for key in keys] == [first, first + 1, first + 2]
    assert len({key.split(":")[1] for key in keys}) == 1
    assert place.names() == {}


def test_a_key_in_the_row_is_kept_and_a_second_file_with_it_calls_no_second_time(place: Place) -> None:
    place.put("one.json", json.dumps({**GOOD, "key": "mine"}))
    place.put("two.json", json.dumps({**GOOD, "key": "mine"}))

    place.look()

    assert [each.draft.key for each in place.desk.seen] == ["mine", "mine"]
    assert len(place.desk.accepted) == 1
    assert place.names() == {}


def test_a_known_key_with_another_body_is_refused(place: Place) -> None:
    place.put("one.json", json.dumps({**GOOD, "key": "mine"}))
    place.look()
    place.put("two.json", json.dumps({**GOOD, "key": "mine", "wait_time": 10}))

    place.look()

    assert "key: The key 'mine' already stands for job" in place.reason("two.json")


def test_several_numbers_in_a_row_are_several_jobs(place: Place) -> None:
    place.put("one.json", json.dumps({**GOOD, "to": ["+4930123456", "+4930123457"]}))

    place.look()

    assert [str(each.draft.key).partition("/")[2] for each in place.desk.seen] == ["1", "2"]
    assert place.names() == {}


def test_a_call_file_is_read_with_its_mtime_and_its_notes_are_kept(place: Place) -> None:
    path = place.put("old.call", "Channel: Local/100\n")
    os.utime(path, (SOON, SOON))

    place.look()

    draft = place.desk.seen[0].draft
    assert draft.notes == ("Archive was ignored.",)
    assert draft.not_before is not None
    assert draft.not_before.timestamp() == SOON
    assert place.names() == {}


def test_a_bad_call_file_is_moved_as_it_is_with_its_reason(place: Place) -> None:
    place.put("old.call", "Channel: x\n")

    place.look()

    assert (place.rejected / "old.call").read_text() == "Channel: x\n"
    assert "line 1: It is not the one line" in place.reason("old.call")
    assert place.names()["rejected"] == ["old.call", "old.call.reason"]


def test_good_rows_are_accepted_and_bad_ones_come_back_as_a_csv_with_every_mistake(place: Place) -> None:
    place.put("list.csv", csv("+4930111111", "x\ny".join('""'), "+4930222222", "nobody"))

    place.look()

    assert [each.draft.call.to for each in place.desk.seen] == [("+4930111111",), ("+4930222222",)]
    assert (place.rejected / "list.csv").read_text() == 'to;play\n"x\ny";beep\nnobody;beep\n'
    reason = place.reason("list.csv")
    assert "list.csv was refused in part" in reason
    assert "2 of its 4 rows could not become jobs" in reason
    assert "The other 2 were accepted: do not submit them again" in reason
    assert "row 3: to" in reason
    assert "row 5 (line 6): to: " in reason
    assert place.names()["rejected"] == ["list.csv", "list.csv.reason"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("l.json", json.dumps([GOOD, {"too": "1"}, GOOD, 5])),
        ("l.ndjson", "\n".join([JOB.decode(), '{"too": "1"}', "", JOB.decode(), "5"])),
    ],
)
def test_bad_rows_of_json_come_back_as_json(place: Place, name: str, data: str) -> None:
    place.put(name, data)

    place.look()

    back = (place.rejected / name).read_text()
    found = json.loads(back) if name.endswith(".json") else [json.loads(line) for line in back.splitlines()]
    assert found == [{"too": "1"}, 5]
    assert 'too: This name is not known here. Did you mean "to"?' in place.reason(name)
    assert len(place.desk.accepted) == 2


def test_the_bad_rows_put_right_can_be_dropped_again(place: Place) -> None:
    place.put("list.csv", csv("+4930111111", "nobody"))
    place.look()
    place.put("list.csv", (place.rejected / "list.csv").read_text().replace("nobody", "+4930222222"))

    place.look()

    assert [each.draft.call.to for each in place.desk.seen] == [("+4930111111",), ("+4930222222",)]


def test_what_the_engine_refuses_is_a_bad_row_in_its_order(place: Place) -> None:
    past = {**GOOD, "not_after": "2020-01-01T00:00:00Z"}
    place.put("l.json", json.dumps([GOOD, past, {"to": 1}, past, GOOD]))

    place.look()

    reason = place.reason("l.json")
    rows = re.findall(r"^row (\d) \(line 1\): (not_after|to)", reason, re.MULTILINE)
    assert rows == [("2", "not_after"), ("3", "to"), ("4", "not_after")]
    assert len(json.loads((place.rejected / "l.json").read_text())) == 3


def test_a_file_of_bad_rows_only_is_moved_as_it_is_and_like_mistakes_share_a_line(place: Place) -> None:
    data = csv(*["nobody"] * 5000)
    place.put("list.csv", data)

    place.look()

    assert (place.rejected / "list.csv").read_text() == data
    assert "None of its 5000 rows could become a job" in place.reason("list.csv")
    assert "\nrows 2-5001: to: " in place.reason("list.csv")
    assert len(place.reason("list.csv").splitlines()) < 8


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("empty.json", "", "There is no job in it"),
        ("empty.csv", "", "There is no header line"),
        ("empty.ndjson", "", "There is no job in it"),
        ("head.csv", "to;play\n", "There is no job in it"),
        ("list.json", "[]", "There is no job in it"),
        ("half.json", '[{"to": "1', "the list is not closed"),
        ("one.json", "{'to': 1}", "not JSON"),
        ("head2.csv", "too;play\n100;beep\n", 'Did you mean "to"?'),
        ("latin.csv", b"to;play\n100;\xe9t\xe9\n", "save the file as CSV UTF-8"),
        ("bomb.json", "[" * 100_000, "nested"),
        ("twice.json", '{"to": "1", "to": "2"}', "twice"),
        ("sheet.xlsx", b"PK\3\4", "the end of its name: .json, .ndjson, .csv, .call"),
        ("noname", "x", "the end of its name: .json, .ndjson, .csv, .call"),
    ],
)
def test_a_bad_file_goes_to_rejected_with_the_reason(place: Place, name: str, data: Any, said: str) -> None:
    path = place.put(name, data)
    before = path.stat()

    place.look()

    after = (place.rejected / name).stat()
    assert said in place.reason(name)
    assert place.names() == {"rejected": [name, f"{name}.reason"]}
    assert (after.st_uid, after.st_mode, after.st_ino) == (before.st_uid, before.st_mode, before.st_ino)


def test_nothing_in_rejected_is_overwritten(place: Place) -> None:
    for _ in range(3):
        place.put("bad.json", "bad")
        place.look()

    assert place.names()["rejected"] == [
        "bad.2.json", "bad.2.json.reason", "bad.3.json", "bad.3.json.reason", "bad.json", "bad.json.reason",
    ]  # fmt: skip


def test_the_submitter_can_read_what_came_back(place: Place) -> None:
    path = place.put("list.csv", csv("+4930111111", "nobody"))
    path.chmod(0o600)
    if ROOT:
        os.chown(path, 12345, 12345)

    place.look()

    for name in ("list.csv", "list.csv.reason"):
        status = (place.rejected / name).stat()
        assert (status.st_uid, status.st_mode & 0o777) == (12345 if ROOT else os.geteuid(), 0o640)


def test_small_files_do_not_wait_for_the_end_of_a_long_one(place: Place) -> None:
    box = place.new(chunk=10)

    def drop_another(_: list[Submission]) -> None:
        if len(place.desk.seen) == 20:
            place.put("late.json", JOB.replace(b"6", b"7"))
            box.wake("late.json", closed=True)

    place.desk.on_submit = drop_another
    place.put("long.csv", csv(*(f"+4930{number}" for number in range(100_000, 101_000))))

    place.look_until(lambda: not place.names())

    numbers = [each.draft.call.to[0] for each in place.desk.seen]
    assert numbers.index("+4930123457") < 100
    assert len(place.desk.accepted) == 1001


def test_many_single_job_files_share_commits(place: Place) -> None:
    for number in range(1200):
        place.put(f"{number}.json", JOB)

    place.look()

    assert place.desk.commits == [500, 500, 200]
    assert len(place.desk.accepted) == 1200


def test_the_thread_takes_what_is_dropped_with_and_without_a_hint(place: Place) -> None:
    box = place.new(still_seconds=0.02)
    box.start()
    try:
        place.put("one.json", JOB)
        until(lambda: len(place.desk.accepted) == 1)
        place.put("two.json", JOB)
        box.wake("two.json", closed=True)
        until(lambda: len(place.desk.accepted) == 2)
        until(lambda: place.names() == {})
    finally:
        box.stop()
    assert not box._thread.is_alive()


def test_a_folder_that_is_away_for_a_while_is_found_again(place: Place) -> None:
    box = place.new()
    away = place.drop.with_name("away")
    tried = Event()
    real = box.look

    def look() -> None:
        tried.set()
        real()

    box.look = look  # type: ignore[method-assign]
    place.drop.rename(away)
    box.start()
    try:
        until(tried.is_set)
        away.rename(place.drop)
        place.put("one.json", JOB)
        until(lambda: len(place.desk.accepted) == 1)
    finally:
        box.stop()


def test_mistakes_of_an_answer_are_all_said(place: Place) -> None:
    place.desk._accept = lambda *_: InvalidJob(  # type: ignore[method-assign]
        [Mistake("a", "One."), Mistake("b", "Two.")]
    )
    place.put("one.json", JOB)

    place.look()

    assert "\na: One.\nb: Two.\n" in place.reason("one.json")
