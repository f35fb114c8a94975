"""Files of jobs (.json, .ndjson, .csv): one row after the other, never the whole file in memory.

A file is proved to be readable to its end before its first row is handed out: of a file that was cut off
nothing is accepted. A job that is wrong in itself does not stop the others. Both go step by step, so that
who reads a long file can see to others in between.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from dialerd.core.errors import InvalidJob, Mistake
from dialerd.intake import csv_rows, json_rows
from dialerd.intake.strictjson import MAX_BYTES, loads

SUFFIXES = (".json", ".ndjson", ".csv")


@dataclass(frozen=True, slots=True)
class Row:
    """One job of a file. `number` counts as people do (a spreadsheet's row, a line of NDJSON, a place in a
    list).

    `document` is what intake.document.parse takes, or why there is none; `raw` is the row as it stands in the
    file.
    """

    number: int
    line: int
    document: Any | InvalidJob
    raw: bytes


@dataclass(frozen=True, slots=True)
class JobFile:
    """A file that was proved. Some of its rows, put between `head` and `tail` and joined by `between`, are
    such a file.

    `steps` are the rows, and None for each blank one. `single`: it is one job and nothing else.
    """

    steps: Iterator[Row | None]
    head: bytes = b""
    between: bytes = b""
    tail: bytes = b""
    single: bool = False

    @property
    def rows(self) -> Iterator[Row]:
        """The rows that hold anything."""
        return (row for row in self.steps if row is not None)


Proof = Generator[None, None, JobFile]
"""The reading of a file to its end in small steps, which returns its jobs."""


def prove(file: BinaryIO, suffix: str) -> Proof:
    """The jobs of a seekable file, told by its suffix (one of SUFFIXES, any case). It stays open for the
    rows.

    The steps raise InvalidJob when the file as a whole can't be read; the rows do so when it changed in the
    meantime.
    """
    readers = {".json": _json, ".ndjson": _ndjson, ".csv": _csv}
    return readers[suffix.lower()](file)


def read(file: BinaryIO, suffix: str) -> JobFile:
    """As `prove`, in one go. Raises InvalidJob."""
    proof = prove(file, suffix)
    while True:
        try:
            next(proof)
        except StopIteration as end:
            jobs: JobFile = end.value
            return jobs


def _csv(file: BinaryIO) -> Proof:
    header = yield from csv_rows.prove(file)
    rows = (
        Row(each.number, each.line, each.document, each.raw) if each else None
        for each in csv_rows.records(file, header)
    )
    return JobFile(rows, head=header.bom + header.text.encode(header.codec))


def _json(file: BinaryIO) -> Proof:
    if json_rows.is_list(file):
        yield from json_rows.prove(file)
        rows = (_row(number, line, raw) for number, (line, raw) in enumerate(json_rows.elements(file), 1))
        return JobFile(rows, head=b"[\n", between=b",\n", tail=b"\n]\n")
    file.seek(0)
    data = file.read(MAX_BYTES + 1)
    return JobFile(iter([_row(1, 1, data)] if data.strip() else []), single=True)


def _ndjson(file: BinaryIO) -> Proof:
    for _ in _lines(file):
        yield
    return JobFile(_row(number, number, raw) if raw.strip() else None for number, raw in _lines(file))


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    file.seek(0)
    number = 0
    while raw := file.readline(MAX_BYTES + 1):
        number += 1
        if len(raw) > MAX_BYTES:
            what = f"The line has more than {MAX_BYTES} bytes. Nothing of the file was accepted."
            raise InvalidJob([Mistake(f"line {number}", what)])
        yield number, raw


def _row(number: int, line: int, raw: bytes) -> Row:
    try:
        return Row(number, line, loads(raw), raw)
    except InvalidJob as error:
        return Row(number, line, error, raw)
