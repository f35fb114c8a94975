"""dialerctl submit: a file of jobs, however many, with a summary of what became of each row."""

import json
import shlex
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

import click

from dialerd.cli import completing, errors, exits, preview, show, waiting
from dialerd.cli.session import Session, shared
from dialerd.client import Refused
from dialerd.core.errors import InvalidJob, Mistake

_FORMATS = ("json", "ndjson", "csv", "call")
_SHOWN_REFUSALS = 20
_TEMPLATE = Mistake(
    "--template",
    'Columns of your own take a template that says what each row becomes, such as to = "{phone}": dialerctl'
    " submit FILE --template job.toml.",
)
_Rows = Iterator[tuple[int, Any]]
_Refuse = Callable[[int, dict[str, Any]], None]


@dataclass
class _Tally:
    """What became of the rows. `waits`: the ids of their jobs are wanted. `log`: where each row is told."""

    waits: bool = False
    log: TextIO | None = None

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
    "--template",
    type=click.Path(path_type=Path),
    metavar="TOML|JSON",
    help='A job whose values name columns of a CSV file in braces: to = "{phone}".',
)
@click.option(
    "--dry-run", is_flag=True, help="Accept nothing: count what would become of the rows, and say why."
)
@click.option(
    "--key", metavar="TEXT", help="Rows without a key get TEXT/ROW: the file may be submitted again."
)
@click.option(
    "--batch",
    metavar="TEXT",
    shell_complete=completing.batches,
    help="The batch of rows that name none; with --template: the file's name.",
)
@click.option("--log", type=click.File("w"), metavar="FILE", help="Write what became of each row, as JSON.")
@click.option("--wait", "waits", is_flag=True, help="Wait until all jobs have ended.")
@click.option("--timeout", type=float, metavar="SECONDS", help="With --wait: no longer than this.")
@shared
def submit_(
    session: Session,
    file: Path,
    kind: str | None,
    template: Path | None,
    dry_run: bool,
    key: str | None,
    batch: str | None,
    log: TextIO | None,
    waits: bool,
    timeout: float | None,
) -> None:
    """Submit the jobs in a FILE, however many. It is JSON, one JSON document a line, CSV, or a call file; -
    is standard input.

    Good rows are accepted also where others have mistakes; those are told with their row numbers. With a
    template, the same row in the same batch is never called twice, however often the file is submitted.
    """
    kind = kind or _kind(file)
    if template is not None and kind != "csv":
        raise click.UsageError("A template goes with CSV: the columns of other files are their fields.")
    after = waiting.newest(session.client) if waits and not dry_run else 0
    with _opened(file) as stream:
        rows = _rows(stream, file, kind, template, batch, key)
        if dry_run:
            sys.exit(_judge(session, rows, key, batch))
        tally = _Tally(waits, log)
        _submit(session, tally, rows, key, batch)
    if not session.json:
        click.echo(tally.sentence())
        if template is not None and tally.accepted + tally.repeated:
            click.echo(f"How they stand: dialerctl batch show {shlex.quote(batch or file.stem)}", err=True)
    code = tally.code()
    if waits and tally.ids:
        outcome = waiting.report(session.client, tally.ids, after, timeout, session.json)
        code = code or outcome
    sys.exit(code)


def _submit(session: Session, tally: _Tally, rows: _Rows, key: str | None, batch: str | None) -> None:
    numbers: deque[int] = deque()

    def refuse(number: int, problem: dict[str, Any]) -> None:
        _refuse(session, tally, number, problem)

    with waiting.bar("Submitting", None) as advance:
        for answer in session.client.submit_many(_good(rows, numbers, refuse, key), batch):
            _count(session, tally, numbers.popleft(), answer)
            advance()


def _judge(session: Session, rows: _Rows, key: str | None, batch: str | None) -> int:
    numbers: deque[int] = deque()
    with preview.counted() as found:

        def told(number: int, answer: dict[str, Any]) -> None:
            found.add(number, answer)
            if answer["status"] != 200 and not session.json:
                _tell(number, answer, found.refused)

        with waiting.bar("Looking", None) as advance:
            for answer in session.client.preview_many(_good(rows, numbers, told, key), batch):
                told(numbers.popleft(), answer)
                advance()
        return found.report(session.json)


def _good(rows: _Rows, numbers: deque[int], refuse: _Refuse, key: str | None) -> Iterator[Any]:
    """The documents that can be sent, the number of each put in `numbers`."""
    for number, document in rows:
        if isinstance(document, InvalidJob):
            refuse(number, _problem(document))
        elif not isinstance(document, dict):
            what = 'A job is a JSON object, such as {"to": "+4930123456", "play": "hello-world"}.'
            refuse(number, {"status": 422, "detail": what})
        else:
            numbers.append(number)
            yield {**document, "key": document.get("key") or (f"{key}/{number}" if key else None)}


def _count(session: Session, tally: _Tally, number: int, answer: dict[str, Any]) -> None:
    status = answer["status"]
    if status not in (200, 201):
        _refuse(session, tally, number, answer)
        return
    tally.accepted += status == 201
    tally.repeated += status == 200
    if tally.waits:
        tally.ids += [job["id"] for job in answer["jobs"]]
    _log(session, tally, {**answer, "line": number})


def _refuse(session: Session, tally: _Tally, number: int, problem: dict[str, Any]) -> None:
    later = problem["status"] in (429, 503)
    tally.later += later
    tally.refused += not later
    _log(session, tally, {**problem, "line": number})
    if not session.json:
        _tell(number, problem, tally.refused + tally.later)


def _log(session: Session, tally: _Tally, told: dict[str, Any]) -> None:
    if tally.log is not None:
        tally.log.write(json.dumps(told, ensure_ascii=False) + "\n")
    if session.json:
        show.print_json(told)


def _tell(number: int, problem: dict[str, Any], count: int) -> None:
    """Says what is wrong with a row, of the first ones; it is the `count`th."""
    if count <= _SHOWN_REFUSALS:
        for sentence in errors.problem_sentences(problem):
            click.echo(f"row {number}: {sentence}", err=True)
    elif count == _SHOWN_REFUSALS + 1:
        click.echo("Further rows have mistakes too; --log FILE lists all.", err=True)


def _problem(error: InvalidJob) -> dict[str, Any]:
    mistakes = [{"where": each.where, "what": each.what, "rule": each.rule} for each in error.mistakes]
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


def _rows(
    stream: BinaryIO, file: Path, kind: str, template: Path | None, batch: str | None, key: str | None
) -> _Rows:
    """Row numbers, as a person counts them, and documents or what is wrong with them."""
    try:
        if template is not None:
            from dialerd.cli.template import rows

            yield from rows(stream, file, template, batch, key)
            return
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
        of_columns = any(each.where.startswith("column ") for each in error.mistakes)
        raise Refused(_problem(InvalidJob([*error.mistakes, *[_TEMPLATE] * of_columns]))) from None
