"""What stands beside the jobs in the store: their turns, paused batches, standing orders, and what was
used."""

import sqlite3
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from dialerd.core.budget import Used
from dialerd.core.model import Job
from dialerd.core.signals import Order
from dialerd.store import codec

OF_BATCH = "batch = ? AND +owner = ?"
"""A batch is found by its name, of which few users have the same: the + keeps SQLite from going through all
jobs of the owner (https://sqlite.org/optoverview.html, "Disqualifying WHERE clause terms using unary +")."""

Renewed = Callable[[str, int, int, str | None, int], int]
"""Trunk, priority, owner, batch and turn of a job that falls due → its turn from now on."""


class Standing:
    """A part of SqliteStore (store/base.py's Store). Every function runs inside the engine's transaction."""

    _db: sqlite3.Connection

    def first_turns(self) -> dict[tuple[str, int], int]:
        """The least turn of the due jobs of each trunk and priority."""
        rows = self._db.execute(
            "SELECT trunk, priority, min(turn) FROM jobs WHERE ready = 1 GROUP BY trunk, priority"
        )
        return {(trunk, priority): turn for trunk, priority, turn in rows}

    def last_turn(self, owner: int, batch: str) -> int | None:
        """The turn that the batch's newest job has, or None."""
        sql = f"SELECT turn FROM jobs WHERE {OF_BATCH} ORDER BY id DESC LIMIT 1"
        row = self._db.execute(sql, (batch, owner)).fetchone()
        return None if row is None else int(row[0])

    def park(self, job_id: str) -> None:
        """Takes a due job of a paused batch out of the way, until unpark_batch()."""
        self._db.execute("UPDATE jobs SET ready = 2 WHERE id = ?", (codec.number(job_id),))

    def park_batch(self, owner: int, batch: str, limit: int) -> int:
        """Parks waiting jobs of a batch; how many it were, 0 at the end."""
        sql = (
            "UPDATE jobs SET ready = 2 WHERE id IN (SELECT id FROM jobs"
            f" WHERE {OF_BATCH} AND ready IN (0, 1) ORDER BY id LIMIT ?)"
        )
        return self._db.execute(sql, (batch, owner, limit)).rowcount

    def unpark_batch(self, owner: int, batch: str, limit: int, renewed: Renewed) -> int:
        """Makes parked jobs wait again; how many it were, 0 at the end. Those whose time has not come are
        looked at again when they are due."""
        return self._make_due(f"{OF_BATCH} AND ready = 2 ORDER BY id LIMIT ?", (batch, owner, limit), renewed)

    def _make_due(self, where: str, values: tuple[Any, ...], renewed: Renewed) -> int:
        sql = f"SELECT id, attempts, turn, trunk, priority, owner, batch FROM jobs WHERE {where}"
        rows = self._db.execute(sql, values).fetchall()
        due = [
            (turn if attempts else renewed(trunk, priority, owner, batch, turn), id_)
            for id_, attempts, turn, trunk, priority, owner, batch in rows
        ]
        self._db.executemany("UPDATE jobs SET ready = 1, turn = ? WHERE id = ?", due)
        return len(rows)

    def waiting_of_batch(self, owner: int, batch: str, limit: int) -> list[Job]:
        """Some jobs of a batch that wait, or are held."""
        where = f"{OF_BATCH} AND (ready IS NOT NULL OR state = 'held') LIMIT ?"
        rows = self._db.execute(f"SELECT {codec.JOB_COLUMNS} FROM jobs WHERE {where}", (batch, owner, limit))
        return [codec.row_job(row) for row in rows]

    def recall_batch(self, owner: int, batch: str, kinds: Collection[str]) -> list[Job]:
        """Writes of all jobs of a batch that providers have, or are being sent, that their end is asked for:
        none is tried again. Returns those of some kinds that providers have."""
        where = f"{OF_BATCH} AND state IN ('active', 'submitted') AND look_at IS NOT NULL"
        self._db.execute(f"UPDATE jobs SET requested = 'cancel' WHERE {where}", (batch, owner))
        marks = ", ".join("?" * len(kinds))
        where = f"{OF_BATCH} AND state = 'submitted' AND look_at IS NOT NULL AND kind IN ({marks})"
        rows = self._db.execute(f"SELECT {codec.JOB_COLUMNS} FROM jobs WHERE {where}", (batch, owner, *kinds))
        return [codec.row_job(row) for row in rows]

    def wake(self, reason: str, now: datetime) -> int:
        """Makes jobs due that wait for a time and a reason that begins so; how many it were."""
        found = self._db.execute(
            "UPDATE jobs SET not_before = ? WHERE ready = 0 AND not_before > ?"
            " AND substr(reason, 1, length(?)) = ?",
            (codec.to_ms(now), codec.to_ms(now), reason, reason),
        )
        return found.rowcount

    def has_batch(self, owner: int, batch: str) -> bool:
        """Whether any job has this batch."""
        sql = f"SELECT 1 FROM jobs WHERE {OF_BATCH} LIMIT 1"
        return self._db.execute(sql, (batch, owner)).fetchone() is not None

    def orders(self) -> list[Order]:
        """The standing orders."""
        rows = self._db.execute("SELECT scope, word, owner, at, reason FROM orders ORDER BY scope")
        return [
            Order(scope, word, owner, codec.moment(at), reason) for scope, word, owner, at, reason in rows
        ]

    def save_order(self, order: Order) -> None:
        """Writes a standing order."""
        row = (order.scope, order.word, order.owner, codec.to_ms(order.at), order.reason)
        self._db.execute("INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?, ?)", row)

    def remove_order(self, scope: str) -> None:
        """Ends a standing order."""
        self._db.execute("DELETE FROM orders WHERE scope = ?", (scope,))

    def usage(self, day: str) -> Mapping[str, Used]:
        """What was used on a day, by scope."""
        rows = self._db.execute("SELECT scope, calls, seconds, cost FROM usage WHERE day = ?", (day,))
        return {scope: Used(*figures) for scope, *figures in rows}

    def add_usage(self, day: str, scope: str, used: Used) -> None:
        """Counts to what was used on a day."""
        self._db.execute(
            "INSERT INTO usage VALUES (?, ?, ?, ?, ?) ON CONFLICT (day, scope) DO UPDATE SET"
            " calls = calls + excluded.calls, seconds = seconds + excluded.seconds,"
            " cost = cost + excluded.cost",
            (day, scope, used.calls, used.seconds, used.cost),
        )

    def is_new_area(self, trunk: str, area: str, now: datetime) -> bool:
        """Whether a trunk never called this area before; from now on it has."""
        row = (trunk, area, codec.to_ms(now))
        return self._db.execute("INSERT OR IGNORE INTO areas VALUES (?, ?, ?)", row).rowcount == 1
