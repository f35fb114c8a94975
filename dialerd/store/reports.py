"""How far each sink has been told, and what is still to be delivered: an SQLite file beside the queue.

WAL and synchronous=FULL as the queue's own (store/sqlite.py). Only ids lie here: what a report says is read
from the queue when it is sent. Safe to use from any thread; every function may raise Broken.

INDEXED BY stands where SQLite, which knows nothing of how many rows a sink has, would else read all of them.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dialerd.core import ids
from dialerd.core.reporting import Delivery, SinkFigures
from dialerd.store.codec import from_ms, to_ms
from dialerd.store.reports_file import Counts, ReportsFile

CHUNK = 1000
"""Rows that one transaction changes at most."""

EVERYTHING = 2**62

_DEAD = 2
_COLUMNS = "sink, event, job, tries, next_at, first_at, last_error, stage"


class ReportStore(ReportsFile):
    """The cursors and the deliveries. One at a time per file: the caller holds the state folder's lock."""

    # Sinks

    def sinks(self) -> dict[str, int]:
        """The sinks that were ever configured and not forgotten, with their cursors."""
        with self._reading() as db:
            return dict(db.execute("SELECT name, cursor FROM sinks"))

    def add_sink(self, sink: str, cursor: int) -> None:
        """A new sink, which is told what comes after the event `cursor`."""
        with self.transaction() as db:
            db.execute("INSERT INTO sinks VALUES (?, ?, 0)", (sink, cursor))
            self._counts[sink] = Counts()

    def forget_sink(self, sink: str) -> int:
        """Drops a sink and all that was to be delivered to it; returns how many reports that were."""
        dropped = 0
        while True:
            with self.transaction() as db:
                done = db.execute(
                    "DELETE FROM deliveries WHERE (sink, event) IN"
                    " (SELECT sink, event FROM deliveries WHERE sink = ? LIMIT ?)",
                    (sink, CHUNK),
                ).rowcount
                dropped += done
                if done < CHUNK:
                    db.execute("DELETE FROM sinks WHERE name = ?", (sink,))
                    self._counts.pop(sink, None)
                    return dropped

    def set_cursor(self, sink: str, cursor: int) -> None:
        """Writes how far a sink has been looked after."""
        with self.transaction() as db:
            db.execute("UPDATE sinks SET cursor = ? WHERE name = ?", (cursor, sink))

    def take_up(self, sink: str, events: Sequence[tuple[int, str]], cursor: int, now: datetime) -> None:
        """Puts in what is to be delivered (event and job), and moves the cursor: both or neither."""
        with self.transaction() as db:
            for event, job in events:
                self._add(db, sink, event, ids.to_number(job), to_ms(now))
            self.set_cursor(sink, cursor)

    def _add(self, db: sqlite3.Connection, sink: str, event: int, job: int, ms: int | None) -> None:
        stage = (
            "EXISTS (SELECT 1 FROM deliveries INDEXED BY deliveries_job"
            " WHERE sink = :sink AND job = :job AND stage < 2)"
        )
        values = {"sink": sink, "event": event, "job": job, "now": ms}
        done = db.execute(
            f"INSERT OR IGNORE INTO deliveries VALUES (:sink, :event, :job, {stage}, 0, :now, :now, '')",
            values,
        )
        self._counts[sink].pending += done.rowcount

    # Deliveries

    def due(self, sink: str, now: datetime, limit: int) -> list[Delivery]:
        """What may be tried now, the longest due first: of each job only the first that is not delivered."""
        where = "sink = ? AND stage = 0 AND next_at <= ? ORDER BY next_at, event LIMIT ?"
        return self._deliveries(where, (sink, to_ms(now), limit), "deliveries_due")

    def next_due(self, sink: str) -> datetime | None:
        """When the next falls due, or None where nothing waits."""
        with self._reading() as db:
            row = db.execute(
                "SELECT next_at FROM deliveries INDEXED BY deliveries_due"
                " WHERE sink = ? AND stage = 0 ORDER BY next_at LIMIT 1",
                (sink,),
            ).fetchone()
        return None if row is None else _time(row[0])

    def delivered(self, sink: str, event: int) -> None:
        """Takes a delivery out, and counts it; the next of its job may go."""
        if self.drop(sink, event):
            with self.transaction() as db:
                db.execute("UPDATE sinks SET delivered = delivered + 1 WHERE name = ?", (sink,))
                self._counts[sink].delivered += 1

    def drop(self, sink: str, event: int) -> bool:
        """Takes a delivery out without counting it. False where it was gone already."""
        with self.transaction() as db:
            row = db.execute(
                "DELETE FROM deliveries WHERE sink = ? AND event = ? RETURNING job, stage", (sink, event)
            ).fetchone()
            if row is None:
                return False
            self._moved(sink, -1, dead=row[1] == _DEAD)
            self._promote(db, sink, row[0])
            return True

    def failed(self, sink: str, event: int, why: str, next_at: datetime) -> None:
        """A try failed; the next is at `next_at`."""
        with self.transaction() as db:
            db.execute(
                "UPDATE deliveries SET tries = tries + 1, last_error = ?, next_at = ?"
                " WHERE sink = ? AND event = ? AND stage < 2",
                (why, to_ms(next_at), sink, event),
            )

    def give_up(self, sink: str, event: int, why: str, tried: int = 1) -> None:
        """Makes a delivery dead; the next of its job may go."""
        with self.transaction() as db:
            row = db.execute(
                "UPDATE deliveries SET stage = 2, tries = tries + ?, last_error = ?"
                " WHERE sink = ? AND event = ? AND stage < 2 RETURNING job",
                (tried, why, sink, event),
            ).fetchone()
            if row is not None:
                self._moved(sink, -1, dead=False)
                self._moved(sink, 1, dead=True)
                self._promote(db, sink, row[0])

    def lapse(self, sink: str, before: datetime, why: str) -> int:
        """Gives up what was taken up before then, a bounded number at once; returns how many that were."""
        where = "sink = ? AND stage < 2 AND first_at <= ? ORDER BY event LIMIT ?"
        found = self._deliveries(where, (sink, to_ms(before), CHUNK), "deliveries_open")
        with self.transaction():
            for each in found:
                self.give_up(sink, each.event, each.last_error or why, tried=0)
        return len(found)

    def retry(self, sink: str, now: datetime) -> int:
        """Makes all that waits due now, and the dead ones alive; returns how many those were."""
        revived = 0
        with self.transaction() as db:
            db.execute(
                "UPDATE deliveries SET next_at = ? WHERE sink = ? AND stage < 2 AND next_at > ?",
                (to_ms(now), sink, to_ms(now)),
            )
        while done := self._revive(sink, now):
            revived += done
        return revived

    def _revive(self, sink: str, now: datetime) -> int:
        with self.transaction() as db:
            rows = db.execute(
                "UPDATE deliveries SET stage = 1, tries = 0, next_at = ?1, first_at = ?1"
                " WHERE sink = ?2 AND event IN"
                " (SELECT event FROM deliveries INDEXED BY deliveries_dead"
                " WHERE sink = ?2 AND stage = 2 ORDER BY event LIMIT ?3)"
                " RETURNING job",
                (to_ms(now), sink, CHUNK),
            ).fetchall()
            for job in {row[0] for row in rows}:
                db.execute(
                    "UPDATE deliveries INDEXED BY deliveries_job SET stage = 1"
                    " WHERE sink = ? AND job = ? AND stage = 0 AND stage < 2",
                    (sink, job),
                )
                self._promote(db, sink, job)
            self._moved(sink, -len(rows), dead=True)
            self._moved(sink, len(rows), dead=False)
        return len(rows)

    def bring_forward(self, beyond: datetime, now: datetime) -> None:
        """Makes due what waits until after `beyond`: no schedule of ours goes so far, the clock went back."""
        with self.transaction() as db:
            db.execute(
                "UPDATE deliveries SET next_at = ? WHERE stage < 2 AND next_at > ?",
                (to_ms(now), to_ms(beyond)),
            )

    def _promote(self, db: sqlite3.Connection, sink: str, job: int) -> None:
        db.execute(
            "UPDATE deliveries SET stage = 0 WHERE sink = ?1 AND event ="
            " (SELECT event FROM deliveries INDEXED BY deliveries_job"
            " WHERE sink = ?1 AND job = ?2 AND stage < 2 ORDER BY event LIMIT 1)",
            (sink, job),
        )

    def _moved(self, sink: str, count: int, dead: bool) -> None:
        counts = self._counts[sink]
        if dead:
            counts.dead += count
        else:
            counts.pending += count

    # What is shown

    def listing(
        self, sink: str | None = None, dead: bool | None = None, after: str = "", limit: int = 100
    ) -> list[Delivery]:
        """One page, by sink and event. `after` is SINK/EVENT of the last one on the page before."""
        name, _, event = after.rpartition("/")
        where = ["(sink, event) > (?, ?)"]
        values: list[Any] = [name, int(event or 0)]
        if sink is not None:
            where.append("sink = ?")
            values.append(sink)
        if dead is not None:
            where.append("stage = 2" if dead else "stage < 2")
        return self._deliveries(f"{' AND '.join(where)} ORDER BY sink, event LIMIT ?", (*values, limit))

    def figures(self) -> dict[str, SinkFigures]:
        """The counts of each sink."""
        with self._lock:
            return {
                sink: SinkFigures(each.pending, each.dead, each.delivered)
                for sink, each in self._counts.items()
            }

    def oldest_needed(self) -> int:
        """The event up to which all may be forgotten: what comes after it is still to be told to a sink."""
        with self._reading() as db:
            needed = EVERYTHING
            for sink, cursor in db.execute("SELECT name, cursor FROM sinks").fetchall():
                row = db.execute(
                    "SELECT event FROM deliveries INDEXED BY deliveries_open"
                    " WHERE sink = ? AND stage < 2 ORDER BY event LIMIT 1",
                    (sink,),
                ).fetchone()
                needed = min(needed, cursor, EVERYTHING if row is None else row[0] - 1)
            return needed

    def close(self) -> None:
        """Ends the use of the file."""
        with self._lock:
            self._db.close()

    def _deliveries(self, where: str, values: tuple[Any, ...], index: str = "") -> list[Delivery]:
        by = f"INDEXED BY {index}" if index else ""
        with self._reading() as db:
            rows = db.execute(f"SELECT {_COLUMNS} FROM deliveries {by} WHERE {where}", values)
            return [_delivery(row) for row in rows]


def _delivery(row: tuple[Any, ...]) -> Delivery:
    sink, event, job, tries, next_at, first_at, last_error, stage = row
    return Delivery(
        sink=sink,
        event=event,
        job=ids.to_text(job),
        tries=tries,
        next_at=_time(next_at),
        first_at=_time(first_at),
        last_error=last_error,
        dead=stage == _DEAD,
    )


def _time(ms: int) -> datetime:
    """A column's time that is always there."""
    time = from_ms(ms)
    assert time is not None
    return time
