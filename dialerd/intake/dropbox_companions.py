"""Companions: the documents that lie in the drop folder beside the job files that name them.

A companion is claimed for one job file, under a name that says for which: claimed/document.CLAIM.NAME. It is
copied to where documents are kept, and goes with its job file: removed after it, or to `rejected` before it.
One that is left without its job file was accepted.
"""

import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from dialerd.core.documents import SUFFIXES, Documents, Paper
from dialerd.core.errors import InvalidJob, Mistake
from dialerd.intake import dropbox_files as files
from dialerd.intake.dropbox_files import Awaited, Changed, Claim, DropSettings, Folders, shown
from dialerd.intake.dropbox_rejects import Rejects

_PREFIX = "document."
_CLAIMED = re.compile(r"document\.([0-9a-f]{20})\.(.*)", re.DOTALL)
_ROOM = files.NAME_MAX - len(_PREFIX) - 21


def is_companion(name: str) -> bool:
    """Whether an entry of the drop folder is a document, which no job is made of."""
    return files.suffix_of(name) in SUFFIXES


class Companions:
    """The companions of all claimed job files. Used by one thread."""

    def __init__(
        self,
        folders: Folders,
        settings: DropSettings,
        documents: Documents | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folders, self._settings, self._clock = folders, settings, clock
        self.documents = documents
        self._having: dict[str, dict[str, Paper]] = {}
        """The claims that may have some, each with those that are kept by now: several rows may name one."""

    def fetch(self, claim: Claim, status: os.stat_result, name: str) -> Paper:
        """The document that a job file names, kept for its owner. Raises Awaited as long as it may still
        come, InvalidJob for what can't be sent, Overloaded, OSError."""
        if self.documents is None:
            raise _refused("Documents are not kept here, so that no fax can be sent.")
        here, known = self._place(claim, name), self._having.setdefault(claim.unique, {})
        if name in known:
            return known[name]
        if not os.path.lexists(here):
            self._claim(status, name, here)
        data = self._read(here, status.st_uid)
        try:
            known[name] = self.documents.put(status.st_uid, data)
        except InvalidJob as error:
            raise _refused(error.mistakes[0].what) from None
        return known[name]

    def of(self, claim: Claim) -> list[Path]:
        """Those that were claimed for a job file. Raises OSError."""
        if claim.unique not in self._having:
            return []
        return [path for path, unique in self._claimed() if unique == claim.unique]

    def done(self, claim: Claim) -> None:
        """The job file was accepted and is gone: so are they."""
        for path in self.of(claim):
            path.unlink(missing_ok=True)
        self._having.pop(claim.unique, None)

    def refuse(self, claim: Claim, rejects: Rejects, now: float) -> None:
        """Moves them to `rejected`, before their job file. Raises OSError."""
        why = f"{shown(claim.name)}, which names it, was refused: {shown(claim.name)}.reason says why.\n"
        for path in self.of(claim):
            name = path.name.removeprefix(f"{_PREFIX}{claim.unique}.")
            moved = Claim(claim.unique, name, path)
            rejects.whole(moved, path.lstat(), now, iter([why.encode("utf-8", "backslashreplace")]))
        self._having.pop(claim.unique, None)

    def tidy(self) -> None:
        """At the start: removes those whose job file was accepted. Raises OSError."""
        left = {claim.unique for path in self._folders.claimed.iterdir() if (claim := files.claim_of(path))}
        for path, unique in self._claimed():
            if unique in left:
                self._having[unique] = {}
            else:
                path.unlink(missing_ok=True)

    def _claimed(self) -> Iterator[tuple[Path, str]]:
        for path in self._folders.claimed.iterdir():
            if match := _CLAIMED.fullmatch(path.name):
                yield path, match[1]

    def _place(self, claim: Claim, name: str) -> Path:
        return self._folders.claimed / f"{_PREFIX}{claim.unique}.{files.fitting(name, _ROOM)}"

    def _claim(self, job: os.stat_result, name: str, here: Path) -> None:
        """Moves it out of everybody's reach, once it is still. Another user's is left where it is."""
        there = self._folders.drop / name
        now = self._clock()
        waited = abs(now - job.st_ctime)
        try:
            status = there.lstat()
        except FileNotFoundError:
            if waited < self._settings.companion_seconds:
                raise Awaited from None
            raise _refused(
                f"There is no {shown(name)} in the drop folder: put it there before the job's file."
            ) from None
        _check_owner(status, job.st_uid)
        if not files.is_still(status, now, self._settings.still_seconds):
            if waited < self._settings.lone_seconds:
                raise Awaited
            raise _refused(f"{shown(name)} was still being written after {waited:.0f} seconds.")
        try:
            there.rename(here)
        except FileNotFoundError:
            raise Awaited from None
        files.sync_folder(self._folders.claimed)
        files.sync_folder(self._folders.drop)

    def _read(self, here: Path, owner: int) -> bytes:
        """The bytes of a plain file of this user with one name. Raises InvalidJob, Changed."""
        assert self.documents is not None
        try:
            file, status = files.open_claim(here, self.documents.most_bytes)
        except InvalidJob as error:
            raise _refused(error.mistakes[0].what) from None
        with file:
            _check_owner(status, owner)
            data = file.read(self.documents.most_bytes + 1)
            if files.identity(os.fstat(file.fileno())) != files.identity(status):
                raise Changed
        return data


def _check_owner(status: os.stat_result, owner: int) -> None:
    if status.st_uid != owner:
        kind = "it" if stat.S_ISREG(status.st_mode) else "what lies there"
        raise _refused(f"Another user put {kind} into the drop folder: give a document of your own.")


def _refused(what: str) -> InvalidJob:
    return InvalidJob([Mistake("document_file", what)])
