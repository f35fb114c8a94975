"""The `rejected` folder: what could not become a job, with a NAME.reason beside it that says every mistake.

Nothing there is ever overwritten, but by the same claim: a reason carries its claim's id, so that what a
crash left half done is done again in the same place and not twice.
"""

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import IO

from dialerd.core.errors import InvalidJob
from dialerd.intake.dropbox_files import NAME_MAX, Claim, fitting, shown, sync_folder
from dialerd.intake.jobfile import JobFile, Row

REASON = ".reason"
_NUMBERED = 100
"""So many files of one name are told apart by numbers; after that by the claim's id."""

_IN_MEMORY = 64 * 1024
_ROOM = NAME_MAX - len(REASON) - 40
_COPY_BYTES = 1 << 20


class Refusals:
    """The bad rows of one file, and the sentences on them. In memory while they are few, else in an unnamed
    file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: list[IO[bytes]] = []
        self._last: tuple[int, int, str, str] | None = None
        self.count = 0

    def add(self, row: Row, error: InvalidJob, of: JobFile) -> None:
        """Notes a row. Rows that follow each other with the same mistakes share their lines."""
        if not self._files:
            self._files = [self._new_file(), self._new_file()]
        self._files[0].write((of.between if self.count else b"") + row.raw)
        self.count += 1
        text = "\n".join(map(str, error.mistakes))
        if self._last and self._last[2] == text and self._last[1] == row.number - 1:
            self._last = (self._last[0], row.number, text, "")
            return
        self._flush()
        line = f" (line {row.line})" if row.line != row.number else ""
        self._last = (row.number, row.number, text, "" if of.single else f"row {row.number}{line}: ")

    def _new_file(self) -> IO[bytes]:
        return tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(self._folder))

    def _flush(self) -> None:
        if self._last is not None:
            first, last, text, where = self._last
            where = where if first == last else f"rows {first}-{last}: "
            said = "".join(f"{where}{line}\n" for line in text.split("\n"))
            self._files[1].write(said.encode("utf-8", "backslashreplace"))

    def sentences(self) -> Iterator[bytes]:
        """All that is wrong, a line each."""
        self._flush()
        self._last = None
        return _chunks(self._files[1])

    def rows(self) -> Iterator[bytes]:
        """The rows as they came."""
        return _chunks(self._files[0])

    def close(self) -> None:
        """Forgets it all."""
        for file in self._files:
            file.close()


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(_COPY_BYTES):
        yield chunk


class Rejects:
    """Puts things into the folder. All of its methods raise OSError; done again, they take up where they
    stopped."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def whole(
        self, claim: Claim, status: os.stat_result, now: float, why: Iterator[bytes], rows: int = 0
    ) -> Path:
        """Moves a claimed entry as it is, with its reason. Returns where it lies now."""
        place = self._place(claim.name, claim.unique)
        said = f"None of its {rows} rows could become a job. " if rows > 1 else ""
        head = f"{said}Nothing of it was accepted. Put it right and move it into the drop folder again."
        self._write(_reason(place), [self._title(claim, "", now, head), *why], status)
        claim.path.rename(place)
        sync_folder(self.folder)
        return place

    def part(
        self, claim: Claim, status: os.stat_result, now: float, of: JobFile, refused: Refusals, accepted: int
    ) -> Path:
        """Writes the bad rows of a claimed file, as a file of the same kind. Returns where they lie."""
        place = self._place(claim.name, claim.unique)
        head = (
            f"{refused.count} of its {refused.count + accepted} rows could not become jobs. Only these stand"
            f" in {shown(place.name)}. The other {accepted} were accepted: do not submit them again.\n"
            "Put the rows right and move the file into the drop folder again."
        )
        reason = self._title(claim, " in part", now, head)
        self._write(_reason(place), _chained([reason], refused.sentences()), status)
        self._write(place, _chained([of.head], refused.rows(), [of.tail]), status)
        sync_folder(self.folder)
        return place

    def stuck(self, name: str, status: os.stat_result, now: float, error: OSError) -> Path:
        """Says why an entry stays in the drop folder."""
        claim = Claim(f"{status.st_ino}-{status.st_ctime_ns}", fitting(name, _ROOM), Path(name))
        place = self._place(claim.name, claim.unique)
        head = f"It can't be moved out of the drop folder ({error.strerror}): nothing of it was accepted."
        self._write(_reason(place), [self._title(claim, "", now, head)], status)
        return _reason(place)

    def _title(self, claim: Claim, how: str, now: float, head: str) -> bytes:
        at = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M:%SZ}"
        return f"{shown(claim.name)} was refused{how} at {at} ({claim.unique}).\n{head}\n\n".encode()

    def _place(self, name: str, unique: str) -> Path:
        """The first free name, or the one that this claim has already."""
        stem, suffix = os.path.splitext(fitting(name, _ROOM))
        for number in count(1):
            mark = "" if number == 1 else f".{number}" if number < _NUMBERED else f".{unique}"
            place = self.folder / f"{stem}{mark}{suffix}"
            reason = _reason(place)
            if number > _NUMBERED or _says(reason, unique):
                return place
            if not (os.path.lexists(place) or os.path.lexists(reason)):
                return place
        raise AssertionError

    def _write(self, place: Path, chunks: Iterator[bytes] | list[bytes], status: os.stat_result) -> None:
        """Writes a file that the submitter can read as he could read his own, whole or not at all."""
        temporary = self.folder / ".being-written.tmp"
        temporary.unlink(missing_ok=True)
        handle = os.open(
            temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
        with os.fdopen(handle, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            _give(handle, status)
            os.fsync(handle)
        temporary.rename(place)


def _reason(place: Path) -> Path:
    return place.with_name(place.name + REASON)


def _chained(*parts: Iterator[bytes] | list[bytes]) -> Iterator[bytes]:
    for part in parts:
        yield from part


def _says(reason: Path, unique: str) -> bool:
    try:
        with reason.open("rb") as file:
            return f"({unique})".encode() in file.read(1024).split(b"\n", 1)[0]
    except OSError:
        return False


def _give(handle: int, status: os.stat_result) -> None:
    """Hands a file to the submitter, readable by us too and by all where his own was; if that is not allowed,
    by all."""
    try:
        os.fchmod(handle, 0o640 | status.st_mode & 0o004)
        os.fchown(handle, status.st_uid, -1)
    except PermissionError:
        os.fchmod(handle, 0o644)
