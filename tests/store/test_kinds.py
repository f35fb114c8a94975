"""Counts by state and kind, and what is due and how old: quick, and right whatever happens."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dialerd.core.figures import Due
from dialerd.core.model import Call, Job
from dialerd.core.states import ENDED, State
from dialerd.core.tasks import Sms, Task
from dialerd.store.figures import Figures
from dialerd.store.sqlite import SqliteStore

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SMS = Sms(body="Hello")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path)
    yield store
    store.close()


@pytest.fixture
def figures(tmp_path: Path, store: SqliteStore) -> Iterator[Figures]:
    figures = Figures(tmp_path)
    yield figures
    figures.close()


def added(store: SqliteStore, task: Task | None = None, at: datetime = NOW, **changes: Any) -> Job:
    way = changes.pop("way", "")
    job = Job(store.new_id(at), 1, State.QUEUED, Call(to=("+49301",)), at, at, task=task, way=way, **changes)
    with store.transaction():
        store.add_job(job, b"digest")
    return job


def moved(store: SqliteStore, job: Job, state: State) -> None:
    with store.transaction():
        store.save_job(replace(job, state=state))


def failed(store: SqliteStore, job: Job) -> None:
    """Writes the job in a transaction that comes to nothing."""
    with suppress(RuntimeError), store.transaction():
        store.save_job(job)
        raise RuntimeError


def there(store: SqliteStore) -> dict[tuple[State, str], int]:
    return {place: count for place, count in store.kinds().items() if count}


def test_each_kind_is_counted_in_each_state(store: SqliteStore) -> None:
    first, _ = added(store), added(store)
    message = added(store, SMS)

    moved(store, first, State.HELD)
    moved(store, message, State.COMPLETED)

    assert there(store) == {
        (State.QUEUED, "call"): 1,
        (State.HELD, "call"): 1,
        (State.COMPLETED, "sms"): 1,
    }


def test_what_a_failed_transaction_did_was_not_counted(store: SqliteStore) -> None:
    job = added(store, SMS)

    failed(store, replace(job, state=State.ACTIVE))

    assert there(store) == {(State.QUEUED, "sms"): 1}


def test_counts_are_the_same_after_a_restart(tmp_path: Path, store: SqliteStore) -> None:
    for task in (None, None, SMS):
        moved(store, added(store, task), State.FAILED)
    added(store, SMS)
    before = store.kinds()

    again = SqliteStore(tmp_path)

    assert again.kinds() == before
    again.close()


def test_what_is_purged_is_counted_no_more(store: SqliteStore) -> None:
    moved(store, added(store, SMS, NOW - timedelta(days=2)), State.FAILED)
    moved(store, added(store, None, NOW - timedelta(days=2)), State.FAILED)
    added(store, SMS)

    with store.transaction():
        purged = store.purge(NOW, NOW - timedelta(days=1), ENDED, 100)

    assert purged.count == 2
    assert there(store) == {(State.QUEUED, "sms"): 1}


def test_the_oldest_job_of_each_state_is_told(store: SqliteStore, figures: Figures) -> None:
    moved(store, added(store, at=NOW - timedelta(hours=2)), State.HELD)
    added(store, at=NOW - timedelta(hours=1))
    added(store)

    found = figures.oldest((State.QUEUED, State.HELD, State.ACTIVE))

    assert found == {State.QUEUED: NOW - timedelta(hours=1), State.HELD: NOW - timedelta(hours=2)}


def test_due_jobs_are_counted_by_way_with_the_wait_of_the_next_one(
    store: SqliteStore, figures: Figures
) -> None:
    hour = timedelta(hours=1)
    added(store, at=NOW - 9 * hour, way="main", turn=7)
    added(store, at=NOW - 2 * hour, way="main", turn=3)
    added(store, at=NOW - 5 * hour, not_before=NOW - hour, way="other")
    added(store, not_before=NOW + hour, way="other")
    with store.transaction():
        store.promote(NOW, lambda way, priority, owner, batch, turn: turn)

    assert figures.due() == [Due("main", 2, NOW - 2 * hour), Due("other", 1, NOW - hour)]


def test_kinds_may_be_read_while_they_change(store: SqliteStore) -> None:
    over = threading.Event()
    sums = set()

    def read() -> None:
        while not over.is_set():
            sums.add(sum(store.kinds().values()) >= 0)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(50):
        moved(store, added(store), State.ACTIVE)
    over.set()
    reader.join(30)

    assert sums <= {True}
    assert there(store) == {(State.ACTIVE, "call"): 50}


class Commits:
    """Notes how long commits took."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def committed(self, seconds: float) -> None:
        self.seconds.append(seconds)


def test_each_commit_is_measured(store: SqliteStore) -> None:
    store.meters = commits = Commits()  # type: ignore[assignment]

    job = added(store)
    failed(store, job)

    assert len(commits.seconds) == 1
    assert commits.seconds[0] > 0
