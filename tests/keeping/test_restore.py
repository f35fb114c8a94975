"""Restores: the state is whole again, nothing goes on by itself, no number is used twice."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest

from dialerd.core import ids
from dialerd.core.errors import Broken, ConfigError
from dialerd.core.states import State
from dialerd.keeping.fsck import fsck
from dialerd.keeping.holding import RESTORED
from dialerd.keeping.manifest import Unfit
from dialerd.keeping.members import in_use
from dialerd.keeping.restore import KNOWN, restore, seize
from dialerd.store.reports import ReportStore
from tests.asterisk import PROJECT
from tests.keeping.making import (
    ENDED,
    FLYING,
    LATER,
    NOW,
    OPEN,
    Made,
    all_jobs,
    backup_of,
    empty,
    opened,
    state_in,
)
from tests.store.old import left_by


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return state_in(tmp_path / "state")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return empty(tmp_path / "target")


def test_a_backup_with_a_job_that_can_not_be_read_is_refused_with_the_way_out(
    made: Made, target: Path
) -> None:
    with closing(sqlite3.connect(made.folder / "dialerd.sqlite3")) as db:
        db.execute("UPDATE jobs SET document = '{half' WHERE state = 'queued'")
        db.commit()

    with pytest.raises(Broken, match="unpack it into an empty folder"):
        restore(backup_of(made.folder), target, replace=False, moved=False)

    assert not in_use(target)


def test_what_was_over_comes_back_as_it_was(made: Made, target: Path) -> None:
    before = all_jobs(made.folder)

    restore(backup_of(made.folder), target, replace=False, moved=False, now=LATER)

    after = all_jobs(target)
    assert {name: after[name] for name, job in before.items() if job.state in ENDED} == {
        name: job for name, job in before.items() if job.state in ENDED
    }
    for name in ("numbers.json", "listener.key", "stop-lists/opt-out.txt", f"documents/{made.document}"):
        assert (target / name).read_bytes() == (made.folder / name).read_bytes()
    with closing(ReportStore(target)) as reports:
        assert reports.figures()["webhooks.crm"].pending == 1


def test_nothing_that_was_not_over_goes_on_by_itself(made: Made, target: Path) -> None:
    restored = restore(backup_of(made.folder), target, replace=False, moved=False, now=LATER)

    after = all_jobs(target)
    waiting = [*(made.calls[state].id for state in OPEN), made.message.id, made.fax.id]
    assert restored.held == len(waiting)
    assert {after[name].state for name in waiting} == {State.HELD}
    assert all(after[name].reason.startswith(RESTORED) for name in waiting)
    with opened(target) as store:
        assert (store.trunks_due(), store.in_flight(), store.sending(), store.next_due()) == (
            [],
            [],
            [],
            None,
        )


def test_a_held_job_still_says_why_it_was_held(made: Made, target: Path) -> None:
    restore(backup_of(made.folder), target, replace=False, moved=False)

    assert all_jobs(target)[made.calls[State.HELD].id].reason.endswith("before that: held by an operator")


def test_the_attempt_that_was_under_way_stays_open_for_a_late_answer(made: Made, target: Path) -> None:
    restore(backup_of(made.folder), target, replace=False, moved=False)

    with opened(target) as store:
        flying = [store.last_attempt(made.calls[state].id) for state in FLYING]
        message = store.find_job(made.message.id)
    assert all(attempt is not None and attempt.ended is None for attempt in flying)
    assert message is not None
    assert message.look_at is not None


def test_each_job_that_is_held_has_an_event_of_it(made: Made, target: Path) -> None:
    restored = restore(backup_of(made.folder), target, replace=False, moved=False)

    with opened(target) as store:
        sql = "SELECT count(DISTINCT job) FROM events WHERE type = 'held'"
        assert store._db.execute(sql).fetchone()[0] == restored.held


def test_a_restored_state_is_sound(made: Made, target: Path) -> None:
    restore(backup_of(made.folder), target, replace=False, moved=False)

    assert fsck(target).found == ()


def test_moved_lets_the_queue_go_on_where_dialerd_was_stopped(made: Made, target: Path) -> None:
    before = all_jobs(made.folder)

    restored = restore(backup_of(made.folder, stopped=True), target, replace=False, moved=True)

    assert restored.held == 0
    assert all_jobs(target) == before


def test_moved_is_refused_for_a_backup_that_was_made_while_dialerd_ran(made: Made, target: Path) -> None:
    with pytest.raises(Unfit, match="stopped for good"):
        restore(backup_of(made.folder), target, replace=False, moved=True)

    assert not in_use(target)


def test_no_number_that_was_given_out_since_the_backup_is_given_out_again(made: Made, target: Path) -> None:
    backup = backup_of(made.folder).getvalue()
    with opened(made.folder) as store, store.transaction():
        since = [store.add_event(NOW, made.fax.id, "since", {}) for _ in range(50)]
        lost = [store.new_id(LATER) for _ in range(50)]
        attempt = store.next_attempt(made.fax)

    restore(BytesIO(backup), target, replace=False, moved=False, now=LATER)

    with opened(target) as store, store.transaction():
        assert store.add_event(NOW, made.fax.id, "new", {}) > max(since)
        assert ids.to_number(store.new_id(NOW)) > max(map(ids.to_number, lost))
        assert store.next_attempt(made.fax) > attempt + 900


def test_the_same_backup_restored_twice_gives_out_other_numbers(made: Made, tmp_path: Path) -> None:
    backup = backup_of(made.folder).getvalue()
    given = []
    for number in range(2):
        folder = empty(tmp_path / str(number))
        restore(BytesIO(backup), folder, replace=False, moved=False, now=LATER + timedelta(seconds=number))
        with opened(folder) as store, store.transaction():
            given.append((store.add_event(NOW, made.fax.id, "new", {}), store.next_attempt(made.fax)))

    (first_event, first_attempt), (second_event, second_attempt) = given
    assert second_event > first_event + 900_000
    assert second_attempt > first_attempt + 900


def test_a_clock_that_went_back_between_two_restores_repeats_no_number(made: Made, tmp_path: Path) -> None:
    first = empty(tmp_path / "first")
    restore(backup_of(made.folder), first, replace=False, moved=False, now=LATER)
    with opened(first) as store, store.transaction():
        event, job = store.add_event(NOW, made.fax.id, "new", {}), store.new_id(LATER)
        attempt = store.next_attempt(made.fax)
    second = empty(tmp_path / "second")

    restore(backup_of(first), second, replace=False, moved=False, now=NOW - timedelta(days=3))

    with opened(second) as store, store.transaction():
        assert store.add_event(NOW, made.fax.id, "new", {}) > event
        assert store.new_id(NOW) > job
        assert store.next_attempt(made.fax) > attempt


def test_attempts_of_new_jobs_are_counted_from_one(made: Made, target: Path) -> None:
    restore(backup_of(made.folder), target, replace=False, moved=False)

    with opened(target) as store:
        job = replace(made.fax, id=store.new_id(NOW), attempts=0)
        assert store.next_attempt(job) == 1
        assert store.next_attempt(replace(job, attempts=1)) == 2


def test_a_state_that_is_there_is_not_overwritten(made: Made) -> None:
    before = all_jobs(made.folder)

    with pytest.raises(Unfit, match="--replace"):
        restore(backup_of(made.folder), made.folder, replace=False, moved=False)

    assert all_jobs(made.folder) == before


def test_replace_moves_the_state_aside(made: Made, tmp_path: Path) -> None:
    other = state_in(tmp_path / "other")
    theirs = all_jobs(other.folder)

    restored = restore(backup_of(made.folder), other.folder, replace=True, moved=False, now=LATER)

    assert all_jobs(Path(restored.aside)) == theirs
    assert all_jobs(other.folder).keys() == all_jobs(made.folder).keys()
    assert Path(restored.aside) == other.folder / "before-restore-20261121T140000Z"


def test_what_protects_people_and_purses_is_never_older_after_a_restore(made: Made) -> None:
    backup = backup_of(made.folder)
    with (made.folder / "stop-lists" / "opt-out.txt").open("a") as file:
        file.write("+493022222\n")
    with opened(made.folder) as store, store.transaction():
        store._db.execute("UPDATE usage SET calls = 99")
        job = replace(made.calls[State.QUEUED], id=store.new_id(LATER), key="since")
        store.add_job(job, b"other")

    restored = restore(backup, made.folder, replace=True, moved=False)

    assert (made.folder / "stop-lists" / "opt-out.txt").read_text() == "+493011111\n+493022222\n"
    with opened(made.folder) as store:
        assert store.usage("2026-11-21")["all"].calls == 99
        assert store.find_key(1000, "since") == (job.id, b"other")
        assert store.find_job(job.id) is None
    assert fsck(made.folder).found == ()
    assert any("keys" in note for note in restored.notes)


def test_of_an_old_queue_that_is_damaged_nothing_is_carried_and_that_is_said(made: Made) -> None:
    backup = backup_of(made.folder)
    path = made.folder / "dialerd.sqlite3"
    path.write_bytes(os.urandom(path.stat().st_size))

    restored = restore(backup, made.folder, replace=True, moved=False)

    assert any("nothing can be read" in note for note in restored.notes)
    assert len(all_jobs(made.folder)) == 11


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_backup_of_an_older_version_is_brought_forward(tmp_path: Path, target: Path, version: int) -> None:
    left_by(version, empty(tmp_path / "old"))
    before = {
        state: count
        for state, count in _counts(tmp_path / "old" / "dialerd.sqlite3").items()
        if state in ENDED
    }

    restored = restore(backup_of(tmp_path / "old"), target, replace=False, moved=False)

    with opened(target) as store:
        counts = store.counts()
    assert {state: counts[State(state)] for state in before} == before
    assert counts[State.HELD] == restored.held


def _counts(path: Path) -> dict[str, int]:
    import sqlite3

    with closing(sqlite3.connect(path)) as db:
        return dict(db.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall())


def test_a_backup_of_a_newer_version_is_refused(made: Made, target: Path) -> None:
    with opened(made.folder) as store:
        store._db.execute(f"PRAGMA user_version = {KNOWN['dialerd.sqlite3'] + 1}")

    with pytest.raises(Unfit, match="or newer to restore it"):
        restore(backup_of(made.folder), target, replace=False, moved=False)

    assert os.listdir(target) == []


def test_a_backup_that_is_not_whole_changes_nothing(made: Made) -> None:
    backup = backup_of(made.folder).getvalue()
    before = all_jobs(made.folder)

    with pytest.raises(Unfit, match="not whole"):
        restore(BytesIO(backup[:-2000]), made.folder, replace=True, moved=False)

    assert all_jobs(made.folder) == before
    assert not [name for name in os.listdir(made.folder) if name.startswith((".", "before"))]


def test_a_folder_that_a_dialerd_works_on_is_left_alone(made: Made) -> None:
    program = (
        "import sys; from pathlib import Path; from dialerd.lock import hold;"
        "hold(Path(sys.argv[1]), 'it'); print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(made.folder)]
    other = subprocess.Popen(
        command, env={"PYTHONPATH": str(PROJECT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    other.stdout.readline()
    try:
        with pytest.raises(ConfigError, match=f"in use by dialerd, pid {other.pid}"):
            seize(made.folder).__enter__()
    finally:
        other.communicate()


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        seize(tmp_path / "nowhere").__enter__()
