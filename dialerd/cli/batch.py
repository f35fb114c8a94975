"""dialerctl batch: the batches, how one stands, and what becomes of it."""

import json
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

import click

from dialerd.cli import completing, exits, pause, show
from dialerd.cli.session import Session, shared
from dialerd.client import ENDED
from dialerd.client.fields import Figures

_LOOK_EVERY_S = 0.5
_BAR = 30
_STATES = ("queued", "deferred", "active", "submitted", "held", *ENDED)
_COLUMNS = ("BATCH", "OWNER", "DONE", "JOBS", "ANSWERED", "WAITING", "STATE", "CREATED")

_NAME = click.argument("name", shell_complete=completing.batches)
_OWNER = pause.owner_option("Whose batch (a name or a uid); default: yours, else the only one of this name.")


@click.group("batch")
def batch_() -> None:
    """Look at batches, and pause, resume, cancel and report them."""


@batch_.command("list")
@pause.owner_option("Only this user's (a name or a uid).")
@click.option(
    "--limit", type=click.IntRange(1), metavar="N", default=20, show_default=True, help="At most so many."
)
@shared
def list_(session: Session, owner: int | None, limit: int) -> None:
    """List batches, newest first."""
    found = session.client.batches(owner, limit)
    if session.json:
        for each in found:
            show.print_json(each)
    else:
        show.table(_COLUMNS, [_row(each) for each in found])


@batch_.command("show")
@_NAME
@_OWNER
@click.option("--watch", "watches", is_flag=True, help="Go on until all its jobs have ended or are held.")
@shared
def show_(session: Session, name: str, owner: int | None, watches: bool) -> None:
    """Show how batch NAME stands. It tells how far it is, how fast it goes, and when it is done."""

    def look() -> Figures:
        return session.client.batch(name, owner)

    if watches:
        _watch(look, session.json)
    elif session.json:
        show.print_json(look())
    else:
        _draw(look())


@batch_.command("pause")
@_NAME
@_OWNER
@click.option("--reason", metavar="TEXT", default="", help="Why.")
@shared
def pause_(session: Session, name: str, owner: int | None, reason: str) -> None:
    """Begin no more calls of batch NAME. Calls under way go on."""
    _order(session, session.client.pause(_scope(session, name, owner), reason), "is paused")


@batch_.command("resume")
@_NAME
@_OWNER
@shared
def resume_(session: Session, name: str, owner: int | None) -> None:
    """Let the paused batch NAME go on."""
    _order(session, session.client.resume(_scope(session, name, owner)), "goes on")


