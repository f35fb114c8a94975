"""Stores of older versions are brought forward whole, those of newer ones are left as they are."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from dialerd import __version__
from dialerd.core.errors import NewerStore
from dialerd.core.states import State
from dialerd.keeping.fsck import fsck
from dialerd.store import reports_file, schema
from dialerd.store.opening import schema_of
from dialerd.store.reports import ReportStore
from dialerd.store.sqlite import SqliteStore
from tests.asterisk import PROJECT
from tests.store.old import VERSIONS, everything, left_by

NEVER = datetime(2027, 11, 21, tzinfo=UTC)
KILLED_IN_A_MIGRATION = """
import os, signal, sqlite3, sys
from pathlib import Path
connect = sqlite3.connect

def look(sql):
    if sys.argv[2] in sql:
        os.kill(os.getpid(), signal.SIGKILL)

def watched(*words, **more):
    db = connect(*words, **more)
    db.set_trace_callback(look)
    return db

sqlite3.connect = watched
from dialerd.store.sqlite import SqliteStore
SqliteStore(Path(sys.argv[1]))
"""
"""The trace callback is called as each statement of a step begins (sqlite.org/c3ref/trace_v2.html)."""


def contents(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_there_is_a_store_of_every_older_version() -> None:
    assert tuple(range(1, len(schema.STEPS))) == VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_a_store_of_an_older_version_keeps_its_jobs(tmp_path: Path, version: int) -> None:
    path = left_by(version, tmp_path)
    with closing(sqlite3.connect(path)) as db:
        before = db.execute("SELECT id, state, attempts, reason FROM jobs ORDER BY id").fetchall()

    with closing(SqliteStore(tmp_path)) as store:
        jobs = store._db.execute("SELECT id, state, attempts, reason FROM jobs ORDER BY id").fetchall()
        found, place = store.not_over(0, 100)
        counts, due = store.counts(), [job.id for job in store.due("main", 10)]
        attempts = [store.attempts(job.id) for job in found]
        known = store.find_key(1000, "key-0-0")

    assert jobs == before
    assert set(counts) == set(State)
    assert all(counts[state] >= 2 for state in State)
    assert [len(each) for each in attempts] == [job.attempts for job in found]
    assert known is not None
    assert known[0] in due
    assert schema_of(path) == (len(schema.STEPS), __version__)
    assert place


@pytest.mark.parametrize("version", VERSIONS)
def test_a_store_that_was_brought_forward_is_sound(tmp_path: Path, version: int) -> None:
    left_by(version, tmp_path)
    SqliteStore(tmp_path).close()

    report = fsck(tmp_path)

    assert [finding.what for finding in report.found if finding.where != "documents"] == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("where", ["CREATE TABLE meta", "PRAGMA user_version =", "COMMIT"])
def test_a_kill_in_the_middle_of_a_migration_leaves_the_old_store(
    tmp_path: Path, version: int, where: str
) -> None:
    path = left_by(version, tmp_path)
    before = everything(path)
    command = [sys.executable, "-c", KILLED_IN_A_MIGRATION, str(tmp_path), where]

    ended = subprocess.run(command, env={"PYTHONPATH": str(PROJECT)}, timeout=60, check=False)
    after = everything(path)
    left = schema_of(path)[0]
    SqliteStore(tmp_path).close()

    assert ended.returncode == -9
    assert (left, after) == (version, before)
    assert schema_of(path)[0] == len(schema.STEPS)


def newer(path: Path, open_: Callable[[Path], SqliteStore | ReportStore], version: int) -> None:
    """Has a dialerd of the year after next write the file, and die with what it wrote in the WAL."""
    open_(path.parent).close()
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("CREATE TABLE wishes (text TEXT)")
    db.execute("INSERT OR REPLACE INTO meta VALUES ('dialerd', '7.1')")
    db.execute(f"PRAGMA user_version = {version + 1}")
    copies = {name: (path.parent / name).read_bytes() for name in os.listdir(path.parent)}
    db.close()
    for name, data in copies.items():
        (path.parent / name).write_bytes(data)


@pytest.mark.parametrize(
    ("open_", "name", "known"),
    [
        (SqliteStore, "dialerd.sqlite3", len(schema.STEPS)),
        (ReportStore, "reports.sqlite3", len(reports_file.STEPS)),
    ],
    ids=["jobs", "reports"],
)
def test_a_store_of_a_newer_version_is_refused_with_what_to_do_and_left_byte_for_byte(
    tmp_path: Path, open_: Callable[[Path], SqliteStore | ReportStore], name: str, known: int
) -> None:
    newer(tmp_path / name, open_, known)
    before = contents(tmp_path)

    with pytest.raises(NewerStore) as caught:
        open_(tmp_path)

    after = contents(tmp_path)
    for word in (
        "dialerd 7.1",
        f"version {known + 1}",
        f"dialerd {__version__}",
        f"up to {known}",
        "restore",
    ):
        assert word in str(caught.value)
    assert {each: after[each] for each in before if not each.endswith("-shm")} == {
        each: digest for each, digest in before.items() if not each.endswith("-shm")
    }
    assert after.keys() == before.keys()


def test_a_reports_store_of_the_first_version_is_brought_forward(tmp_path: Path) -> None:
    path = tmp_path / reports_file.FILE_NAME
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(f"{reports_file.STEPS[0]}; PRAGMA user_version = 1;")
        db.execute("INSERT INTO sinks VALUES ('webhooks.crm', 7, 3)")
        db.execute("INSERT INTO deliveries VALUES ('webhooks.crm', 7, 1, 0, 2, 0, 0, 'it is away')")

    with closing(ReportStore(tmp_path)) as store:
        sinks = store.sinks()
        due = [each.event for each in store.due("webhooks.crm", NEVER, 10)]

    assert (sinks, due) == ({"webhooks.crm": 7}, [7])
    assert schema_of(path) == (len(reports_file.STEPS), __version__)
