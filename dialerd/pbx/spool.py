"""Call files on their way through Asterisk's spool: staged, handed over, taken back, looked at, removed.

    dialerd/staging ──hand_over──► outgoing ──Asterisk, at the call's end──► outgoing_done ──remove──► gone
                                   │      ▲
                          take_out ▼      │ put_back
                                  dialerd/taken             keep_evidence: outgoing ──► dialerd/doubt

Each step is one rename that replaces nothing. What is said of Asterisk was seen on running ones, 16 to 22.
"""

import errno
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dialerd.core.errors import Broken, ConfigError, DialerError, Mistake, Unconfirmed
from dialerd.core.signals import Place, Sighting
from dialerd.pbx.callfile import ATTEMPT
from dialerd.pbx.folders import Folder, Folders, remove_file, rename_into, verdict
from dialerd.pbx.sightings import Copy, read_copy, sighting_of
from dialerd.pbx.spool_check import asterisk_uid, mistakes

OPEN_AT_ONCE = 64
"""Files that are open together: all are written before the first is synced, which syncs most of them."""

MTIME_BEHIND_S = 86_400
"""How far behind now the mtime of a call file is set. Asterisk reads a future one as "not before", once, at
arrival; a day behind, the clock may be set back without a call being put off."""

_NAME = re.compile(rf"{ATTEMPT.pattern}\.call")
_PLACES = {
    Place.STAGED: Folder.STAGING,
    Place.OUTGOING: Folder.OUTGOING,
    Place.TAKEN: Folder.TAKEN,
    Place.DONE: Folder.DONE,
}
"""In the order in which a file moves, so that a listing never misses one that moves meanwhile."""


@dataclass(frozen=True, slots=True)
class SpoolSettings:
    """Where Asterisk's spool is (`astspooldir`), and as whom Asterisk runs.

    `user` is a name or a uid; empty or None means `asterisk` where there is such a user, else our own.
    """

    spool: Path
    user: str | None = None


@dataclass(frozen=True, slots=True)
class _Owner:
    """Whose a call file must be. Asterisk has to be the owner, since it sets the file's mtime at the start of
    a call; else a crash of Asterisk means a second call. The group is ours: we must read the result."""

    uid: int
    gid: int
    mode: int


