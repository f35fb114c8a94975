"""dialerctl cancel, hold, release, requeue and resolve."""

import sys
from collections.abc import Callable, Iterable

import click

from dialerd.cli import completing, errors, exits, show
from dialerd.cli.session import Session, shared
from dialerd.client import Job, NoSuchJob, NotAllowed


def _each(session: Session, ids: Iterable[str], verb: Callable[[str], Job]) -> None:
    """Does it to each job; what can't be done to one does not stop the others."""
    code = exits.DONE
    for job_id in ids:
        try:
            job = verb(job_id)
        except (NoSuchJob, NotAllowed) as error:
            code = errors.report(error, {"json": session.json})
            continue
        if session.json:
            show.print_json(job)
        else:
            click.echo(show.sentence(job))
    sys.exit(code)


_IDS = click.argument("ids", nargs=-1, required=True, metavar="ID...", shell_complete=completing.jobs)


@click.command("cancel")
@_IDS
@shared
def cancel_(session: Session, ids: tuple[str, ...]) -> None:
    """Cancel jobs, by ID. A call under way is taken back or hung up; it is "cancelled" once that is sure."""
    _each(session, ids, session.client.cancel)


@click.command("hold")
@_IDS
@shared
def hold_(session: Session, ids: tuple[str, ...]) -> None:
    """Hold jobs, by ID, until they are released."""
    _each(session, ids, session.client.hold)


@click.command("release")
@click.argument("ids", nargs=-1, metavar="[ID...]", shell_complete=completing.jobs)
@click.option(
    "--restored", is_flag=True, help="All that a restore held and that are not in doubt; with --batch: of it."
)
@click.option(
    "--batch",
    metavar="NAME",
    shell_complete=completing.batches,
    help="With --restored: only jobs of this batch.",
)
@shared
def release_(session: Session, ids: tuple[str, ...], restored: bool, batch: str | None) -> None:
    """Let held jobs go on, by ID."""
    if bool(ids) == restored or (batch is not None and not restored):
        raise click.UsageError("Give the ids of jobs, or --restored (perhaps with --batch).")
    if restored:
        _release_restored(session, batch)
    else:
        _each(session, ids, session.client.release)


def _release_restored(session: Session, batch: str | None) -> None:
    """Those that were under way at the backup stay held: what became of them is for a person to say."""
    from dialerd.keeping.holding import RESTORED

    released = doubts = 0
    for job in session.client.jobs(state="held", batch=batch):
        if not str(job.get("reason", "")).startswith(RESTORED):
            continue
        try:
            session.client.release(job["id"])
            released += 1
        except (NoSuchJob, NotAllowed):
            doubts += 1
    if session.json:
        show.print_json({"released": released, "in_doubt": doubts})
    else:
        click.echo(f"{released} released")
    if doubts:
        why = "were under way at the backup; say what became of them: dialerctl resolve ID --as ..."
        click.echo(f"dialerctl: {doubts} stay held: they {why}", err=True)
    sys.exit(exits.NOT_DONE if doubts else exits.DONE)


@click.command("requeue")
@_IDS
@shared
def requeue_(session: Session, ids: tuple[str, ...]) -> None:
    """Try failed or expired jobs again, by ID."""
    _each(session, ids, session.client.requeue)


@click.command("resolve")
@_IDS
@click.option(
    "--as",
    "as_",
    required=True,
    type=click.Choice(["completed", "failed", "requeue"]),
    help="What became of the call; requeue calls again.",
)
@shared
def resolve_(session: Session, ids: tuple[str, ...], as_: str) -> None:
    """Say what became of jobs that are held in doubt, by ID."""
    _each(session, ids, lambda job_id: session.client.resolve(job_id, as_))  # type: ignore[arg-type]
