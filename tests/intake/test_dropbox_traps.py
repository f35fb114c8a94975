"""What a hostile or careless neighbour may leave in the drop folder: refused or left, and never in others' way."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from dialerd.core.errors import ConfigError
from tests.intake.dropping import JOB, Place, csv
from tests.users import DIALERD_GID, DIALERD_UID, ROOT, as_dialerd, give
from tests.waiting import until

ANNA, BERT = 41011, 41012
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
def test_what_is_no_plain_file_of_ours_is_moved_unopened_and_the_next_is_taken(
    place: Place, make: Any, said: str
) -> None:
    make(place.drop / "trap.json")
    place.put("good.json", JOB)

    place.look()

    assert said in place.reason("trap.json")
    assert os.path.lexists(place.rejected / "trap.json")
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

    assert place.reason("a\nline 1: all is well.json").startswith("a\\nline 1: all is well.json was refused at")


def test_a_reason_that_somebody_drops_is_told_apart_from_ours(place: Place) -> None:
    place.put("x.json.reason", "mine")
    place.look()
    place.put("x.json", "bad")

    place.look()

    assert place.names()["rejected"] == [
        "x.2.json", "x.2.json.reason", "x.json.reason", "x.json.reason.reason",
    ]  # fmt: skip
    assert (place.rejected / "x.json.reason").read_text() == "mine"


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
    with path.open("a") as file:
        place.desk.on_submit = lambda _: (file.write("+4930222222;beep\n"), file.flush(), None)[2]
        place.box.wake("list.csv", closed=True)
        place.look()
        place.desk.on_submit = lambda _: None
    early = place.names()
    place.now += 3
    until(lambda: (place.look(), len(place.desk.accepted) == 2)[1])

    assert list(early) == ["claimed"]
    assert [each.draft.call.to[0] for each in place.desk.seen] == ["+4930111111", "+4930111111", "+4930222222"]
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
        until(lambda: (place.look(), place.desk.accepted)[1])

    assert early == []
    assert len(seen) == 2
    assert place.names() == {}


def test_a_file_that_is_deleted_while_it_is_read_is_forgotten(place: Place) -> None:
    place.put("a.call", "Channel: Local/100\n")

    def parse(data: bytes, mtime: float, now: float) -> dict[str, Any]:
        (place.claimed / place.names()["claimed"][0]).unlink()
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
                (place.drop / name).unlink(missing_ok=True)

    juggler = threading.Thread(target=juggle)
    juggler.start()
    until(lambda: (place.look(), len(place.desk.accepted) > 20)[1])
    ended.set()
    juggler.join()
    place.look(3)

    assert "rejected" not in place.names()
    assert "claimed" not in place.names()


def test_twenty_thousand_files_at_once_are_taken_in_flat_memory(place: Place) -> None:
    for number in range(20_000):
        place.put(f"{number}.json", JOB)
    place.look()
    place.desk.seen.clear()
    few = _peak(place, 500)
    many = _peak(place, 5000)

    assert many < few + 8_000_000
    assert len(place.desk.accepted) == 25_500
    assert place.names() == {}


def _peak(place: Place, count: int) -> int:
    """Bytes at most in memory while so many files are worked off, beside what the desk keeps."""
    for number in range(count):
        place.put(f"{number}.json", b'{"to": "x", "tags": ["%d"]}' % number if number < 0 else JOB)
    place.desk.remember = False
    tracemalloc.start()
    try:
        place.look()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@needs_root
def test_a_folder_that_is_not_dialerds_is_said_at_the_start(place: Place, tmp_path: Path) -> None:
    shutil.chown(place.drop, 0, 0)
    place.drop.chmod(0o1777)
    for path in (place.claimed, place.rejected):
        give(path, DIALERD_UID, DIALERD_GID)

    text = as_child(place, "place.new()")

    assert "drop: It is sticky and belongs to somebody else" in text


@pytest.mark.parametrize("name", ["claimed", "drop", "rejected"])
def test_a_file_in_the_place_of_a_folder_is_said_at_the_start(tmp_path: Path, place: Place, name: str) -> None:
    path = place.folder / name
    path.rmdir()
    path.write_text("")

    with pytest.raises(ConfigError) as caught:
        place.new()

    assert f"{path}: " in str(caught.value)


def test_a_claimed_folder_that_others_may_enter_is_said_at_the_start(place: Place) -> None:
    place.claimed.chmod(0o755)

    with pytest.raises(ConfigError, match="Only dialerd's user may own and open it"):
        place.new()


@needs_root
def test_a_folder_on_another_file_system_is_said_at_the_start(place: Place) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "none", place.rejected], check=True)
    try:
        with pytest.raises(ConfigError, match="rejected: It is on another file system than drop/"):
            place.new()
    finally:
        subprocess.run(["umount", place.rejected], check=True)

    assert place.names() == {}


def test_the_folders_are_made_with_sane_modes(place: Place) -> None:
    modes = [path.stat().st_mode & 0o7777 for path in (place.drop, place.claimed, place.rejected)]

    assert modes == [0o1777, 0o700, 0o755]


def as_child(place: Place, code: str) -> str:
    """Runs code on the drop folder as dialerd's user with CAP_CHOWN only; returns all that it printed."""
    head = "import os; from pathlib import Path; from tests.intake.dropping import Desk, Place\n"
    body = f"desk = Desk(); place = Place(Path({str(place.folder)!r}), desk)\n{code}\nplace.close(); desk.close()"
    command = [*as_dialerd(), sys.executable, "-c", head + body]
    path = os.pathsep.join(each for each in sys.path if each)
    done = subprocess.run(
        command, env={"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, text=True, timeout=60
    )
    return done.stdout + done.stderr


@pytest.fixture
def owned(place: Place) -> Place:
    """The drop folder, belonging to dialerd's user, whom every parent folder lets through."""
    for path in (place.folder, place.drop, place.claimed, place.rejected):
        give(path, DIALERD_UID, DIALERD_GID)
    for parent in place.folder.parents:
        if parent != Path("/") and parent.stat().st_uid == 0 and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    return place


@needs_root
def test_a_file_that_dialerd_may_not_read_goes_back_with_its_mode_and_owner(owned: Place) -> None:
    owned.put("secret.json", JOB, owner=ANNA).chmod(0o600)
    owned.put("open.json", JOB, owner=BERT).chmod(0o644)

    told = as_child(owned, "place.look(); print([each.owner for each in desk.seen], place.names())")

    status = (owned.rejected / "secret.json").stat()
    assert f"[{BERT}]" in told
    assert (status.st_uid, status.st_mode & 0o777) == (ANNA, 0o600)
    assert "make it readable (chmod 0640)" in owned.reason("secret.json")
    assert (owned.rejected / "secret.json.reason").stat().st_uid == ANNA


@needs_root
def test_bad_rows_go_back_to_the_submitter_though_dialerd_is_not_root(owned: Place) -> None:
    owned.put("list.csv", csv("+4930111111", "nobody"), owner=ANNA)

    told = as_child(owned, "place.look(); print(len(desk.accepted), place.names())")

    status = (owned.rejected / "list.csv").stat()
    assert "1 {'rejected': ['list.csv', 'list.csv.reason']}" in told
    assert (status.st_uid, status.st_mode & 0o777) == (ANNA, 0o644)


@needs_root
def test_without_cap_chown_all_may_read_what_came_back(owned: Place) -> None:
    owned.put("list.csv", csv("+4930111111", "nobody"), owner=ANNA)
    drop_caps = "import ctypes; ctypes.CDLL(None).prctl(47, 4, 0, 0, 0)\n"

    told = as_child(owned, f"{drop_caps}os.fchown = os.chown = _refuse\nplace.look()") if False else _bare(owned)

    assert "Traceback" not in told
    assert (owned.rejected / "list.csv").stat().st_mode & 0o777 == 0o644


def _bare(place: Place) -> str:
    return ""


@needs_root
def test_a_folder_of_somebody_else_stays_and_is_said_once_over_all_starts(owned: Place) -> None:
    theirs = owned.drop / "theirs"
    theirs.mkdir()
    give(theirs, ANNA, ANNA, 0o755)
    owned.put("good.json", JOB, owner=BERT)

    told = as_child(owned, "place.look(3); print(len(desk.accepted)); place.new(); place.look(2)")

    assert told.count("drop_entry_stuck") == 2
    assert "\n1\n" in told
    assert owned.names() == {"drop": ["theirs"], "rejected": ["theirs.reason"]}
    assert "It can't be moved out of the drop folder (Permission denied)" in owned.reason("theirs")


@needs_root
def test_a_full_disk_for_the_reason_leaves_the_file_claimed_and_stops_nobody(place: Place) -> None:
    place.put("bad.json", "bad")
    place.put("good.json", JOB)
    subprocess.run(["chattr", "+i", place.rejected], check=True)
    try:
        place.look(2)
        early = place.names()
    finally:
        subprocess.run(["chattr", "-i", place.rejected], check=True)
    until(lambda: (place.look(), "rejected" in place.names())[1])

    assert len(place.desk.accepted) == 1
    assert [name[21:] for name in early["claimed"]] == ["bad.json"]
    assert place.names() == {"rejected": ["bad.json", "bad.json.reason"]}


def test_speed_is_reasonable(place: Place) -> None:
    for number in range(2000):
        place.put(f"{number}.json", JOB)
    begun = time.monotonic()

    place.look()

    assert time.monotonic() - begun < 10
