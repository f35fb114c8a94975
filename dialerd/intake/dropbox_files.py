"""The drop folder on disk: its three folders, which entries are settled, claiming one, and opening what was
claimed.

Everything in `drop` was put there by somebody who is not trusted: names are any bytes, and an entry may be a
link, a pipe, a folder, somebody else's file, or may change at any moment. Nothing is opened before it lies in
`claimed`.
"""

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dialerd.core.errors import ConfigError, InvalidJob, Mistake
from dialerd.intake.jobfile import SUFFIXES

KNOWN = (*SUFFIXES, ".call")
NAME_MAX = 255
"""Bytes that a file's name may have on every Linux file system that matters."""

PATIENCE = 10
"""A file that looks cut off (its last line has no end) must be still for so many times longer before it is
taken."""

_UNIQUE_BYTES = 10
_CLAIM = re.compile(r"([0-9a-f]{20})\.(.*)", re.DOTALL)
_ENDS = {".json": (b"]", b"}"), ".ndjson": (b"\n", b"}"), ".csv": (b"\n", b"\r", b"\n\0"), ".call": (b"\n",)}
_FORBIDDEN = (errno.EACCES, errno.EPERM)


@dataclass(frozen=True, slots=True)
class DropSettings:
    """Where the drop folder is and how patient we are. Times are seconds; `chunk` is how many jobs share a
    commit. `companion_seconds`: how long a job's file waits for the document that it names, `lone_seconds`:
    how long a document waits for a job's file that names it."""

    folder: Path
    max_bytes: int = 256 << 20
    still_seconds: float = 2.0
    look_seconds: float = 2.0
    answer_seconds: float = 30.0
    longest_wait_seconds: float = 30.0
    stuck_seconds: float = 60.0
    companion_seconds: float = 10.0
    lone_seconds: float = 600.0
    chunk: int = 500
    drop_mode: int = 0o3770


@dataclass(frozen=True, slots=True)
class Folders:
    """The three folders, on one file system."""

    drop: Path
    claimed: Path
    rejected: Path


@dataclass(frozen=True, slots=True)
class Claim:
    """An entry that is ours now. `unique` is in its name, so that the keys of its rows survive a crash."""

    unique: str
    name: str
    path: Path

    def key(self, row: int) -> str:
        """The idempotency key of a row that brought none."""
        return f"drop:{self.unique}:{row}"


class Changed(Exception):
    """Somebody still writes to the file: look at it again later."""


class Awaited(Changed):
    """The document that a job's file names is not there yet, or is still being written."""


def prepare(settings: DropSettings) -> Folders:
    """Makes what is missing. Raises ConfigError with a sentence for each folder that can't be used."""
    top = settings.folder
    folders = Folders(top / "drop", top / "claimed", top / "rejected")
    modes = {top: 0o755, folders.drop: settings.drop_mode, folders.claimed: 0o700, folders.rejected: 0o755}
    mistakes = [mistake for path, mode in modes.items() for mistake in _make(path, mode)]
    mistakes = mistakes or list(_unsafe(folders)) or list(_try_out(folders))
    if mistakes:
        raise ConfigError(mistakes)
    return folders


def _make(path: Path, mode: int) -> Iterator[Mistake]:
    try:
        if not path.is_dir():
            path.mkdir(parents=True)
            path.chmod(mode)
    except OSError as error:
        advice = f"Make it, owned by dialerd's user, with mode {mode:04o}."
        yield Mistake(str(path), f"This folder of the drop folder can't be made: {error.strerror}. {advice}")


def _unsafe(folders: Folders) -> Iterator[Mistake]:
    claimed, drop = folders.claimed.stat(), folders.drop.stat()
    if claimed.st_uid != os.geteuid() or claimed.st_mode & 0o077:
        what = "Only dialerd's user may own and open it"
        yield Mistake(str(folders.claimed), f"{what}: chown it to that user, and chmod it to 0700.")
    if os.geteuid() not in (0, drop.st_uid) and drop.st_mode & stat.S_ISVTX:
        what = "It is sticky and belongs to somebody else, so dialerd can't take files out of it"
        yield Mistake(str(folders.drop), f"{what}: chown it to dialerd's user.")


