"""The references: what SQLite and the file system do by themselves, with the same rows, indexes and syncs."""

import os
import sqlite3
from pathlib import Path
from time import perf_counter

from dialerd.store import codec
from dialerd.store.schema import STEPS
from dialerd.store.sqlite import SqliteStore
from scripts.benchmarks.figures import a_job, folder


def sqlite_rows_per_second(count: int, per_commit: int) -> float:
    """Jobs a second into the same tables and indexes, `per_commit` to a commit, synchronous=FULL."""
    with folder() as path:
        rows = _rows(path, count)
        db = sqlite3.connect(path / "raw.sqlite3", isolation_level=None)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        for step in STEPS:
            db.executescript(step)
        places = ",".join("?" * len(rows[0]))
        begin = perf_counter()
        for start in range(0, count, per_commit):
            db.execute("BEGIN IMMEDIATE")
            for row in rows[start : start + per_commit]:
                db.execute(f"INSERT INTO jobs ({codec.JOB_COLUMNS}) VALUES ({places})", row)
                db.execute(
                    "INSERT INTO keys VALUES (?, ?, ?, ?)", (1000, f"bench-{row[0]}", row[0], b"0" * 32)
                )
                db.execute(
                    "INSERT INTO events (at, job, type, data) VALUES (?,?,?,?)", (1, row[0], "accepted", "{}")
                )
            db.execute("COMMIT")
        took = perf_counter() - begin
        db.close()
    return count / took


def _rows(path: Path, count: int) -> list[tuple[object, ...]]:
    store = SqliteStore(path)
    rows = [codec.job_row(a_job(store, number)) for number in range(count)]
    store.close()
    return rows


def files_per_second(count: int, content: bytes) -> float:
    """Write, fsync, rename, fsync of the folder, one file after the other."""
    with folder() as path:
        outgoing = path / "outgoing"
        outgoing.mkdir()
        fd = os.open(outgoing, os.O_RDONLY)
        begin = perf_counter()
        for number in range(count):
            with (path / f"{number}").open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            (path / f"{number}").rename(outgoing / f"{number}")
            os.fsync(fd)
        took = perf_counter() - begin
        os.close(fd)
    return count / took
