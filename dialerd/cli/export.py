"""dialerctl export: jobs with their last attempt, as CSV for spreadsheets or as NDJSON for programs."""

import csv
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import takewhile
from typing import Any

import click

from dialerd.cli import completing, options
from dialerd.cli.listing import uid_of_user
from dialerd.cli.periods import moment
from dialerd.cli.session import Session, shared

COLUMNS = (
    *("id", "state", "disposition", "reason", "owner", "key", "batch", "tags", "priority", "to", "trunk"),
    *("created", "updated", "not_before", "not_after", "attempts", "retries"),
    *("hangup_cause", "ring_seconds", "talk_seconds", "begun", "ended", "detail", "redacted", "variables"),
)
"""The columns of CSV. New ones are added at the end; none is ever taken away or moved."""

_OF_ATTEMPT = ("hangup_cause", "ring_seconds", "talk_seconds", "begun", "ended", "detail")
_FORMULA = re.compile(r"[=+\-@\t\r\n]")
_NUMBER = re.compile(r"\+[0-9]{1,15}|-?[0-9]+(?:\.[0-9]+)?")


@click.command("export")
@click.option(
    "--format",
    "as_",
    type=click.Choice(["csv", "ndjson"]),
    default="csv",
    show_default=True,
    help="What to write.",
)
@options.states
@click.option("--batch", metavar="TEXT", shell_complete=completing.batches, help="Only of this batch.")
@click.option("--tag", metavar="TEXT", help="Only with this tag.")
@click.option("--to", metavar="NUMBER", help="Only to this number.")
@click.option("--owner", metavar="USER", callback=uid_of_user, help="Only this user's (a name or a uid).")
@click.option("--since", metavar="WHEN", help="Accepted since: a time, or how long ago.")
@click.option("--until", metavar="WHEN", help="Accepted before: a time, or how long ago.")
@shared
def export_(
    session: Session,
    as_: str,
    states: tuple[str, ...],
    batch: str | None,
    tag: str | None,
    to: str | None,
    owner: int | None,
    since: str | None,
    until: str | None,
) -> None:
    """Write jobs as CSV or NDJSON. Each has its last attempt with it; they go to standard output, newest
    first, any number of them."""
    jobs: Iterable[Mapping[str, Any]] = session.client.jobs_with_last(
        _first_id(moment(until, "--until")) if until else None,
        state=states or None,
        batch=batch,
        tag=tag,
        to=to,
        owner=owner,
    )
    if since:
        oldest = moment(since, "--since")
        jobs = takewhile(lambda job: datetime.fromisoformat(job["created"]) >= oldest, jobs)
    if session.json or as_ == "ndjson":
        write_ndjson(jobs)
    else:
        write_csv(jobs)


def write_ndjson(jobs: Iterable[Mapping[str, Any]]) -> None:
    """One JSON object a line."""
    for job in jobs:
        click.echo(json.dumps(job, ensure_ascii=False))


def write_csv(jobs: Iterable[Mapping[str, Any]]) -> None:
    """A line of names, and one for each job (RFC 4180)."""
    writer = csv.writer(sys.stdout, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for job in jobs:
        writer.writerow(list(cells(job)))


def cells(job: Mapping[str, Any]) -> Iterator[str]:
    """A job as a line of CSV."""
    last = job.get("last", {})
    known = {**job, **{name: last.get(name) for name in _OF_ATTEMPT}}
    known["trunk"] = last.get("trunk") or job.get("trunk")
    known["disposition"] = job.get("disposition") or last.get("disposition")
    known["to"] = job.get("to") or job.get("channel")
    known["attempts"] = job["attempt_count"]
    for name in COLUMNS:
        yield guarded(_plain(known.get(name)))


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, list):
        return " ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def guarded(cell: str) -> str:
    """The cell, with ' before it where a spreadsheet would run it as a formula.

    Numbers, and those in E.164 (+4930123456), compute nothing and stay as they are.
    """
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def _first_id(when: datetime) -> str:
    """The least id that a job may have which was accepted at this time: all older jobs lie below."""
    from dialerd.core import ids

    return ids.to_text(ids.next_id(0, int(when.timestamp() * 1000), 0))
