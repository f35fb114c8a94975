"""dialerctl submit: a file of jobs, however many, with a summary of what became of each row."""

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

import click

from dialerd.cli import errors, exits, show, waiting
from dialerd.cli.session import Session, shared
from dialerd.client import Refused
from dialerd.core.errors import InvalidJob

_FORMATS = ("json", "ndjson", "csv", "call")
_SHOWN_REFUSALS = 20


@dataclass
class _Tally:
    """What became of the rows."""

    accepted: int = 0
    repeated: int = 0
    refused: int = 0
    later: int = 0
    ids: list[str] = field(default_factory=list)

    def sentence(self) -> str:
        words = [f"{self.accepted} accepted"]
        words += [f"{self.repeated} there already"] if self.repeated else []
        words += [f"{self.refused} refused"] if self.refused else []
        words += [f"{self.later} not taken: try them again later"] if self.later else []
        return ", ".join(words) + "."

    def code(self) -> int:
        if self.refused:
            return exits.REFUSED
        return exits.TRY_LATER if self.later else exits.DONE


@click.command("submit")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE|-")
@click.option("--format", "kind", type=click.Choice(_FORMATS), help="What the file is; default: by its name.")
@click.option(
    "--key", metavar="TEXT", help="Rows without a key get TEXT/ROW: the file may be submitted again."
)
@click.option("--batch", metavar="TEXT", help="The batch of rows that name none.")
@click.option("--wait", "waits", is_flag=True, help="Wait until all jobs have ended.")
@click.option("--timeout", type=float, metavar="SECONDS", help="With --wait: no longer than this.")
@shared
def submit_(
    session: Session,
    file: Path,
    kind: str | None,
    key: str | None,
    batch: str | None,
    waits: bool,
    timeout: float | None,
) -> None:
    """Submit the jobs in FILE: JSON, one JSON document a line, CSV, or a call file; - is standard input.

    Good rows are accepted also where others have mistakes; those are told with their row numbers.
    """
    kind = kind or _kind(file)
    after = waiting.newest(session.client) if waits else 0
    with _opened(file) as stream:
        tally = _submit(session, _documents(stream, file, kind), key, batch)
    if not session.json:
        click.echo(tally.sentence())
    code = tally.code()
    if waits and tally.ids:
        outcome = waiting.report(session.client, tally.ids, after, timeout, session.json)
        code = code or outcome
    sys.exit(code)


def _submit(session: Session, rows: Iterator[tuple[int, Any]], key: str | None, batch: str | None) -> _Tally:
    tally, numbers = _Tally(), []

    def good() -> Iterator[Any]:
        for number, document in rows:
            if isinstance(document, InvalidJob):
                _refuse(session, tally, number, _problem(document))
            elif not isinstance(document, dict):
                what = 'A job is a JSON object, such as {"to": "+4930123456", "play": "hello-world"}.'
                _refuse(session, tally, number, {"status": 422, "detail": what})
            else:
                numbers.append(number)
                yield {**document, "key": document.get("key") or (f"{key}/{number}" if key else None)}

    with waiting.bar("Submitting", None) as advance:
        for answer in session.client.submit_many(good(), batch):
            _count(session, tally, numbers[answer["line"] - 1], answer)
            advance()
    return tally


def _count(session: Session, tally: _Tally, number: int, answer: dict[str, Any]) -> None:
    status = answer["status"]
    if status not in (200, 201):
        _refuse(session, tally, number, answer)
        return
    tally.accepted += status == 201
    tally.repeated += status == 200
    tally.ids += [job["id"] for job in answer["jobs"]]
    if session.json:
        show.print_json({**answer, "line": number})


def _refuse(session: Session, tally: _Tally, number: int, problem: dict[str, Any]) -> None:
    later = problem["status"] in (429, 503)
    tally.later += later
    tally.refused += not later
    if session.json:
        show.print_json({**problem, "line": number})
    elif tally.refused + tally.later <= _SHOWN_REFUSALS:
        for sentence in errors.problem_sentences(problem):
            click.echo(f"row {number}: {sentence}", err=True)
    elif tally.refused + tally.later == _SHOWN_REFUSALS + 1:
        click.echo("Further rows have mistakes too; --json lists all.", err=True)


def _problem(error: InvalidJob) -> dict[str, Any]:
    mistakes = [{"where": each.where, "what": each.what} for each in error.mistakes]
    return {"status": 422, "detail": str(error), "mistakes": mistakes}


def _kind(file: Path) -> str:
    kind = file.suffix.lower().lstrip(".")
    if kind in ("jsonl", "jsonlines"):
        return "ndjson"
    if kind not in _FORMATS:
        raise click.UsageError(f"The name {file} does not say what it is: add --format {'|'.join(_FORMATS)}.")
    return kind


def _opened(file: Path) -> BinaryIO:
    """The file; what comes from standard input is kept on disk, since it is read twice."""
    if str(file) == "-":
        import shutil

        kept = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115
        shutil.copyfileobj(sys.stdin.buffer, kept)
        kept.seek(0)
        return kept
    try:
        return file.open("rb")
    except OSError as error:
        raise click.UsageError(f"{file} can't be read: {error.strerror}.") from None


def _documents(stream: BinaryIO, file: Path, kind: str) -> Iterator[tuple[int, Any]]:
    """Row numbers, as a person counts them, and documents or what is wrong with them."""
    try:
        if kind == "call":
            from dialerd.pbx.plainfile import to_document

            now = time.time()
            mtime = now if str(file) == "-" else file.stat().st_mtime
            yield 1, to_document(stream.read(), mtime, now)
            return
        from dialerd.intake import jobfile

        for row in jobfile.read(stream, f".{kind}").rows:
            yield row.number, row.document
    except InvalidJob as error:
        raise Refused(_problem(error)) from None
