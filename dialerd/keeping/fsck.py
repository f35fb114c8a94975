"""Fsck: looks whether what the state folder says can be true, and mends what can be mended without losing
anything. Only while no dialerd runs."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dialerd.core.errors import Broken
from dialerd.keeping import placing, truths_beside, truths_of_jobs
from dialerd.keeping.findings import Finding, Quarantine, change
from dialerd.keeping.members import JOBS, REPORTS
from dialerd.keeping.restore import KNOWN, MADE_BY
from dialerd.store.opening import only_reading, reason, refuse_newer, schema_of

_MOST = 100
_ROUNDS = 3
"""What is taken out may leave something behind that a second look finds."""

_UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
"""What Python raises of a damaged file: the second where SQLite's own words quote what is no UTF-8."""

_SHAPE = (
    'SELECT s.type, s.name, c.name, c.type, c."notnull", c.pk FROM sqlite_schema s,'
    " pragma_table_info(s.name) c WHERE s.type = 'table'",
    "SELECT s.type, s.name, c.name, c.seqno, s.tbl_name FROM sqlite_schema s, pragma_index_info(s.name) c"
    " WHERE s.type = 'index'",
)
"""Every column of every table and index (https://sqlite.org/pragma.html)."""

_OF_INDEX = re.compile(r"(row \d+ missing from index|wrong # of entries in index|non-unique entry in index)")
_RESTORE = "Restore a backup: dialerctl restore FILE --replace. The damaged state is kept beside it."

