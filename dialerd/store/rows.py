"""Jobs and attempts as they are read from the tables."""

import sqlite3
from typing import Any

from dialerd.core import ids
from dialerd.core.errors import Broken
from dialerd.core.model import Attempt, Job
from dialerd.store import codec


def jobs_where(db: sqlite3.Connection, where: str, values: tuple[Any, ...]) -> list[Job]:
    """The jobs that a condition holds for."""
    rows = db.execute(f"SELECT {codec.JOB_COLUMNS} FROM jobs WHERE {where}", values)
    return [codec.row_job(row) for row in rows]


def with_attempts(db: sqlite3.Connection, where: str, values: tuple[Any, ...]) -> list[tuple[Job, Attempt]]:
    """The jobs that a condition holds for, each with its newest attempt. Raises Broken where one has none."""
    found = []
    for job in jobs_where(db, where, values):
        attempts = find_attempts(db, job.id, "DESC LIMIT 1")
        if not attempts:
            raise Broken(f"Job {job.id} is {job.state} and has no attempt: the store is damaged.")
        found.append((job, attempts[0]))
    return found


def find_job(db: sqlite3.Connection, job_id: str) -> Job | None:
    """The job of this id, or None; None too for a text that is no id."""
    try:
        number = ids.to_number(job_id)
    except ValueError:
        return None
    row = db.execute(f"SELECT {codec.JOB_COLUMNS} FROM jobs WHERE id = ?", (number,)).fetchone()
    return None if row is None else codec.row_job(row)


def find_attempts(db: sqlite3.Connection, job_id: str, order: str = "ASC") -> list[Attempt]:
    """A job's attempts, by their numbers."""
    sql = f"SELECT job, number, document FROM attempts WHERE job = ? ORDER BY number {order}"
    return [codec.row_attempt(row) for row in db.execute(sql, (ids.to_number(job_id),))]
