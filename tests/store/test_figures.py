"""Figures about many jobs, on real files."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialerd.core import figures as core
from dialerd.core.errors import Overloaded
from dialerd.core.figures import Count, Stuck, remaining_seconds, stats, stuck_sentence
from dialerd.core.model import Attempt, Call, Disposition, Job, Result
from dialerd.core.signals import JobFilter, Order
from dialerd.core.states import ENDED, State
from dialerd.store.figures import Figures
from dialerd.store.sqlite import SqliteStore
from dialerd.store.standing import OF_BATCH

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path):
    store = SqliteStore(tmp_path)
    yield store
    store.close()


@pytest.fixture
def figures(store, tmp_path):
    figures = Figures(tmp_path)
    yield figures
    figures.close()


def added(store: SqliteStore, at: datetime = NOW, state: State = State.QUEUED, **changes) -> Job:
    call = Call(to=("+4930123456",), trunk="main", play="hello-world")
    job = Job(store.new_id(at), 1000, State.QUEUED, call, at, at, batch="spring", ways=("main",), way="main")
    job = replace(job, **changes)
    with store.transaction():
        store.add_job(job, b"digest")
        if state is not State.QUEUED:
            store.save_job(replace(job, state=state))
    return replace(job, state=state)


def dialled(
    store: SqliteStore,
    at: datetime = NOW,
    disposition: Disposition = Disposition.ANSWERED,
    talk: float | None = None,
    state: State = State.COMPLETED,
    trunk: str | None = "main",
    **changes,
) -> Job:
    """A job with an attempt that ended."""
    job = added(store, at, state, attempts=1, disposition=disposition, **changes)
    result = Result(disposition, hangup_cause=16, ring_seconds=4.0, talk_seconds=talk)
    with store.transaction():
        store.save_attempt(Attempt(job.id, 1, trunk, "PJSIP/1@x", at, at, at, result=result))
    return job


def test_a_batch_is_counted_by_state_and_disposition(store, figures):
    dialled(store)
    dialled(store, disposition=Disposition.BUSY, state=State.FAILED)
    added(store)
    added(store, owner=1001)
    added(store, batch="autumn")
    found = figures.batch(1000, "spring", NOW)
    assert (found.batch, found.owner, found.jobs, found.waiting) == ("spring", 1000, 3, 1)
    assert found.states == {"completed": 1, "failed": 1, "queued": 1}
    assert found.dispositions == {"ANSWERED": 1, "BUSY": 1}


def test_a_batch_tells_its_times(store, figures):
    created = NOW - timedelta(minutes=10)
    added(store, created)
    dialled(store, NOW - timedelta(minutes=5))
    dialled(store, NOW - timedelta(seconds=30))
    added(store, not_before=NOW + timedelta(hours=2))
    added(store, not_before=NOW + timedelta(hours=1))
    found = figures.batch(1000, "spring", NOW)
    assert found.created == created
    assert found.first_dialled == NOW - timedelta(minutes=5)
    assert found.last_ended == NOW - timedelta(seconds=30)
    assert found.next == NOW + timedelta(hours=1)
    assert (found.ended_last_minute, found.eta_seconds) == (1, 7200.0)


def test_a_batch_that_nobody_has_called_yet_has_no_times_but_its_own(store, figures):
    added(store)
    found = figures.batch(1000, "spring", NOW)
    assert (found.first_dialled, found.last_ended, found.next, found.eta_seconds) == (None, None, None, None)


def test_there_is_no_batch_without_jobs(figures):
    assert figures.batch(1000, "spring", NOW) is None


@pytest.mark.parametrize(
    ("scope", "word", "paused"),
    [
        ("batch:1000:spring", "paused", True),
        ("all", "paused", True),
        ("batch:1001:spring", "paused", False),
        ("batch:1000:spring", "cancelled", False),
    ],
)
def test_a_batch_says_that_it_is_paused(store, figures, scope, word, paused):
    added(store)
    with store.transaction():
        store.save_order(Order(scope, word, 0, NOW))
    assert figures.batch(1000, "spring", NOW).paused is paused


def test_batches_are_listed_newest_first_with_their_own_figures(store, figures):
    added(store, NOW - timedelta(days=2), batch="old")
    added(store, NOW - timedelta(days=1), batch="other", owner=1001)
    added(store, NOW, batch="new")
    added(store, NOW, batch=None)
    mine, all_of_them, newest = (
        [each.batch for each in figures.batches(owner, limit, NOW)]
        for owner, limit in ((1000, 9), (None, 9), (None, 1))
    )
    assert (mine, all_of_them, newest) == (["new", "old"], ["new", "other", "old"], ["new"])


def test_a_batch_in_the_list_is_as_it_is_alone(store, figures):
    dialled(store)
    added(store)
    assert figures.batches(1000, 9, NOW) == [figures.batch(1000, "spring", NOW)]


def test_a_batchs_figures_come_from_one_index_alone(store):
    sql = (
        "SELECT state, disposition, count(*), min(id), max(updated) FROM jobs INDEXED BY jobs_batches"
        " WHERE batch > '' AND batch = ? AND owner = ? GROUP BY state, disposition"
    )
    plan = [row[3] for row in store._db.execute(f"EXPLAIN QUERY PLAN {sql}", ("spring", 1000))]
    assert plan == ["SEARCH jobs USING COVERING INDEX jobs_batches (batch=? AND owner=?)"]


def test_the_index_of_figures_leads_no_other_query_astray(store):
    sql = f"SELECT turn FROM jobs WHERE {OF_BATCH} ORDER BY id DESC LIMIT 1"
    plan = [row[3] for row in store._db.execute(f"EXPLAIN QUERY PLAN {sql}", ("spring", 1000))]
    assert plan == ["SEARCH jobs USING INDEX jobs_batch (batch=?)"]


@pytest.mark.parametrize(
    ("minutes", "column"),
    [(0, 0), (5, 0), (5.1, 1), (10, 1), (79, 4), (81, 5), (1280, 8), (1281, 9), (100_000, 9)],
)
def test_a_job_stands_in_the_column_of_its_age(store, figures, minutes, column):
    added(store, NOW - timedelta(minutes=minutes))
    (shape,) = figures.shape(NOW, (State.QUEUED,))
    assert (shape.trunk, shape.total) == ("main", 1)
    assert shape.ages.index(1) == column


def test_the_shape_is_by_trunk_and_of_the_states_asked_for(store, figures):
    added(store, way="alpha")
    added(store, way="")
    added(store, way="alpha", state=State.HELD)
    added(store, way="alpha", owner=1001)
    waiting, held = figures.shape(NOW, (State.QUEUED,), 1000), figures.shape(NOW, (State.HELD,))
    assert [(each.trunk, each.total) for each in waiting] == [("", 1), ("alpha", 1)]
    assert [(each.trunk, each.total) for each in held] == [("alpha", 1)]


def test_stats_tell_what_each_trunk_came_to_in_each_hour(store, figures):
    dialled(store, NOW, talk=10.0)
    dialled(store, NOW + timedelta(minutes=59), talk=20.0)
    dialled(store, NOW, Disposition.BUSY, trunk="beta")
    dialled(store, NOW + timedelta(minutes=60), Disposition.NOANSWER)
    rows = figures.stats(NOW, NOW + timedelta(hours=2), "hour", zone=UTC)
    assert [(row.begins, row.trunk, row.dialled, row.answered, row.answer_rate) for row in rows] == [
        (NOW, "beta", 1, 0, 0.0),
        (NOW, "main", 2, 2, 1.0),
        (NOW + timedelta(hours=1), "main", 1, 0, 0.0),
    ]
    assert (rows[1].ring_seconds, rows[1].talk_seconds) == (4.0, 15.0)
    assert (rows[2].talk_seconds, rows[2].dispositions) == (None, {"NOANSWER": 1})


def test_stats_are_of_the_period_and_owner_asked_for(store, figures):
    dialled(store, NOW - timedelta(milliseconds=1))
    dialled(store, NOW)
    dialled(store, NOW, owner=1001)
    dialled(store, NOW + timedelta(hours=1))
    (row,) = figures.stats(NOW, NOW + timedelta(hours=1), "day", 1001, UTC)
    (both,) = figures.stats(NOW, NOW + timedelta(hours=1), "day", zone=UTC)
    assert (row.dialled, both.dialled) == (1, 2)


def counts(*moments: datetime) -> list[Count]:
    return [Count("main", int(each.timestamp()), "BUSY", 1, 0.0, 0, 0.0, 0) for each in moments]


def test_days_are_those_of_the_zone_also_when_the_clocks_change():
    berlin = ZoneInfo("Europe/Berlin")
    rows = stats(
        counts(
            datetime(2026, 10, 24, 21, 45, tzinfo=UTC),
            datetime(2026, 10, 24, 22, 0, tzinfo=UTC),
            datetime(2026, 10, 25, 22, 45, tzinfo=UTC),
            datetime(2026, 10, 25, 23, 0, tzinfo=UTC),
        ),
        "day",
        berlin,
    )
    assert [(row.begins.astimezone(berlin).day, row.dialled) for row in rows] == [(24, 1), (25, 2), (26, 1)]


def test_the_hour_that_comes_twice_is_two_rows():
    berlin = ZoneInfo("Europe/Berlin")
    twice = (datetime(2026, 10, 25, 0, 45, tzinfo=UTC), datetime(2026, 10, 25, 1, 45, tzinfo=UTC))
    rows = stats(counts(*twice), "hour", berlin)
    assert [row.begins for row in rows] == [each - timedelta(minutes=45) for each in twice]


def test_hours_begin_where_the_zone_has_them():
    rows = stats(counts(datetime(2026, 11, 21, 9, 15, tzinfo=UTC)), "hour", ZoneInfo("Asia/Kathmandu"))
    assert [row.begins for row in rows] == [datetime(2026, 11, 21, 9, 15, tzinfo=UTC)]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 400), st.integers(1, 9)), max_size=20))
def test_nothing_is_lost_between_counts_and_rows(given_):
    some = [Count(trunk, quarter * 900, "BUSY", n, 0.0, 0, 0.0, 0) for trunk, quarter, n in given_]
    rows = stats(some, "day", UTC)
    assert sum(row.dialled for row in rows) == sum(each.attempts for each in some)
    assert len({(row.begins, row.trunk) for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("states", "ended", "paused", "seconds"),
    [
        ({"queued": 60, "submitted": 60}, 60, False, 120.0),
        ({"queued": 60}, 0, False, None),
        ({"queued": 60}, 60, True, None),
        ({"completed": 9}, 0, True, 0.0),
    ],
)
def test_the_rest_takes_as_long_as_the_last_minute_says(states, ended, paused, seconds):
    assert remaining_seconds(states, ended, paused) == seconds


def test_jobs_that_are_held_for_too_long_are_counted_and_the_oldest_named(store, figures):
    oldest = added(store, NOW - timedelta(days=3), State.HELD)
    added(store, NOW - timedelta(days=2), State.HELD)
    added(store, NOW - timedelta(hours=1), State.HELD)
    (found,) = figures.stuck({State.HELD: 86400, State.ACTIVE: 60}, NOW)
    assert (found.state, found.limit_s, found.count, found.more) == ("held", 86400, 2, False)
    assert found.oldest[0] == oldest.id


def test_waiting_jobs_count_from_when_they_were_due(store, figures):
    long_ago = NOW - timedelta(days=3)
    added(store, long_ago, not_before=NOW + timedelta(days=1))
    with store.transaction():
        due = store.new_id(long_ago)
        store.add_job(
            Job(
                due,
                1000,
                State.QUEUED,
                Call(to=("+4930123456",)),
                long_ago,
                long_ago,
                not_before=NOW - timedelta(minutes=5),
            ),
            b"",
        )
        store.promote(NOW, lambda *place: place[-1])
    early = figures.stuck({State.QUEUED: 3600}, NOW)
    late = figures.stuck({State.QUEUED: 3600}, NOW + timedelta(hours=1))
    assert early == []
    assert [each.oldest for each in late] == [(due,)]


def test_no_more_are_counted_than_somebody_would_read(store, figures, monkeypatch):
    monkeypatch.setattr("dialerd.store.figures.COUNT_LIMIT", 2)
    for _ in range(4):
        added(store, NOW - timedelta(days=3), State.HELD)
    (found,) = figures.stuck({State.HELD: 60}, NOW)
    assert (found.count, found.more, len(found.oldest)) == (2, True, 3)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            Stuck("held", 86400, 3, False, ()),
            "3 jobs have been held for more than 1d: dialerctl list --state held",
        ),
        (
            Stuck("queued", 3600, 1, False, ()),
            "1 job has been due and not called for more than 1h: dialerctl list --state queued",
        ),
        (
            Stuck("active", 60, 10_000, True, ()),
            "More than 10000 jobs have been on the way to Asterisk for more than 1m:"
            " dialerctl list --state active",
        ),
    ],
)
def test_the_status_says_what_is_stuck_and_how_to_see_it(found, said):
    assert stuck_sentence(found) == said


def test_a_page_has_each_job_with_its_newest_attempt(store, figures):
    never = added(store)
    once = dialled(store)
    with store.transaction():
        store.save_job(replace(once, attempts=2))
        store.save_attempt(Attempt(once.id, 2, "beta", "PJSIP/1@y", NOW))
    page = figures.jobs_with_last(JobFilter(batch="spring"))
    assert [(job.id, attempt and (attempt.number, attempt.trunk)) for job, attempt in page] == [
        (once.id, (2, "beta")),
        (never.id, None),
    ]


def test_jobs_that_a_purge_would_remove_are_counted(store, figures):
    dialled(store, NOW - timedelta(days=2))
    dialled(store, NOW - timedelta(days=2), state=State.FAILED)
    dialled(store, NOW)
    before = NOW - timedelta(days=1)
    assert (figures.ended(before, ENDED), figures.ended(before, (State.FAILED,))) == (2, 1)


def test_a_question_that_takes_too_long_is_given_up(store, tmp_path, monkeypatch):
    monkeypatch.setattr("dialerd.store.figures.LOOK_EVERY", 1)
    hasty = Figures(tmp_path, deadline_s=-1.0)
    added(store)
    with pytest.raises(Overloaded, match="takes longer"):
        hasty.shape(NOW, (State.QUEUED,))
    hasty.close()


def test_ages_double_from_column_to_column():
    assert all(b == 2 * a for a, b in zip(core.AGES_MIN, core.AGES_MIN[1:], strict=False))
