"""The reporter's memory, on real files."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dialerd.core import ids
from dialerd.core.errors import Broken
from dialerd.core.reporting import SinkFigures
from dialerd.store.reports import CHUNK, EVERYTHING, ReportStore
from dialerd.store.reports_file import FILE_NAME

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
ONE, TWO = ids.to_text(1), ids.to_text(2)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ReportStore]:
    store = ReportStore(tmp_path)
    store.add_sink("crm", 0)
    yield store
    store.close()


def due(store: ReportStore, now: datetime = NOW) -> list[int]:
    return [delivery.event for delivery in store.due("crm", now, 100)]


def test_what_was_taken_up_is_there_after_a_restart(tmp_path: Path, store: ReportStore) -> None:
    store.take_up("crm", [(3, ONE), (5, TWO)], 7, NOW)
    store.failed("crm", 3, "it is away", LATER)
    store.delivered("crm", 5)
    store.close()

    again = ReportStore(tmp_path)
    [left] = again.listing()
    assert (left.event, left.job, left.tries, left.next_at, left.last_error) == (
        3,
        ONE,
        1,
        LATER,
        "it is away",
    )
    assert again.sinks() == {"crm": 7}
    assert again.figures() == {"crm": SinkFigures(pending=1, delivered=1)}
    again.close()


def test_what_is_taken_up_twice_is_there_once(store: ReportStore) -> None:
    store.take_up("crm", [(3, ONE)], 3, NOW)
    store.take_up("crm", [(3, ONE)], 3, NOW)

    assert store.figures()["crm"].pending == 1


def test_a_later_event_of_a_job_waits_behind_an_earlier_one(store: ReportStore) -> None:
    store.take_up("crm", [(1, ONE), (2, ONE), (3, TWO)], 3, NOW)
    assert due(store) == [1, 3]
    store.failed("crm", 1, "it is away", LATER)
    assert due(store) == [3]

    store.delivered("crm", 1)

    assert due(store) == [2, 3]


def test_a_report_given_up_lets_the_next_of_its_job_go(store: ReportStore) -> None:
    store.take_up("crm", [(1, ONE), (2, ONE)], 2, NOW)

    store.give_up("crm", 1, "it is away")

    assert due(store) == [2]
    assert store.figures()["crm"] == SinkFigures(pending=1, dead=1)


def test_retry_revives_the_dead_before_the_later_ones_of_their_jobs(store: ReportStore) -> None:
    store.take_up("crm", [(1, ONE), (2, ONE)], 2, NOW)
    store.give_up("crm", 1, "it is away")

    revived = store.retry("crm", LATER)

    assert revived == 1
    assert due(store, LATER) == [1]
    assert store.figures()["crm"] == SinkFigures(pending=2)


def test_retry_brings_forward_what_waits(store: ReportStore) -> None:
    store.take_up("crm", [(1, ONE)], 1, NOW)
    store.failed("crm", 1, "it is away", NOW + timedelta(hours=14))

    assert store.retry("crm", LATER) == 0
    assert due(store, LATER) == [1]


def test_what_is_too_old_lapses_page_by_page(store: ReportStore) -> None:
    store.take_up("crm", [(event, ids.to_text(event)) for event in range(1, CHUNK + 11)], CHUNK + 10, NOW)

    assert store.lapse("crm", NOW - timedelta(seconds=1), "too late") == 0
    assert [store.lapse("crm", NOW, "too late") for _ in range(3)] == [CHUNK, 10, 0]
    assert store.figures()["crm"] == SinkFigures(dead=CHUNK + 10)


def test_the_events_of_open_reports_are_still_needed(store: ReportStore) -> None:
    store.add_sink("hook", 50)
    store.take_up("crm", [(30, ONE), (40, TWO)], 60, NOW)
    assert store.oldest_needed() == 29
    store.give_up("crm", 30, "it is away")
    assert store.oldest_needed() == 39

    store.delivered("crm", 40)

    assert store.oldest_needed() == 50


def test_without_sinks_nothing_is_needed(store: ReportStore) -> None:
    store.forget_sink("crm")

    assert store.oldest_needed() == EVERYTHING


def test_a_sink_is_forgotten_with_all_that_was_for_it(store: ReportStore) -> None:
    store.add_sink("hook", 0)
    store.take_up("crm", [(event, ids.to_text(event)) for event in range(1, CHUNK + 11)], 1, NOW)
    store.take_up("hook", [(1, ONE)], 1, NOW)

    assert store.forget_sink("crm") == CHUNK + 10
    assert list(store.sinks()) == ["hook"]
    assert [delivery.sink for delivery in store.listing()] == ["hook"]


def test_a_listing_goes_on_page_by_page(store: ReportStore) -> None:
    store.add_sink("hook", 0)
    for sink in ("crm", "hook"):
        store.take_up(sink, [(1, ONE), (2, TWO)], 2, NOW)

    first = store.listing(limit=3)
    second = store.listing(after=f"{first[-1].sink}/{first[-1].event}", limit=3)

    assert [(each.sink, each.event) for each in first + second] == [
        ("crm", 1),
        ("crm", 2),
        ("hook", 1),
        ("hook", 2),
    ]


def test_a_transaction_that_fails_leaves_all_as_it_was(store: ReportStore) -> None:
    store.take_up("crm", [(1, ONE), (2, TWO)], 2, NOW)

    def half() -> None:
        with store.transaction():
            store.delivered("crm", 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()

    assert due(store) == [1, 2]
    assert store.figures()["crm"] == SinkFigures(pending=2)


def test_a_store_of_a_newer_dialerd_is_left_as_it_is(tmp_path: Path, store: ReportStore) -> None:
    store._db.execute("PRAGMA user_version = 99")
    store.close()

    with pytest.raises(Broken, match="newer dialerd"):
        ReportStore(tmp_path)


def test_a_file_that_is_no_store_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("no database" * 100)

    with pytest.raises(Broken, match="can't be opened"):
        ReportStore(tmp_path)
