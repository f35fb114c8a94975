"""dialerctl watch and events: what happens, as it happens."""

import sys

import click

from dialerd.cli import completing, show, waiting
from dialerd.cli.session import Session, shared
from dialerd.client import Event


def _print(session: Session, event: Event) -> None:
    if session.json:
        show.print_json(event)
    else:
        click.echo(show.event_line(event))
        sys.stdout.flush()


@click.command("watch")
@click.argument("ids", nargs=-1, metavar="[ID...]", shell_complete=completing.jobs)
@click.option("--timeout", type=float, metavar="SECONDS", help="With IDs: no longer than this.")
@shared
def watch_(session: Session, ids: tuple[str, ...], timeout: float | None) -> None:
    """Watch jobs until they have ended; without ID, everything. The exit code says how they ended. Everything
    is watched until you press Ctrl-C."""
    if not ids:
        _watch_all(session)
    for job_id in ids:
        session.client.job(job_id)  # says so where there is none
    after = 0 if len(ids) == 1 else waiting.newest(session.client)
    sys.exit(waiting.report(session.client, list(dict.fromkeys(ids)), after, timeout, session.json))


def _watch_all(session: Session) -> None:
    after = waiting.newest(session.client)
    if not session.json:
        for state in ("held", "submitted", "active"):
            for job in session.client.jobs(20, state=state):
                click.echo(show.sentence(job))
    for event in session.client.events(after):
        _print(session, event)


@click.command("events")
@click.option("--follow", "-f", is_flag=True, help="Wait for new ones.")
@click.option("--after", type=click.IntRange(0), metavar="ID", help="Begin behind this event.")
@click.option("--job", metavar="ID", shell_complete=completing.jobs, help="Only of this job.")
@click.option("--batch", metavar="TEXT", shell_complete=completing.batches, help="Only of this batch.")
@click.option(
    "--type",
    "types",
    multiple=True,
    metavar="TYPE",
    shell_complete=completing.events,
    help="Only of this type; may be repeated.",
)
@shared
def events_(
    session: Session,
    follow: bool,
    after: int | None,
    job: str | None,
    batch: str | None,
    types: tuple[str, ...],
) -> None:
    """Print what happened; with --follow also what happens."""
    for event in session.client.events(after, follow, job, batch, types):
        _print(session, event)
