"""The spool's folders: opened one by one without following links of ours, renamed in without replacing.

dialerd's own folders lie inside the spool, `dialerd/` beside `outgoing`, because only a rename within one
mount brings a file into `outgoing` whole. The spool belongs to Asterisk's user, so every step is taken from
an open folder: nobody can put a link in the way of a daemon that runs as root.
"""

import ctypes
import errno
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from dialerd.core.errors import Broken, DialerError, Unavailable

OURS = "dialerd"
OUR_MODE = 0o700

_libc = ctypes.CDLL(None, use_errno=True)
_RENAME_NOREPLACE = 1  # linux/fs.h
_PASSING = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EINTR, errno.EBUSY, errno.ENOBUFS)
"""Troubles that pass by themselves; every other one needs a person."""

_REASONS = {
    errno.ENOSPC: "the disk is full: free some space",
    errno.EDQUOT: "the disk quota is used up: raise it or free some space",
    errno.EROFS: "the file system is mounted read-only: look into the kernel's log, then mount it read-write",
    errno.EIO: "the disk fails: look into the kernel's log",
    errno.ENOENT: "the folder is gone: start Asterisk and then dialerd again, which make their folders",
}


class Folder(Enum):
    """The folders of the spool, from the spool's own down."""

    STAGING = (OURS, "staging")
    TAKEN = (OURS, "taken")
    DOUBT = (OURS, "doubt")
    OUTGOING = ("outgoing",)
    DONE = ("outgoing_done",)


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders below one spool."""

    spool: Path

    def path(self, folder: Folder) -> Path:
        """The folder's path, for sentences and for the checks at start."""
        return self.spool.joinpath(*folder.value)

    @contextmanager
    def opened(self, *folders: Folder) -> Iterator[list[int]]:
        """Descriptors of these folders. Raises OSError, FileNotFoundError for a folder that is not there."""
        with ExitStack() as stack:
            found = []
            for folder in folders:
                found.append(self.open(folder))
                stack.callback(os.close, found[-1])
            yield found

    def open(self, folder: Folder) -> int:
        """A descriptor of one folder. Asterisk's own may be links, ours never."""
        link = os.O_NOFOLLOW if folder.value[0] == OURS else 0
        at = os.open(self.spool, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        for depth, name in enumerate(folder.value, 1):
            kind = os.O_RDONLY if depth == len(folder.value) else os.O_PATH
            try:
                below = os.open(name, kind | link | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=at)
            finally:
                os.close(at)
            at = below
        return at


def rename_into(source: int, name: str, target: int, new_name: str | None = None) -> None:
    """Renames a file from one open folder into another; raises FileExistsError and replaces nothing.

    One system call (renameat2, Linux 3.15), so the file is never in both folders, nor in none.
    """
    new = (new_name or name).encode()
    if _libc.renameat2(source, name.encode(), target, new, _RENAME_NOREPLACE) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name)


def read_file(path: Path) -> tuple[bytes, os.stat_result] | None:
    """What is in a regular file, and its state; None where there is none (a link is none).

    Raises PermissionError for one that we may not read.
    """
    try:
        at = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENXIO):
            return None
        raise
    try:
        state = os.fstat(at)
        if not stat.S_ISREG(state.st_mode):
            return None
        with os.fdopen(at, "rb", closefd=False) as file:
            return file.read(), state
    finally:
        os.close(at)


def remove_file(folder: int, name: str) -> None:
    """Removes a file of an open folder; it is well if there is none."""
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


def verdict(error: OSError, doing: str, path: Path) -> DialerError:
    """What a trouble with the disk means: Unavailable if it passes by itself, Broken if a person must act."""
    if error.errno in _PASSING:
        return Unavailable(f"dialerd could not {doing} {path}: {error.strerror}.")
    if error.errno in (errno.EACCES, errno.EPERM):
        who = f"uid {os.geteuid()}"
        return Broken(
            f"dialerd ({who}) may not {doing} {path}: give it the right, for example {_cure(path)}."
        )
    reason = _REASONS.get(error.errno or 0, error.strerror or "an unknown trouble")
    return Broken(f"dialerd could not {doing} {path}: {reason}.")


def _cure(path: Path) -> str:
    return f"with `setfacl -m u:{os.geteuid()}:rwx {path}`"
