"""Figures about many jobs, for those who only look: read-only, on a connection of its own.

A question may take some hundred milliseconds with a million jobs, and is given up after DEADLINE_S.
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from heapq import nlargest
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from time import monotonic
from typing import Any

from dialerd.core import figures, ids
from dialerd.core.errors import Overloaded
from dialerd.core.figures import BatchFigures, By, Count, Due, Shape, Stat, Stuck
from dialerd.core.model import Attempt, Job
from dialerd.core.signals import JobFilter
from dialerd.core.states import ENDED, WAITING, State
from dialerd.store import codec
from dialerd.store.opening import broken
from dialerd.store.reader import page_with_last
from dialerd.store.sqlite import FILE_NAME

DEADLINE_S = 20.0
LOOK_EVERY = 20_000
"""Steps of SQLite's machine between two looks at the clock (sqlite.org/c3ref/progress_handler.html)."""

COUNT_LIMIT = 10_000
"""Jobs that take too long are not counted further than this."""

_OLDEST = 3
_SAMPLE = 20
_MINUTE_MS = 60_000
_IDS_A_MS = ids.next_id(0, 1, 0)

_GROUPS = (
    "SELECT batch, owner, state, disposition, count(*) AS jobs, min(id) AS first, max(updated) AS last,"
    " sum(updated > :recent) AS recent FROM jobs INDEXED BY jobs_batches WHERE batch > ''"
)


