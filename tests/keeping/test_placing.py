"""A restore that is killed leaves the old state or the new one."""

import subprocess
import sys
from pathlib import Path

import pytest

from dialerd.keeping import placing
from dialerd.keeping.fsck import fsck
from dialerd.keeping.starting import at_start
from tests.asterisk import PROJECT
from tests.keeping.making import all_jobs, backup_of, state_in

KILLED = """
import os, signal, sys
from pathlib import Path
from dialerd.keeping.restore import restore

left = int(sys.argv[3])

def watch(event, arguments):
    global left
    if event in ("os.rename", "os.mkdir", "shutil.rmtree", "os.remove") and sys.argv[1] in str(arguments[0]):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(watch)
with open(sys.argv[2], "rb") as backup:
    restore(backup, Path(sys.argv[1]), replace=True, moved=False)
"""
"""Python tells its audit hooks of these calls before it makes them (its "Audit events table")."""


@pytest.mark.long
def test_a_kill_at_every_change_of_the_folder_leaves_the_old_state_or_the_new_one(tmp_path: Path) -> None:
    made, other = state_in(tmp_path / "made"), state_in(tmp_path / "other")
    (tmp_path / "backup").write_bytes(backup_of(other.folder).getvalue())
    old, new = all_jobs(made.folder).keys(), all_jobs(other.folder).keys()
    outcomes = []
    for moment in range(1, 100):
        folder = tmp_path / f"state-{moment}"
        subprocess.run(["cp", "-a", str(made.folder), str(folder)], check=True)
        command = [sys.executable, "-c", KILLED, str(folder), str(tmp_path / "backup"), str(moment)]
        ended = subprocess.run(
            command, env={"PYTHONPATH": str(PROJECT)}, timeout=60, check=False, capture_output=True
        )
        at_start(folder)
        outcomes.append("new" if (found := all_jobs(folder).keys()) == new else "old")
        assert found in (old, new)
        assert fsck(folder).found == ()
        assert {path.name for path in folder.iterdir() if path.name.startswith(".")} == set()
        if ended.returncode == 0:
            break
        assert ended.returncode == -9, ended.stderr.decode()

    assert ended.returncode == 0
    assert outcomes == sorted(outcomes, reverse=True)
    assert {"old", "new"} == set(outcomes)
    assert outcomes.count("new") > 5


def test_what_a_killed_restore_made_ready_is_put_in_place_at_the_next_start(tmp_path: Path) -> None:
    made = state_in(tmp_path / "state")
    making = placing.begin(made.folder)
    (making / "numbers.json").write_text("[]")
    placing.commit(made.folder, "before-restore-x")

    at_start(made.folder)

    assert (made.folder / "numbers.json").read_text() == "[]"
    assert (made.folder / "before-restore-x" / "dialerd.sqlite3").exists()
    assert not (made.folder / "dialerd.sqlite3").exists()
