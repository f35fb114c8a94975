"""What the reader finds of the events of one owner or batch."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dialerd.core.model import Call, Job
from dialerd.core.states import State
from dialerd.store.reader import SqliteReader
from dialerd.store.sqlite import SqliteStore

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
ANNA, BERT = 1001, 1002


@dataclass
class Both:
    store: SqliteStore
    reader: SqliteReader

    def event(self, owner: int, batch: str | None = None) -> int:
        """A new job's first event."""
        with self.store.transaction():
            call = Call(to=("+4930123456",), trunk="main", play="hello-world")
            job = Job(self.store.new_id(NOW), owner, State.QUEUED, call, NOW, NOW, batch=batch)
            self.store.add_job(job, b"digest")
            return self.store.add_event(NOW, job.id, "accepted", {})


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    store = SqliteStore(tmp_path)
    reader = SqliteReader(tmp_path)
    yield Both(store, reader)
    reader.close()
    store.close()


def test_events_of_one_owner_are_found_in_any_batch_or_in_one(both: Both) -> None:
    one, _, three, _ = (both.event(*of) for of in ((ANNA, "a"), (BERT, "a"), (ANNA, None), (BERT, None)))

    all_batches = both.reader.events(0, 10, owner=ANNA)
    one_batch = both.reader.events(0, 10, owner=ANNA, batch="a")

    assert [event.id for event in all_batches] == [one, three]
    assert [event.id for event in one_batch] == [one]


def test_events_are_read_up_to_a_bound(both: Both) -> None:
    ids = [both.event(ANNA) for _ in range(3)]

    found = both.reader.events(ids[0], 10, types=("accepted",), owner=ANNA, upto=ids[1])

    assert [event.id for event in found] == [ids[1]]
