"""Backup, restore, fsck and the refused downgrade, with the real daemon, commands and Asterisk."""

import json
import os
import sqlite3
import subprocess
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dialerd.keeping.archive import unpack
from dialerd.store.schema import STEPS
from tests.daemon import Daemon
from tests.users import DIALERD_GID, DIALERD_UID, give
from tests.waiting import until


def ctl(daemon: Daemon, *words: str) -> subprocess.CompletedProcess[str]:
    """dialerctl, with the daemon's configuration where a command takes one."""
    placed = words[0] in ("backup", "restore", "fsck")
    return daemon.ctl(*words, *(["--config", str(daemon.folder / "dialerd.toml")] if placed else []))


def done(daemon: Daemon, *words: str) -> Any:
    """The same, which must go well; what it printed as JSON."""
    found = ctl(daemon, *words, "--json")
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout.splitlines()[-1])


def owners(folder: Path) -> set[int]:
    return {path.stat().st_uid for path in (folder, *folder.rglob("*"))}


def contents(folder: Path) -> dict[str, bytes]:
    """All files, but for the lock, which names who holds it."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_what_was_done_since_the_backup_is_not_done_again(daemon: Daemon, tmp_path: Path) -> None:
    backup = str(tmp_path / "b.tar.gz")
    over = daemon.ended(daemon.submit(to="100", play="hello-world")["id"])
    daemon.ctl("pause", "all")
    waiting = daemon.submit(to="100", play="hello-world", key="once")
    manifest = done(daemon, "backup", backup)
    daemon.ctl("resume", "all")
    called = daemon.ended(waiting["id"])
    since = daemon.submit(to="100", play="hello-world", key="since")
    daemon.ended(since["id"])
    last_event = daemon.request("GET", "/v1/status")[1]["last_event"]
    daemon.stop()

    restored = done(daemon, "restore", backup, "--replace")
    daemon.start()
    daemon.ctl("resume", "all")
    held = daemon.job(waiting["id"])
    events = list(daemon.client().events(after=last_event, follow=False))
    again = daemon.request("POST", "/v1/jobs", {"to": "100", "play": "hello-world", "key": "since"})

    assert manifest["jobs"] == {"completed": 1, "queued": 1}
    assert called["state"] == "completed"
    assert restored["held"] == 1
    assert daemon.job(over["id"])["state"] == "completed"
    assert held["state"] == "held"
    assert held["reason"].startswith("restored from a backup of")
    assert [event["type"] for event in events if event["job"] == waiting["id"]] == ["held"]
    assert again[0] == 409
    assert owners(daemon.state) == {DIALERD_UID}

    assert done(daemon, "release", "--restored") == {"released": 1, "in_doubt": 0}
    repeated = daemon.ended(waiting["id"])
    assert (repeated["state"], repeated["attempt_count"]) == ("completed", 1)
    assert repeated["attempts"][0]["number"] > 1000


def test_a_queue_that_moves_goes_on(asterisk: Any, make_daemon: Any, tmp_path: Path) -> None:
    old, backup = make_daemon(asterisk).start(), str(tmp_path / "b.tar.gz")
    old.ctl("pause", "all")
    waiting = old.submit(to="100", play="hello-world")
    old.stop()
    done(old, "backup", "--offline", backup)
    new = make_daemon(asterisk)
    new.start().stop()

    restored = done(new, "restore", backup, "--moved", "--replace")
    new.start()
    new.ctl("resume", "all")

    assert restored["held"] == 0
    assert new.ended(waiting["id"])["state"] == "completed"


def test_backup_says_that_dialerd_is_stopped_and_how_to_go_on(make_daemon: Any, asterisk: Any) -> None:
    daemon = make_daemon(asterisk)
    found = ctl(daemon, "backup", str(daemon.folder / "b.tar.gz"))

    assert found.returncode == 69
    assert "backup --offline" in found.stderr


def test_a_running_dialerd_keeps_its_state_to_itself(daemon: Daemon) -> None:
    backup = str(daemon.folder / "b.tar.gz")
    assert ctl(daemon, "backup", backup).returncode == 0

    found = [
        ctl(daemon, "restore", backup, "--replace"),
        ctl(daemon, "fsck"),
        ctl(daemon, "backup", "--offline", backup),
    ]

    assert [each.returncode for each in found] == [1, 1, 1]
    assert all(f"in use by dialerd, pid {daemon.pid}" in each.stderr for each in found)
    assert daemon.request("GET", "/healthz")[0] == 200


def test_a_backup_goes_through_a_pipe(daemon: Daemon, tmp_path: Path) -> None:
    daemon.submit(to="100", play="hello-world", not_before="in 1h")
    found = subprocess.run(
        [*daemon.ctl_command(), "backup", "-"], env=daemon.ctl_environment(), capture_output=True, check=True
    )
    (tmp_path / "piped").write_bytes(found.stdout)

    with (tmp_path / "piped").open("rb") as file:
        assert unpack(file, None).jobs == {"queued": 1}


def test_jobs_are_accepted_while_a_backup_is_made(daemon: Daemon, tmp_path: Path) -> None:
    lines = (json.dumps({"to": "100", "play": "hello-world", "not_before": "in 1h"}) + "\n") * 5000
    for _ in range(4):
        daemon.ctl("submit", "-", "--format", "ndjson", text=lines)
    stop = threading.Event()
    accepted = 0

    def accept() -> None:
        nonlocal accepted
        while not stop.is_set():
            daemon.submit(to="100", play="hello-world", not_before="in 1h")
            accepted += 1

    thread = threading.Thread(target=accept)
    thread.start()
    until(lambda: accepted > 5)
    before = accepted
    manifest = done(daemon, "backup", str(tmp_path / "b.tar.gz"))
    during = accepted - before
    stop.set()
    thread.join()

    assert during > 0
    assert sum(manifest["jobs"].values()) >= before


def test_a_kill_during_a_backup_leaves_nothing_behind(daemon: Daemon, tmp_path: Path) -> None:
    large = daemon.state / "stop-lists" / "large.txt"
    large.write_bytes(os.urandom(20 << 20))  # more than is on its way between two processes
    give(large, DIALERD_UID, DIALERD_GID)
    process = subprocess.Popen(
        [*daemon.ctl_command(), "backup", "-"],
        env=daemon.ctl_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    until((daemon.state / ".backup" / "dialerd.sqlite3").exists)
    daemon.kill()
    left = (daemon.state / ".backup").exists()
    process.communicate(timeout=60)
    daemon.start()

    assert (left, (daemon.state / ".backup").exists()) == (True, False)
    assert process.returncode == 69
    assert done(daemon, "backup", str(tmp_path / "b.tar.gz"))["jobs"] == {}


def test_a_state_of_a_newer_dialerd_is_refused_and_left_alone(daemon: Daemon) -> None:
    daemon.submit(to="100", play="hello-world", not_before="in 1h")
    daemon.stop()
    path = daemon.state / "dialerd.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE meta SET value = '9.1' WHERE name = 'dialerd'")
        db.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    before = contents(daemon.state)

    code = daemon.start(wait=False).wait_for_end()

    assert code == 78
    assert "written by a newer dialerd: dialerd 9.1" in daemon.log()
    assert contents(daemon.state) == before


@pytest.mark.parametrize("damage", ["the file", "a row"])
def test_a_damaged_state_is_told_with_what_to_do_and_not_destroyed(daemon: Daemon, damage: str) -> None:
    daemon.submit(to="100", play="hello-world", not_before="in 1h")
    daemon.stop()
    path = daemon.state / "dialerd.sqlite3"
    if damage == "the file":
        path.write_bytes(os.urandom(4096) + path.read_bytes()[4096:])
    else:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("UPDATE jobs SET state = 'lost'")
    before = path.read_bytes()

    code = daemon.start(wait=False).wait_for_end()

    assert code == 70
    assert "run dialerctl fsck" in daemon.log()
    assert path.read_bytes() == before


def test_a_mended_state_works_on(daemon: Daemon) -> None:
    good = daemon.submit(to="100", play="hello-world", not_before="in 1h")
    bad = daemon.submit(to="100", play="hello-world", not_before="in 1h")
    daemon.stop()
    with closing(sqlite3.connect(daemon.state / "dialerd.sqlite3", isolation_level=None)) as db:
        db.execute("UPDATE jobs SET document = '{' WHERE id = (SELECT max(id) FROM jobs)")

    found = ctl(daemon, "fsck")
    mended = ctl(daemon, "fsck", "--repair")
    daemon.start()

    assert (found.returncode, mended.returncode) == (1, 0)
    assert f"Job {bad['id']} can't be read" in found.stdout
    assert "quarantine-" in mended.stdout
    assert owners(daemon.state) == {DIALERD_UID}
    assert daemon.job(good["id"])["id"] == good["id"]
    assert daemon.request("GET", f"/v1/jobs/{bad['id']}")[0] == 404
