"""What a hostile or careless neighbour may leave in the drop folder: refused, and never in others' way."""

import json
import os
import socket
import threading
import tracemalloc
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dialerd.core.model import Call, Job
from dialerd.core.signals import Accepted, Submission
from dialerd.core.states import State
from tests.intake.dropping import JOB, Place, csv
from tests.users import ROOT
from tests.waiting import until

ANNA, BERT = 41011, 41012
ANY_JOB = Job("0" * 13, 0, State.QUEUED, Call(), datetime.now(UTC), datetime.now(UTC))
needs_root = pytest.mark.skipif(not ROOT, reason="takes two users, so root")


def fifo(path: Path) -> None:
    os.mkfifo(path)


def symlink(path: Path) -> None:
    path.symlink_to("/etc/hostname")


def dangling(path: Path) -> None:
    path.symlink_to("/nowhere")


def hard_link(path: Path) -> None:
    other = path.with_name(".other")
    other.write_bytes(JOB)
    path.hardlink_to(other)


def folder(path: Path) -> None:
    path.mkdir()
    (path / "inner.json").write_bytes(JOB)


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(f"/proc/self/fd/{os.open(path.parent, os.O_RDONLY)}/{path.name}")


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(10 << 30)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (fifo, "It is a pipe: only plain files are taken"),
        (symlink, "It is a symbolic link"),
        (dangling, "It is a symbolic link"),
        (hard_link, "It has 2 names (hard links)"),
        (folder, "It is a folder"),
        (unix_socket, "It is no plain file"),
        (sparse, "It has 10737418240 bytes, and 268435456 are the most"),
    ],
)
def test_what_is_no_plain_file_of_ours_leaves_unopened_and_the_next_is_taken(
    place: Place, make: Any, said: str
) -> None:
    make(place.drop / "trap.json")
    place.put("good.json", JOB)

    place.look()

    empty = make in (fifo, symlink, dangling, unix_socket)
    assert said in place.reason("trap.json")
    assert os.path.lexists(place.rejected / "trap.json") is not empty
    assert len(place.desk.accepted) == 1
    assert "claimed" not in place.names()


@pytest.mark.parametrize(
    "name",
    [
        "new\nline.json",
        "Zoë 电话.json",
        os.fsdecode(b"inv\xff\xfealid.json"),
        "x" * 250 + ".json",
        "ö" * 125 + ".json",
        "esc\x1b[31m.json",
        "-rf *.json",
        "$(reboot).json",
    ],
)
@pytest.mark.parametrize("data", [JOB, b"bad"], ids=["good", "bad"])
def test_any_name_is_worked_off(place: Place, name: str, data: bytes) -> None:
    place.put(name, data)

    place.look()

    assert len(place.desk.accepted) == (data == JOB)
    left = place.names()
    assert list(left) == ([] if data == JOB else ["rejected"])
    if left:
        kept, reason = sorted(left["rejected"], key=len)
        assert reason == f"{kept}.reason"
        assert kept == name or len(os.fsencode(name)) > 200
        assert kept.endswith(".json")
        said = (place.rejected / reason).read_bytes().decode()
        assert all(each.isprintable() for each in said.replace("\n", ""))


def test_a_name_with_a_line_break_adds_no_line_to_the_reason(place: Place) -> None:
    place.put("a\nline 1: all is well.json", "bad")

    place.look()

    said = place.reason("a\nline 1: all is well.json")
    assert said.startswith("a\\nline 1: all is well.json was refused at")


def test_a_reason_that_somebody_drops_is_told_apart_from_ours(place: Place) -> None:
    place.put("x.json.reason", "mine")
    place.look()
    place.put("x.json", "bad")

    place.look()

    assert place.names()["rejected"] == [
        "x.json", "x.json.reason", "x.json.reason.refused", "x.json.reason.refused.reason",
    ]  # fmt: skip
    assert (place.rejected / "x.json.reason.refused").read_text() == "mine"


def test_a_hundred_files_of_one_name_are_told_apart(place: Place) -> None:
    for _ in range(105):
        place.put("x.json", "bad")
        place.look()

    assert len(place.names()["rejected"]) == 210


