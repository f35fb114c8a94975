"""The reading side of the embedded store: a connection of its own, for every thread that only looks."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dialerd.core import ids
from dialerd.core.model import Attempt, Event, Job
from dialerd.core.signals import JobFilter
from dialerd.store import codec
from dialerd.store.opening import broken
from dialerd.store.rows import find_attempts, find_job
from dialerd.store.sqlite import FILE_NAME

_NO_ID = -1


class SqliteReader:
    """store/base.py's Reader. One connection under a lock: every query here reads one bounded page. All raise
    Broken where the file can't be read."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._db = sqlite3.connect(
            f"file:{self._path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
        )
        self._lock = threading.Lock()

    def job(self, job_id: str) -> tuple[Job, list[Attempt]] | None:
        """A job and all its attempts."""
        with self._asking() as db:
            job = find_job(db, job_id)
            return None if job is None else (job, find_attempts(db, job_id))

    def jobs(self, wanted: JobFilter) -> list[Job]:
        """One page of jobs, newest first."""
        where, values = _conditions(wanted)
        sql = f"SELECT {codec.JOB_COLUMNS} FROM jobs WHERE {where} ORDER BY id DESC LIMIT ?"
        with self._asking() as db:
            return [codec.row_job(row) for row in db.execute(sql, (*values, wanted.limit))]

    def events(
        self,
        after: int,
        limit: int,
        job: str | None = None,
        batch: str | None = None,
        types: Sequence[str] = (),
        owner: int | None = None,
        upto: int | None = None,
    ) -> list[Event]:
        """Events with an id above `after`, and not above `upto`, oldest first.

        Those of an owner or a batch are found by reading them all: `upto` bounds how long that takes.
        """
        where = ["id > ?"]
        values: list[Any] = [after, *types]
        if types:
            where.append(f"type IN ({','.join('?' * len(types))})")
        if upto is not None:
            where.append("id <= ?")
            values.append(upto)
        if job is not None:
            where.append("job = ?")
            values.append(_number(job))
        for column, value in (("batch", batch), ("owner", owner)):
            if value is not None:
                where.append(f"EXISTS (SELECT 1 FROM jobs WHERE jobs.id = events.job AND jobs.{column} = ?)")
                values.append(value)
        sql = f"SELECT id, at, job, type, data FROM events WHERE {' AND '.join(where)} ORDER BY id LIMIT ?"
        with self._asking() as db:
            return [codec.row_event(row) for row in db.execute(sql, (*values, limit))]

    def documents(self) -> set[str]:
        """The documents that jobs hold."""
        sql = (
            "SELECT DISTINCT json_extract(document, '$.task.document') FROM jobs"
            " WHERE kind <> 'call' AND kind = 'fax'"
        )
        with self._asking() as db:
            return {name for (name,) in db.execute(sql) if name}

    def last_event(self) -> int:
        """The id of the newest event, 0 where there is none."""
        with self._asking() as db:
            return int(db.execute("SELECT coalesce(max(id), 0) FROM events").fetchone()[0])

    def close(self) -> None:
        """Ends the use of the reader."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _asking(self) -> Iterator[sqlite3.Connection]:
        with self._lock, broken("read", self._path):
            yield self._db


def page_with_last(db: sqlite3.Connection, wanted: JobFilter) -> list[tuple[Job, Attempt | None]]:
    """One page of jobs, newest first, each with its newest attempt: one query for both."""
    where, values = _conditions(wanted)
    page = f"SELECT {codec.JOB_COLUMNS} FROM jobs WHERE {where} ORDER BY id DESC LIMIT ?"
    sql = (
        "SELECT page.*, newest.job, newest.number, newest.document"
        f" FROM ({page}) AS page LEFT JOIN attempts AS newest"
        " ON newest.job = page.id AND newest.number = page.attempts ORDER BY page.id DESC"
    )
    return [_job_and_last(tuple(row)) for row in db.execute(sql, (*values, wanted.limit))]


def _job_and_last(row: tuple[Any, ...]) -> tuple[Job, Attempt | None]:
    *job, attempt_job, number, document = row
    if document is None:
        return codec.row_job(tuple(job)), None
    return codec.row_job(tuple(job)), codec.row_attempt((attempt_job, number, document))


def _number(job_id: str) -> int:
    try:
        return ids.to_number(job_id)
    except ValueError:
        return _NO_ID


def _conditions(wanted: JobFilter) -> tuple[str, list[Any]]:
    where = ["1"]
    values: list[Any] = []
    if wanted.states:
        where.append(f"state IN ({','.join('?' * len(wanted.states))})")
        values.extend(wanted.states)
    named = {"owner": wanted.owner, "batch": wanted.batch, "number": wanted.to, "kind": wanted.kind}
    for column, value in named.items():
        if value is not None:
            where.append(f"{column} = ?")
            values.append(value)
    if wanted.kind not in (None, "call"):
        where.append("kind <> 'call'")  # so that the index jobs_kind is of use
    if wanted.tag is not None:
        where.append("id IN (SELECT job FROM tags WHERE tag = ?)")
        values.append(wanted.tag)
    if wanted.key is not None:
        where.append("id IN (SELECT job FROM keys WHERE key = ?)")
        values.append(wanted.key)
    if wanted.before is not None:
        where.append("id < ?")
        values.append(_number(wanted.before))
    return " AND ".join(where), values
