"""The file behind store/reports.py: opening and migrating it, transactions, and the counts kept of it."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dialerd.store.opening import broken, migrate, refuse_newer

FILE_NAME = "reports.sqlite3"

STEPS = (
    """
    CREATE TABLE sinks (
        name TEXT PRIMARY KEY,
        cursor INTEGER NOT NULL,    -- the newest event that was looked at
        delivered INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE deliveries (
        sink TEXT NOT NULL,
        event INTEGER NOT NULL,
        job INTEGER NOT NULL,
        stage INTEGER NOT NULL,     -- 0 the first of its job, 1 waits behind an earlier one, 2 dead
        tries INTEGER NOT NULL,
        next_at INTEGER NOT NULL,   -- ms since the epoch, as all times here
        first_at INTEGER NOT NULL,
        last_error TEXT NOT NULL,
        PRIMARY KEY (sink, event)
    ) WITHOUT ROWID;
    CREATE INDEX deliveries_due ON deliveries (sink, next_at, event) WHERE stage = 0;
    CREATE INDEX deliveries_job ON deliveries (sink, job, event) WHERE stage < 2;
    CREATE INDEX deliveries_open ON deliveries (sink, event) WHERE stage < 2;
    CREATE INDEX deliveries_dead ON deliveries (sink, event) WHERE stage = 2;
    """,
    """
    CREATE TABLE meta (             -- store/opening.py: which dialerd wrote here last
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) WITHOUT ROWID;
    """,
)
"""One step a version, as in store/schema.py: a released one is never changed."""


@dataclass
class Counts:
    """Of one sink's deliveries."""

    pending: int = 0
    dead: int = 0
    delivered: int = 0


class ReportsFile:
    """One connection under a lock. Every function may raise Broken."""

    def __init__(self, folder: Path) -> None:
        """Opens or makes the file. Raises Broken where it can't be used, or is of a newer dialerd."""
        self.path = folder / FILE_NAME
        self._lock = threading.RLock()
        self._counts: dict[str, Counts] = {}
        refuse_newer(self.path, len(STEPS))
        with self._broken("opened"):
            self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            try:
                self._open()
            except BaseException:
                self._db.close()
                raise

    def _open(self) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA cache_size = -4000")
        migrate(self._db, STEPS)
        self._count()

    def _count(self) -> None:
        rows = self._db.execute("SELECT name, delivered FROM sinks")
        self._counts = {name: Counts(delivered=delivered) for name, delivered in rows}
        rows = self._db.execute("SELECT sink, stage = 2, count(*) FROM deliveries GROUP BY 1, 2")
        for sink, dead, count in rows:
            if sink in self._counts:
                setattr(self._counts[sink], "dead" if dead else "pending", count)

    @contextmanager
    def _broken(self, done: str) -> Iterator[None]:
        with broken(done, self.path):
            yield

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._broken("read"):
            yield self._db

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                with self._broken("written"):
                    self._db.execute("BEGIN IMMEDIATE")
                    yield self._db
                    self._db.execute("COMMIT")
            except BaseException:
                with self._broken("read"):
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")
                    self._count()
                raise

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything done inside is on disk when it ends well, and undone when it raises. Inside another
        it is a part of that."""
        with self._lock:
            if self._db.in_transaction:
                yield self._db
                return
            with self._writing() as db:
                yield db