def test_a_file_that_grows_for_ever_is_never_taken_and_stops_nobody(place: Place) -> None:
    place.new(still_seconds=1.0)
    growing = place.drop / "growing.ndjson"
    ended = threading.Event()

    def write() -> None:
        with growing.open("ab", buffering=0) as file:
            while not ended.wait(0.01):
                file.write(JOB + b"\n")

    writer = threading.Thread(target=write)
    writer.start()
    until(growing.exists)
    place.put("good.json", JOB)
    place.box.wake("good.json", closed=True)
    place.look()
    for _ in range(3):
        place.look()
    ended.set()
    writer.join()

    assert len(place.desk.accepted) == 1
    assert place.names() == {"drop": ["growing.ndjson"]}


def test_a_file_written_slowly_is_taken_once_it_is_whole(place: Place) -> None:
    place.new(still_seconds=2.0)
    text = json.dumps([{"to": "+4930123456", "play": "beep"}] * 2)
    with (place.drop / "slow.json").open("w") as file:
        for character in text:
            file.write(character)
            file.flush()
            place.look()
    place.now += 3

    place.look()

    assert len(place.desk.accepted) == 2
    assert place.names() == {}


def test_a_claimed_file_that_is_still_written_to_is_read_again_when_it_is_still(place: Place) -> None:
    place.new(still_seconds=2.0)
    path = place.put("list.csv", csv("+4930111111"))
    with path.open("a", buffering=1) as file:
        place.desk.on_submit = lambda _: print("+4930222222;beep", file=file)
        place.box.wake("list.csv", closed=True)
        place.look()
        place.desk.on_submit = lambda _: None
    early = place.names()
    place.now += 3
    place.look_until(lambda: len(place.desk.accepted) == 2)

    assert list(early) == ["claimed"]
    numbers = [each.draft.call.to[0] for each in place.desk.seen]
    assert numbers == ["+4930111111", "+4930111111", "+4930222222"]
    assert place.names() == {}


def test_of_a_file_that_changes_while_it_is_read_nothing_is_submitted_unsettled(place: Place) -> None:
    place.new(still_seconds=0.2)
    path = place.put("a.call", "Channel: Local/100\n")
    real = place.box._parse_callfile
    with path.open("a") as file:
        seen: list[bytes] = []

        def parse(data: bytes, mtime: float, now: float) -> dict[str, Any]:
            if not seen:
                file.write("#")
                file.flush()
            seen.append(data)
            return real(data.removesuffix(b"#"), mtime, now)

        place.box._parse_callfile = parse
        place.box.wake("a.call", closed=True)
        place.look()
        early = list(place.desk.seen)
        place.look_until(lambda: place.desk.accepted)

    assert early == []
    assert len(seen) == 2
    assert place.names() == {}


def test_a_file_that_is_deleted_while_it_is_read_is_forgotten(place: Place) -> None:
    place.put("a.call", "Channel: Local/100\n")

    def parse(data: bytes, mtime: float, now: float) -> dict[str, Any]:
        next(place.claimed.glob("*.call")).unlink()
        return {}

    place.box._parse_callfile = parse
    place.put("good.json", JOB)
    place.look(2)

    assert len(place.desk.accepted) == 1
    assert place.names() == {}


def test_a_file_that_vanishes_or_is_replaced_between_listing_and_claim_does_no_harm(place: Place) -> None:
    names = [f"{number}.json" for number in range(40)]
    ended = threading.Event()

    def juggle() -> None:
        while not ended.is_set():
            for name in names:
                (place.drop / f".{name}").write_bytes(b"[" + JOB + b"]")
                (place.drop / f".{name}").rename(place.drop / name)
            for name in names[::2]:
                (place.drop / name).unlink(missing_ok=True)

    juggler = threading.Thread(target=juggle)
    juggler.start()
    place.look_until(lambda: len(place.desk.accepted) > 20)
    ended.set()
    juggler.join()
    place.look(3)

    assert "rejected" not in place.names()
    assert "claimed" not in place.names()


@pytest.mark.long
def test_twenty_thousand_files_at_once_are_taken_in_flat_memory(place: Place) -> None:
    place.box._counter._desk = desk = Forgetful()
    for number in range(20_000):
        place.put(f"{number}.json", JOB)

    tracemalloc.start()
    place.look()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert desk.commits == [500] * 40
    assert place.names() == {}
    assert peak < 8_000_000


class Forgetful:
    """A desk that accepts all and keeps nothing but counts."""

    def __init__(self) -> None:
        self.commits: list[int] = []

    def submit(self, submissions: list[Submission]) -> "Future[list[Any]]":
        self.commits.append(len(submissions))
        future: Future[list[Any]] = Future()
        future.set_result([Accepted(ANY_JOB)] * len(submissions))
        return future
