"""Files of `dialerctl setup`: what is there is compared, ours are replaced whole, others are left alone."""

import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from dialerd.cli.setup_looking import Machine
from dialerd.setup.marks import Found, compared
from dialerd.setup.plan import File
from dialerd.setup.texts import shown

_LARGEST = 1024 * 1024
_FOLDER_MODE = 0o755
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Unfit(Exception):
    """What stands at a path of ours is no plain file, or can't be read."""


@dataclass(frozen=True, slots=True)
class Change:
    """A file as it should be, and what is there. `diff` is for a screen: no secret is in it."""

    file: File
    found: Found
    diff: str
    right: bool = True
    """Whether owner and mode are as they should be."""

    @property
    def left_alone(self) -> bool:
        """Whether it is a person's file."""
        return self.found in (Found.EDITED, Found.FOREIGN)

    @property
    def needed(self) -> bool:
        """Whether something is to be done."""
        return self.found is not Found.SAME or not self.right


class Writer:
    """Writes into the folders of a machine, without following links that others could have put there."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._owners = os.geteuid() == 0

    def change(self, file: File, secret: str) -> Change | None:
        """What would be done; None where a file that should not be there is not. Raises Unfit."""
        there = self.read(file.path)
        if there is None and file.text is None:
            return None
        found = compared(there, file.text or "")
        return Change(file, found, _diff(file, there, secret), self._right(file) or found is not Found.SAME)

    def read(self, path: str) -> str | None:
        """What is in a file; None where there is none. Raises Unfit."""
        where = self._machine.at(path)
        try:
            at = os.open(where, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unfit(
                f"{path} can't be read ({error.strerror}): move it away, or run setup as root."
            ) from None
        with os.fdopen(at, "rb") as file:
            if not stat.S_ISREG(os.fstat(at).st_mode):
                raise Unfit(f"{path} is no plain file: move it away.")
            return file.read(_LARGEST).decode(errors="surrogateescape")

    def write(self, file: File) -> None:
        """Puts the file there, whole, with its owner and mode, or takes it away. Raises OSError."""
        with self._folder(file.path) as folder:
            name = Path(file.path).name
            if file.text is None:
                os.unlink(name, dir_fd=folder)
            else:
                self._replace(folder, name, file)
            os.fsync(folder)

    def keep(self, path: str) -> str:
        """Keeps what is there under another name, NAME.bak or NAME.bak.2 and so on, and says which."""
        with self._folder(path) as folder:
            name = Path(path).name
            for count in range(1, 1000):
                other = f"{name}.bak{f'.{count}' if count > 1 else ''}"
                with suppress(FileExistsError):
                    os.link(name, other, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
                    return other
        raise FileExistsError(path)

    def make_folder(self, path: str, group: str, mode: int) -> None:
        """Makes one of dialerd's own folders where it is not there."""
        os.close(self._open(path, mode, group))

    @contextmanager
    def alone(self, path: str) -> Iterator[None]:
        """No other setup of the configuration in this folder writes meanwhile; one that does is awaited."""
        at = self._open(path, _FOLDER_MODE, "root")
        try:
            fcntl.flock(at, fcntl.LOCK_EX)
            yield
        finally:
            os.close(at)

    def unchanged(self, seen: Change, secret: str) -> None:
        """Raises Unfit where a file is not any more what was shown."""
        now = self.change(seen.file, secret)
        if now is None or now.found is not seen.found or (seen.diff and now.diff != seen.diff):
            raise Unfit(f"{seen.file.path} was changed meanwhile, and left alone")

    @contextmanager
    def _folder(self, path: str) -> Iterator[int]:
        """The folder of a file, opened; a link in its place is not followed. Raises OSError."""
        at = self._open(str(Path(path).parent), _FOLDER_MODE, "root")
        try:
            yield at
        finally:
            os.close(at)

    def _open(self, path: str, mode: int, group: str) -> int:
        """A folder, made where it is not there, as those above it are. Links above it count on the machine
        that we run on; those in a folder that holds another machine could lead out of it."""
        parts = Path(path.lstrip("/")).parts
        at = os.open(self._machine.root, _FOLDER)
        for count, name in enumerate(parts, 1):
            last = count == len(parts)
            above, follow = at, self._machine.live and not last
            try:
                try:
                    at = _below(above, name, follow)
                except FileNotFoundError:
                    self._make(above, name, *((mode, group) if last else (_FOLDER_MODE, "root")))
                    at = _below(above, name, follow)
            finally:
                os.close(above)
        return at

    def _make(self, above: int, name: str, mode: int, group: str) -> None:
        """Makes a folder that has its mode and group as soon as it has its name."""
        fresh = f".{name}.{secrets.token_hex(8)}"
        os.mkdir(fresh, 0o700, dir_fd=above)
        at = _below(above, fresh, follow=False)
        try:
            if self._owners:
                os.fchown(at, 0, self._machine.gid(group) or 0)
            os.fchmod(at, mode)
            os.rename(fresh, name, src_dir_fd=above, dst_dir_fd=above)
        finally:
            os.close(at)

    def _replace(self, folder: int, name: str, file: File) -> None:
        _clear(folder, name)
        fresh = f".{name}.{secrets.token_hex(8)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        at = os.open(fresh, flags, 0o600, dir_fd=folder)
        try:
            with os.fdopen(at, "wb") as out:
                out.write((file.text or "").encode(errors="surrogateescape"))
                out.flush()
                if self._owners:
                    os.fchown(at, *self._ids(file))
                os.fchmod(at, file.mode)
                os.fsync(at)
            os.rename(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(fresh, dir_fd=folder)
            raise

    def _ids(self, file: File) -> tuple[int, int]:
        owner = self._machine.account(file.owner)
        group = self._machine.gid(file.group)
        return owner.uid if owner else 0, group if group is not None else 0

    def _right(self, file: File) -> bool:
        try:
            status = self._machine.at(file.path).lstat()
        except FileNotFoundError:
            return True
        owned = not self._owners or (status.st_uid, status.st_gid) == self._ids(file)
        return owned and stat.S_IMODE(status.st_mode) == file.mode


def _below(above: int, name: str, follow: bool) -> int:
    return os.open(name, _FOLDER | (0 if follow else os.O_NOFOLLOW), dir_fd=above)


def _clear(folder: int, name: str) -> None:
    """Takes away what setups that were killed left of this file."""
    left = re.compile(rf"\.{re.escape(name)}\.[0-9a-f]{{16}}")
    for other in filter(left.fullmatch, os.listdir(folder)):
        with suppress(OSError):
            os.unlink(other, dir_fd=folder)


def _diff(file: File, there: str | None, secret: str) -> str:
    """What would change, as `diff -u` shows it; a file that a person wrote is shown beside ours, too."""
    before, after = (shown(text or "", secret) if file.hidden else text or "" for text in (there, file.text))
    names = ("/dev/null" if there is None else file.path, "/dev/null" if file.text is None else file.path)
    lines = unified_diff(before.splitlines(), after.splitlines(), *names, lineterm="")
    return "".join(f"{_printable(line)}\n" for line in lines)


def _printable(line: str) -> str:
    return "".join(
        each if each.isprintable() or each == "\t" else "\N{REPLACEMENT CHARACTER}" for each in line
    )
