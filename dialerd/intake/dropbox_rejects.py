"""The `rejected` folder: what could not become a job, with a NAME.reason beside it that says what is wrong.

Nothing there is ever overwritten, but by the same claim: a reason carries its claim's id, so that what a
crash left half done is done again in the same place and not twice. Only plain files and folders are put
there, and under a name that ends in .reason only our own files.
"""

import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import IO

from dialerd.core.errors import InvalidJob, Mistake
from dialerd.intake.dropbox_files import NAME_MAX, Claim, fitting, open_unfollowed, shown, sync_folder
from dialerd.intake.jobfile import JobFile, Row

REASON = ".reason"
_NOT_OURS = ".refused"
"""Is added to a name that ends as our reasons do."""

_NUMBERED = 100
"""So many files of one name are told apart by numbers; after that by the claim's id."""

KEPT = ".kept."
"""So begins the name of a folder in `claimed` that can't be moved on: it is no claim any more."""

_MOST_SAID = 100
"""So many mistakes of one row, or of a file's frame, are said."""

_SAID_BYTES = 1 << 20
"""So long the sentences on a file's rows may become, more or less."""

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
        self._unsaid = 0
        self.count = 0

    def add(self, row: Row, error: InvalidJob, of: JobFile) -> None:
        """Notes a row. Rows that follow each other with the same mistakes share their lines."""
        if not self._files:
            self._files = [self._new_file(), self._new_file()]
        self._files[0].write((of.between if self.count else b"") + row.raw)
        self.count += 1
        text = "\n".join(told(error.mistakes))
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
            if self._files[1].tell() > _SAID_BYTES:
                self._unsaid += last - first + 1
                return
            where = where if first == last else f"rows {first}-{last}: "
            said = "".join(f"{where}{line}\n" for line in text.split("\n"))
            self._files[1].write(said.encode("utf-8", "backslashreplace"))

    def sentences(self) -> Iterator[bytes]:
        """All that is wrong, a line each."""
        self._flush()
        self._last = None
        yield from _chunks(self._files[1])
        if self._unsaid:
            yield f"... and {self._unsaid} more rows.\n".encode()

    def rows(self) -> Iterator[bytes]:
        """The rows as they came."""
        return _chunks(self._files[0])

    def close(self) -> None:
        """Forgets it all."""
        for file in self._files:
            file.close()


def told(mistakes: Sequence[Mistake]) -> Iterator[str]:
    """The mistakes as they are told to the submitter: very many are not said one by one."""
    for mistake in mistakes[:_MOST_SAID]:
        yield f"{mistake} (rule: {mistake.rule})" if mistake.rule else str(mistake)
    if len(mistakes) > _MOST_SAID:
        yield f"... and {len(mistakes) - _MOST_SAID} more mistakes."


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
        """Moves a claimed entry as it is, with its reason. Returns where it lies now, or the reason.

        A link, pipe, socket or device holds nothing and is removed, so that nobody trips over it. A folder
        can only be moved by who may write to it (rename(2), EACCES): one that its owner closed stays beside
        the claims.
        """
        place = self._place(claim.name, claim.unique)
        said = f"None of its {rows} rows could become a job. " if rows > 1 else ""
        head = f"{said}Nothing of it was accepted. Put it right and move it into the drop folder again."
        self._write(_reason(place), [self._title(claim, "", now, head), *why], status)
        if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
            place = self._move(claim, place, status, now)
        else:
            claim.path.unlink()
            place = _reason(place)
        sync_folder(self.folder)
        return place

    def _move(self, claim: Claim, place: Path, status: os.stat_result, now: float) -> Path:
        try:
            return claim.path.rename(place)
        except PermissionError as error:
            if not stat.S_ISDIR(status.st_mode):
                raise
            kept = claim.path.with_name(f"{KEPT}{claim.unique}")
            head = (
                f"Nothing of it was accepted. dialerd may not move this folder ({error.strerror}): it lies in"
                f" {shown(str(kept))}, for an administrator to remove."
            )
            self._write(_reason(place), [self._title(claim, "", now, head)], status)
            return claim.path.rename(kept)

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
        if suffix == REASON:
            suffix += _NOT_OURS
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
        with open_unfollowed(reason) as file:
            plain = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            return plain and f"({unique})".encode() in file.read(1024).split(b"\n", 1)[0]
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
