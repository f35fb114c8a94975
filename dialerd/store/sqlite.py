"""The embedded store: one SQLite file in WAL mode, synced at every commit (synchronous=FULL).

Facts: https://sqlite.org/wal.html and https://sqlite.org/pragma.html#pragma_synchronous ("FULL ... WAL is
synced after each transaction"). One connection writes; readers have their own and never block it.
"""

import os
import secrets
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any

from dialerd.core import ids
from dialerd.core.meters import NOBODY, Meters
from dialerd.core.model import Attempt, Job
from dialerd.core.states import IN_FLIGHT, State
from dialerd.core.tasks import KINDS
from dialerd.store import codec
from dialerd.store.following import Following
from dialerd.store.marks import Marks
from dialerd.store.opening import broken, migrate, refuse_newer
from dialerd.store.retention import Retention
from dialerd.store.rows import find_attempts, find_job, jobs_where, with_attempts
from dialerd.store.schema import STEPS
from dialerd.store.standing import Renewed, Standing

_PLACES = ",".join("?" * len(codec.JOB_COLUMNS.split(",")))

FILE_NAME = "dialerd.sqlite3"
PROMOTE_LIMIT = 2000
"""Jobs that fall due are marked so in steps of this many, so that no transaction grows with the queue."""


class SqliteStore(Standing, Following, Retention, Marks):
    """The writing side (store/base.py). One at a time per file: the caller holds the state folder's lock."""

    def __init__(self, folder: Path) -> None:
        """Opens or makes the store. Raises Broken where the file can't be used, or is of a newer dialerd."""
        self.path = folder / FILE_NAME
        self.meters: Meters = NOBODY
        refuse_newer(self.path, len(STEPS))
        with broken("opened", self.path):
            self._db = sqlite3.connect(
                self.path, isolation_level=None, cached_statements=64, check_same_thread=False
            )
            try:
                self._open()
            except BaseException:
                self._db.close()
                raise

    def _open(self) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA cache_size = -16000")
        migrate(self._db, STEPS)
        self._last_id = self._db.execute("SELECT coalesce(max(id), 0) FROM jobs").fetchone()[0]
        self._read_marks()
        rows = self._db.execute("SELECT state, count(*) FROM jobs GROUP BY state")
        self._counts = Counter(dict.fromkeys(State, 0))
        self._counts.update({codec.state(state): count for state, count in rows})
        self._kinds = self._count_kinds()

    def _count_kinds(self) -> Counter[tuple[State, str]]:
        """Calls are what is of no other kind: only the others are read."""
        sql = "SELECT state, kind, count(*) FROM jobs WHERE kind <> 'call' GROUP BY state, kind"
        others = [(State(state), kind, count) for state, kind, count in self._db.execute(sql)]
        kinds = Counter(dict.fromkeys(((state, kind) for state in State for kind in KINDS), 0))
        kinds.update({(state, kind): count for state, kind, count in others})
        for state, count in self._counts.items():
            kinds[state, "call"] = count - sum(some for of, _, some in others if of is state)
        return kinds

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything done inside is on disk when it ends well, and undone when it raises."""
        before, kinds_before = self._counts.copy(), self._kinds.copy()
        try:
            with broken("written", self.path):
                self._db.execute("BEGIN IMMEDIATE")
                yield
                begun = monotonic()
                self._db.execute("COMMIT")
                self.meters.committed(monotonic() - begun)
        except BaseException:
            self._counts, self._kinds = before, kinds_before
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def new_id(self, now: datetime) -> str:
        """An id that no job had before; it grows even where the clock goes back."""
        self._last_id = ids.next_id(self._last_id, codec.to_ms(now) or 0, secrets.randbits(32))
        return ids.to_text(self._last_id)

    def add_job(self, job: Job, digest: bytes) -> None:
        """Puts a new job in, with its key where it has one."""
        row = codec.job_row(job)
        self._db.execute(f"INSERT INTO jobs ({codec.JOB_COLUMNS}) VALUES ({_PLACES})", row)
        if job.key is not None:
            self._db.execute("INSERT INTO keys VALUES (?, ?, ?, ?)", (job.owner, job.key, row[0], digest))
        for tag in job.tags:
            self._db.execute("INSERT INTO tags VALUES (?, ?)", (tag, row[0]))
        self._counts[job.state] += 1
        self._kinds[job.state, job.kind] += 1

    def find_key(self, owner: int, key: str) -> tuple[str, bytes] | None:
        """The job id and the digest that this owner used the key for."""
        row = self._db.execute(
            "SELECT job, digest FROM keys WHERE owner = ? AND key = ?", (owner, key)
        ).fetchone()
        return None if row is None else (ids.to_text(row[0]), row[1])

    def save_job(self, job: Job) -> None:
        """Writes what may change in a job: state, times, counts, reason."""
        number = ids.to_number(job.id)
        old = self._db.execute("SELECT state FROM jobs WHERE id = ?", (number,)).fetchone()
        self._db.execute(
            "UPDATE jobs SET state = ?, ready = ?, not_before = ?, not_after = ?, updated = ?, attempts = ?,"
            " retries = ?, reason = ?, requested = ?, trunk = ?, turn = ?, disposition = ?, look_at = ?"
            " WHERE id = ?",
            (
                job.state,
                codec.ready(job),
                codec.to_ms(job.not_before),
                codec.to_ms(job.not_after),
                codec.to_ms(job.updated),
                job.attempts,
                job.retries,
                job.reason,
                job.requested,
                *codec.place(job),
                number,
            ),
        )
        was, kind = State(old[0]), job.kind
        self._counts[was] -= 1
        self._counts[job.state] += 1
        self._kinds[was, kind] -= 1
        self._kinds[job.state, kind] += 1

    def save_attempt(self, attempt: Attempt) -> None:
        """Writes an attempt, new or known."""
        row = codec.attempt_row(attempt)
        self._db.execute("INSERT OR REPLACE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def add_event(self, at: datetime, job: str, type: str, data: Mapping[str, Any]) -> int:
        """Appends an event; returns its id."""
        row = (codec.to_ms(at), ids.to_number(job), type, codec.event_data(dict(data)))
        cursor = self._db.execute("INSERT INTO events (at, job, type, data) VALUES (?, ?, ?, ?)", row)
        return cursor.lastrowid or 0

    def find_job(self, job_id: str) -> Job | None:
        """The job, or None."""
        return find_job(self._db, job_id)

    def last_attempt(self, job_id: str) -> Attempt | None:
        """The newest attempt of a job, or None."""
        attempts = find_attempts(self._db, job_id, "DESC LIMIT 1")
        return attempts[0] if attempts else None

    def attempts(self, job_id: str) -> list[Attempt]:
        """All attempts of a job, oldest first."""
        return find_attempts(self._db, job_id)

    def promote(self, now: datetime, renewed: Renewed) -> bool:
        """Marks the jobs whose not_before has come as due; whether there may be more of them. Those that
        were never tried get the turn that is `renewed`."""
        where = "ready = 0 AND not_before <= ? ORDER BY not_before LIMIT ?"
        return self._make_due(where, (codec.to_ms(now), PROMOTE_LIMIT), renewed) == PROMOTE_LIMIT

    def trunks_due(self) -> list[str]:
        """The trunks that due jobs wait for. Steps from one to the next in the index, whatever lies
        between."""
        rows = self._db.execute(
            "WITH RECURSIVE trunks (name) AS ("
            " SELECT min(trunk) FROM jobs WHERE ready = 1 UNION ALL"
            " SELECT (SELECT min(trunk) FROM jobs WHERE ready = 1 AND trunk > name) FROM trunks"
            " WHERE name IS NOT NULL) SELECT name FROM trunks WHERE name IS NOT NULL"
        )
        return [name for (name,) in rows]

    def due(self, trunk: str, limit: int, least: int = 0, most: int = 9, skip: int = 0) -> list[Job]:
        """The jobs of a trunk to lease now, of these priorities, the most urgent and then by turn, behind the
        first `skip`. Reads no more than `limit` rows."""
        where = (
            "ready = 1 AND trunk = ? AND priority BETWEEN ? AND ?"
            " ORDER BY priority DESC, turn, id LIMIT ? OFFSET ?"
        )
        return jobs_where(self._db, where, (trunk, least, most, limit, skip))

    def next_due(self) -> datetime | None:
        """When the next waiting job falls due, or None."""
        sql = "SELECT not_before FROM jobs WHERE ready = 0 ORDER BY not_before LIMIT 1"
        row = self._db.execute(sql).fetchone()
        return None if row is None else codec.from_ms(row[0])

    def overdue(self, now: datetime, limit: int) -> list[Job]:
        """Waiting jobs whose not_after has passed."""
        where = "ready IS NOT NULL AND not_after IS NOT NULL AND not_after <= ? ORDER BY not_after LIMIT ?"
        return jobs_where(self._db, where, (codec.to_ms(now), limit))

    def in_flight(self) -> list[tuple[Job, Attempt]]:
        """Every active or submitted job that Asterisk has, with its attempt."""
        return with_attempts(self._db, "state IN (?, ?) AND look_at IS NULL", IN_FLIGHT)

    def counts(self) -> Mapping[State, int]:
        """How many jobs are in each state."""
        return dict(self._counts)

    def free_bytes(self) -> int:
        """Free space on the store's file system; 0 also when it has no inode left, or can't be looked
        at."""
        try:
            state = os.statvfs(self.path.parent)
        except OSError:
            return 0
        return 0 if state.f_files and not state.f_favail else state.f_bavail * state.f_frsize

    def kinds(self) -> Mapping[tuple[State, str], int]:
        """How many jobs of each kind are in each state. Kept, since counting a million jobs takes seconds."""
        return dict(self._kinds)

    def close(self) -> None:
        """Ends the use of the store."""
        self._db.close()
