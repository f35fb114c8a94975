"""One dialerd per folder: a lock that the kernel drops when its holder ends, and that says who the holder
is."""

import errno
import fcntl
import os
import pwd
from contextlib import suppress
from pathlib import Path

from dialerd.core.errors import Broken, ConfigError, Mistake

_CURES = {
    errno.ENOSPC: "Make room on its disk.",
    errno.EDQUOT: "Raise the quota, or make room.",
    errno.EROFS: "Its disk is mounted read-only: look into the kernel's log, then mount it read-write.",
    errno.ELOOP: "It is a link: remove it.",
}
_held: list[int] = []


def hold(folder: Path, what: str) -> int:
    """Locks a folder for as long as this process lives, or until let_go() of what is returned. Raises
    ConfigError naming the holder where there is one, and Broken where the disk is full: that may pass."""
    path = folder / "lock"
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        cure = _CURES.get(error.errno or 0, "Let dialerd's user own the folder, with mode 0700.")
        why = f"{what} can't be locked: {error.strerror}. {cure}"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Broken(f"{path}: {why}") from error
        raise ConfigError([Mistake(str(path), why)]) from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(fd, 100, 0).decode(errors="replace").strip() or "another process"
        os.close(fd)
        raise ConfigError(
            [Mistake(str(folder), f"{what} is in use by {holder}; stop that one first.")]
        ) from None
    with suppress(OSError):  # it holds without a name too, where the disk is full
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"dialerd, pid {os.getpid()}\n".encode(), 0)
    _held.append(fd)
    return fd


def let_go(held: int) -> None:
    """Ends a lock."""
    _held.remove(held)
    os.close(held)


def not_anothers(folder: Path) -> None:
    """Raises ConfigError where we are root, and the folder is another user's: what root writes there, dialerd
    as that user could not use any more."""
    uid = folder.stat().st_uid
    if uid and os.geteuid() == 0:
        try:
            name = pwd.getpwuid(uid).pw_name
        except KeyError:
            name = f"user {uid}"
        what = (
            f"the state folder belongs to {name}, who could not use what root would write there. Start"
            " dialerd as that user: systemctl start dialerd."
        )
        raise ConfigError([Mistake(str(folder), what)])


def state_folder(path: Path) -> Path:
    """The folder itself, made where it is not there. Raises ConfigError, or Broken where the disk is full."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Broken(f"{path}: the state folder can't be made: {error.strerror}. Make room.") from error
        why = f"the state folder can't be made: {error.strerror}. Make it, owned by dialerd's user."
        if error.errno in (errno.EEXIST, errno.ENOTDIR):
            why = "the state folder can't be made, since a file stands in its place: move that away."
        raise ConfigError([Mistake(str(path), why)]) from error
    return path
