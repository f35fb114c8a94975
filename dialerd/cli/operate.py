"""dialerctl cancel, hold, release, requeue and resolve."""

import sys
from collections.abc import Callable, Iterable

import click

from dialerd.cli import errors, exits, show
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


_IDS = click.argument("ids", nargs=-1, required=True, metavar="ID...")


@click.command("cancel")
@_IDS
@shared
def cancel_(session: Session, ids: tuple[str, ...]) -> None:
    """Cancel jobs. A call under way is taken back or hung up; it is "cancelled" once that is certain."""
    _each(session, ids, session.client.cancel)


@click.command("hold")
@_IDS
@shared
def hold_(session: Session, ids: tuple[str, ...]) -> None:
    """Hold jobs until they are released."""
    _each(session, ids, session.client.hold)


@click.command("release")
@_IDS
@shared
def release_(session: Session, ids: tuple[str, ...]) -> None:
    """Let held jobs go on."""
    _each(session, ids, session.client.release)


@click.command("requeue")
@_IDS
@shared
def requeue_(session: Session, ids: tuple[str, ...]) -> None:
    """Try failed or expired jobs again."""
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
    """Say what became of jobs that are held in doubt."""
    _each(session, ids, lambda job_id: session.client.resolve(job_id, as_))  # type: ignore[arg-type]
