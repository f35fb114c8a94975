"""The documents to be faxed, in a folder of the state folder.

Two kinds of files lie there: ID holds the bytes, ID.UID says that this user handed them in, and when last. A
document that is neither handed in nor named for a day, and that no job needs, is removed.
"""

import json
import os
import re
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from dialerd.core.documents import ID, MOST_BYTES, Paper, examine
from dialerd.core.errors import Broken, ConfigError, InvalidJob, Mistake, Overloaded
from dialerd.log import get_logger

log = get_logger(__name__)

RETRY_AFTER_S = 3600
_NAME = re.compile(rf"({ID})(?:\.([0-9]{{1,10}}))?")
_FRESH = ".fresh"
"""So ends the name of a file that is being written."""


@dataclass(frozen=True, slots=True)
class DocumentSettings:
    """Sizes are bytes, `keep_s` is seconds. `owner_bytes` and `owner_count` are what one user may have here
    at a time."""

    folder: Path
    most_bytes: int = MOST_BYTES
    total_bytes: int = 4 << 30
    total_count: int = 20_000
    owner_bytes: int = 1 << 30
    owner_count: int = 5_000
    keep_s: float = 86400.0


class FolderOfDocuments:
    """Keeps documents. From any thread."""

    def __init__(self, settings: DocumentSettings, clock: Callable[[], float] = time.time) -> None:
        self._settings, self._clock = settings, clock
        self._lock = threading.Lock()
        self._papers: dict[str, Paper] = {}
        self._owners: dict[str, dict[int, float]] = {}
        """By id: who handed it in, and when it was last handed in or named."""

    @property
    def most_bytes(self) -> int:
        """The most that one may have."""
        return self._settings.most_bytes

    def prepare(self) -> None:
        """Makes the folder, and takes stock of it. Raises ConfigError."""
        folder = self._settings.folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._lock, os.scandir(folder) as entries:
                self._take_stock([Path(entry.path) for entry in entries])
        except OSError as error:
            why = f"the folder of documents can't be used: {error.strerror}. Give it to dialerd's user."
            raise ConfigError([Mistake(str(folder), why)]) from error

    def put(self, owner: int, data: bytes) -> Paper:
        """Keeps a document, and records who handed it in; on disk when it returns. Raises InvalidJob for what
        can't be faxed, Overloaded at a bound, Broken."""
        try:
            paper = examine(data, self.most_bytes)
        except ValueError as error:
            raise InvalidJob([Mistake("document", str(error))]) from None
        with self._lock:
            self._check_room(owner, paper)
            try:
                self._write(paper, data, owner)
            except OSError as error:
                raise Broken(f"A document can't be written: {error.strerror}.") from error
        return paper

    def find(self, owner: int, document: str) -> Paper | None:
        """One of this user's, by its id: from now on it is kept for another day at least. Raises Broken."""
        with self._lock:
            if owner not in self._owners.get(document, ()):
                return None
            now = self._clock()
            try:
                os.utime(self._marker(document, owner), (now, now))
            except OSError as error:
                raise Broken(f"The folder of documents can't be written to: {error.strerror}.") from error
            self._owners[document][owner] = now
            return self._papers[document]

    def get(self, document: str) -> bytes:
        """A document's bytes. Raises Broken where they are not there any more, or others than they were."""
        try:
            data = self._path(document).read_bytes()
        except OSError as error:
            raise Broken(f"The document {document[:12]} can't be read: {error.strerror}.") from error
        if sha256(data).hexdigest() != document:
            raise Broken(f"The document {document[:12]} was changed on the disk.")
        return data

    def sweep(self, needed: Callable[[], Collection[str]]) -> int:
        """Removes what no job needs and nobody handed in or named for a day; returns how many.

        `needed` tells the ids that jobs hold (those that are not redacted). It is asked only where there is
        something to remove, after it was chosen: what a job names meanwhile was named too lately to go.
        """
        with self._lock:
            old = self._clock() - self._settings.keep_s
            due = [each for each, owners in self._owners.items() if max(owners.values(), default=0) <= old]
        if not due:
            return 0
        held = frozenset(needed())
        with self._lock:
            gone = [
                each
                for each in due
                if each not in held and max(self._owners[each].values(), default=0) <= old
            ]
            for each in gone:
                self._remove(each)
        if gone:
            log.info("documents_removed", count=len(gone))
        return len(gone)

    def _take_stock(self, paths: list[Path]) -> None:
        """Reads the folder: what was being written as dialerd stopped goes, and so do markers without
        bytes."""
        there = {path.name for path in paths}
        for path in paths:
            match = _NAME.fullmatch(path.name)
            if path.name.endswith(_FRESH) or (match and match[2] and match[1] not in there):
                path.unlink()
            elif match and match[2]:
                self._papers[match[1]] = _paper(match[1], path)
                self._owners.setdefault(match[1], {})[int(match[2])] = path.stat().st_mtime
            elif match:
                self._owners.setdefault(match[1], {})
                self._papers.setdefault(match[1], Paper(match[1], "", path.stat().st_size))

    def _check_room(self, owner: int, paper: Paper) -> None:
        settings = self._settings
        theirs = [each for each, owners in self._owners.items() if owner in owners]
        if paper.id in theirs:
            return
        size = sum(self._papers[each].size for each in theirs) + paper.size
        if len(theirs) >= settings.owner_count or size > settings.owner_bytes:
            raise Overloaded(f"User {owner} has as many documents here as one user may have.", RETRY_AFTER_S)
        if paper.id in self._papers:
            return
        size = sum(each.size for each in self._papers.values()) + paper.size
        if len(self._papers) >= settings.total_count or size > settings.total_bytes:
            raise Overloaded("dialerd keeps as many documents as it may.", RETRY_AFTER_S)

    def _write(self, paper: Paper, data: bytes, owner: int) -> None:
        if paper.id not in self._papers:
            self._write_file(self._path(paper.id), data)
        known = {"media_type": paper.media_type, "size": paper.size, "pages": paper.pages}
        self._write_file(self._marker(paper.id, owner), json.dumps(known).encode())
        now = self._clock()
        os.utime(self._marker(paper.id, owner), (now, now))
        self._sync_folder()
        self._papers[paper.id] = paper
        self._owners.setdefault(paper.id, {})[owner] = now

    def _write_file(self, path: Path, data: bytes) -> None:
        fresh = path.with_name(path.name + _FRESH)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(fresh, flags, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            fresh.rename(path)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise

    def _remove(self, document: str) -> None:
        """The bytes first: a marker that is left over is taken away at the next start."""
        try:
            self._path(document).unlink(missing_ok=True)
            for owner in self._owners[document]:
                self._marker(document, owner).unlink(missing_ok=True)
        except OSError as error:
            log.warning("document_not_removed", document=document[:12], reason=error.strerror)
            return
        del self._owners[document], self._papers[document]

    def _path(self, document: str) -> Path:
        if not re.fullmatch(ID, document):
            raise Broken("A job names a document by what is no id of one.")
        return self._settings.folder / document

    def _marker(self, document: str, owner: int) -> Path:
        return self._settings.folder / f"{document}.{owner}"

    def _sync_folder(self) -> None:
        folder = os.open(self._settings.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _paper(document: str, marker: Path) -> Paper:
    """What a marker says. One that can't be read says nothing but whose the document is."""
    try:
        known = json.loads(marker.read_bytes())
        return Paper(document, str(known["media_type"]), int(known["size"]), known["pages"])
    except (ValueError, KeyError, TypeError):
        return Paper(document, "", marker.with_name(document).stat().st_size)
