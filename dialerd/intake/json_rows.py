"""The jobs of a JSON file: one object, or a list of them that is never in memory as a whole.

The list's frame (brackets, commas, quotes) is proved from end to end before its first job is handed out, so
that nothing of a file that was cut off is accepted. What stands in each job is `strictjson`'s to read.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from dialerd.core.errors import InvalidJob, Mistake
from dialerd.intake.strictjson import MAX_BYTES

_CHUNK = 64 * 1024
_DEEPEST = 100
_SPACE = b" \t\r\n"
_OUTSIDE = re.compile(rb'["\[\]{},]')
_INSIDE = re.compile(rb'["\\]')
_OPENS = {ord("["): ord("]"), ord("{"): ord("}")}
_QUOTE, _COMMA, _BACKSLASH = b'",\\'


def is_list(file: BinaryIO) -> bool:
    """Whether the file's value begins as a list does."""
    file.seek(0)
    head = file.read(_CHUNK).removeprefix(b"\xef\xbb\xbf")
    while head and not head.strip(_SPACE):
        head = file.read(_CHUNK)
    return head.lstrip(_SPACE).startswith(b"[")


def prove(file: BinaryIO) -> Iterator[None]:
    """Reads the list to its end, an element with each step. Raises InvalidJob with the line for a frame that
    is not whole."""
    for _ in elements(file):
        yield


def elements(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The line and the bytes of each element of the list, as they stand. Raises InvalidJob as `prove`
    does."""
    frame = _Frame()
    file.seek(0)
    while chunk := file.read(_CHUNK):
        yield from frame.feed(chunk)
    frame.end()


class _Frame:
    """Follows the brackets and quotes of a list, and cuts it where a comma stands on the first level."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._seen = 0
        self._line = 1
        self._closers: list[int] = []
        self._in_text = False
        self._begun = self._over = False
        self._count = 0

    def feed(self, chunk: bytes) -> Iterator[tuple[int, bytes]]:
        """Takes the next bytes; the elements that are now whole."""
        self._buffer += chunk
        while (at := self._next()) is not None:
            if (element := self._step(at)) is not None:
                yield element
        if len(self._buffer) > MAX_BYTES + _CHUNK:
            raise self._wrong(f"a job has more than {MAX_BYTES} bytes")
        if self._over and self._buffer.strip(_SPACE):
            raise self._wrong("something follows the end of the list")

    def end(self) -> None:
        """The file is over. Raises InvalidJob where the list is not."""
        if not self._over:
            raise self._wrong("the list is not closed: the file was cut off")

    def _next(self) -> int | None:
        """Where the next sign of the frame stands; None when more bytes are needed."""
        while match := (_INSIDE if self._in_text else _OUTSIDE).search(self._buffer, self._seen):
            if self._buffer[match.start()] != _BACKSLASH:
                self._seen = match.end()
                return match.start()
            if match.end() == len(self._buffer):
                self._seen = match.start()
                return None
            self._seen = match.end() + 1
        self._seen = max(self._seen, len(self._buffer))
        return None

    def _step(self, at: int) -> tuple[int, bytes] | None:
        sign = self._buffer[at]
        if self._over:
            raise self._wrong("something follows the end of the list")
        if sign == _QUOTE:
            self._in_text = not self._in_text
        elif sign == _COMMA:
            return self._cut(at) if len(self._closers) == 1 else None
        elif sign in _OPENS:
            self._open(sign)
        elif not self._closers or self._closers.pop() != sign:
            raise self._wrong(f"a {chr(sign)} closes what was not opened so")
        elif not self._closers:
            self._over = True
            return self._cut(at, last=True)
        return None

    def _open(self, sign: int) -> None:
        if not self._closers:
            self._begun = True
            del self._buffer[: self._seen]
            self._seen = 0
        self._closers.append(_OPENS[sign])
        if len(self._closers) > _DEEPEST:
            raise self._wrong(f"it is nested more than {_DEEPEST} deep")

    def _cut(self, at: int, last: bool = False) -> tuple[int, bytes] | None:
        raw = bytes(self._buffer[:at])
        element = raw.strip(_SPACE)
        del self._buffer[: at + 1]
        self._seen = 0
        if not element and not (last and self._count == 0):
            raise self._wrong("nothing stands between two commas, or before the end of the list")
        line = self._line + raw[: len(raw) - len(raw.lstrip(_SPACE))].count(b"\n")
        self._line += raw.count(b"\n")
        self._count += 1
        return (line, element) if element else None

    def _wrong(self, what: str) -> InvalidJob:
        line = self._line + self._buffer.count(b"\n", 0, self._seen)
        return InvalidJob(
            [Mistake(f"line {line}", f"This is not JSON: {what}. Nothing of the file was accepted.")]
        )
