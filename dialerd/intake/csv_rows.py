"""The jobs of a CSV file as spreadsheets write it: the header line names the fields, each row is a job.

UTF-8 with or without a byte order mark, or UTF-16 with one; `;`, `,` or tab, whichever the header line shows;
quoted cells with line breaks in them; blank rows are skipped. Rows are counted as a spreadsheet does: the
header is row 1.
"""

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, cast

from dialerd.core.errors import InvalidJob, Mistake
from dialerd.core.texts import nearest
from dialerd.intake.document import BOOLEANS, FIELDS, INTEGERS
from dialerd.intake.rows import DOTTED, document_of
from dialerd.intake.strictjson import MAX_BYTES

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DELIMITERS = ",;\t"
_BLANK = " \t\r\n,;"
_PREFIXES = tuple(f"{name}." for name in DOTTED)
_COLUMNS = tuple(name for name in FIELDS if name not in DOTTED)
_HINT = re.compile(r"sep=([,;\t])\s*", re.IGNORECASE)
_NOTHING = "Nothing of the file was accepted."
_MOST_COLUMNS = 500
_HEADER_CHARACTERS = 64 * 1024


_NO_HEADER = Mistake("", "There is no header line: the first line names the fields, such as to;play.")


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the rows: `bom` and `text` are it as it is, `lines` its lines (blank ones count)."""

    bom: bytes
    codec: str
    text: str
    lines: int
    delimiter: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One row: its number, the line it begins on, its job document or what is wrong with it, and its
    bytes."""

    number: int
    line: int
    document: object
    raw: bytes


def prove(file: BinaryIO, any_columns: bool = False) -> Generator[None, None, Header]:
    """Reads the file to its end as CSV, a row with each step. Raises InvalidJob where that can't be done, or
    for a header with mistakes; with `any_columns` the header may name what it likes."""
    header = _header(file, any_columns)
    for _ in _cells(file, header):
        yield
    return header


def records(file: BinaryIO, header: Header) -> Iterator[Record | None]:
    """The rows, None for one that holds nothing. Raises InvalidJob as `prove` does."""
    for number, line, cells, text in _cells(file, header):
        if any(cell.strip() for cell in cells):
            yield Record(number, line, _document(cells, header.columns), text.encode(header.codec))
        else:
            yield None


def rows(file: BinaryIO, header: Header) -> Iterator[tuple[int, dict[str, str] | InvalidJob]]:
    """The number of each row that holds anything, and its cells by column or what is wrong with it."""
    for number, _, cells, _ in _cells(file, header):
        if any(cell.strip() for cell in cells):
            yield number, _by_column(cells, header.columns)


def _document(cells: list[str], columns: tuple[str, ...]) -> object:
    row = _by_column(cells, columns)
    return row if isinstance(row, InvalidJob) else document_of(row, INTEGERS, BOOLEANS)


def _by_column(cells: list[str], columns: tuple[str, ...]) -> dict[str, str] | InvalidJob:
    if any(cell.strip() for cell in cells[len(columns) :]):
        what = f"The row has {len(cells)} cells, and the header names {len(columns)} columns"
        return InvalidJob([Mistake("", f"{what}: quote the cells that hold the separator.")])
    return dict(zip(columns, cells, strict=False))


def _header(file: BinaryIO, any_columns: bool) -> Header:
    file.seek(0)
    start = file.read(4)
    bom, codec = next(((bom, codec) for bom, codec in _BOMS if start.startswith(bom)), (b"", "utf-8"))
    lines = _Lines(file, bom, codec)
    delimiters = _DELIMITERS
    for line in lines:
        if hint := _HINT.fullmatch(line):
            delimiters = hint[1]
        elif line.strip(_BLANK):
            break
    else:
        raise InvalidJob([_NO_HEADER])
    delimiter, columns = _columns(line, delimiters, any_columns)
    return Header(bom, codec, lines.taken()[1], lines.number, delimiter, tuple(columns))


