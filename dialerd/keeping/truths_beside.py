"""What must be true of what stands beside the jobs: rows that name a job which is there, events and their
numbers, orders, documents, and how far reports have come."""

import json
import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from dialerd.core import ids
from dialerd.core.errors import Broken
from dialerd.keeping.findings import Finding, Mend, Quarantine, change, take_out, text_of
from dialerd.keeping.members import DOCUMENTS, KEY, NUMBERS
from dialerd.store import codec

_NOWHERE = "job NOT IN (SELECT id FROM jobs)"


def of_rows(db: sqlite3.Connection) -> Iterator[Finding]:
    """Rows that belong to no job."""
    for table in ("attempts", "events", "tags", "sessions"):
        for (job,) in db.execute(f"SELECT DISTINCT job FROM {table} WHERE {_NOWHERE}"):
            what = f"There are {table} of job {text_of(job)}, which there is not."
            mend = take_out(table, "job = ?", (job,))
            yield Finding(table, what, "puts them into quarantine", mend)
    sql = (
        f"SELECT owner, key, job FROM keys WHERE {_NOWHERE} AND NOT EXISTS"
        " (SELECT 1 FROM purged_keys WHERE purged_keys.owner = keys.owner AND purged_keys.key = keys.key)"
    )
    now = codec.to_ms(datetime.now(UTC))
    for owner, key, job in db.execute(sql):
        what = f"A key of user {owner} stands for job {text_of(job)}, which there is not."
        copied = "SELECT ?, owner, key FROM keys WHERE owner = ? AND key = cast(? AS TEXT)"
        mend = change(f"INSERT OR IGNORE INTO purged_keys {copied}", (now, owner, key))
        yield Finding("keys", what, "lets it refuse a second job for a week, as after a purge", mend)


def of_events(db: sqlite3.Connection) -> Iterator[Finding]:
    """Events that can't be read, and numbers that would be used again."""
    for row in db.execute("SELECT id, at, job, type, data FROM events"):
        id_, *_, type_, data = row
        try:
            codec.row_event(row)
            fits = isinstance(type_, str) and isinstance(data, str)
        except (Broken, RecursionError):
            fits = False
        if not fits:
            mend = take_out("events", "id = ?", (id_,))
            yield Finding("events", f"Event {id_} can't be read.", "puts it into quarantine", mend)
    newest = db.execute("SELECT coalesce(max(id), 0) FROM events").fetchone()[0]
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    if newest > (0 if row is None else row[0]):
        what = f"The next event would get a number that was used before: the newest is {newest}."
        yield Finding("events", what, "goes on behind it", _go_on_behind(newest))


def _go_on_behind(newest: int) -> Mend:
    def mend(db: sqlite3.Connection, _kept: Quarantine) -> None:
        db.execute("DELETE FROM sqlite_sequence WHERE name = 'events'")
        db.execute("INSERT INTO sqlite_sequence VALUES ('events', ?)", (newest,))

    return mend


def of_orders(db: sqlite3.Connection) -> Iterator[Finding]:
    """Standing orders that nobody gave so, and those about batches that there are not."""
    for scope, word in db.execute("SELECT scope, word FROM orders"):
        if not _SCOPE.fullmatch(str(scope)) or word not in ("paused", "cancelled", "resumed"):
            what = "An order can't be read: what is paused may go on, or what was resumed may stand."
            yield Finding("orders", what, "puts it into quarantine, and pauses all", _pause_all(scope))
    for (scope,) in db.execute("SELECT scope FROM orders WHERE scope LIKE 'batch:%'"):
        owner, _, batch = scope.removeprefix("batch:").partition(":")
        sql = "SELECT 1 FROM jobs WHERE batch = ? AND +owner = ? LIMIT 1"
        if not owner.isdecimal() or not db.execute(sql, (batch, int(owner))).fetchone():
            mend = take_out("orders", "scope = ?", (scope,))
            what = f"An order is about {scope}, which has no jobs."
            yield Finding("orders", what, "ends it", mend, harmless=True)


_SCOPE = re.compile(r"all|trunk:.+|batch:-?[0-9]+:.+", re.DOTALL)