Look = Callable[[sqlite3.Connection], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, what of it was mended, and what is still there; `quarantine` is where rows went that
    had to go."""

    found: tuple[Finding, ...]
    mended: int
    left: tuple[Finding, ...]
    quarantine: Path | None

    @property
    def sound(self) -> bool:
        """Whether nothing is left that dialerd does not get over by itself."""
        return all(finding.harmless for finding in self.left)


def fsck(state: Path, repair: bool = False, now: datetime | None = None) -> Report:
    """Looks at a state folder; the caller holds it (keeping/restore.py's seize). Raises Broken for one that
    can't be looked at by this dialerd."""
    placing.finish(state)
    for name, known in KNOWN.items():
        refuse_newer_or_damaged(state / name, known)
    found = left = tuple(look(state))
    kept, mended = Quarantine(state / f"quarantine-{now or datetime.now(UTC):%Y%m%dT%H%M%SZ}.ndjson"), 0
    for _round in range(_ROUNDS if repair else 0):
        done = sum(_mend(state / name, [f for f in left if _of(f) == name], kept) for name in KNOWN)
        if not done:
            break
        mended, left = mended + done, tuple(look(state))
    return Report(found, mended, left, kept.path if kept.count else None)


def refuse_newer_or_damaged(path: Path, known: int) -> None:
    """Raises NewerStore, and Broken for a file whose tables are older: a start of dialerd migrates it."""
    try:
        refuse_newer(path, known)
        version, _writer = schema_of(path)
    except Broken as error:
        if isinstance(error.__cause__, _UNREADABLE):
            return  # look() tells of it
        raise
    if 0 < version < known:
        raise Broken(f"{path} is of an older dialerd. Start this one once, which brings it forward.")


def look(state: Path) -> Iterator[Finding]:
    """Everything that can't be true. Changes nothing."""
    events: tuple[int, set[int]] = (0, set())
    wanted = _wanted_events(state / REPORTS)
    if not (state / JOBS).exists():
        yield Finding("jobs", f"There is no queue in {state}: dialerd makes an empty one.", harmless=True)
    else:
        yield from _in_file(state / JOBS, "jobs", lambda db: _queue(db, state))
        events = _known_events(state / JOBS, wanted)
    if (state / REPORTS).exists():
        yield from _in_file(state / REPORTS, "reports", lambda db: truths_beside.of_reports(db, events))
    yield from truths_beside.of_files(state)


def _queue(db: sqlite3.Connection, state: Path) -> Iterator[Finding]:
    yield from truths_of_jobs.of_jobs(db)
    yield from truths_of_jobs.of_attempts(db)
    yield from truths_beside.of_rows(db)
    yield from truths_beside.of_events(db)
    yield from truths_beside.of_orders(db)
    yield from truths_beside.of_documents(db, state)


def _in_file(path: Path, where: str, truths: Look) -> Iterator[Finding]:
    try:
        with _opened(path) as db:
            damaged = list(_integrity(db, where)) or list(_tables(db, path.name, where))
            yield from damaged
            if all(finding.mend for finding in damaged) and db.execute("PRAGMA user_version").fetchone()[0]:
                yield from truths(db)
                yield from _texts(db, where)
    except _UNREADABLE as error:
        yield Finding(where, f"{path} can't be read: {reason(error)}.", advice=_RESTORE)


def _opened(path: Path) -> AbstractContextManager[sqlite3.Connection]:
    """For reading only. A text that is no UTF-8 comes as bytes: one bad row must not hide the others."""
    db = only_reading(path)
    db.text_factory = _text
    return closing(db)


def _text(data: bytes) -> str | bytes:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def _tables(db: sqlite3.Connection, name: str, where: str) -> Iterator[Finding]:
    """Whether all tables and indexes are there, with their columns, as this dialerd makes them."""
    if not db.execute("PRAGMA user_version").fetchone()[0]:
        return
    with closing(sqlite3.connect(":memory:")) as made:
        made.executescript(";".join(MADE_BY[name]))
        missing = {row for sql in _SHAPE for row in made.execute(sql)}
    missing -= {row for sql in _SHAPE for row in db.execute(sql)}
    for kind, named, column, *_ in sorted(missing, key=str)[:1]:
        yield Finding(where, f"The {kind} {named} has no {column} as it should be.", advice=_RESTORE)


def _texts(db: sqlite3.Connection, where: str) -> Iterator[Finding]:
    """Texts that are no UTF-8, in tables whose rows nothing else looks at one by one."""
    for (table,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        about = db.execute("SELECT name FROM pragma_table_info(?) WHERE type = 'TEXT'", (table,))
        texts = [f'"{name}"' for (name,) in about]
        if texts and table not in ("jobs", "attempts", "events"):
            rows = db.execute(f'SELECT {", ".join(texts)} FROM "{table}"')
            if any(isinstance(value, bytes) for row in rows for value in row):
                what = f"The table {table} holds a text that is no UTF-8."
                yield Finding(where, what, advice=_RESTORE)


def _integrity(db: sqlite3.Connection, where: str) -> Iterator[Finding]:
    """SQLite's own look at its pages (https://sqlite.org/pragma.html#pragma_integrity_check)."""
    told = [str(row[0]) for row in db.execute(f"PRAGMA integrity_check({_MOST})")]
    if told == ["ok"]:
        return
    if all(_OF_INDEX.match(line) for line in told):
        what = f"An index does not fit its table ({told[0]})."
        yield Finding(where, what, "makes the indexes anew from the tables", change("REINDEX", ()))
        return
    for line in told:
        yield Finding(where, f"The file is damaged: {' '.join(line.split())}.", advice=_RESTORE)


def _wanted_events(reports: Path) -> set[int]:
    try:
        with closing(only_reading(reports)) as db:
            return {event for (event,) in db.execute("SELECT DISTINCT event FROM deliveries")}
    except _UNREADABLE:
        return set()


def _known_events(queue: Path, wanted: set[int]) -> tuple[int, set[int]]:
    """The newest event, and those of the wanted ones that there are; all, where the queue can't be read."""
    try:
        with closing(only_reading(queue)) as db:
            newest = db.execute("SELECT coalesce(max(id), 0) FROM events").fetchone()[0]
            sql = "SELECT 1 FROM events WHERE id = ?"
            return newest, {event for event in wanted if db.execute(sql, (event,)).fetchone()}
    except _UNREADABLE:
        return 2**63 - 1, wanted


def _of(finding: Finding) -> str:
    return REPORTS if finding.where == "reports" else JOBS


def _mend(path: Path, findings: list[Finding], kept: Quarantine) -> int:
    """Does all that can be done in one file: all of it or, where it fails, nothing. Raises Broken."""
    mends = [finding.mend for finding in findings if finding.mend is not None]
    if not mends:
        return 0
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.text_factory = _text
            db.execute("PRAGMA synchronous = FULL")
            db.execute("BEGIN IMMEDIATE")
            for mend in mends:
                mend(db, kept)
            db.execute("COMMIT")
    except (*_UNREADABLE, OSError) as error:
        raise Broken(f"{path} can't be mended: {error}. It was left as it is.") from error
    return len(mends)
