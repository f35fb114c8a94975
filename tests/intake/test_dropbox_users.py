"""The drop folder among users: whose files, whose folders, and what dialerd may do with only CAP_CHOWN."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dialerd.core.errors import ConfigError
from dialerd.core.model import Call, Job
from dialerd.core.states import State
from tests.intake.dropping import JOB, Place, csv
from tests.users import DIALERD_GID, DIALERD_UID, ROOT, as_dialerd, give

ANNA, BERT = 41011, 41012
ANY_JOB = Job("0" * 13, 0, State.QUEUED, Call(), datetime.now(UTC), datetime.now(UTC))
needs_root = pytest.mark.skipif(not ROOT, reason="takes two users, so root")


@pytest.mark.parametrize("name", ["claimed", "drop", "rejected"])
def test_a_file_in_the_place_of_a_folder_is_said_at_the_start(place: Place, name: str) -> None:
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


def as_child(place: Place, code: str, capability: str = "chown") -> str:
    """Runs code on the drop folder as dialerd's user with one capability; returns all that it printed."""
    lines = (
        "from pathlib import Path; from tests.intake.dropping import Desk, Place",
        f"desk = Desk(); place = Place(Path({str(place.folder)!r}), desk)",
        f"{code}\nplace.close(); desk.close()",
    )
    command = [*as_dialerd(capability), sys.executable, "-c", "\n".join(lines)]
    project = Path(__file__).resolve().parents[2]
    env = {"PYTHONPATH": str(project), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
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
def test_a_sticky_folder_that_is_not_dialerds_is_said_at_the_start(owned: Place) -> None:
    give(owned.drop, 0, 0, 0o1777)

    told = as_child(owned, "")

    assert f"{owned.drop}: It is sticky and belongs to somebody else" in told


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
    owned.put("list.csv", csv("+4930111111", "nobody"), owner=ANNA).chmod(0o644)

    as_child(owned, "place.look()", capability="")

    status = (owned.rejected / "list.csv").stat()
    assert (status.st_uid, status.st_mode & 0o777) == (DIALERD_UID, 0o644)


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
    place.look_until(lambda: "rejected" in place.names())

    assert len(place.desk.accepted) == 1
    assert [name[21:] for name in early["claimed"]] == ["bad.json"]
    assert place.names() == {"rejected": ["bad.json", "bad.json.reason"]}