class Figures:
    """Answers one question at a time; safe to use from any thread."""

    def __init__(self, folder: Path, deadline_s: float = DEADLINE_S) -> None:
        self._path, self._deadline_s = folder / FILE_NAME, deadline_s
        self._db = sqlite3.connect(
            f"file:{self._path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
        )
        self._db.row_factory = sqlite3.Row
        self._lock = threading.Lock()
        self._end = 0.0
        self._db.set_progress_handler(lambda: int(monotonic() > self._end), LOOK_EVERY)

    def batches(self, owner: int | None, limit: int, now: datetime) -> list[BatchFigures]:
        """The newest batches, newest first; of one owner, or of all."""
        sql = f"{_GROUPS} AND (:owner IS NULL OR owner = :owner) GROUP BY batch, owner, state, disposition"
        values = {"owner": owner, "recent": _recent(now)}
        with self._asking() as db:
            rows = groupby(db.execute(sql, values), lambda row: (row["batch"], row["owner"]))
            newest = nlargest(limit, (_Group(list(each)) for _, each in rows), key=attrgetter("first"))
            return [_figures(db, group, now) for group in newest]

    def batch(self, owner: int, name: str, now: datetime) -> BatchFigures | None:
        """One batch; None where this owner has no job in it."""
        sql = f"{_GROUPS} AND batch = :name AND owner = :owner GROUP BY state, disposition"
        values = {"owner": owner, "name": name, "recent": _recent(now)}
        with self._asking() as db:
            rows = db.execute(sql, values).fetchall()
            return _figures(db, _Group(rows), now) if rows else None

    def owners_of_batch(self, name: str) -> list[int]:
        """Who has jobs in a batch of this name."""
        sql = "SELECT DISTINCT owner FROM jobs INDEXED BY jobs_batches WHERE batch > '' AND batch = ?"
        with self._asking() as db:
            return [row[0] for row in db.execute(sql, (name,))]

    def shape(self, now: datetime, states: Sequence[State], owner: int | None = None) -> list[Shape]:
        """How old the jobs in these states are, by trunk ("" for literal channels)."""
        now_ms = codec.to_ms(now) or 0
        ages = "".join(
            f" WHEN id >= {_first_id(now_ms - minutes * _MINUTE_MS)} THEN {column}"
            for column, minutes in enumerate(figures.AGES_MIN)
        )
        sql = (
            f"SELECT trunk, CASE{ages} ELSE {len(figures.AGES_MIN)} END AS age, count(*) FROM jobs"
            f" WHERE state IN ({_places(states)}) AND (? IS NULL OR owner = ?) GROUP BY trunk, age"
        )
        with self._asking() as db:
            return figures.shapes(tuple(row) for row in db.execute(sql, (*states, owner, owner)))

    def stats(
        self, since: datetime, until: datetime, by: By, owner: int | None = None, zone: tzinfo | None = None
    ) -> list[Stat]:
        """What the attempts that ended in a period came to, by hour or day (of `zone`) and trunk."""
        sql = (
            "SELECT coalesce(attempts.trunk, ''), ended / :quarter * :seconds AS quarter,"
            " coalesce(attempts.disposition, ''), count(*),"
            f" total({_seconds('ring')}), count({_seconds('ring')}),"
            f" total({_seconds('talk')}), count({_seconds('talk')})"
            f" FROM attempts{'' if owner is None else ' JOIN jobs ON jobs.id = job AND jobs.owner = :owner'}"
            " WHERE ended >= :since AND ended < :until GROUP BY 1, 2, 3"
        )
        values = {
            "quarter": figures.QUARTER_S * 1000,
            "seconds": figures.QUARTER_S,
            "since": codec.to_ms(since),
            "until": codec.to_ms(until),
            "owner": owner,
        }
        with self._asking() as db:
            counts = [Count(*row) for row in db.execute(sql, values)]
        return figures.stats(counts, by, zone)

    def stuck(self, limits: Mapping[State, int], now: datetime) -> list[Stuck]:
        """The states in which jobs have been for longer than the limit (seconds). Waiting jobs count from
        when they were due."""
        found = []
        with self._asking() as db:
            for state, seconds in limits.items():
                sql, values = overdue_in_state(state, codec.to_ms(now) or 0, seconds)
                oldest = [row[0] for row in db.execute(f"{sql} LIMIT {COUNT_LIMIT + 1}", values)]
                if oldest:
                    count = min(len(oldest), COUNT_LIMIT)
                    names = tuple(map(ids.to_text, oldest[:_OLDEST]))
                    found.append(Stuck(state, seconds, count, len(oldest) > COUNT_LIMIT, names))
        return found

    def oldest(self, states: Sequence[State]) -> dict[State, datetime]:
        """When the oldest job of each state was accepted; nothing for a state without jobs. Quick."""
        sql = "SELECT min(id) FROM jobs INDEXED BY jobs_state WHERE state = ?"
        with self._asking() as db:
            found = {state: db.execute(sql, (state,)).fetchone()[0] for state in states}
        return {state: codec.moment(id // _IDS_A_MS) for state, id in found.items() if id is not None}

    def due(self) -> list[Due]:
        """How many jobs are due for each trunk, and since when the one is that goes next."""
        counted = "SELECT trunk, count(*) FROM jobs INDEXED BY jobs_due WHERE ready = 1 GROUP BY trunk"
        first = (
            "SELECT id, coalesce(not_before, 0) FROM jobs WHERE ready = 1 AND trunk = ?"
            " ORDER BY priority DESC, turn, id LIMIT 1"
        )
        found = []
        with self._asking() as db:
            for trunk, jobs in db.execute(counted).fetchall():
                if (head := db.execute(first, (trunk,)).fetchone()) is not None:
                    found.append(Due(trunk, jobs, codec.moment(max(head[0] // _IDS_A_MS, head[1]))))
        return found

    def ended(self, before: datetime, states: Sequence[State]) -> int:
        """How many jobs ended before a time, in these states."""
        sql = (
            f"SELECT count(*) FROM jobs WHERE ready IS NULL AND updated < ? AND state IN ({_places(states)})"
        )
        with self._asking() as db:
            return int(db.execute(sql, (codec.to_ms(before), *states)).fetchone()[0])

    def jobs_with_last(self, wanted: JobFilter) -> list[tuple[Job, Attempt | None]]:
        """One page of jobs, newest first, each with its newest attempt."""
        with self._asking() as db:
            return page_with_last(db, wanted)

    def close(self) -> None:
        """Ends the use of the store."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _asking(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._end = monotonic() + self._deadline_s
            try:
                yield self._db
            except (sqlite3.Error, UnicodeDecodeError) as error:
                if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_INTERRUPT:
                    with broken("read", self._path):
                        raise
                raise Overloaded(
                    f"This takes longer than {self._deadline_s:g} seconds: ask about a shorter period.", 60
                ) from None


class _Group:
    """A batch's rows of _GROUPS, put together."""

    def __init__(self, rows: Sequence[sqlite3.Row]) -> None:
        self.rows = rows
        self.batch, self.owner = str(rows[0]["batch"]), int(rows[0]["owner"])
        self.first = min(row["first"] for row in rows)
        self.states, self.dispositions = _sums(rows, "state"), _sums(rows, "disposition")
        ended = [row for row in rows if row["state"] in ENDED]
        self.last_ended = max((row["last"] for row in ended), default=None)
        self.ended_lately = sum(row["recent"] for row in ended)
        self.waiting = sum(self.states.get(state, 0) for state in WAITING)


def _sums(rows: Sequence[sqlite3.Row], column: str) -> dict[str, int]:
    names = sorted({row[column] for row in rows if row[column] is not None})
    return {name: sum(row["jobs"] for row in rows if row[column] == name) for name in names}


def _figures(db: sqlite3.Connection, group: _Group, now: datetime) -> BatchFigures:
    paused = _paused(db, group.batch, group.owner)
    first_due, last_due = _due(db, group) if group.waiting else (None, None)
    last_due_s = max(0.0, ((last_due or 0) - (codec.to_ms(now) or 0)) / 1000)
    return BatchFigures(
        batch=group.batch,
        owner=group.owner,
        jobs=sum(group.states.values()),
        states=group.states,
        dispositions=group.dispositions,
        created=codec.moment(group.first // _IDS_A_MS),
        first_dialled=codec.from_ms(_first_dialled(db, group)),
        last_ended=codec.from_ms(group.last_ended),
        ended_last_minute=group.ended_lately,
        waiting=group.waiting,
        paused=paused,
        next=codec.from_ms(first_due),
        eta_seconds=figures.remaining_seconds(group.states, group.ended_lately, paused, last_due_s),
    )


def _paused(db: sqlite3.Connection, batch: str, owner: int) -> bool:
    sql = "SELECT 1 FROM orders WHERE scope IN ('all', ?) AND word = 'paused'"
    return db.execute(sql, (f"batch:{owner}:{batch}",)).fetchone() is not None


def _due(db: sqlite3.Connection, group: _Group) -> tuple[int | None, int | None]:
    """When the first and the last of its jobs that are not due yet fall due."""
    where = "FROM jobs INDEXED BY jobs_next WHERE ready = 0 AND batch > '' AND batch = ? AND owner = ?"
    sql = f"SELECT (SELECT min(not_before) {where}), (SELECT max(not_before) {where})"
    first, last = db.execute(sql, (group.batch, group.owner) * 2).fetchone()
    return first, last


def _first_dialled(db: sqlite3.Connection, group: _Group) -> int | None:
    """Among the jobs that were written first in each state, the earliest first attempt: looking at all of
    them would take seconds."""
    sql = (
        "SELECT min(json_extract(attempts.document, '$.begun')) FROM"
        " (SELECT id FROM jobs INDEXED BY jobs_batches WHERE batch > '' AND batch = ? AND owner = ?"
        f" AND state = ? AND disposition IS ? ORDER BY updated LIMIT {_SAMPLE}) AS sample"
        " JOIN attempts ON attempts.job = sample.id AND attempts.number = 1"
    )
    begun = []
    for row in group.rows:
        values = (group.batch, group.owner, row["state"], row["disposition"])
        begun.append(db.execute(sql, values).fetchone()[0])
    return min((each for each in begun if each is not None), default=None)


def overdue_in_state(state: State, now_ms: int, limit_s: int) -> tuple[str, tuple[Any, ...]]:
    """A query for the ids of the jobs that have been in a state for longer than `limit_s`, and its values."""
    before = now_ms - limit_s * 1000
    where = "state = ? AND id < ? AND updated < ?"
    values: tuple[Any, ...] = (state, _first_id(before), before)
    if state in WAITING:
        where, values = f"{where} AND ready = 1 AND coalesce(not_before, 0) < ?", (*values, before)
    return f"SELECT id FROM jobs INDEXED BY jobs_state WHERE {where} ORDER BY id", values


def _first_id(ms: int) -> int:
    """The least id that a job may have which was accepted at this time."""
    return ids.next_id(0, ms, 0)


def _recent(now: datetime) -> int:
    return (codec.to_ms(now) or 0) - _MINUTE_MS


def _places(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values))


def _seconds(what: str) -> str:
    return f"json_extract(attempts.document, '$.result.{what}_seconds')"
