"""Retention on a real store: what goes, when, and how little at a time; and what is stuck."""

import os
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from dialerd.core.model import Call, Job
from dialerd.core.states import State
from dialerd.engine.ledger import Ledger
from dialerd.engine.retention import FILES_A_STEP, Retention, RetentionSettings, Tidy, clear_files
from dialerd.engine.stuck import Limits, Watch
from dialerd.store.reader import SqliteReader
from dialerd.store.sqlite import SqliteStore
from tests.engine.world import START, HandClock

DAY = timedelta(days=1)
SETTINGS = RetentionSettings(keep=90 * 86400, redact_after=30 * 86400, step=2)


class Bench:
    """A store, a clock and retention on them."""

    def __init__(self, folder: Path, settings: RetentionSettings = SETTINGS) -> None:
        self.store, self.clock = SqliteStore(folder), HandClock()
        self.needed: int | None = None
        self.retention = Retention(self.store, settings, lambda: self.needed)
        self.ledger = Ledger(self.store, self.clock)

    def ended(self, at: datetime, **changes) -> str:
        call = Call(to=("+4930123456",), trunk="main", play="hello-world")
        job = Job(self.store.new_id(at), 1000, State.COMPLETED, call, at, at, ways=("main",), way="main")
        with self.store.transaction():
            self.store.add_job(replace(job, **changes), b"digest")
            self.store.add_event(at, job.id, "completed", {})
        return job.id

    def step(self) -> bool:
        with self.store.transaction():
            return self.retention.step(self.clock.now(), self.clock.mono())

    def go_on(self, steps: int = 20, seconds: float = 2.0) -> None:
        for _ in range(steps):
            self.step()
            self.clock.time += timedelta(seconds=seconds)

    def numbers(self) -> list[str]:
        return [row[0] for row in self.store._db.execute("SELECT number FROM jobs ORDER BY id")]


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path)
    yield bench
    bench.store.close()


def test_what_is_old_is_redacted_and_what_is_older_is_purged(bench):
    bench.ended(START - 91 * DAY)
    bench.ended(START - 31 * DAY)
    bench.ended(START - 29 * DAY)
    bench.go_on()
    assert bench.numbers() == ["+49******56", "+4930123456"]


def test_a_step_changes_no_more_jobs_than_it_may(bench):
    for _ in range(5):
        bench.ended(START - 91 * DAY)
    left = []
    for _ in range(20):
        before = len(bench.numbers())
        bench.go_on(1)
        left.append(before - len(bench.numbers()))
    assert max(left) == 2
    assert sum(left) == 5


def test_steps_keep_their_distance(bench):
    bench.retention = Retention(bench.store, replace(SETTINGS, redact_after=None), lambda: None)
    for _ in range(5):
        bench.ended(START - 91 * DAY)
    for _ in range(10):
        bench.step()
    at_once = len(bench.numbers())
    bench.clock.time += timedelta(seconds=1.1)
    bench.step()
    assert (at_once, len(bench.numbers())) == (3, 1)


def test_nothing_goes_where_it_is_kept_for_ever(bench):
    bench.retention = Retention(bench.store, RetentionSettings(None, None), lambda: None)
    bench.ended(START - 5000 * DAY)
    bench.go_on()
    assert bench.numbers() == ["+4930123456"]


def test_what_is_still_to_be_reported_is_looked_at_again_a_day_later(bench):
    bench.ended(START - 91 * DAY)
    bench.needed = 1
    bench.go_on()
    kept = bench.numbers()
    bench.needed = None
    bench.clock.time += DAY
    bench.go_on()
    assert (kept, bench.numbers()) == (["+4930123456"], [])


def test_what_grows_old_while_the_daemon_runs_goes_too(bench):
    bench.ended(START - 89 * DAY)
    bench.go_on()
    kept = bench.numbers()
    bench.clock.time += 2 * DAY
    bench.go_on()
    assert (kept, bench.numbers()) == (["+49******56"], [])


def test_keys_are_freed_a_week_after_the_purge(bench):
    job = bench.ended(START - 91 * DAY, key="order-7")
    bench.go_on()
    purged, kept = bench.store.find_job(job), bench.store.find_key(1000, "order-7")
    bench.clock.time += 8 * DAY
    bench.go_on()
    assert purged is None
    assert kept == (job, b"digest")
    assert bench.store.find_key(1000, "order-7") is None


