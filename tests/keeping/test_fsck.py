"""Fsck: a sound state has nothing to be found, each damage is told, and repair loses nothing."""

import json
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dialerd.core import ids
from dialerd.core.errors import Broken, NewerStore
from dialerd.core.states import State
from dialerd.keeping.fsck import fsck
from dialerd.keeping.restore import KNOWN
from dialerd.store.sqlite import FILE_NAME
from tests.keeping.making import NOW, Made, all_jobs, opened, state_in
from tests.store.old import everything

PAGE = 4096


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return state_in(tmp_path / "state")


def change(made: Made, sql: str, *values: object, name: str = FILE_NAME) -> None:
    """Changes a file behind dialerd's back."""
    with closing(sqlite3.connect(made.folder / name, isolation_level=None)) as db:
        assert db.execute(sql, values).rowcount > 0


def number(made: Made, state: State) -> int:
    return ids.to_number(made.calls[state].id)


def told(made: Made) -> list[str]:
    return [finding.sentence() for finding in fsck(made.folder).found]


def test_a_sound_state_has_nothing_to_be_found(made: Made) -> None:
    assert told(made) == []


def test_a_state_whose_jobs_are_redacted_and_purged_is_sound(made: Made) -> None:
    with opened(made.folder) as store, store.transaction():
        store.redact(datetime(2027, 1, 1, tzinfo=UTC), 100)
        store.purge(NOW, datetime(2027, 1, 1, tzinfo=UTC), (State.FAILED,), 100)

    assert told(made) == []


def test_looking_changes_nothing(made: Made) -> None:
    change(made, "UPDATE jobs SET ready = NULL")
    before = {path: path.read_bytes() for path in made.folder.rglob("*") if path.is_file()}

    fsck(made.folder)

    assert {path: path.read_bytes() for path in made.folder.rglob("*") if path.is_file()} == before


def test_a_folder_without_a_state_is_no_damage(tmp_path: Path) -> None:
    report = fsck(tmp_path)

    assert report.sound
    assert "no queue" in report.found[0].what


DAMAGES = {
    "a job in no line": (
        "UPDATE jobs SET ready = NULL WHERE state = 'queued' AND kind = 'call'",
        "in no line",
    ),
    "a job that is over in line": (
        "UPDATE jobs SET ready = 1 WHERE state = 'completed'",
        "in the line of due",
    ),
    "a deferred job without its time": ("UPDATE jobs SET not_before = NULL WHERE ready = 0", "in the line"),
    "a job of another kind": ("UPDATE jobs SET kind = 'sms' WHERE state = 'failed'", "kind 'sms'"),
    "a message of another kind": ("UPDATE jobs SET kind = 'fax' WHERE kind = 'sms'", "kind 'fax'"),
    "another number": ("UPDATE jobs SET number = '+49' WHERE state = 'held'", "another number"),
    "a provider asked about what is over": (
        "UPDATE jobs SET look_at = 1 WHERE state = 'failed'",
        "provider is to be asked",
    ),
    "a way that it has not": ("UPDATE jobs SET trunk = 'x' WHERE state = 'queued'", "none of its ways"),
    "a key that is gone": ("DELETE FROM keys WHERE key = 'key-queued'", "second time"),
    "a key of no job": ("INSERT INTO keys VALUES (1, 'k', 77, x'00')", "stands for job"),
    "a tag that is gone": ("DELETE FROM tags", "not found by its tag"),
    "a tag of no job": ("INSERT INTO tags VALUES ('red', 77)", "There are tags of job"),
    "an attempt of no job": (
        'INSERT INTO attempts (job, number, document) VALUES (77, 1, \'{"channel":"","begun":1}\')',
        "There are attempts of job",
    ),
    "an attempt that can't be read": ("UPDATE attempts SET document = '{' WHERE trunk = 'cloud'", "can't be"),
    "an attempt counted as another": ("UPDATE attempts SET disposition = 'ANSWERED'", "counted as another"),
    "an attempt that is lost": ("DELETE FROM attempts WHERE trunk = 'cloud'", "is lost"),
    "attempts that are not counted": ("UPDATE jobs SET attempts = 0 WHERE state = 'held'", "used twice"),
    "an event of no job": ("INSERT INTO events (at, job, type, data) VALUES (1, 77, 'x', '{}')", "events of"),
    "an event that can't be read": ("UPDATE events SET data = '{' WHERE id = 1", "Event 1 can't be read"),
    "events' numbers begun anew": ("UPDATE sqlite_sequence SET seq = 1", "used before"),
    "events' numbers forgotten": ("DELETE FROM sqlite_sequence", "used before"),
    "a session of no job": ("INSERT INTO sessions VALUES ('cloud', 's', 77)", "sessions of job"),
    "an order about no batch": ("UPDATE orders SET scope = 'batch:1000:autumn'", "has no jobs"),
    "a state that there is not": ("UPDATE jobs SET state = 'lost' WHERE state = 'failed'", "can't be read"),
    "a document that can't be read": ("UPDATE jobs SET document = 'x' WHERE kind = 'sms'", "can't be read"),
    "a document without its call": ("UPDATE jobs SET document = '{}' WHERE kind = 'sms'", "can't be read"),
}


