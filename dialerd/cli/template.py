"""submit --template: the rows of a spreadsheet as jobs, by a template, one after the other."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import click

from dialerd.core.errors import InvalidJob
from dialerd.intake import csv_rows
from dialerd.intake.template import SUFFIXES, Template, bind, read, row_key


def rows(
    stream: BinaryIO, file: Path, template: Path, batch: str | None, key: str | None
) -> Iterator[tuple[int, dict[str, Any] | InvalidJob]]:
    """Row numbers, and documents or what is wrong with them. Raises InvalidJob for the file or the template
    as a whole.

    A row without a batch is in `batch`, else in the one that the file is named as; a row without a key has
    one that stands for its cells in that batch, unless `key` makes them.
    """
    header = _proved(stream)
    found = _bound(template, header.columns)
    for warning in found.warnings():
        click.echo(f"Warning: {warning}", err=True)
    batch = batch or _batch_of(file, found)
    for number, cells in csv_rows.rows(stream, header):
        yield number, cells if isinstance(cells, InvalidJob) else _document(found, cells, batch, key)


def _document(template: Template, cells: dict[str, str], batch: str, key: str | None) -> dict[str, Any]:
    document = template.document(cells)
    document.setdefault("batch", batch)
    if key is None:
        document.setdefault("key", row_key(str(document["batch"]), cells))
    return document


def _proved(stream: BinaryIO) -> csv_rows.Header:
    proof = csv_rows.prove(stream, any_columns=True)
    while True:
        try:
            next(proof)
        except StopIteration as end:
            header: csv_rows.Header = end.value
            return header


def _bound(path: Path, columns: tuple[str, ...]) -> Template:
    if path.suffix.lower() not in SUFFIXES:
        raise click.UsageError(f"The template {path} is neither {' nor '.join(SUFFIXES)}.")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise click.UsageError(f"The template {path} can't be read: {error.strerror}.") from None
    try:
        return bind(read(data, path.suffix), columns)
    except InvalidJob as error:
        here = [
            replace(each, where=f"{path.name}, {each.where}" if each.where else path.name)
            for each in error.mistakes
        ]
        raise InvalidJob(here) from None


def _batch_of(file: Path, template: Template) -> str:
    if str(file) != "-":
        return file.stem
    if "batch" not in template.fields and "batch" not in template.own:
        raise click.UsageError("Standard input has no name: say with --batch which batch its rows are.")
    return "-"
