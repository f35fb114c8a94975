"""What must be true of each job and attempt in the queue: its row can be read, and says one thing only."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from dialerd.core.errors import Broken
from dialerd.core.model import Attempt, Job
from dialerd.core.states import IN_FLIGHT, WAITING, State, Step, step
from dialerd.core.tasks import KINDS
from dialerd.keeping.findings import Finding, Quarantine, change, take_out, text_of
from dialerd.store import codec

_QUARANTINE = "puts it into quarantine with all that belongs to it"
_KIND = codec.JOB_COLUMNS.split(", ").index("kind")
_NUMBER = codec.JOB_COLUMNS.split(", ").index("number")
_READY = codec.JOB_COLUMNS.split(", ").index("ready")


def of_jobs(db: sqlite3.Connection) -> Iterator[Finding]:
    """Every job by itself, with its key and tags."""
    for row in db.execute(f"SELECT {codec.JOB_COLUMNS} FROM jobs ORDER BY id"):
        try:
            job = codec.row_job(_texts(row))
        except Broken:
            yield _unreadable(row)
            continue
        yield from _columns(job, row)
        yield from _key_and_tags(db, job)


def _unreadable(row: tuple[Any, ...]) -> Finding:
    fits = [kind for kind in KINDS if kind != row[_KIND] and _reads(row, kind)]
    if len(fits) == 1:
        what = f"Job {text_of(row[0])} is said to be of kind {row[_KIND]!r}, and is of kind {fits[0]!r}."
        mend = change("UPDATE jobs SET kind = ? WHERE id = ?", (fits[0], row[0]))
        return Finding("jobs", what, "writes its kind anew", mend)

    def out(db: sqlite3.Connection, kept: Quarantine) -> None:
        ms = codec.to_ms(datetime.now(UTC))
        sql = "INSERT OR IGNORE INTO purged_keys SELECT ?, owner, key FROM keys WHERE job = ?"
        db.execute(sql, (ms, row[0]))
        for table, column in (("jobs", "id"), ("attempts", "job"), ("events", "job"), ("tags", "job")):
            take_out(table, f"{column} = ?", (row[0],))(db, kept)

    what = f"Job {text_of(row[0])} can't be read: its state, kind or document is damaged."
    return Finding("jobs", what, f"{_QUARANTINE}; its key refuses a second job", out)


def _reads(row: tuple[Any, ...], kind: str) -> bool:
    try:
        codec.row_job(_texts((*row[:_KIND], kind, *row[_KIND + 1 :])))
    except Broken:
        return False
    return True


def _texts(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The row, none of whose values may be bytes: fsck reads texts so that are no UTF-8 (keeping/fsck.py).
    Raises Broken."""
    if any(isinstance(value, bytes) for value in row):
        raise Broken("It holds a text that is no UTF-8.")
    return row


def _columns(job: Job, row: tuple[Any, ...]) -> Iterator[Finding]:
    """The columns that indexes are made of, against what they are made from."""
    name = f"Job {job.id}"
    if job.kind != row[_KIND]:
        mend = change("UPDATE jobs SET kind = ? WHERE id = ?", (job.kind, row[0]))
        what = f"{name} is said to be of kind {row[_KIND]!r}, and is of kind {job.kind!r}."
        yield Finding("jobs", what, "writes its kind anew", mend)
    number = job.call.to[0] if job.call.to else None
    if number != row[_NUMBER]:
        what, repair = f"{name} is found by another number than it has.", "writes the number anew"
        if job.state in WAITING:  # one of the two is wrong, and would be called
            yield Finding("jobs", what, f"{repair}, and holds the job", _TwoNumbers(row[0], number))
        else:
            mend = change("UPDATE jobs SET number = ? WHERE id = ?", (number, row[0]))
            yield Finding("jobs", what, repair, mend)
    if not _ready_fits(job, row[_READY]):
        mend = change("UPDATE jobs SET ready = ? WHERE id = ?", (codec.ready(job), row[0]))
        stands = "is in the line of due jobs" if row[_READY] is not None else "is in no line of due jobs"
        yield Finding("jobs", f"{name} is {job.state}, and {stands}.", "puts that right", mend)
    if job.look_at is not None and job.state not in (*IN_FLIGHT, State.HELD):
        mend = change("UPDATE jobs SET look_at = NULL WHERE id = ?", (row[0],))
        what = f"{name} is {job.state}, and its provider is to be asked about it."
        yield Finding("jobs", what, "has it not asked any more", mend)
    if job.state in WAITING and job.way not in (job.ways or (job.way,)):
        mend = change("UPDATE jobs SET trunk = ? WHERE id = ?", (job.ways[0], row[0]))
        what = f"{name} waits for {job.way!r}, which is none of its ways ({', '.join(job.ways)})."
        yield Finding("jobs", what, f"lets it wait for {job.ways[0]}", mend)


def _ready_fits(job: Job, ready: Any) -> bool:
    if job.state not in WAITING:
        return ready is None
    return ready == 1 or (ready == 0 and job.not_before is not None) or (ready == 2 and job.batch is not None)


