"""The text of a stop list: lines, and the entries that they stand for.

One entry a line: a number, then perhaps a comma (semicolon, tab, blank) and any text. `#` begins a comment.
A file whose first line names columns, one of them `number`, is CSV; each line is a row.
"""

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from typing import BinaryIO

from dialerd.core.errors import InvalidJob, Mistake
from dialerd.core.numbers import parse_public
from dialerd.lists.entries import HASHED, Collected, Entries

MAX_LINE = 4096
MOST_TOLD = 20
"""Mistakes that are told of one file."""

_PIECE = 1 << 18
_CODEC = ("utf-8", "surrogateescape")
"""A note in another encoding does no harm, and is written back as it was."""

_QUICK = re.compile(r"(\+[1-9][0-9]{6,14})(?=[,;\s]|$)")
_STRONG = re.compile(r"(?:sha256:|ext:)\S*|\+[1-9][0-9]*\*", re.IGNORECASE)
_WEAK = re.compile(r"[0-9+*#() ./\-\u00a0]*")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_PREFIX = re.compile(r"\+[1-9][0-9]{0,13}\*")
_HASH = re.compile(r"sha256:[0-9a-f]{64}")
_EXTENSION = re.compile(r"[0-9*#]{1,40}")
_SHORT = 6
"""Digits without + that are taken as an extension, if they are no public number as well."""

_HOW = "write +4930123456, an extension, sha256: and 64 hexadecimal digits, or +4930* for all that begin so"
Row = tuple[int, str, str]
"""A line's number, what stands in it for an entry ("": nothing), and the whole line."""


class _Lines:
    """A file's lines with their ends. Raises InvalidJob for one that is too long."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        decode = codecs.getincrementaldecoder(_CODEC[0])(_CODEC[1]).decode
        rest = ""
        while piece := self._file.read(_PIECE):
            if self.number == 0 and piece.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise InvalidJob([Mistake("line 1", "This is UTF-16: save the file as UTF-8.")])
            *whole, rest = (rest + decode(piece)).split("\n")
            for line in whole:
                self.number += 1
                self._bounded(line)
                yield line + "\n"
            self._bounded(rest, 1)
        rest += decode(b"", final=True)
        if rest:
            self.number += 1
            yield rest

    def _bounded(self, line: str, ahead: int = 0) -> None:
        if len(line) > MAX_LINE:
            what = f"It has more than {MAX_LINE} characters: is this a list, with one entry a line?"
            raise InvalidJob([Mistake(f"line {self.number + ahead}", what)])


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a list that is CSV."""

    delimiter: str
    columns: tuple[str, ...]

    @property
    def place(self) -> int:
        """Which column has the number."""
        return self.columns.index("number")

    def cells(self, line: str) -> list[str]:
        """A line's cells. A cell can't hold a line break: a stray quote must not swallow entries."""
        if '"' not in line:
            return line.rstrip("\r\n").split(self.delimiter)
        return next(csv.reader([line.rstrip("\r\n")], delimiter=self.delimiter), [])

    def row(self, entry: str, notes: dict[str, str]) -> str:
        """A line for a new entry; of the notes those that have a column."""
        text = StringIO()
        cells = [entry if name == "number" else notes.get(name, "") for name in self.columns]
        csv.writer(text, delimiter=self.delimiter, lineterminator="\n").writerow(cells)
        return text.getvalue()


def header_of(file: BinaryIO) -> Header | None:
    """The header of a list, if it is CSV: its first line that is neither empty nor a comment."""
    lines = iter(_Lines(file))
    return _header(next((line for line in lines if _plain(line)), ""))


def rows(file: BinaryIO) -> Iterator[Row]:
    """Every line. Raises InvalidJob for what is no text file of lines, OSError."""
    source = _Lines(file)
    lines, header = iter(source), None
    for line in lines:
        text = _plain(line)
        if text:
            header = _header(line)
            yield source.number, "" if header else entry_in(text), line
            break
        yield source.number, "", line
    if header is not None:
        for line in lines:
            yield source.number, _cell(header, line), line
        return
    for line in lines:
        quick = _QUICK.match(line)
        yield source.number, quick[1] if quick else entry_in(_plain(line)), line


def entry_in(text: str) -> str:
    """What stands for the entry at a line's beginning: the rest is a note."""
    quick = _QUICK.match(text)
    if quick:
        return quick[1]
    head = re.split("[,;\t]", text, maxsplit=1)[0].strip().strip('"').strip()
    found = _STRONG.match(head) or _WEAK.match(head)
    return (found[0].strip() if found else "") or head


def rest_of(entry: str, line: str) -> str:
    """The note beside an entry, on one line."""
    return re.sub(r"[\s,;\t\"]*[,;\t\"\n][\s,;\t\"]*", ", ", line.replace(entry, "", 1)).strip(', "\t\r')


def entry_of(text: str, country: str | None) -> str:
    """The entry that a text stands for, in the form that it has inside. Raises ValueError with a sentence."""
    if _E164.fullmatch(text):
        return text
    lowered = text.lower()
    if lowered.startswith(HASHED):
        if _HASH.fullmatch(lowered):
            return lowered
        raise ValueError("A hash is sha256: and 64 hexadecimal digits; this one is not whole.")
    if lowered.startswith("ext:"):
        return _extension(text[4:])
    if _PREFIX.fullmatch(text):
        return text
    if _EXTENSION.fullmatch(text) and ("*" in text or "#" in text):
        return text
    return _number(text, country)


def collect(file: BinaryIO, country: str | None, salt: bytes) -> tuple[Entries, list[Mistake]]:
    """All entries of a list, and its mistakes, as far as MOST_TOLD and one more. Raises OSError."""
    collected, mistakes = Collected(), list[Mistake]()
    try:
        for number, text, _ in rows(file):
            if not text:
                continue
            try:
                collected.add(entry_of(text, country))
            except ValueError as error:
                mistakes.append(Mistake(f"line {number}", str(error)))
                if len(mistakes) > MOST_TOLD:
                    break
    except InvalidJob as error:
        mistakes += error.mistakes
    return collected.entries(salt), mistakes


def _extension(text: str) -> str:
    if not _EXTENSION.fullmatch(text):
        raise ValueError("An extension is 1 to 40 of the digits 0 to 9, * and #.")
    return text


def _number(text: str, country: str | None) -> str:
    short = len(text) <= _SHORT and _EXTENSION.fullmatch(text)
    try:
        public = parse_public(text, country)
    except ValueError as error:
        if short:
            return text
        shown = text[:40] if text.isprintable() else ascii(text[:40])
        raise ValueError(f"{shown!r} is no entry ({str(error).rstrip('.')}): {_HOW}.") from None
    if short:
        raise ValueError(f"{text} may be an extension or {public}: write ext:{text} or {public}.")
    return public


def _plain(line: str) -> str:
    text = line.removeprefix("\ufeff").strip()
    return "" if text.startswith("#") else text


def _header(line: str) -> Header | None:
    text = line.removeprefix("\ufeff").strip().lower()
    for delimiter in ",;\t":
        columns = tuple(cell.strip().strip('"').strip() for cell in text.split(delimiter))
        if "number" in columns:
            return Header(delimiter, columns)
    return None


def _cell(header: Header, line: str) -> str:
    if not _plain(line).strip(header.delimiter + '"'):
        return ""
    cells = header.cells(line)
    return (cells[header.place].strip() if header.place < len(cells) else "") or "(no number)"
