"""A backup of the state folder, made while dialerd runs or while none does.

The databases are copied as they were at one instant: SQLite's online backup inside one read transaction,
which in WAL mode keeps no writer waiting (https://sqlite.org/backup.html, https://sqlite.org/isolation.html).
Reports come first, so that none of their cursors is ahead of the queue; documents come after the queue that
names them.
"""

import fcntl
import os
import shutil
import socket
import sqlite3
import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from dialerd import __version__
from dialerd.core.errors import Broken, Overloaded
from dialerd.keeping.archive import Source, pack
from dialerd.keeping.manifest import Manifest
from dialerd.keeping.members import JOBS, REPORTS, small_files
from dialerd.log import get_logger
from dialerd.store.opening import broken, only_reading, schema_of

log = get_logger(__name__)

WORK = ".backup"
"""The folder of the copies, in the state folder; what a crash leaves of it goes at the next start."""

PAGES = 2000
"""So many pages of a database are copied at a time; the reader's other threads run in between."""

LARGEST_BEFORE_UPGRADE = 256 << 20
"""A state of more bytes is not backed up by itself before an upgrade: it would keep the start waiting."""

_MEGABYTE = 1 << 20


class Backups:
    """Makes backups of the state that this process works on, one at a time. From any thread."""

    def __init__(self, state: Path, min_free_bytes: int) -> None:
        self._state, self._min_free_bytes = state, min_free_bytes
        self._lock, self._stopping = threading.Lock(), threading.Event()

    def stop(self) -> None:
        """Ends what is being made."""
        self._stopping.set()

    def stream(self) -> Generator[bytes, None, None]:
        """The archive, piece by piece. Raises Overloaded where another is under way or there is no room,
        and Broken; to be closed where it is not read to its end."""
        if not self._lock.acquire(blocking=False):
            raise Overloaded("A backup is being made already; wait for it.", 30)
        try:
            yield from make(self._state, False, self._min_free_bytes, self._go_on)
            log.info("backup_made")
        finally:
            self._lock.release()

    def _go_on(self) -> None:
        if self._stopping.is_set():
            raise Broken("dialerd is stopping: make the backup again when it is back.")


def make(
    state: Path, stopped: bool, min_free_bytes: int = 0, go_on: Callable[[], None] = lambda: None
) -> Generator[bytes, None, None]:
    """The archive of a state folder, piece by piece. `stopped`: dialerd was stopped for good. `go_on` is
    asked now and then, and raises Broken where there is no time any more. Raises Overloaded where there is no
    room for the copies, and Broken."""
    work = state / WORK
    _check_room(state, min_free_bytes)
    shutil.rmtree(work, ignore_errors=True)
    try:
        work.mkdir(mode=0o700)
    except OSError as error:
        raise Broken(f"{work} can't be made: {error.strerror}.") from error
    try:
        taken, schemas, jobs = datetime.now(UTC), dict[str, int](), dict[str, int]()
        there = [name for name in (REPORTS, JOBS) if schema_of(state / name)[0]]
        for name in there:
            schemas[name] = _copy(state / name, work / name, jobs if name == JOBS else None, go_on)
        sources = [Source(name, work / name) for name in reversed(there)]
        sources += [Source(name, state / name) for name in small_files(state)]
        told = partial(Manifest, __version__, taken, socket.gethostname(), stopped, schemas, jobs)
        for piece in pack(sources, told):
            go_on()
            yield piece
    finally:
        shutil.rmtree(work, ignore_errors=True)


def save(pieces: Iterable[bytes], path: Path, prove: Callable[[Path], None] = lambda _path: None) -> None:
    """Writes an archive to a file, which gets its name only once all of it is on disk and `prove` has nothing
    against it. Raises Overloaded where another one is being written there, OSError, and what `prove` raises.
    """
    fresh = path.with_name(f".{path.name}.dialerd-part")
    with os.fdopen(_part(fresh), "wb") as file:
        try:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
            prove(fresh)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _part(fresh: Path) -> int:
    """A new file for what is not whole yet, in the place of one that a crash left; locked, so that of two
    backups to one file the second does not take away what the first one writes."""
    with suppress(FileNotFoundError):
        there = os.open(fresh, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            _lock(there, fresh)
            fresh.unlink(missing_ok=True)
        finally:
            os.close(there)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    made = os.open(fresh, flags, 0o600)
    _lock(made, fresh)
    return made


def _lock(file: int, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Overloaded(f"Another backup is being written there ({path}); wait for it.", 30) from None


def before_upgrade(state: Path, known: Mapping[str, int]) -> Path | None:
    """Backs a state up whose tables are about to be migrated; where the backup lies, None where there is
    none. `known`: the versions that this dialerd brings each file to."""
    found = {name: schema_of(state / name)[0] for name in known}
    old = {name: version for name, version in found.items() if 0 < version < known[name]}
    if not old:
        return None
    path = state / f"before-upgrade-{found[JOBS]}.tar.gz"
    members = (state / name for name in (JOBS, REPORTS, *small_files(state)))
    size = sum(each.stat().st_size for each in members if each.is_file())
    if size > LARGEST_BEFORE_UPGRADE:
        log.warning("no_backup_before_upgrade", why=f"the state has {size // _MEGABYTE} MB", tables=old)
        return None
    try:
        save(make(state, stopped=False), path)
    except (OSError, Overloaded) as error:
        log.warning("no_backup_before_upgrade", why=str(error), tables=old)
        return None
    for other in state.glob("before-upgrade-*.tar.gz"):
        if other != path:
            other.unlink(missing_ok=True)
    log.info("backup_before_upgrade", path=str(path), tables=old)
    return path


def _check_room(state: Path, min_free_bytes: int) -> None:
    needed = 0
    for name in (JOBS, REPORTS, f"{JOBS}-wal", f"{REPORTS}-wal"):
        path = state / name
        needed += path.stat().st_size if path.is_file() else 0
    free = shutil.disk_usage(state).free
    if free < needed + min_free_bytes:
        raise Overloaded(
            f"There is no room for a backup: its copy of the queue takes {needed // _MEGABYTE + 1} MB in"
            f" {state} for a while, and {free // _MEGABYTE} MB are free there.",
            60,
        )


def _copy(source: Path, target: Path, jobs: dict[str, int] | None, go_on: Callable[[], None]) -> int:
    """Copies a database as it is at this instant, and counts its jobs; returns its tables' version."""
    with (
        broken("copied", source),
        closing(only_reading(source)) as db,
        closing(sqlite3.connect(target, isolation_level=None, check_same_thread=False)) as copy,
    ):
        copy.execute("PRAGMA synchronous = OFF")  # it is read from memory again at once
        db.execute("BEGIN")
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        if jobs is not None:
            jobs.update(db.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall())
        db.execute("SELECT 1 FROM sqlite_schema").fetchone()
        db.backup(copy, pages=PAGES, progress=lambda *_: go_on())
        return version
