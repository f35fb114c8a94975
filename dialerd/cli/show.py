"""Jobs, attempts, events and tables as a person reads them. rich is imported only for a terminal."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import click

from dialerd.cli.exits import disposition

_OUTCOMES = {
    "ANSWERED": "answered",
    "BUSY": "busy",
    "NOANSWER": "no answer",
    "CONGESTION": "congestion",
    "CHANUNAVAIL": "channel unavailable",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
}
_STYLES = {
    "completed": "green", "failed": "red", "expired": "yellow", "cancelled": "yellow", "held": "bold magenta",
    "submitted": "cyan", "active": "cyan",
}  # fmt: skip


def print_json(value: Any) -> None:
    """One JSON value on one line, at once."""
    click.echo(json.dumps(value, ensure_ascii=False))
    sys.stdout.flush()


def when(text: str | None) -> str:
    """A time of the daemon's in the user's own zone."""
    if not text:
        return ""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def whom(job: Mapping[str, Any]) -> str:
    """Where it goes; of an order, what it is about."""
    to = job.get("to") or job.get("channel") or job.get("number") or job.get("connect") or ""
    return to if isinstance(to, str) else " & ".join(to)


def came(job: Mapping[str, Any]) -> str:
    """What came in, and from whom; nothing of a job that goes out."""
    return f"{job['what']} from {job.get('sender') or 'nobody known'}" if job["kind"] == "received" else ""


def disposition_words(name: str) -> str:
    """How a call ended, in a person's words."""
    return _OUTCOMES.get(name, name.lower())


def outcome(job: Mapping[str, Any]) -> str:
    """What became of a job, in a few words; it is read with its attempts where there were any."""
    ended = disposition(job)
    words = [disposition_words(ended)] if ended and job["state"] != "held" else []
    attempt = (job.get("attempts") or [{}])[-1]
    if ended == "ANSWERED" and attempt.get("talk_seconds") is not None:
        words.append(f"talked {attempt['talk_seconds']:.1f} s")
    if attempt.get("action_failed"):
        words.append("but what was to happen on answer failed")
    if job.get("reason") and job["reason"] != ended:
        words.append(str(job["reason"]))
    return ", ".join(words)


def sentence(job: Mapping[str, Any]) -> str:
    """A job and where it stands, on one line."""
    told = outcome(job)
    return f"job {job['id']} to {whom(job)}: {job['state']}{f' ({told})' if told else ''}"


def event_line(event: Mapping[str, Any]) -> str:
    """An event on one line."""
    data = ", ".join(
        f"{name} {plain(value)}" for name, value in event["data"].items() if value not in (None, "")
    )
    return f"{when(event['at'])}  {event['job']}  {event['type']:<13}  {data}".rstrip()


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], state_column: int | None = None) -> None:
    """A table: drawn on a terminal, plain columns elsewhere; a word where it has no rows. Columns that are
    empty are left out behind the third."""
    filled = list(rows)
    if not filled:
        click.echo("None.")
        return
    kept = [place for place in range(len(columns)) if place < 3 or any(row[place] for row in filled)]
    columns, filled = [columns[place] for place in kept], [[row[place] for place in kept] for row in filled]
    if not sys.stdout.isatty():
        _columns(columns, filled)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(columns):
        width = max([len(name), *(len(row[place]) for row in filled)]) if place < 2 else None
        drawn.add_column(name, min_width=width, overflow="fold")
    for row in filled:
        style = _STYLES.get(row[state_column], "") if state_column is not None else ""
        drawn.add_row(*(Text(cell, style if place == state_column else "") for place, cell in enumerate(row)))
    Console().print(drawn)


def details(job: Mapping[str, Any]) -> None:
    """Everything about a job."""
    shown = {name: value for name, value in job.items() if name not in ("attempts", "attempt_count")}
    for name in ("created", "updated", "not_before", "not_after"):
        if name in shown:
            shown[name] = when(shown[name])
    if "owner" in shown:
        shown["owner"] = user_name(shown["owner"])
    width = max(map(len, shown))
    for name, value in shown.items():
        click.echo(f"{name:<{width}}  {plain(value)}")
    for attempt in job.get("attempts", ()):
        _attempt(attempt)


def user_name(uid: int) -> str:
    """The name of a user, or the uid."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _attempt(attempt: Mapping[str, Any]) -> None:
    ended = str(attempt.get("disposition", ""))
    click.echo(f"\nattempt {attempt['number']}: {disposition_words(ended) or 'not ended'}")
    for name, value in attempt.items():
        if name not in ("number", "disposition") and value not in (False, None, ""):
            shown = when(value) if name in ("begun", "handed_over", "ended") else plain(value)
            click.echo(f"  {name:<12}  {shown}")


def plain(value: Any) -> str:
    """A value in one line: texts as they are, lists of texts with commas, all else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)


def _columns(columns: Sequence[str], rows: list[Sequence[str]]) -> None:
    widths = [max(len(row[place]) for row in [columns, *rows]) for place in range(len(columns))]
    for row in [columns, *rows]:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