@pytest.mark.parametrize(("sql", "word"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_row_is_told_of_and_can_be_mended(made: Made, sql: str, word: str) -> None:
    change(made, sql)
    found = told(made)

    report = fsck(made.folder, repair=True)

    assert any(word in sentence and "--repair" in sentence for sentence in found), found
    assert (report.left, report.sound) == ((), True)
    assert told(made) == []
    assert len(all_jobs(made.folder)) >= len(made.calls)


def test_a_job_that_can_not_be_read_is_kept_as_text_and_its_key_refuses_a_second_one(made: Made) -> None:
    change(made, "UPDATE jobs SET document = '{half' WHERE state = 'queued' AND kind = 'call'")

    report = fsck(made.folder, repair=True)

    assert report.quarantine is not None
    rows = [json.loads(line) for line in report.quarantine.read_text().splitlines()]
    assert [row["document"] for row in rows if row["table"] == "jobs"] == ["{half"]
    assert {row["table"] for row in rows} == {"jobs", "events", "tags"}
    assert report.quarantine.stat().st_mode & 0o777 == 0o600
    with opened(made.folder) as store:
        found = store.find_key(1000, "key-queued")
        assert found is not None
        assert store.find_job(found[0]) is None


def test_a_job_under_way_whose_attempt_is_lost_is_held_in_doubt(made: Made) -> None:
    change(made, "DELETE FROM attempts WHERE job = ?", number(made, State.SUBMITTED))

    fsck(made.folder, repair=True)

    job = all_jobs(made.folder)[made.calls[State.SUBMITTED].id]
    with opened(made.folder) as store:
        attempt = store.last_attempt(job.id)
        assert store.in_flight() == [] or all(each.id != job.id for each, _ in store.in_flight())
    assert (job.state, job.reason) == (State.HELD, "in doubt: its attempt was lost on a damaged disk")
    assert attempt is not None
    assert attempt.ended is None


def test_a_mended_job_goes_on(made: Made) -> None:
    change(made, "DELETE FROM orders")
    change(made, "UPDATE jobs SET ready = NULL WHERE state = 'queued'")

    fsck(made.folder, repair=True)

    with opened(made.folder) as store:
        assert [job.id for job in store.due("main", 10)] == [made.calls[State.QUEUED].id]


def test_a_document_that_is_lost_is_told_with_what_to_do(made: Made) -> None:
    (made.folder / "documents" / made.document).unlink()

    report = fsck(made.folder, repair=True)

    assert not report.sound
    assert f"dialerctl cancel {made.fax.id}" in report.left[0].sentence()


def test_a_document_that_was_changed_is_told(made: Made) -> None:
    (made.folder / "documents" / made.document).write_bytes(b"%PDF-1.7 other")

    assert "changed on the disk" in told(made)[0]


def test_a_document_that_nobody_needs_is_no_damage(made: Made) -> None:
    (made.folder / "documents" / ("a" * 64)).write_bytes(b"")
    (made.folder / "documents" / "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855").touch()

    report = fsck(made.folder)

    assert [finding.harmless for finding in report.found] == [False, True]


def test_a_cursor_beyond_the_newest_event_is_set_back(made: Made) -> None:
    change(made, "UPDATE sinks SET cursor = 4000", name="reports.sqlite3")
    found = told(made)

    fsck(made.folder, repair=True)

    assert "up to event 4000" in found[0]
    assert told(made) == []


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("UPDATE deliveries SET sink = 'webhooks.gone'", "which there is not"),
        ("UPDATE deliveries SET event = 4000", "the queue does not have it"),
    ],
)
def test_reports_that_can_not_be_told_are_dropped(made: Made, sql: str, word: str) -> None:
    change(made, sql, name="reports.sqlite3")
    found = told(made)

    report = fsck(made.folder, repair=True)

    assert word in found[0]
    assert told(made) == []
    assert report.quarantine is not None