def _key_and_tags(db: sqlite3.Connection, job: Job) -> Iterator[Finding]:
    number = codec.number(job.id)
    if job.key is not None:
        sql = "SELECT job FROM keys WHERE owner = ? AND key = ?"
        if db.execute(sql, (job.owner, job.key)).fetchone() is None:
            mend = change("INSERT INTO keys VALUES (?, ?, ?, x'')", (job.owner, job.key, number))
            what = f"The key of job {job.id} is not known: the same would be accepted a second time."
            yield Finding("keys", what, "makes the key refuse a second job", mend)
    for tag in job.tags:
        if db.execute("SELECT 1 FROM tags WHERE tag = ? AND job = ?", (tag, number)).fetchone() is None:
            mend = change("INSERT OR IGNORE INTO tags VALUES (?, ?)", (tag, number))
            yield Finding("tags", f"Job {job.id} is not found by its tag {tag!r}.", "adds it", mend)


def of_attempts(db: sqlite3.Connection) -> Iterator[Finding]:
    """Every attempt, and whether jobs have those that they count."""
    for row in db.execute("SELECT job, number, document, trunk, disposition, ended, ref FROM attempts"):
        where = ("attempts", "job = ? AND number = ?", (row[0], row[1]))
        try:
            made = codec.attempt_row(codec.row_attempt(_texts(row)[:3]))
        except Broken:
            what = f"Attempt {row[1]} of job {text_of(row[0])} can't be read."
            yield Finding("attempts", what, "puts it into quarantine", take_out(*where))
            continue
        if made[3:] != row[3:]:
            sql = (
                "UPDATE attempts SET trunk = ?, disposition = ?, ended = ?, ref = ?"
                " WHERE job = ? AND number = ?"
            )
            mend = change(sql, (*made[3:], row[0], row[1]))
            what = f"Attempt {row[1]} of job {text_of(row[0])} is counted as another than it is."
            yield Finding("attempts", what, "writes its figures anew", mend)
    yield from _counts(db)


def _counts(db: sqlite3.Connection) -> Iterator[Finding]:
    sql = (
        "SELECT * FROM (SELECT id, attempts, (SELECT coalesce(max(number), 0) FROM attempts"
        " WHERE attempts.job = jobs.id) AS newest FROM jobs) WHERE attempts <> newest"
    )
    for number, counted, newest in db.execute(sql):
        name = text_of(number)
        if not isinstance(counted, int) or counted < newest:
            mend = change("UPDATE jobs SET attempts = ? WHERE id = ?", (newest, number))
            what = f"Job {name} counts {counted} attempts, and has had {newest}: a name could be used twice."
            yield Finding("attempts", what, "counts anew", mend)
        else:
            what = f"Attempt {counted} of job {name} is lost."
            repair = "writes one in its place that says so, and holds the job if it was under way"
            yield Finding("attempts", what, repair, _Lost(number))


class _Lost:
    """An attempt whose row is gone: what it came to is not known."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __call__(self, db: sqlite3.Connection, kept: Quarantine) -> None:
        row = db.execute(f"SELECT {codec.JOB_COLUMNS} FROM jobs WHERE id = ?", (self.number,)).fetchone()
        if row is None:  # in quarantine by now
            return
        job = codec.row_job(row)
        flying = job.state in IN_FLIGHT
        ended = None if flying else job.updated
        evidence = {"lost": "its row was damaged, and written anew by fsck"}
        attempt = Attempt(
            job.id, job.attempts, job.way or None, "", job.updated, ended=ended, evidence=evidence
        )
        marks = ", ".join("?" * 7)
        db.execute(f"INSERT OR REPLACE INTO attempts VALUES ({marks})", codec.attempt_row(attempt))
        if flying:
            _hold(db, job, Step.LOSE, "in doubt: its attempt was lost on a damaged disk")


class _TwoNumbers:
    """A job that waits, and of whose number the queue says two things: nobody knows which is right."""

    def __init__(self, job: int, number: str | None) -> None:
        self.job, self.number = job, number

    def __call__(self, db: sqlite3.Connection, kept: Quarantine) -> None:
        row = db.execute(f"SELECT {codec.JOB_COLUMNS} FROM jobs WHERE id = ?", (self.job,)).fetchone()
        if row is None:  # in quarantine by now
            return
        db.execute("UPDATE jobs SET number = ? WHERE id = ?", (self.number, self.job))
        why = "its number was damaged on the disk: see that it is the right one before you release it"
        _hold(db, codec.row_job(row), Step.HOLD, why)


def _hold(db: sqlite3.Connection, job: Job, how: Step, why: str) -> None:
    state, now, number = step(job.state, how), codec.to_ms(datetime.now(UTC)), codec.number(job.id)
    db.execute(
        "UPDATE jobs SET state = ?, ready = NULL, updated = ?, reason = ?, requested = NULL WHERE id = ?",
        (state, now, why, number),
    )
    data = codec.event_data({"state": state, "reason": why})
    sql = "INSERT INTO events (at, job, type, data) VALUES (?, ?, 'held', ?)"
    db.execute(sql, (now, number, data))