class Spool:
    """One Asterisk's spool. Safe to be used by several threads; check() comes first.

    Where a mapping is returned it holds the failures only. Methods raise Broken when our ground gave way, and
    Unavailable when nothing was done and it may be tried again.
    """

    def __init__(self, settings: SpoolSettings) -> None:
        self.settings = settings
        self.folders = Folders(settings.spool)

    def check(self) -> None:
        """Makes our folders and tries out what will be needed. Raises ConfigError with every mistake."""
        if found := list(mistakes(self.folders, self.settings.user)):
            raise ConfigError(found)

    def stage(self, files: Mapping[str, bytes]) -> dict[str, DialerError]:
        """Writes files beside `outgoing`, synced, for Asterisk's user. Who fails leaves no file.

        A file of the same name that was left by a crash is replaced: no attempt was begun with it.
        """
        failures: dict[str, DialerError] = {}
        names = [_ours(name) for name in files]
        with self._at_work("write to", Folder.STAGING) as (folder,):
            for start in range(0, len(names), OPEN_AT_ONCE):
                some = {name: files[name] for name in names[start : start + OPEN_AT_ONCE]}
                failures |= self._stage_some(folder, some, _broken(failures))
            if len(failures) < len(names):
                os.fsync(folder)
        return failures

    def hand_over(self, names: Sequence[str]) -> dict[str, DialerError]:
        """Moves staged files into `outgoing`: from the rename on Asterisk may call.

        The folder is synced once. Broken and Unavailable: the file is still staged. Unconfirmed: it was
        handed over, or may have been, so it must not be handed over again.
        """
        failures: dict[str, DialerError] = {}
        with self._at_work("move files into", Folder.OUTGOING, Folder.STAGING) as (outgoing, staging):
            for name in names:
                if trouble := _broken(failures) or self._hand_over_one(staging, _ours(name), outgoing):
                    failures[name] = trouble
            moved = [name for name in names if name not in failures]
            try:
                if moved:
                    os.fsync(outgoing)
            except OSError as error:
                why = verdict(error, "sync", self.folders.path(Folder.OUTGOING))
                failures |= {name: Unconfirmed(f"It was handed over, but: {why}") for name in moved}
        return failures

    def discard(self, names: Sequence[str]) -> None:
        """Removes staged files that were never handed over."""
        with self._at_work("remove files from", Folder.STAGING) as (staging,):
            for name in names:
                remove_file(staging, _ours(name))

    def take_out(self, name: str) -> bool:
        """Moves a file out of `outgoing`, on disk; False where it was not there, or was taken out before.

        That Asterisk will not call it is not certain yet: it may have read the file already.
        """
        return self._move(name, Folder.OUTGOING, Folder.TAKEN)

    def put_back(self, name: str) -> bool:
        """Moves a taken file into `outgoing` again; False where it is not there or the name is taken."""
        return self._move(name, Folder.TAKEN, Folder.OUTGOING)

    def drop_taken(self, name: str) -> None:
        """Removes a file that was taken out."""
        with self._at_work("remove files from", Folder.TAKEN) as (taken,):
            remove_file(taken, _ours(name))

    def keep_evidence(self, name: str) -> bool:
        """Moves a file out of `outgoing` and `taken` into `doubt`, so that no Asterisk dials it again.

        False where there was none. A second one of the same name is kept as NAME.2 and so on.
        """
        kept = False
        for source in (Folder.OUTGOING, Folder.TAKEN):
            for count in range(1, 10):
                suffix = f".{count}" if count > 1 else ""
                if self._move(name, source, Folder.DOUBT, _ours(name) + suffix):
                    kept = True
                    break
        return kept

    def remove(self, names: Sequence[str]) -> None:
        """Removes files from `outgoing_done` and `taken`, once their result is on disk."""
        for folder in (Folder.TAKEN, Folder.DONE):
            if folder is Folder.DONE and not self.folders.path(folder).exists():
                continue
            with self._at_work("remove files from", folder) as (at,):
                for name in names:
                    remove_file(at, _ours(name))

    def look(self, name: str) -> Sighting:
        """Where the file is, and what Asterisk wrote into it."""
        found = {place: self._copy(place, _ours(name)) for place in _PLACES}
        if found[Place.DONE] and found[Place.OUTGOING]:
            found[Place.OUTGOING] = self._copy(Place.OUTGOING, name)  # it may have moved on meanwhile
        copies = {place: copy for place, copy in found.items() if copy is not None}
        if not copies:
            with self._at_work("look into", Folder.OUTGOING, Folder.STAGING):
                pass  # a folder that is gone must not look like a file that is gone
        return sighting_of(name, copies)

    def survey(self) -> list[Sighting]:
        """Every file of ours, wherever it lies, by name. Foreign files are not looked at."""
        names = sorted(frozenset().union(*self.listing().values()))
        sightings = map(self.look, names)
        return [sighting for sighting in sightings if sighting.place is not Place.GONE]

    def listing(self) -> Mapping[Place, frozenset[str]]:
        """The names of our files by place, unread. One that moves meanwhile may be in two places."""
        return {place: self._names(folder) for place, folder in _PLACES.items()}

    def free_bytes(self) -> int:
        """Free space on the spool's file system; 0 also when it has no inode left."""
        state = os.statvfs(self.folders.path(Folder.STAGING))
        return 0 if state.f_files and not state.f_favail else state.f_bavail * state.f_frsize

    @cached_property
    def _owner(self) -> _Owner:
        uid = asterisk_uid(self.settings.user)
        if uid is None:
            raise ConfigError([Mistake("asterisk.user", f"There is no user {self.settings.user!r}.")])
        return _Owner(uid, os.getegid(), 0o600 if uid == os.geteuid() else 0o640)

    def _stage_some(
        self, folder: int, files: Mapping[str, bytes], broken: DialerError | None
    ) -> dict[str, DialerError]:
        failures: dict[str, DialerError] = {}
        opened: dict[str, int] = {}
        path = self.folders.path(Folder.STAGING)
        try:
            for name, data in files.items():
                try:
                    if broken is None:
                        opened[name] = self._create(folder, name)
                        self._fill(opened[name], data)
                except OSError as error:
                    failures[name] = verdict(error, "write to", path)
                    broken = _broken(failures)
                if broken is not None:
                    failures.setdefault(name, broken)
            for name in opened.keys() - failures.keys():
                try:
                    os.fsync(opened[name])
                except OSError as error:
                    failures[name] = verdict(error, "sync a file in", path)
        finally:
            for name, at in opened.items():
                os.close(at)
                if name in failures:
                    remove_file(folder, name)
        return failures

    def _create(self, folder: int, name: str) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            return os.open(name, flags, 0o600, dir_fd=folder)
        except FileExistsError:
            remove_file(folder, name)
            return os.open(name, flags, 0o600, dir_fd=folder)

    def _fill(self, at: int, data: bytes) -> None:
        """Owner last: who gave a file away may no longer change its mode or times."""
        view = memoryview(data)
        while view:
            view = view[os.write(at, view) :]
        behind = time.time() - MTIME_BEHIND_S
        os.utime(at, (behind, behind))
        os.fchmod(at, self._owner.mode)
        if self._owner.uid != os.geteuid():
            os.fchown(at, self._owner.uid, self._owner.gid)

    def _hand_over_one(self, staging: int, name: str, outgoing: int) -> DialerError | None:
        try:
            rename_into(staging, name, outgoing)
        except FileNotFoundError:
            return Unconfirmed(f"{name} is no longer staged, so it may have been handed over before.")
        except FileExistsError:
            return Unconfirmed(f"{name} is in outgoing already, so it was handed over before.")
        except OSError as error:
            return verdict(error, "move files into", self.folders.path(Folder.OUTGOING))
        return None

    def _move(self, name: str, source: Folder, target: Folder, new_name: str | None = None) -> bool:
        """One rename, on disk in both folders. False where there is no such file, or its name is taken."""
        with self._at_work("move files out of", source, target) as (here, there):
            try:
                rename_into(here, _ours(name), there, new_name)
            except (FileNotFoundError, FileExistsError):
                return False
            os.fsync(there)
            os.fsync(here)
            return True

    def _copy(self, place: Place, name: str) -> Copy | None:
        path = self.folders.path(_PLACES[place])
        try:
            return read_copy(path / name)
        except OSError as error:
            raise verdict(error, "read in", path) from error

    def _names(self, folder: Folder) -> frozenset[str]:
        try:
            with self._at_work("list", folder) as (at,), os.scandir(at) as entries:
                ours = (entry for entry in entries if _NAME.fullmatch(entry.name))
                return frozenset(entry.name for entry in ours if entry.is_file(follow_symlinks=False))
        except FileNotFoundError:
            return frozenset()

    @contextmanager
    def _at_work(self, doing: str, *folders: Folder) -> Iterator[list[int]]:
        """Opens folders, and makes what the system says against it one of our errors.

        A missing `outgoing_done` is no trouble, since Asterisk makes it when it needs it: FileNotFoundError.
        """
        try:
            with self.folders.opened(*folders) as opened:
                yield opened
        except OSError as error:
            if folders[0] is Folder.DONE and error.errno == errno.ENOENT:
                raise
            raise verdict(error, doing, self.folders.path(folders[0])) from error


def _broken(failures: Mapping[str, DialerError]) -> DialerError | None:
    """The trouble that makes it useless to go on with the next file."""
    return next((error for error in failures.values() if isinstance(error, Broken)), None)


def _ours(name: str) -> str:
    """The name itself. Raises ValueError for what is no call file of ours: that is a bug."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no call file of dialerd's")
    return name
