"""Retention: what ended long ago is redacted, and later purged, in steps that no call waits for.

A step looks at a bounded number of ended jobs, from the place on that the step before came to. Jobs with an
event that somebody still needs are left for a later round. A purged job's key stays for a while
(`purged_keys`), and refuses a second job.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from dialerd.core import redaction
from dialerd.core.model import Job
from dialerd.core.states import ENDED, State
from dialerd.store import codec

LOOKED_AT = 5
"""For each job that a step may change, it looks at so many."""

Place = tuple[int, int]
"""How far a round has come: when the last job that was looked at was written (ms), and its number."""

START: Place = (0, 0)


@dataclass(frozen=True, slots=True)
class Tidied:
    """To how many jobs a step did something, and where the next one goes on; None where nothing is left."""

    count: int
    place: Place | None


@dataclass(frozen=True, slots=True)
class _Row:
    """What a step knows of a job."""

    number: int
    owner: int
    state: str
    updated: int
    key: str | None
    redacted: bool
    kind: str


_COLUMNS = (
    "id, owner, state, updated, json_extract(document, '$.key'), json_extract(document, '$.redacted'), kind"
)


class Retention:
    """A part of SqliteStore (store/base.py's Store). Every function runs inside the engine's transaction."""

    _db: sqlite3.Connection
    _counts: Counter[State]
    _kinds: Counter[tuple[State, str]]

    def purge(
        self,
        now: datetime,
        before: datetime,
        states: Collection[State],
        limit: int,
        place: Place = START,
        needed: int | None = None,
    ) -> Tidied:
        """Removes up to `limit` jobs that ended before a time in one of these states, and all that is known
        of them but their keys. `needed` is the oldest event that is still to be reported."""

        def wanted(row: _Row) -> bool:
            return row.state in states and row.state in ENDED

        rows, place_now = self._step(before, limit, place, needed, wanted)
        keys = [(codec.to_ms(now), row.owner, row.key) for row in rows if row.key is not None]
        self._db.executemany("INSERT OR IGNORE INTO purged_keys VALUES (?, ?, ?)", keys)
        numbers = [row.number for row in rows]
        for table, column in (("tags", "job"), ("attempts", "job"), ("events", "job"), ("jobs", "id")):
            self._db.execute(f"DELETE FROM {table} WHERE {column} IN ({_places(numbers)})", numbers)
        self._counts.subtract(State(row.state) for row in rows)
        self._kinds.subtract((State(row.state), row.kind) for row in rows)
        return Tidied(len(rows), place_now)

    def forget_keys(self, before: datetime, limit: int) -> int:
        """Frees keys whose jobs were purged before a time; how many it were."""
        sql = "SELECT at, owner, key FROM purged_keys WHERE at < ? ORDER BY at LIMIT ?"
        found = self._db.execute(sql, (codec.to_ms(before), limit)).fetchall()
        self._db.executemany("DELETE FROM keys WHERE owner = ? AND key = ?", [row[1:] for row in found])
        self._db.executemany("DELETE FROM purged_keys WHERE at = ? AND owner = ? AND key = ?", found)
        return len(found)

    def redact(self, before: datetime, limit: int, place: Place = START, needed: int | None = None) -> Tidied:
        """Takes the people out of up to `limit` jobs that ended before a time, and out of their attempts and
        events (core/redaction.py)."""

        def wanted(row: _Row) -> bool:
            return row.state in ENDED and not row.redacted

        rows, place_now = self._step(before, limit, place, needed, wanted)
        for row in rows:
            _redact_job(self._db, row.number)
        return Tidied(len(rows), place_now)

    def overstayed(self, state: State, before: datetime, after: int, limit: int) -> tuple[list[Job], int]:
        """Jobs that have been in a state since before a time and of which no event "stuck" tells yet, among
        the `limit` oldest behind the number `after`; and where to look on, 0 at the end. What a provider has
        is followed elsewhere."""
        ms = codec.to_ms(before)
        sql = "SELECT id FROM jobs INDEXED BY jobs_state WHERE state = ? AND id > ? ORDER BY id LIMIT ?"
        numbers = [row[0] for row in self._db.execute(sql, (state, after, limit))]
        told = "SELECT 1 FROM events WHERE job = jobs.id AND type = 'stuck' AND at >= jobs.updated"
        sql = (
            f"SELECT {codec.JOB_COLUMNS} FROM jobs WHERE id IN ({_places(numbers)}) AND updated < ?"
            f" AND (state = ? OR look_at IS NULL) AND NOT EXISTS ({told}) ORDER BY id"
        )
        values = (*numbers, ms, State.HELD)
        jobs = [codec.row_job(row) for row in self._db.execute(sql, values)]
        return jobs, numbers[-1] if len(numbers) == limit else 0

    def _step(
        self,
        before: datetime,
        limit: int,
        place: Place,
        needed: int | None,
        wanted: Callable[[_Row], bool],
    ) -> tuple[list[_Row], Place | None]:
        """The wanted rows among the next ones, and how far that reaches."""
        sql = (
            f"SELECT {_COLUMNS} FROM jobs WHERE ready IS NULL AND updated < ? AND (updated, id) > (?, ?)"
            " ORDER BY updated, id LIMIT ?"
        )
        looked_at, found = 0, []
        for row in self._db.execute(sql, (codec.to_ms(before), *place, limit * LOOKED_AT)):
            looked_at, known = looked_at + 1, _Row(*row)
            place = known.updated, known.number
            if wanted(known) and not _is_needed(self._db, known.number, needed):
                found.append(known)
                if len(found) == limit:
                    return found, place
        return found, place if looked_at == limit * LOOKED_AT else None


def _is_needed(db: sqlite3.Connection, job: int, needed: int | None) -> bool:
    if needed is None:
        return False
    newest = db.execute("SELECT max(id) FROM events WHERE job = ?", (job,)).fetchone()[0]
    return newest is not None and newest >= needed


def _redact_job(db: sqlite3.Connection, number: int) -> None:
    """The same job without the people in it. Its document says that it is redacted."""
    sql = f"SELECT {codec.JOB_COLUMNS} FROM jobs WHERE id = ?"
    job = redaction.job(codec.row_job(db.execute(sql, (number,)).fetchone()))
    row = dict(zip(codec.JOB_COLUMNS.split(", "), codec.job_row(job), strict=True))
    db.execute(
        "UPDATE jobs SET number = ?, reason = ?, document = json_set(?, '$.redacted', json('true'))"
        " WHERE id = ?",
        (row["number"], row["reason"], row["document"], number),
    )
    attempts = db.execute("SELECT job, number, document FROM attempts WHERE job = ?", (number,)).fetchall()
    for each in attempts:
        job_number, attempt, document, *_ = codec.attempt_row(redaction.attempt(codec.row_attempt(each)))
        sql = "UPDATE attempts SET document = ? WHERE job = ? AND number = ?"
        db.execute(sql, (document, job_number, attempt))
    events = db.execute("SELECT id, at, job, type, data FROM events WHERE job = ?", (number,)).fetchall()
    for each in events:
        event = codec.row_event(each)
        data = codec.event_data(redaction.data(event.data))
        if data != each[-1]:
            db.execute("UPDATE events SET data = ? WHERE id = ?", (data, event.id))


def _places(values: Sequence[int]) -> str:
    return ",".join("?" * len(values))
