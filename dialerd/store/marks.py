"""What a store remembers of itself, in its table `meta`: a restore, and from where on its numbers go."""

import sqlite3
from datetime import datetime

from dialerd.core import attempts, ids
from dialerd.core.model import Job
from dialerd.store import codec
from dialerd.store.rows import jobs_where

_LEAP = 1_000_000_000
"""More events than come between a backup and its restore, where the clock can't be relied on."""


class Marks:
    """A part of SqliteStore. `mark_restored` and `not_over` are for a restore, while no dialerd runs."""

    _db: sqlite3.Connection
    _last_id: int
    _floor = _upto = 0

    def _read_marks(self) -> None:
        found = dict(self._db.execute("SELECT name, value FROM meta"))
        self._floor = int(found.get("attempts_above", 0))
        self._upto = int(found.get("jobs_upto", 0))
        self._last_id = max(self._last_id, self._upto)

    def next_attempt(self, job: Job) -> int:
        """The number of a job's next attempt, which none of its attempts ever had."""
        old = codec.number(job.id) <= self._upto
        return attempts.following(job.attempts, self._floor if old else 0)

    def not_over(self, after: int, limit: int) -> tuple[list[Job], int]:
        """Some jobs that have not ended, by their ids, behind the number `after`; and where to go on."""
        where = (
            "id > ? AND state IN ('queued', 'deferred', 'active', 'submitted', 'held') ORDER BY id LIMIT ?"
        )
        jobs = jobs_where(self._db, where, (after, limit))
        return jobs, codec.number(jobs[-1].id) if jobs else after

    def mark_restored(self, now: datetime) -> None:
        """From now on no id of a job or an event, and no number of an attempt, is one that was given out
        between the backup and now. Inside a transaction."""
        ms = codec.to_ms(now) or 0
        self._last_id = self._upto = ids.next_id(self._last_id, ms, -1)
        self._floor = max(self._floor + attempts.ROUND, attempts.round_of(now))
        marks = {"attempts_above": self._floor, "jobs_upto": self._upto, "restored": ms}
        rows = [(name, str(value)) for name, value in marks.items()]
        self._db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)
        newest = self._db.execute(
            "SELECT max(coalesce((SELECT max(id) FROM events), 0),"
            " coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0))"
        ).fetchone()[0]
        self._db.execute("DELETE FROM sqlite_sequence WHERE name = 'events'")
        self._db.execute(
            "INSERT INTO sqlite_sequence VALUES ('events', ?)", (max(newest + _LEAP, ms * 1000),)
        )
