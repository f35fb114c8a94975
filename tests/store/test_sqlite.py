"""The embedded store, on real files."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dialerd.core.errors import Broken
from dialerd.core.model import Attempt, Call, Disposition, Job, OnDoubt, Result
from dialerd.core.signals import JobFilter
from dialerd.core.states import State
from dialerd.store.reader import SqliteReader
from dialerd.store.schema import STEPS
from dialerd.store.sqlite import SqliteStore

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def same(way, priority, owner, batch, turn):
    """The turn of a job that falls due: the one it has."""
    return turn


@pytest.fixture
def store(tmp_path: Path):
    store = SqliteStore(tmp_path)
    yield store
    store.close()


def a_job(store: SqliteStore, **changes: object) -> Job:
    call = Call(
        to=("+4930123456",), trunk="main", play="hello-world", variables=(("A", "1"),), codecs=("ulaw",)
    )
    job = Job(store.new_id(NOW), 1000, State.QUEUED, call, created=NOW, updated=NOW)
    return replace(job, **changes)


def added(store: SqliteStore, **changes: object) -> Job:
    job = a_job(store, **changes)
    with store.transaction():
        store.add_job(job, b"digest")
    return job


def test_a_job_comes_back_as_it_was_put_in(store):
    job = added(
        store,
        key="k",
        batch="b",
        tags=("x", "y"),
        not_after=NOW + timedelta(hours=1),
        on_doubt=OnDoubt.DROP,
        max_retries=3,
    )
    assert store.find_job(job.id) == job


def test_an_attempt_comes_back_as_it_was_put_in(store):
    job = added(store)
    result = Result(Disposition.BUSY, hangup_cause=17, ring_seconds=1.5, detail="busy")
    attempt = Attempt(job.id, 1, "main", "PJSIP/1@x", NOW, NOW, NOW, "run", result, {"lines": ["a"]})
    with store.transaction():
        store.save_attempt(attempt)
    assert store.last_attempt(job.id) == attempt


def test_what_a_failed_transaction_did_is_undone(store):
    job = a_job(store)

    def add_and_fail():
        with store.transaction():
            store.add_job(job, b"")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        add_and_fail()
    assert store.find_job(job.id) is None
    assert store.counts()[State.QUEUED] == 0


def test_due_jobs_come_by_priority_then_age(store):
    low, old, new, urgent = (added(store, priority=priority) for priority in (1, 5, 5, 9))
    with store.transaction():
        due = store.due("", 10)
    assert [job.id for job in due] == [urgent.id, old.id, new.id, low.id]


def test_a_job_is_not_due_before_its_time_and_is_due_at_it(store):
    job = added(store, not_before=NOW + timedelta(seconds=10))
    with store.transaction():
        store.promote(NOW, same)
        early = store.due("", 10)
        store.promote(NOW + timedelta(seconds=10), same)
        at_it = store.due("", 10)
    assert (early, [found.id for found in at_it]) == ([], [job.id])


def test_the_next_due_time_is_that_of_the_earliest_waiting_job(store):
    added(store, not_before=NOW + timedelta(hours=2))
    added(store, not_before=NOW + timedelta(hours=1))
    assert store.next_due() == NOW + timedelta(hours=1)


def test_a_leased_job_is_not_due(store):
    job = added(store)
    with store.transaction():
        store.save_job(replace(job, state=State.ACTIVE, attempts=1))
        due = store.due("", 10)
    assert due == []
    assert store.counts()[State.ACTIVE] == 1


def test_only_waiting_jobs_past_their_not_after_are_overdue(store):
    late = added(store, not_after=NOW)
    added(store, not_after=NOW + timedelta(seconds=1))
    held = added(store, not_after=NOW)
    with store.transaction():
        store.save_job(replace(held, state=State.HELD))
    assert [job.id for job in store.overdue(NOW, 10)] == [late.id]


def test_jobs_in_flight_come_with_their_newest_attempt(store):
    job = added(store)
    with store.transaction():
        store.save_job(replace(job, state=State.SUBMITTED, attempts=2))
        for number in (1, 2):
            store.save_attempt(Attempt(job.id, number, None, "Local/1@x", NOW))
    assert [(job.id, attempt.number) for job, attempt in store.in_flight()] == [(job.id, 2)]


def test_a_key_leads_to_its_owners_job_only(store):
    job = added(store, key="k")
    assert store.find_key(1000, "k") == (job.id, b"digest")
    assert store.find_key(1001, "k") is None


def test_ids_grow_although_the_clock_goes_back(store):
    first, second = store.new_id(NOW), store.new_id(NOW - timedelta(days=1))
    assert second > first


def test_ids_grow_over_a_restart_although_the_clock_goes_back(tmp_path):
    store = SqliteStore(tmp_path)
    first = added(store).id
    store.close()
    again = SqliteStore(tmp_path)
    second = again.new_id(NOW - timedelta(days=365))
    again.close()
    assert second > first


def test_counts_are_right_after_a_restart(tmp_path):
    store = SqliteStore(tmp_path)
    added(store)
    store.close()
    again = SqliteStore(tmp_path)
    counts = again.counts()
    again.close()
    assert counts[State.QUEUED] == 1


def test_a_store_of_a_newer_version_is_refused_and_left_alone(tmp_path):
    store = SqliteStore(tmp_path)
    store._db.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    store.close()
    with pytest.raises(Broken, match="newer"):
        SqliteStore(tmp_path)


def test_a_file_that_is_no_store_is_refused(tmp_path):
    (tmp_path / "dialerd.sqlite3").write_bytes(b"x" * 5000)
    with pytest.raises(Broken, match="can't be opened"):
        SqliteStore(tmp_path)


@pytest.fixture
def reader(store, tmp_path):
    reader = SqliteReader(tmp_path)
    yield reader
    reader.close()


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (JobFilter(), "dcba"),
        (JobFilter(batch="one"), "ba"),
        (JobFilter(tag="red"), "ca"),
        (JobFilter(key="kb"), "b"),
        (JobFilter(to="+4930123456", states=("queued",)), "dcba"),
        (JobFilter(states=("held",)), ""),
        (JobFilter(owner=1), ""),
        (JobFilter(limit=2), "dc"),
    ],
)
def test_a_filter_finds_its_jobs_newest_first(store, reader, wanted, found):
    names = {
        added(store, batch="one", tags=("red",)).id: "a",
        added(store, batch="one", key="kb").id: "b",
        added(store, tags=("red", "blue")).id: "c",
        added(store).id: "d",
    }
    assert "".join(names[job.id] for job in reader.jobs(wanted)) == found


def test_pages_follow_each_other_without_a_gap(store, reader):
    ids = [added(store).id for _ in range(5)]
    first = reader.jobs(JobFilter(limit=3))
    second = reader.jobs(JobFilter(limit=3, before=first[-1].id))
    assert [job.id for job in [*first, *second]] == ids[::-1]


def test_events_are_read_on_from_the_last_one_seen(store, reader):
    job = added(store, batch="one")
    with store.transaction():
        ids = [store.add_event(NOW, job.id, type_, {"n": 1}) for type_ in ("accepted", "leased", "leased")]
    assert [event.id for event in reader.events(ids[0], 10)] == ids[1:]
    assert [event.id for event in reader.events(0, 10, types=("accepted",), batch="one", job=job.id)] == ids[
        :1
    ]
    assert reader.last_event() == ids[-1]
