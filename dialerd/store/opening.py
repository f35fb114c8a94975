"""Opening an SQLite file of ours: one that a newer dialerd wrote is refused, an older one is migrated, and of
a damaged one it is said what to do."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from dialerd import __version__
from dialerd.core.errors import Broken, NewerStore

_WRITER = "dialerd"
"""The row of the table `meta` that names the version which wrote the file last."""

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@contextmanager
def broken(done: str, path: Path) -> Iterator[None]:
    """Turns SQLite's errors into Broken, with what to do about a damaged file."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # https://sqlite.org/rescode.html
        damaged = code in _DAMAGED or no_text(error)
        advice = " It is damaged: stop dialerd and run dialerctl fsck." if damaged else ""
        raise Broken(f"The store {path} can't be {done}: {reason(error)}.{advice}") from error


def reason(error: Exception) -> str:
    """What an error of SQLite's says, without what the row holds that it is about."""
    return "it holds a text that is no UTF-8" if no_text(error) else str(error)


def no_text(error: Exception) -> bool:
    """Whether bytes in the file, or SQLite's own words about them, can't be decoded: Python tells of the one
    by an OperationalError that quotes the row, of the other by a UnicodeDecodeError."""
    return isinstance(error, UnicodeDecodeError) or str(error).startswith("Could not decode to UTF-8")


def schema_of(path: Path) -> tuple[int, str]:
    """The version of a file's tables (0: it has none yet), and the dialerd that wrote it last ("" where that
    is not noted). Changes nothing. Raises Broken."""
    if not path.exists() or not path.stat().st_size:
        return 0, ""
    with broken("opened", path), closing(only_reading(path)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0]), _writer(db)


def only_reading(path: Path) -> sqlite3.Connection:
    """A connection that can't change the file, nor leaves anything beside it. Raises sqlite3.Error.

    Where there is no WAL, nobody has the file open, and SQLite is told not to make one
    (https://sqlite.org/c3ref/open.html, "immutable").
    """
    how = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"
    uri = f"{path.absolute().as_uri()}?{how}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)


def refuse_newer(path: Path, known: int) -> None:
    """Raises NewerStore for a file whose tables this dialerd does not know; the file is not touched."""
    version, writer = schema_of(path)
    if version > known:
        named = f"dialerd {writer}" if writer else "that dialerd"
        raise NewerStore(
            f"The store {path} was written by a newer dialerd: {named}, with tables of version {version}."
            f" This is dialerd {__version__}, which knows versions up to {known}. Nothing was changed."
            f" Install {named} again, or restore a backup that was made before the upgrade:"
            " dialerctl restore FILE --replace."
        )


def migrate(db: sqlite3.Connection, steps: Sequence[str]) -> None:
    """Brings the tables forward, all steps in one transaction, and notes who writes here from now on."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version < len(steps):
        sql = "; ".join(steps[version:])
        db.executescript(f"BEGIN IMMEDIATE; {sql}; PRAGMA user_version = {len(steps)}; COMMIT;")
    if _writer(db) != __version__:
        db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_WRITER, __version__))


def _writer(db: sqlite3.Connection) -> str:
    """Older files have no such table."""
    if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").fetchone():
        return ""
    row = db.execute("SELECT value FROM meta WHERE name = ?", (_WRITER,)).fetchone()
    return "" if row is None else str(row[0])
