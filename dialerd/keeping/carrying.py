"""What is carried over from the state that a restore replaces, as far as it can be read: what protects people
and purses is never older after a restore than before it."""

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from dialerd.keeping.members import JOBS, LISTS
from dialerd.store.codec import to_ms
from dialerd.store.opening import only_reading


def carry_over(old: Path, new: Path, now: datetime) -> list[str]:
    """Adds the old state's stop-list entries, used keys and usage to the new one; returns a sentence for each
    thing that was carried, or could not be."""
    return [*_lists(old, new), *_queue(old / JOBS, new / JOBS, now)]


def _lists(old: Path, new: Path) -> list[str]:
    told = []
    for path in sorted((old / LISTS).glob("[!.]*")) if (old / LISTS).is_dir() else []:
        try:
            lines = path.read_bytes().splitlines()
            target = new / LISTS / path.name
            target.parent.mkdir(mode=0o700, exist_ok=True)
            there = target.read_bytes() if target.exists() else b""
            known = set(there.splitlines())
            missing = [line for line in lines if line.strip() and line not in known]
            if missing or not target.exists():
                # A person may have left the last line without its end: two numbers would become none.
                end = b"" if there.endswith(b"\n") or not there else b"\n"
                with target.open("ab") as file:
                    file.write(end + b"".join(line + b"\n" for line in missing))
        except OSError as error:
            told.append(f"The stop list {path.name} of the old state can't be read: {error.strerror}.")
            continue
        if missing:
            told.append(f"{len(missing)} lines of the old state's stop list {path.name} were kept.")
    return told


def _queue(old: Path, new: Path, now: datetime) -> list[str]:
    if not old.is_file():
        return []
    try:
        with closing(sqlite3.connect(new, isolation_level=None)) as db, closing(only_reading(old)) as source:
            keys = source.execute("SELECT owner, key, job, digest FROM keys").fetchall()
            usage = source.execute("SELECT day, scope, calls, seconds, cost FROM usage").fetchall()
            db.execute("BEGIN IMMEDIATE")
            count = _keys(db, keys, to_ms(now) or 0)
            db.executemany(
                "INSERT INTO usage VALUES (?, ?, ?, ?, ?) ON CONFLICT (day, scope) DO UPDATE SET"
                " calls = max(calls, excluded.calls), seconds = max(seconds, excluded.seconds),"
                " cost = max(cost, excluded.cost)",
                usage,
            )
            db.execute("COMMIT")
    except sqlite3.Error as error:
        return [
            f"Of the old queue nothing can be read ({error}): jobs accepted since the backup may be handed in"
            " again under their keys, and caps count from what was used then."
        ]
    return [f"{count} keys of jobs accepted since the backup are refused from now on."] if count else []


def _keys(db: sqlite3.Connection, keys: list[tuple[int, str, int, bytes]], now: int) -> int:
    """Keys that the new queue does not know stand for jobs that it does not have, as if those were purged."""
    count = 0
    for owner, key, job, digest in keys:
        added = db.execute("INSERT OR IGNORE INTO keys VALUES (?, ?, ?, ?)", (owner, key, job, digest))
        if added.rowcount:
            db.execute("INSERT OR IGNORE INTO purged_keys VALUES (?, ?, ?)", (now, owner, key))
            count += 1
    return count
