"""Root works on a state folder with its owner's rights: what is made is his, and nothing that he planted
there leads root elsewhere. Without root all runs as the owner anyway."""

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from dialerd.keeping import placing
from dialerd.keeping.archive import unpack
from dialerd.keeping.owner import as_owner, pieces_as_owner
from dialerd.keeping.restore import restore, seize
from tests.asterisk import PROJECT
from tests.keeping.making import backup_of, state_in
from tests.users import DIALERD_GID, DIALERD_UID, ROOT, give

DIALERCTL = (sys.executable, "-c", "from dialerd.cli import main; main()")
KILLED_WHEN_IT_COUNTS = """
import os, signal, sys
from pathlib import Path
from dialerd.keeping import placing
from dialerd.keeping.restore import restore, seize

def end(state):
    if (state / placing.READY).exists():
        os.kill(os.getpid(), signal.SIGKILL)

placing.finish = end
with open(sys.argv[2], "rb") as backup, seize(Path(sys.argv[1])):
    restore(backup, Path(sys.argv[1]), replace=True, moved=False)
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that other users reach, too."""
    folder = Path(tempfile.mkdtemp(prefix="dlr-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def state(place: Path) -> Path:
    """A state that is the daemon's."""
    folder = state_in(place / "state").folder
    for path in (folder, *folder.rglob("*")):
        give(path, DIALERD_UID, DIALERD_GID)
    return folder


def plant(path: Path, target: Path) -> None:
    """A link that the daemon's user made."""
    path.symlink_to(target)
    if ROOT:
        os.lchown(path, DIALERD_UID, DIALERD_GID)


def owners(folder: Path) -> set[int]:
    return {path.lstat().st_uid for path in (folder, *folder.rglob("*"))}


def ctl(*words: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [*DIALERCTL, *words],
        env={"PYTHONPATH": str(PROJECT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_all_that_a_restore_makes_is_the_owners(state: Path, place: Path) -> None:
    (place / "backup").write_bytes(backup_of(state).getvalue())
    (place / "backup").chmod(0o600)

    done = ctl("restore", str(place / "backup"), "--replace", "--state-dir", str(state))

    assert done.returncode == 0, done.stderr
    assert owners(state) == {DIALERD_UID}
    assert len(list(state.glob("before-restore-*"))) == 1


def test_a_restore_that_is_killed_once_it_counts_can_be_finished_by_its_owner(
    state: Path, place: Path
) -> None:
    (place / "backup").write_bytes(backup_of(state).getvalue())
    command = [sys.executable, "-c", KILLED_WHEN_IT_COUNTS, str(state), str(place / "backup")]

    subprocess.run(command, env={"PYTHONPATH": str(PROJECT)}, timeout=60, check=False)

    assert (state / placing.READY / "dialerd.sqlite3").exists()
    assert owners(state) == {DIALERD_UID}


def test_a_link_among_the_stop_lists_shows_no_file_of_roots(state: Path, place: Path) -> None:
    secret = place / "secret"
    secret.write_text("for root alone\n")
    secret.chmod(0o600 if ROOT else 0o000)
    backup = backup_of(state)
    plant(state / "stop-lists" / "leak", secret)

    with seize(state):
        restored = restore(backup, state, replace=True, moved=False)

    assert "for root alone" not in "".join(
        path.read_text() for path in (state / "stop-lists").iterdir() if not path.is_symlink()
    )
    assert any("leak" in note and "Permission denied" in note for note in restored.notes)


def test_a_planted_restore_puts_nothing_into_a_folder_of_roots(state: Path, place: Path) -> None:
    closed = place / "cron.d"
    closed.mkdir(mode=0o755 if ROOT else 0o555)
    ready = state / placing.READY
    (ready / "a").mkdir(parents=True)
    (ready / "a" / "evil").write_text("")
    (ready / placing.PLAN).write_text(json.dumps({"aside": "x", "names": ["a/evil"]}))
    for path in (ready, *ready.rglob("*")):
        give(path, DIALERD_UID, DIALERD_GID)
    plant(state / "a", closed)

    done = ctl("fsck", "--state-dir", str(state))

    assert list(closed.iterdir()) == []
    assert b"Permission denied" in done.stderr
    assert done.returncode == 1


def test_an_offline_backup_lies_where_only_root_may_write_and_is_whole(state: Path, place: Path) -> None:
    closed = place / "backups"
    closed.mkdir(mode=0o700)

    done = ctl("backup", "--offline", str(closed / "b.tar.gz"), "--state-dir", str(state))

    assert done.returncode == 0, done.stderr
    assert unpack(io.BytesIO((closed / "b.tar.gz").read_bytes()), None).stopped
    assert (closed / "b.tar.gz").stat().st_uid == os.geteuid()
    assert owners(state) == {DIALERD_UID}


def test_the_rights_come_back_after_the_work_however_it_ends(state: Path) -> None:
    seen = []

    def pieces() -> Generator[bytes, None, None]:
        seen.append(os.geteuid())
        yield b"piece"
        raise OSError("the disk is gone")

    before = (os.geteuid(), os.getegid(), os.getgroups())
    with pytest.raises(OSError, match="the disk is gone"):
        seen.extend(os.geteuid() for _piece in pieces_as_owner(pieces(), state))
    with pytest.raises(KeyError), as_owner(state):
        raise KeyError

    assert seen == [DIALERD_UID, os.geteuid()]
    assert (os.geteuid(), os.getegid(), os.getgroups()) == before
