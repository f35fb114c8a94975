"""dialerctl purge and redact: tidy up what ended long ago."""

from collections.abc import Iterator

import click

from dialerd.cli import show
from dialerd.cli.periods import ago
from dialerd.cli.session import Session, shared

_OLDER = {"metavar": "DURATION", "help": "Only what ended longer ago than this, such as 30d."}


def _report(session: Session, steps: Iterator[int], done: str) -> None:
    """Goes on until there is nothing left; what was done stays done where it is interrupted."""
    total = 0
    try:
        for count in steps:
            total += count
    finally:
        if session.json:
            show.print_json({"count": total})
        else:
            click.echo(f"{total} {'job' if total == 1 else 'jobs'} {done}")


@click.command("purge")
@click.option("--older-than", default="90d", show_default=True, **_OLDER)  # type: ignore[arg-type]
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(["completed", "failed", "expired", "cancelled"]),
    help="Only in this state; may be repeated.",
)
@click.option("--dry-run", is_flag=True, help="Only say how many.")
@shared
def purge_(session: Session, older_than: str, states: tuple[str, ...], dry_run: bool) -> None:
    """Remove ended jobs with their attempts and events. Their keys refuse a second job for 7 more days."""
    before = ago(older_than, "--older-than")
    steps = session.client.purge(before, states, dry_run)
    _report(session, steps, "would be removed" if dry_run else "removed")


@click.command("redact")
@click.option("--older-than", required=True, **_OLDER)  # type: ignore[arg-type]
@shared
def redact_(session: Session, older_than: str) -> None:
    """Take numbers and texts out of ended jobs. Caller ids, data and variables go, too; what became of the
    jobs stays."""
    _report(session, session.client.redact(ago(older_than, "--older-than")), "redacted")
