"""dialerctl reports: what was not delivered yet, or was given up, and trying it again."""

import json

import click

from dialerd.cli import completing
from dialerd.cli.session import Session, shared

_COLUMNS = ("SINK", "REPORT", "JOB", "TRIES", "NEXT TRY", "WHY")


@click.group("reports")
def reports_() -> None:
    """Look at reports that are not delivered, and try them again."""


@reports_.command("list")
@click.option("--dead", is_flag=True, help="Only those that were given up.")
@click.option(
    "--sink", metavar="SINK", shell_complete=completing.sinks, help="Only to this sink, such as webhooks.crm."
)
@click.option(
    "--limit",
    type=click.IntRange(0),
    metavar="N",
    default=50,
    show_default=True,
    help="At most so many; 0: all.",
)
@shared
def list_(session: Session, dead: bool, sink: str | None, limit: int) -> None:
    """List the sinks, and the reports that are not delivered."""
    from dialerd.cli import show

    found = session.client.reports(sink, dead or None, limit or None)
    if session.json:
        for report in found:
            click.echo(json.dumps(report, ensure_ascii=False))
        return
    for name, counts in session.client.report_sinks().items():
        if sink in (None, name):
            _say(name, counts)
    rows = [
        (
            report["sink"],
            report["id"],
            report["job"],
            str(report["tries"]),
            "given up" if report["dead"] else show.when(report["next_try"]),
            report.get("why", ""),
        )
        for report in found
    ]
    if rows:
        show.table(_COLUMNS, rows)
    if limit and len(rows) == limit:
        click.echo(f"These are the first {limit}; --limit 0 lists all.", err=True)


@reports_.command("retry")
@click.argument("sink", required=False, shell_complete=completing.sinks)
@shared
def retry_(session: Session, sink: str | None) -> None:
    """Try all that waits again now, also what was given up. It goes to SINK, or to all."""
    revived = session.client.retry_reports(sink)
    if session.json:
        click.echo(json.dumps({"revived": revived}))
    else:
        click.echo(
            f"{revived} that {'was' if revived == 1 else 'were'} given up will be tried again, and all that"
            " waits is tried now."
        )


def _say(name: str, counts: dict[str, object]) -> None:
    failing = f"; fails: {counts['failing']}" if counts.get("failing") else ""
    numbers = f"{counts['delivered']} delivered, {counts['pending']} pending, {counts['dead']} given up"
    click.echo(f"{name}: {numbers}{failing}")
