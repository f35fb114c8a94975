"""What fsck finds, and the file that rows go to which can't stay."""

import json
import os
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dialerd.core import ids

Mend = Callable[[sqlite3.Connection, "Quarantine"], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that can't be true, in a sentence. `repair`: what --repair does about it, or nothing where it
    does nothing: then `advice` says what to do. `harmless`: dialerd gets over it by itself."""

    where: str
    what: str
    repair: str = ""
    mend: Mend | None = None
    advice: str = ""
    harmless: bool = False

    def sentence(self) -> str:
        """The whole of it."""
        then = f" --repair {self.repair}." if self.repair else f" {self.advice}" if self.advice else ""
        return f"{self.what}{then}"


class Quarantine:
    """A file of rows that were taken out, one JSON object a line: nothing that --repair removes is lost."""

    def __init__(self, path: Path) -> None:
        self.path, self.count = path, 0

    def keep(self, table: str, columns: Sequence[str], row: Sequence[Any]) -> None:
        """Writes a row, on disk when it returns. Raises OSError."""
        told = {"table": table, **dict(zip(columns, map(_plain, row), strict=True))}
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(self.path, flags, 0o600), "ab") as file:
            file.write(json.dumps(told, ensure_ascii=True).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.count += 1


def take_out(table: str, where: str, values: Sequence[Any]) -> Mend:
    """Puts rows into quarantine, and removes them."""

    def mend(db: sqlite3.Connection, kept: Quarantine) -> None:
        found = db.execute(f"SELECT * FROM {table} WHERE {where}", values)
        columns = [each[0] for each in found.description]
        for row in found.fetchall():
            kept.keep(table, columns, row)
        db.execute(f"DELETE FROM {table} WHERE {where}", values)

    return mend


def change(sql: str, values: Sequence[Any]) -> Mend:
    """Changes what can be worked out from the rest."""

    def mend(db: sqlite3.Connection, _kept: Quarantine) -> None:
        db.execute(sql, values)

    return mend


def text_of(job: Any) -> str:
    """A job's id as users see it, whatever the column holds."""
    return ids.to_text(job) if isinstance(job, int) and job >= 0 else repr(job)[:40]


def _plain(value: Any) -> Any:
    return {"hex": value.hex()} if isinstance(value, bytes) else value