@batch_.command("cancel")
@_NAME
@_OWNER
@click.option("--reason", metavar="TEXT", default="", help="Why.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shared
def cancel_(session: Session, name: str, owner: int | None, reason: str, yes: bool) -> None:
    """Cancel all jobs of batch NAME that have not ended. Calls under way are taken back or hung up."""
    figures = session.client.batch(name, owner)
    if not yes and sys.stdin.isatty():
        click.confirm(f"Cancel {open_jobs(figures)} jobs of batch {name}?", abort=True)
    _order(session, session.client.cancel_batch(name, figures["owner"], reason), "is being cancelled")


@batch_.command("report")
@_NAME
@_OWNER
@click.option(
    "--csv",
    "file",
    metavar="FILE|-",
    shell_complete=completing.files,
    help="Write a line for each job, as CSV.",
)
@click.option(
    "--log", type=click.File(), metavar="FILE", help="What submit --log wrote: tells of refused rows too."
)
@shared
def report_(session: Session, name: str, owner: int | None, file: str | None, log: TextIO | None) -> None:
    """Report what came of batch NAME, job by job. Each is counted once."""
    from dialerd.cli.batch_report import report

    if file not in (None, "-") and not Path(file).absolute().parent.is_dir():
        raise click.UsageError(f"There is no folder for {file}.")
    sys.exit(report(session, session.client.batch(name, owner), file, log))


def ended(figures: Figures) -> int:
    """How many jobs have ended."""
    return sum(figures["states"].get(state, 0) for state in ENDED)


def settled(figures: Figures) -> bool:
    """Whether nothing more happens by itself: each job has ended or waits for a person."""
    return ended(figures) + figures["states"].get("held", 0) >= figures["jobs"]


def open_jobs(figures: Figures) -> int:
    """How many jobs have not ended."""
    return figures["jobs"] - ended(figures)


def progress(figures: Figures) -> str:
    """How far it is, how fast it goes, and when it is done."""
    done, jobs = ended(figures), figures["jobs"]
    words = [f"{100 * done // jobs if jobs else 100} % ({done} of {jobs})"]
    if figures["paused"]:
        words.append("paused")
    elif not settled(figures):
        words.append(f"{figures['ended_last_minute']} a minute")
        if figures["eta_seconds"] is not None:
            words.append(f"done about {_clock(figures['eta_seconds'])}")
        elif figures["next"] is not None:
            words.append(f"goes on at {show.when(figures['next'])}")
    return ", ".join(words)


def _clock(seconds: float) -> str:
    """The time of day in so many seconds; with the day where it is not today."""
    now = datetime.now().astimezone()
    at = now + timedelta(seconds=seconds)
    return at.strftime("%H:%M" if at.date() == now.date() else "%Y-%m-%d %H:%M")


def _counts(figures: Figures) -> list[str]:
    states = figures["states"]
    lines = ["  ".join(f"{states[state]} {state}" for state in _STATES if states.get(state))]
    if figures["dispositions"]:
        words = (f"{count} {show.disposition_words(name)}" for name, count in figures["dispositions"].items())
        lines.append(f"Calls: {', '.join(words)}")
    return lines


def _title(figures: Figures) -> str:
    owner = show.user_name(figures["owner"])
    return f"Batch {figures['batch']} of {owner}, since {show.when(figures['created'])}"


def _draw(figures: Figures) -> None:
    if sys.stdout.isatty():
        from rich.console import Console

        Console().print(_picture(figures))
        return
    filled = _BAR * ended(figures) // max(1, figures["jobs"])
    bar = f"[{'#' * filled}{'.' * (_BAR - filled)}]"
    click.echo("\n".join([_title(figures), f"{bar} {progress(figures)}", *_counts(figures)]))


def _picture(figures: Figures) -> Any:
    """The same for a terminal."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    line = Table.grid(padding=(0, 1))
    bar = ProgressBar(total=max(1, figures["jobs"]), completed=ended(figures), width=_BAR + 10)
    line.add_row(bar, Text(progress(figures)))
    return Group(Text(_title(figures)), line, *(Text(text) for text in _counts(figures)))


def _watch(look: Callable[[], Figures], as_json: bool) -> None:
    if as_json or not sys.stdout.isatty():
        _watch_lines(look, as_json)
        return
    from rich.live import Live

    with Live(_picture(figures := look()), refresh_per_second=4) as live:
        while not settled(figures):
            time.sleep(_LOOK_EVERY_S)
            live.update(_picture(figures := look()))


def _watch_lines(look: Callable[[], Figures], as_json: bool) -> None:
    """A line each time that something has changed."""
    told = ""
    while True:
        figures = look()
        text = json.dumps(figures, ensure_ascii=False) if as_json else progress(figures)
        if text != told:
            click.echo(text)
            sys.stdout.flush()
            told = text
        if settled(figures):
            return
        time.sleep(_LOOK_EVERY_S)


def _row(figures: Figures) -> tuple[str, ...]:
    return (
        figures["batch"],
        show.user_name(figures["owner"]),
        f"{100 * ended(figures) // max(1, figures['jobs'])} %",
        str(figures["jobs"]),
        str(figures["dispositions"].get("ANSWERED", 0)),
        str(figures["waiting"]),
        "paused" if figures["paused"] else "done" if settled(figures) else "",
        show.when(figures["created"]),
    )


def _scope(session: Session, name: str, owner: int | None) -> str:
    return f"batch:{session.client.batch(name, owner)['owner']}:{name}"


def _order(session: Session, answer: Mapping[str, Any], verb: str) -> None:
    if session.json:
        show.print_json(answer)
    else:
        click.echo(f"{pause.named(answer['scope'])} {verb}.")
    sys.exit(exits.DONE)