def _pause_all(scope: str) -> Mend:
    def mend(db: sqlite3.Connection, kept: Quarantine) -> None:
        take_out("orders", "scope = ?", (scope,))(db, kept)
        why = "an order was damaged on the disk: see what else was paused before you resume"
        values = ("all", "paused", 0, codec.to_ms(datetime.now(UTC)), why)
        db.execute("INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?, ?)", values)

    return mend


def of_documents(db: sqlite3.Connection, state: Path) -> Iterator[Finding]:
    """Documents that jobs need, and those that lie there."""
    folder = state / DOCUMENTS
    there = {path.name: path for path in folder.iterdir()} if folder.is_dir() else {}
    sql = (
        "SELECT id, json_extract(document, '$.task.document') FROM jobs WHERE kind <> 'call' AND kind = 'fax'"
        " AND json_valid(document) AND state NOT IN ('completed', 'failed', 'expired', 'cancelled')"
    )
    for job, document in db.execute(sql):
        if document and document not in there:
            advice = f"Upload it again, or cancel the job: dialerctl cancel {ids.to_text(job)}."
            what = f"Job {ids.to_text(job)} sends the document {document[:12]}, which is lost."
            yield Finding("documents", what, advice=advice)
    named = {
        each
        for (each,) in db.execute(
            "SELECT json_extract(document, '$.task.document') FROM jobs"
            " WHERE kind <> 'call' AND kind = 'fax' AND json_valid(document)"
        )
    }
    handed_in = {name.partition(".")[0] for name in there if "." in name}
    for name, path in sorted(there.items()):
        if "." not in name and len(name) == len(_SAMPLE):
            yield from _document(path, name in named, name in handed_in)


_SAMPLE = sha256().hexdigest()


def _document(path: Path, named: bool, handed_in: bool) -> Iterator[Finding]:
    try:
        whole = sha256(path.read_bytes()).hexdigest() == path.name
    except OSError as error:
        yield Finding("documents", f"The document {path.name[:12]} can't be read: {error.strerror}.")
        return
    if not whole:
        advice = f"Put the right one there, or remove {path}: jobs that send it then fail."
        yield Finding("documents", f"The document {path.name[:12]} was changed on the disk.", advice=advice)
    elif not named and not handed_in:
        what = (
            f"The document {path.name[:12]} is named by no job, and nobody handed it in: dialerd removes it."
        )
        yield Finding("documents", what, harmless=True)


def of_files(state: Path) -> Iterator[Finding]:
    """The small files."""
    try:
        json.loads((state / NUMBERS).read_bytes())
    except FileNotFoundError:
        pass
    except (OSError, ValueError, RecursionError):
        what = f"{NUMBERS} can't be read; dialerd begins it anew from what providers list."
        yield Finding("files", what, harmless=True)
    path = state / KEY
    if path.exists() and path.stat().st_size != 32:
        advice = "Restore it from a backup, or remove it: providers are then given new addresses."
        yield Finding("files", f"{KEY} is damaged.", advice=advice)


def of_reports(db: sqlite3.Connection, events: tuple[int, set[int]]) -> Iterator[Finding]:
    """Cursors and deliveries against the queue's newest event, and the events that it has of those that are
    to be delivered."""
    newest, known = events
    for name, cursor in db.execute("SELECT name, cursor FROM sinks WHERE cursor > ?", (newest,)):
        what = f"{name} was told up to event {cursor}, and the newest is {newest}."
        mend = change("UPDATE sinks SET cursor = ? WHERE name = ?", (newest, name))
        yield Finding("reports", what, "sets it back", mend)
    sql = "SELECT DISTINCT sink FROM deliveries WHERE sink NOT IN (SELECT name FROM sinks)"
    for (sink,) in db.execute(sql):
        mend = take_out("deliveries", "sink = ?", (sink,))
        yield Finding("reports", f"There are reports for {sink}, which there is not.", "drops them", mend)
    for sink, event in db.execute("SELECT sink, event FROM deliveries"):
        if event not in known:
            mend = take_out("deliveries", "sink = ? AND event = ?", (sink, event))
            what = f"Event {event} is to be told to {sink}, and the queue does not have it."
            yield Finding("reports", what, "drops the report", mend)
