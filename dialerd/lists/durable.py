"""Writing to a list's file so that it is on disk afterwards, or unchanged."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


def append(path: Path, line: bytes) -> int:
    """Adds a whole line, synced to disk; returns by how many bytes the file grew. Raises OSError, and then
    nothing was added."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            line = b"\n" + line
        try:
            if os.write(descriptor, line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        except OSError:
            with suppress(OSError):
                os.ftruncate(descriptor, size)
            raise
        return len(line)
    finally:
        os.close(descriptor)


@contextmanager
def rewriting(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The file as it is, to read, and its successor, to write: it takes the name when the block is done.

    Mode and, where we may, owner stay. Raises OSError, and then the old file is still there.
    """
    real = path.resolve()
    fresh = real.with_name(f".{real.name}.dialerd-tmp")
    with real.open("rb") as old:
        state = os.fstat(old.fileno())
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(fresh, flags, 0o600), "wb") as new:
                yield old, new
                new.flush()
                with suppress(PermissionError):
                    os.fchown(new.fileno(), state.st_uid, state.st_gid)
                os.fchmod(new.fileno(), state.st_mode & 0o777)
                os.fsync(new.fileno())
            fresh.replace(real)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
    sync_folder(real.parent)


def make(path: Path) -> None:
    """An empty file with its folders, where there is none. Raises OSError."""
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640))
        sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Brings the folder's entries to the disk. Raises OSError."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