def _columns(line: str, delimiters: str, any_columns: bool) -> tuple[str, list[str]]:
    """The separator, and the fields that the header line names. Raises InvalidJob."""
    if len(line) > _HEADER_CHARACTERS:
        what = f"The header line has more than {_HEADER_CHARACTERS} characters: name only the fields in it."
        raise InvalidJob([Mistake("", what)])
    delimiter = max(delimiters, key=lambda each: _known(_split(line, each)))
    columns = [_column(name) for name in _split(line, delimiter)]
    while columns and not columns[-1]:
        columns.pop()
    if not columns:
        raise InvalidJob([_NO_HEADER])
    if len(columns) > _MOST_COLUMNS:
        what = f"The header names {len(columns)} columns, and {_MOST_COLUMNS} are the most."
        raise InvalidJob([Mistake("", what)])
    if mistakes := [] if any_columns else list(_column_mistakes(columns)):
        raise InvalidJob(mistakes)
    return delimiter, columns


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return [line]


def _known(names: list[str]) -> tuple[int, int]:
    known = [name for name in map(_column, names) if name in _COLUMNS or name.startswith(_PREFIXES)]
    return len(known), len(names)


def _column(name: str) -> str:
    """The field that a header's cell names: spreadsheets like capitals, which only a variable's name may
    have."""
    name = name.strip()
    start, dot, variable = name.partition(".")
    return start.lower() + dot + variable


def _column_mistakes(columns: list[str]) -> Iterator[Mistake]:
    seen: set[str] = set()
    for number, name in enumerate(columns, 1):
        where = f"column {number} ({name[:80]!r})" if name else f"column {number}"
        if not name:
            yield Mistake(where, "It has no name: name a field, or take the column out.")
        elif name in seen:
            yield Mistake(where, "The column stands there twice: keep one of them.")
        elif name in ("variables", "variables."):
            yield Mistake(where, "Give each variable a column of its own, such as variables.greeting.")
        elif name in DOTTED or name in _PREFIXES:
            field = name.rstrip(".")
            yield Mistake(where, f"Give each of its fields a column of its own, such as {field}.NAME.")
        elif name not in _COLUMNS and not name.startswith(_PREFIXES):
            yield Mistake(where, f"There is no such field.{nearest(name, _COLUMNS)}")
        seen.add(name)


class _Lines:
    """The lines of a text file, and what of them was read since the last `taken`. Raises InvalidJob where
    that grows beyond a job's size, and for what is no text."""

    def __init__(self, file: BinaryIO, bom: bytes, codec: str) -> None:
        file.seek(len(bom))
        self._text = io.TextIOWrapper(cast(BinaryIO, _Kept(file)), codec, newline="")
        self.number = 0
        self._pending: list[str] = []
        self._size = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        try:
            line = self._text.readline(MAX_BYTES)
        except UnicodeError:
            raise _unreadable(
                self.number + 1, "It holds bytes that are no text: save the file as CSV UTF-8."
            ) from None
        if not line:
            raise StopIteration
        self.number += 1
        self._size += len(line)
        self._pending.append(line)
        if self._size >= MAX_BYTES:
            raise _unreadable(self.number, "The row is too long: a quote may be missing above.")
        return line

    def taken(self) -> tuple[int, str]:
        """Where the lines since the last call begin, and their text."""
        first, text = self.number - len(self._pending) + 1, "".join(self._pending)
        self._pending, self._size = [], 0
        return first, text


class _Kept(io.BufferedIOBase):
    """Reads from a file that stays open when the text around it goes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        return self._file.read(-1 if size is None else size)

    def read1(self, size: int = -1, /) -> bytes:
        return self._file.read(size)


def _cells(file: BinaryIO, header: Header) -> Iterator[tuple[int, int, list[str], str]]:
    """Number, first line, cells and text of every row after the header."""
    lines = _Lines(file, header.bom, header.codec)
    deque(islice(lines, header.lines), maxlen=0)
    lines.taken()
    reader = csv.reader(lines, delimiter=header.delimiter, strict=True)
    try:
        for number, cells in enumerate(reader, header.lines + 1):
            first, text = lines.taken()
            yield number, first, cells, text
    except csv.Error as error:
        raise _unreadable(lines.taken()[0], f"This is not CSV: {_said(error)}.") from None


def _said(error: csv.Error) -> str:
    text = str(error)
    if "end of data" in text:
        return "a quote that begins in this row is never closed"
    if "expected after" in text:
        return "something follows a closing quote; write a quote inside a cell twice"
    if "field limit" in text:
        return "a cell is too long; a quote may be missing"
    return text


def _unreadable(line: int, why: str) -> InvalidJob:
    return InvalidJob([Mistake(f"line {line}", f"{why} {_NOTHING}")])
