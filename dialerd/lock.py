"""One dialerd per folder: a lock that the kernel drops when its holder ends, and that says who the holder
is."""

import fcntl
import os
from pathlib import Path

from dialerd.core.errors import ConfigError, Mistake

_held: list[int] = []


def hold(folder: Path, what: str) -> None:
    """Locks a folder for as long as this process lives. Raises ConfigError naming the holder where there is
    one."""
    path = folder / "lock"
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise ConfigError([Mistake(str(path), f"the lock can't be opened: {error.strerror}.")]) from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(fd, 100, 0).decode(errors="replace").strip() or "another process"
        os.close(fd)
        raise ConfigError(
            [Mistake(str(folder), f"{what} is in use by {holder}; stop that one first.")]
        ) from None
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"dialerd, pid {os.getpid()}\n".encode(), 0)
    _held.append(fd)


def state_folder(path: Path) -> Path:
    """The folder itself, made where it is not there. Raises ConfigError."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        why = f"the state folder can't be made: {error.strerror}. Make it, owned by dialerd's user."
        raise ConfigError([Mistake(str(path), why)]) from error
    return path