def test_an_operator_purges_a_step_at_a_time(bench):
    for _ in range(3):
        bench.ended(START - DAY)
    bench.ended(START - DAY, state=State.FAILED)
    before, states = START - timedelta(hours=1), (State.COMPLETED,)
    with bench.store.transaction():
        first = bench.retention.asked(Tidy("purge", before, states), START)
        second = bench.retention.asked(Tidy("purge", before, states, first.place), START)
    assert (first.count, second.count, second.place) == (2, 1, None)
    assert len(bench.numbers()) == 1


def test_an_operator_redacts(bench):
    bench.ended(START - DAY)
    with bench.store.transaction():
        bench.retention.asked(Tidy("redact", START), START)
    assert bench.numbers() == ["+49******56"]


def test_what_an_operator_purges_waits_for_its_reports_too(bench):
    bench.ended(START - DAY)
    bench.needed = 1
    with bench.store.transaction():
        done = bench.retention.asked(Tidy("purge", START), START)
    assert done.count == 0


def test_old_files_go_and_new_ones_and_folders_stay(tmp_path):
    (tmp_path / "old.csv").write_text("x")
    (tmp_path / "folder").mkdir()
    changed = (tmp_path / "old.csv").stat().st_ctime
    early = clear_files([tmp_path], changed)
    late = clear_files([tmp_path], changed + 100)
    assert (early, late) == (0, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_call_file_whose_mtime_lies_ahead_is_as_old_as_its_rename(tmp_path):
    path = tmp_path / "38fw7bp020000.1.call"
    path.write_text("x")
    os.utime(path, (4e9, 4e9))
    assert clear_files([tmp_path], path.stat().st_ctime + 1) == 1


def test_evidence_that_is_still_needed_is_spared(tmp_path):
    (tmp_path / "needed").write_text("x")
    (tmp_path / "old").write_text("x")
    removed = clear_files([tmp_path], 4e9, lambda name: name == "needed")
    assert removed == 1
    assert [path.name for path in tmp_path.iterdir()] == ["needed"]


def test_a_link_is_removed_and_not_what_it_leads_to(tmp_path):
    (tmp_path / "rejected").mkdir()
    (tmp_path / "precious").write_text("x")
    (tmp_path / "rejected" / "link").symlink_to(tmp_path / "precious")
    assert clear_files([tmp_path / "rejected"], 4e9) == 1
    assert (tmp_path / "precious").exists()


def test_a_folder_that_is_not_there_has_no_old_files(tmp_path):
    assert clear_files([tmp_path / "none"], 4e9) == 0


def test_no_more_files_go_at_once_than_a_step_has(tmp_path):
    for number in range(FILES_A_STEP + 1):
        (tmp_path / str(number)).touch()
    assert clear_files([tmp_path], 4e9) == FILES_A_STEP


def stuck_events(folder: Path) -> list[tuple[str, dict]]:
    reader = SqliteReader(folder)
    events = reader.events(0, 100, types=("stuck",))
    reader.close()
    return [(event.job, event.data) for event in events]


def test_a_job_that_is_held_too_long_is_told_of_once(bench, tmp_path):
    watch = Watch(bench.ledger, bench.store, Limits())
    held = bench.ended(START - 2 * DAY, state=State.HELD)
    bench.ended(START - timedelta(hours=2), state=State.HELD)
    bench.ended(START - 2 * DAY, state=State.COMPLETED)
    for _ in range(3):
        with bench.store.transaction():
            watch.look()
        bench.clock.time += timedelta(minutes=2)
    assert stuck_events(tmp_path) == [(held, {"state": "held", "limit": 86400})]


def test_a_restart_tells_of_no_job_again(bench, tmp_path):
    bench.ended(START - 2 * DAY, state=State.HELD)
    for _ in range(2):
        with bench.store.transaction():
            Watch(bench.ledger, bench.store, Limits()).look()
    assert len(stuck_events(tmp_path)) == 1


def test_every_state_that_a_job_may_hang_in_has_a_limit():
    assert set(Limits().by_state()) == set(State) - {
        State.COMPLETED,
        State.FAILED,
        State.EXPIRED,
        State.CANCELLED,
    }
