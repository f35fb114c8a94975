"""dialerctl fax: documents to fax machines."""

from pathlib import Path
from typing import Any

import click

from dialerd.cli import asking, completing
from dialerd.cli.sending import extra_option, one_or_all, sends
from dialerd.cli.session import Session
from dialerd.client import Submitted


@click.group("fax")
def fax_() -> None:
    """Send faxes, and ask what became of them."""


@fax_.command("send")
@click.argument("to", nargs=-1, required=True, metavar="TO...", shell_complete=completing.files)
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE|-")
@click.option("--filename", metavar="NAME", help="What the document is called (the file's name).")
@click.option("--caller-id", metavar="NUMBER", help="Who it seems to be from.")
@click.option("--header", metavar="TEXT", help='The line on top of each page; "" for none.')
@extra_option
@sends
def send_(
    session: Session, to: tuple[str, ...], file: Path, filename: str | None = None, **fields: Any
) -> Submitted:
    """Fax FILE, a PDF or a TIFF, to each number TO."""
    try:
        with click.open_file(str(file), "rb") as stream:
            content = bytes(stream.read())
    except OSError as error:
        raise click.UsageError(f"{file} can't be read: {error.strerror}.") from None
    name = filename or (None if str(file) == "-" else file.name)
    return session.client.fax_send(one_or_all(to), content, name, **fields)


asking.add_all(fax_, "fax")
