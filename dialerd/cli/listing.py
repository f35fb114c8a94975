"""dialerctl list and show."""

import click

from dialerd.cli import completing, options, show
from dialerd.cli.session import Session, shared

_COLUMNS = ("ID", "KIND", "STATE", "TO", "CREATED", "NOT BEFORE", "TRIES", "REASON")


def uid_of_user(_ctx: click.Context, _option: click.Parameter, given: str | None) -> int | None:
    """An option's callback: the uid of a user who is named, or given by uid."""
    if given is None or given.isdigit():
        return None if given is None else int(given)
    import pwd

    try:
        return pwd.getpwnam(given).pw_uid
    except KeyError:
        raise click.BadParameter(f"There is no user {given!r}.") from None


@click.command("list")
@options.states
@click.option(
    "--kind",
    metavar="KIND",
    shell_complete=completing.kinds,
    help="Only of this kind: call, sms, fax, received, ...",
)
@click.option("--batch", metavar="TEXT", shell_complete=completing.batches, help="Only of this batch.")
@click.option("--tag", metavar="TEXT", help="Only with this tag.")
@click.option("--key", metavar="TEXT", help="Only with this key.")
@click.option("--to", metavar="NUMBER", help="Only to this number.")
@click.option("--owner", metavar="USER", callback=uid_of_user, help="Only this user's (a name or a uid).")
@click.option(
    "--limit",
    type=click.IntRange(0),
    metavar="N",
    default=50,
    show_default=True,
    help="At most so many; 0: all.",
)
@shared
def list_(
    session: Session,
    states: tuple[str, ...],
    kind: str | None,
    batch: str | None,
    tag: str | None,
    key: str | None,
    to: str | None,
    owner: int | None,
    limit: int,
) -> None:
    """List jobs, newest first."""
    jobs = session.client.jobs(
        limit or None,
        state=states or None,
        kind=kind,
        batch=batch,
        tag=tag,
        key=key,
        to=to,
        owner=owner,
    )
    if session.json:
        for job in jobs:
            show.print_json(job)
        return
    rows = [
        (
            job["id"],
            job["kind"],
            job["state"],
            show.whom(job),
            show.when(job["created"]),
            show.when(job.get("not_before")),
            str(job["attempt_count"]),
            job.get("reason") or show.came(job),
        )
        for job in jobs
    ]
    show.table(_COLUMNS, rows, state_column=2)
    if limit and len(rows) == limit:
        click.echo(f"These are the newest {limit}; --limit 0 lists all.", err=True)


@click.command("show")
@click.argument("ids", nargs=-1, required=True, metavar="ID...", shell_complete=completing.jobs)
@shared
def show_(session: Session, ids: tuple[str, ...]) -> None:
    """Show everything about jobs, by ID."""
    for place, job_id in enumerate(ids):
        job = session.client.job(job_id)
        if session.json:
            show.print_json(job)
            continue
        if place:
            click.echo()
        show.details(job)
