"""Queues as older versions of dialerd left them."""

import sqlite3
from contextlib import closing
from pathlib import Path

from dialerd.store.sqlite import FILE_NAME

SCHEMAS = Path(__file__).parent / "schemas"
VERSIONS = tuple(sorted(int(path.stem) for path in SCHEMAS.glob("*.sql")))


def left_by(version: int, folder: Path) -> Path:
    """The file that a dialerd of this schema left in a folder."""
    path = folder / FILE_NAME
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript((SCHEMAS / f"{version}.sql").read_text())
    return path


def everything(path: Path) -> list[str]:
    """All that a database says, in SQL."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return list(db.iterdump())