def _try_out(folders: Folders) -> Iterator[Mistake]:
    """Moves an empty file through the folders: shows missing permissions and foreign file systems at once."""
    name = f".{secrets.token_hex(_UNIQUE_BYTES)}.tmp"
    here = folders.drop / name
    folder = folders.drop
    try:
        os.close(os.open(here, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        for folder in (folders.claimed, folders.rejected):
            here = here.rename(folder / name)
    except OSError as error:
        if error.errno == errno.EXDEV:
            what = "It is on another file system than drop/: the three folders must be on one"
        else:
            what = f"dialerd can't move files into it ({error.strerror}): chown it to dialerd's user"
        yield Mistake(str(folder), f"{what}.")
    finally:
        here.unlink(missing_ok=True)


def is_ignored(name: str) -> bool:
    """Whether the name says that somebody is still at work on the file."""
    return name.startswith(".") or name.endswith((".tmp", ".part", "~"))


def suffix_of(name: str) -> str:
    """What the name ends in from the last dot on, in small letters."""
    return os.path.splitext(name)[1].lower()


def shown(name: str) -> str:
    """A file's name for eyes: what is no text or would break the line is escaped."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def fitting(name: str, room: int) -> str:
    """The name, its middle cut out where it has more than `room` bytes; the suffix stays."""
    stem, suffix = os.path.splitext(name)
    suffix = suffix if len(os.fsencode(suffix)) < room // 2 else ""
    while len(os.fsencode(stem + suffix)) > room:
        stem = stem[:-1]
    return stem + suffix


def is_still(status: os.stat_result, now: float, seconds: float) -> bool:
    """Whether the entry did not change for so long.

    Every change of size, mtime or content moves ctime, which only the kernel sets. A ctime ahead of the clock
    means that the clock was put back since: the entry counts as still once it is that far off.
    """
    return abs(now - status.st_ctime) >= seconds


def is_settled(path: Path, status: os.stat_result, now: float, seconds: float) -> bool:
    """Whether an entry of the drop folder, of which no writer's end was seen, may be taken."""
    if not is_still(status, now, seconds):
        return False
    if is_still(status, now, seconds * PATIENCE) or not stat.S_ISREG(status.st_mode):
        return True
    return not _looks_cut(path)


def _looks_cut(path: Path) -> bool:
    """Whether the file's end is not how a whole file of its kind ends. What can't be read is not looked
    at."""
    try:
        with open_unfollowed(path) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 64))
            tail = file.read(64)
    except OSError:
        return False
    suffix = suffix_of(path.name)
    return suffix in _ENDS and not (tail.rstrip() if suffix == ".json" else tail).endswith(_ENDS[suffix])


def claim(folders: Folders, name: str) -> Claim:
    """Moves an entry out of everybody's reach. Raises OSError: it may be gone, or not ours to move."""
    unique = secrets.token_hex(_UNIQUE_BYTES)
    kept = fitting(name, NAME_MAX - 2 * _UNIQUE_BYTES - 1)
    path = folders.claimed / f"{unique}.{kept}"
    (folders.drop / name).rename(path)
    return Claim(unique, kept, path)


def claim_of(path: Path) -> Claim | None:
    """The claim that lies there, or None for what was not claimed by us."""
    match = _CLAIM.fullmatch(path.name)
    return Claim(match[1], match[2], path) if match else None


def identity(status: os.stat_result) -> tuple[int, int, int, int]:
    """What stays the same while nobody writes to a file, renames another over it or links it."""
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_nlink


def open_claim(path: Path, max_bytes: int) -> tuple[BinaryIO, os.stat_result]:
    """Opens what was claimed, if it is a file that we take. Raises InvalidJob with the reason,
    FileNotFoundError."""
    if mistakes := list(_not_taken(path.lstat(), max_bytes)):
        raise InvalidJob(mistakes)
    try:
        file = open_unfollowed(path)
    except OSError as error:
        if error.errno not in _FORBIDDEN:
            raise
        what = (
            "dialerd may not read it: give it to the drop folder's group and make it readable (chmod 0640)."
        )
        raise InvalidJob([Mistake("", what)]) from None
    status = os.fstat(file.fileno())
    if mistakes := list(_not_taken(status, max_bytes)):
        file.close()
        raise InvalidJob(mistakes)
    return file, status


def open_unfollowed(path: Path) -> BinaryIO:
    """Opens for reading without waiting for a pipe's writer. Raises OSError, also for a symbolic link."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags), "rb")


def _not_taken(status: os.stat_result, max_bytes: int) -> Iterator[Mistake]:
    if not stat.S_ISREG(status.st_mode):
        kinds = {stat.S_IFDIR: "a folder", stat.S_IFLNK: "a symbolic link", stat.S_IFIFO: "a pipe"}
        kind = kinds.get(stat.S_IFMT(status.st_mode), "no plain file")
        yield Mistake("", f"It is {kind}: only plain files are taken.")
    elif status.st_nlink > 1:
        yield Mistake(
            "", f"It has {status.st_nlink} names (hard links): copy it into the drop folder instead."
        )
    elif status.st_size > max_bytes:
        yield Mistake("", f"It has {status.st_size} bytes, and {max_bytes} are the most: split it.")


def sync_folder(path: Path) -> None:
    """Brings the folder's entries to the disk. Raises OSError."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