def test_small_files_that_are_damaged_are_told(made: Made) -> None:
    (made.folder / "numbers.json").write_text("{")
    (made.folder / "listener.key").write_bytes(b"short")

    report = fsck(made.folder)

    assert [finding.harmless for finding in report.found] == [True, False]
    assert not report.sound


def page_of(path: Path, name: str) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (name,)).fetchone()[0])


def flip(path: Path, page: int) -> None:
    """Turns bytes in the middle of a page round, as a bad disk does."""
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        data = bytearray(file.read(PAGE))
        data[:64] = bytes(byte ^ 0xFF for byte in data[:64])
        file.seek((page - 1) * PAGE)
        file.write(data)


@pytest.mark.parametrize("name", [FILE_NAME, "reports.sqlite3"])
def test_bytes_that_were_flipped_in_a_table_are_told_and_nothing_is_thrown_away(
    made: Made, name: str
) -> None:
    flip(made.folder / name, page_of(made.folder / name, "jobs" if name == FILE_NAME else "sinks"))
    before = (made.folder / name).read_bytes()

    report = fsck(made.folder, repair=True)

    assert not report.sound
    assert any(
        "Restore a backup: dialerctl restore FILE --replace" in each.sentence() for each in report.left
    )
    assert (made.folder / name).read_bytes() == before


@pytest.mark.parametrize("size", [100, 3000])
def test_a_file_that_is_no_database_any_more_is_told(made: Made, size: int) -> None:
    with (made.folder / FILE_NAME).open("r+b") as file:
        file.write(os.urandom(size))

    report = fsck(made.folder, repair=True)

    assert not report.sound
    assert any(FILE_NAME in finding.what or "damaged" in finding.what for finding in report.left)


def test_an_index_that_does_not_fit_its_table_is_made_anew(made: Made) -> None:
    with closing(sqlite3.connect(made.folder / FILE_NAME, isolation_level=None)) as db:
        db.execute("PRAGMA writable_schema = ON")
        sql = "CREATE INDEX jobs_owner ON jobs (owner, id)"
        db.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'jobs_owner'", (f"{sql} WHERE owner = 5",))
    with closing(sqlite3.connect(made.folder / FILE_NAME, isolation_level=None)) as db:
        job = db.execute("SELECT id FROM jobs WHERE state = 'failed'").fetchone()
        db.execute("UPDATE jobs SET owner = 1001 WHERE id = ?", job)  # which that index does not hear of
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'jobs_owner'", (sql,))
    found = told(made)

    report = fsck(made.folder, repair=True)

    assert any("index" in sentence and "anew" in sentence for sentence in found), found
    assert report.sound
    assert told(made) == []


def test_a_queue_of_another_version_is_not_looked_at(made: Made) -> None:
    change_version(made, KNOWN[FILE_NAME] + 1)
    with pytest.raises(NewerStore):
        fsck(made.folder)
    change_version(made, 1)
    with pytest.raises(Broken, match="older dialerd"):
        fsck(made.folder)


def change_version(made: Made, version: int) -> None:
    with closing(sqlite3.connect(made.folder / FILE_NAME, isolation_level=None)) as db:
        db.execute(f"PRAGMA user_version = {version}")


def test_a_repair_that_can_not_be_done_leaves_all_as_it_was(made: Made) -> None:
    change(made, "UPDATE jobs SET number = '+49' WHERE state = 'held'")
    change(made, "UPDATE events SET data = '{' WHERE id = 1")
    before = everything(made.folder / FILE_NAME)
    now = datetime(2026, 11, 21, tzinfo=UTC)
    (made.folder / "quarantine-20261121T000000Z.ndjson").mkdir()

    with pytest.raises(Broken, match="left as it is"):
        fsck(made.folder, repair=True, now=now)

    assert everything(made.folder / FILE_NAME) == before


def test_the_engine_is_told_which_row_it_can_not_read(made: Made) -> None:
    change(made, "UPDATE jobs SET document = '{' WHERE state = 'held'")

    with opened(made.folder) as store, pytest.raises(Broken, match="run dialerctl fsck") as caught:
        store.find_job(made.calls[State.HELD].id)

    assert made.calls[State.HELD].id in str(caught.value)


def test_a_state_with_an_unknown_word_is_not_opened(made: Made) -> None:
    change(made, "UPDATE jobs SET state = 'lost' WHERE state = 'held'")

    with pytest.raises(Broken, match="run dialerctl fsck"), opened(made.folder):
        pass
