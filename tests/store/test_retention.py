"""Purge and redaction, on real files."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dialerd.core.model import Attempt, Call, Disposition, Job, Result
from dialerd.core.signals import JobFilter
from dialerd.core.states import ENDED, State
from dialerd.store.reader import SqliteReader
from dialerd.store.retention import LOOKED_AT, START, Tidied
from dialerd.store.sqlite import SqliteStore

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=100)
BEFORE = NOW - timedelta(days=90)


@pytest.fixture
def store(tmp_path: Path):
    store = SqliteStore(tmp_path)
    yield store
    store.close()


def ended(store: SqliteStore, at: datetime = LONG_AGO, **changes) -> Job:
    """A job that ended at a time, with an attempt and events."""
    call = Call(to=("+4930123456",), trunk="main", play="hello-world", variables=(("NAME", "Anna"),))
    job = Job(store.new_id(at), 1000, State.COMPLETED, call, at, at, tags=("red",), attempts=1)
    job = replace(job, **{"way": "main", "ways": ("main",), **changes})
    attempt = Attempt(
        job.id, 1, "main", "PJSIP/4930123456@x", at, at, at, result=Result(Disposition.ANSWERED)
    )
    with store.transaction():
        store.add_job(job, b"digest")
        store.save_attempt(attempt)
        store.add_event(at, job.id, "accepted", {"state": "queued"})
        store.add_event(at, job.id, "completed", {"reason": "+4930123456 answered"})
    return job


def purge(store: SqliteStore, limit: int = 100, states=ENDED, place=START, needed=None) -> Tidied:
    with store.transaction():
        return store.purge(NOW, BEFORE, states, limit, place, needed)


def redact(store: SqliteStore, limit: int = 100, place=START, needed=None) -> Tidied:
    with store.transaction():
        return store.redact(BEFORE, limit, place, needed)


def rows(store: SqliteStore, table: str) -> int:
    return store._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def everything(path: Path) -> str:
    """All that any table says."""
    db = sqlite3.connect(path)
    tables = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    told = "\n".join(str(row) for table in tables for row in db.execute(f"SELECT * FROM {table}"))
    db.close()
    return told


def test_a_purged_job_is_gone_with_all_that_was_known_of_it(store):
    job = ended(store)
    done = purge(store)
    assert done == Tidied(1, None)
    assert store.find_job(job.id) is None
    assert [rows(store, table) for table in ("jobs", "attempts", "events", "tags")] == [0, 0, 0, 0]
    assert store.counts()[State.COMPLETED] == 0


@pytest.mark.parametrize("state", set(State) - set(ENDED))
def test_what_has_not_ended_is_never_purged(store, state):
    job = ended(store, state=state)
    done = purge(store, states=tuple(State))
    assert done.count == 0
    assert store.find_job(job.id) is not None


def test_what_ended_lately_stays(store):
    ended(store, at=BEFORE)
    assert purge(store).count == 0


def test_only_the_states_asked_for_are_purged(store):
    failed, completed = ended(store, state=State.FAILED), ended(store)
    done = purge(store, states=(State.FAILED,))
    assert done.count == 1
    assert store.find_job(failed.id) is None
    assert store.find_job(completed.id) is not None


def test_a_job_whose_end_is_still_to_be_reported_stays(store):
    reported, unreported = ended(store), ended(store)
    done = purge(store, needed=4)
    assert done == Tidied(1, None)
    assert store.find_job(reported.id) is None
    assert store.find_job(unreported.id) is not None


def test_steps_follow_each_other_and_come_to_every_job_once(store):
    for _ in range(7):
        ended(store)
    counts, place = [], START
    while place is not None:
        done = purge(store, limit=3, place=place)
        counts.append(done.count)
        place = done.place
    assert counts == [3, 3, 1]
    assert rows(store, "jobs") == 0


def test_a_step_looks_at_few_jobs_although_none_of_them_is_wanted(store):
    for _ in range(2 * LOOKED_AT):
        ended(store)
    last = ended(store, state=State.FAILED)
    first = purge(store, limit=1, states=(State.FAILED,))
    second = purge(store, limit=1, states=(State.FAILED,), place=first.place)
    third = purge(store, limit=1, states=(State.FAILED,), place=second.place)
    assert [first.count, second.count, third.count] == [0, 0, 1]
    assert store.find_job(last.id) is None


def test_a_purged_jobs_key_stays_until_it_is_forgotten(store):
    job = ended(store, key="order-7")
    purge(store)
    kept = store.find_key(1000, "order-7")
    with store.transaction():
        early = store.forget_keys(NOW, 10)
        late = store.forget_keys(NOW + timedelta(seconds=1), 10)
    assert kept == (job.id, b"digest")
    assert (early, late) == (0, 1)
    assert store.find_key(1000, "order-7") is None
    assert rows(store, "purged_keys") == 0


def test_forgetting_keys_leaves_those_of_jobs_that_are_there(store):
    ended(store, key="old")
    purge(store)
    new = ended(store, at=NOW, key="new")
    with store.transaction():
        store.forget_keys(NOW + timedelta(days=8), 10)
    assert store.find_key(1000, "new") == (new.id, b"digest")


def test_counts_are_as_after_a_restart(store, tmp_path):
    ended(store)
    ended(store, at=NOW)
    purge(store)
    again = SqliteStore(tmp_path)
    fresh = again.counts()
    again.close()
    assert store.counts() == fresh


def test_a_purge_that_fails_leaves_counts_and_jobs_alone(store):
    ended(store)

    def purge_and_fail():
        with store.transaction():
            store.purge(NOW, BEFORE, ENDED, 10)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        purge_and_fail()
    assert (store.counts()[State.COMPLETED], rows(store, "jobs")) == (1, 1)


def test_redaction_leaves_no_trace_of_whom_was_called_in_any_table(store, tmp_path):
    ended(store, key="order-7", reason="+4930123456 answered")
    before = everything(store.path)
    redact(store)
    after = everything(store.path)
    assert "123456" in before
    assert "Anna" in before
    assert "123456" not in after
    assert "Anna" not in after


def test_a_redacted_job_can_still_be_read_and_counted(store, tmp_path):
    job = ended(store, key="order-7", batch="spring")
    redact(store)
    left, attempt = store.find_job(job.id), store.last_attempt(job.id)
    assert left.call.to == ("+49******56",)
    assert (left.key, left.batch, left.tags, left.state) == ("order-7", "spring", ("red",), State.COMPLETED)
    assert attempt.channel == "PJSIP/*@x"
    assert attempt.result.disposition is Disposition.ANSWERED


def test_a_redacted_job_is_no_longer_found_by_its_number(store, tmp_path):
    ended(store)
    redact(store)
    reader = SqliteReader(tmp_path)
    found = reader.jobs(JobFilter(to="+4930123456"))
    reader.close()
    assert found == []


def test_a_job_is_redacted_once(store):
    ended(store)
    first, second = redact(store), redact(store)
    assert (first.count, second.count) == (1, 0)


@pytest.mark.parametrize("state", set(State) - set(ENDED))
def test_what_has_not_ended_is_never_redacted(store, state):
    job = ended(store, state=state)
    redact(store)
    assert store.find_job(job.id) == job


def test_a_job_whose_end_is_still_to_be_reported_is_not_redacted(store):
    job = ended(store)
    redact(store, needed=1)
    assert store.find_job(job.id) == job


def test_only_the_index_of_ended_jobs_is_read(store):
    where = "ready IS NULL AND updated < ? AND (updated, id) > (?, ?)"
    sql = f"SELECT id FROM jobs WHERE {where} ORDER BY updated, id"
    plan = [row[3] for row in store._db.execute(f"EXPLAIN QUERY PLAN {sql}", (1, 0, 0))]
    assert all("jobs_ended" in line for line in plan)
    assert not any("TEMP B-TREE" in line for line in plan)


def test_jobs_that_overstay_are_named_until_an_event_says_so(store):
    stuck = ended(store, state=State.HELD)
    ended(store, at=NOW, state=State.HELD)
    ended(store, state=State.COMPLETED)
    first, _ = store.overstayed(State.HELD, BEFORE, 0, 10)
    with store.transaction():
        store.add_event(NOW, stuck.id, "stuck", {})
    second, _ = store.overstayed(State.HELD, BEFORE, 0, 10)
    assert [job.id for job in first] == [stuck.id]
    assert second == []


def test_a_job_that_overstays_again_is_named_again(store):
    stuck = ended(store, state=State.HELD)
    with store.transaction():
        store.add_event(LONG_AGO, stuck.id, "stuck", {})
        store.save_job(replace(stuck, updated=LONG_AGO + timedelta(days=1)))
    found, _ = store.overstayed(State.HELD, BEFORE, 0, 10)
    assert [job.id for job in found] == [stuck.id]


def test_looks_at_many_jobs_go_round(store):
    names = [ended(store, state=State.HELD).id for _ in range(3)]
    first, place = store.overstayed(State.HELD, BEFORE, 0, 2)
    second, end = store.overstayed(State.HELD, BEFORE, place, 2)
    assert [job.id for job in [*first, *second]] == names
    assert end == 0
