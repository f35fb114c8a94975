"""dialerctl pause, resume and drain: standing orders on everything, a way out or a batch."""

import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import click

from dialerd.cli import completing, exits, show
from dialerd.cli.listing import uid_of_user
from dialerd.cli.session import Session, shared
from dialerd.client import Client, NoSuchJob
from dialerd.core.texts import nearest

_LOOK_EVERY_S = 0.5
_SHOWN = 20
_UNDER_WAY = ("active", "submitted")


def owner_option(help: str) -> Callable[[Any], Any]:
    """--owner, a user by name or uid."""
    return click.option("--owner", metavar="USER", callback=uid_of_user, help=help)


_WHAT = click.argument("what", metavar="all|TRUNK|PROVIDER|BATCH", shell_complete=completing.scopes)
_REASON = click.option("--reason", metavar="TEXT", default="", help="Why, for those who wonder.")


@click.command("pause")
@_WHAT
@_REASON
@owner_option("Whose batch (a name or a uid).")
@shared
def pause_(session: Session, what: str, reason: str, owner: int | None) -> None:
    """Pause everything, a trunk, a provider or a batch. Nothing more of it begins; what is under way goes on.

    Where one of them and a batch have the same name, write trunk:NAME, provider:NAME or batch:NAME.
    """
    scope = scope_of(session.client, what, owner)
    providers = _providers(session.client)
    _told(session, session.client.pause(scope, reason), f"{named(scope, providers)} is paused.")


@click.command("resume")
@_WHAT
@_REASON
@owner_option("Whose batch (a name or a uid).")
@shared
def resume_(session: Session, what: str, reason: str, owner: int | None) -> None:
    """Let what is paused go on. That may be all, a trunk, a provider or a batch; what was paused by another
    word stays so."""
    scope = scope_of(session.client, what, owner)
    providers = _providers(session.client)
    answer = session.client.resume(scope, reason)
    _told(session, answer, f"{named(scope, providers)} goes on.")
    if not session.json:
        _still(answer["orders"], providers)


@click.command("drain")
@click.option("--timeout", type=click.FloatRange(0), metavar="SECONDS", help="Wait no longer than this.")
@click.option("--reason", metavar="TEXT", default="drain", help="Why, for those who wonder.")
@shared
def drain_(session: Session, timeout: float | None, reason: str) -> None:
    """Pause everything, and wait until no call is under way. It is for an upgrade, say."""
    session.client.pause("all", reason)
    left = _wait_for_none(session, timeout)
    if session.json:
        show.print_json({"under_way": left})
    elif left:
        click.echo(f"{_calls(left)} still under way:", err=True)
        for job in session.client.jobs(_SHOWN, state=_UNDER_WAY):
            click.echo(show.sentence(job), err=True)
    else:
        click.echo("No call is under way, and none begins: dialerctl resume all lets them go on.")
    sys.exit(exits.UNDER_WAY if left else exits.DONE)


def _wait_for_none(session: Session, timeout: float | None) -> int:
    """Waits until no call is under way; how many still are at the time-out."""
    deadline = None if timeout is None else time.monotonic() + timeout
    told = -1
    while left := _under_way(session.client):
        if left != told and not session.json:
            click.echo(f"{_calls(left)} under way ...", err=True)
            told = left
        if deadline is not None and time.monotonic() >= deadline:
            return left
        time.sleep(_LOOK_EVERY_S)
    return 0


def _under_way(client: Client) -> int:
    jobs = client.status()["jobs"]
    return sum(jobs.get(state, 0) for state in _UNDER_WAY)


def _calls(count: int) -> str:
    return "1 call is" if count == 1 else f"{count} calls are"


def scope_of(client: Client, what: str, owner: int | None) -> str:
    """The scope that a person means: "all", or that of a way out or a batch, found by its name."""
    kind, colon, name = what.partition(":")
    if what == "all" or (kind in ("trunk", "provider") and colon):
        return f"trunk:{name}" if colon else what
    if kind == "batch" and colon:
        return _batch_scope(client, name, owner) or what
    trunks = [] if owner is not None else [str(line["name"]) for line in client.trunks()]
    batch = _batch_scope(client, what, owner)
    if what in trunks and batch:
        raise click.UsageError(
            f"There are a way out and a batch {what!r}: write trunk:{what} or batch:{what}, as is meant."
        )
    if what in trunks:
        return f"trunk:{what}"
    if batch is None:
        known = ["all", *trunks, *(each["batch"] for each in client.batches(owner))]
        raise click.UsageError(f"There is no trunk, no provider and no batch {what!r}.{nearest(what, known)}")
    return batch


def _batch_scope(client: Client, name: str, owner: int | None) -> str | None:
    try:
        return f"batch:{client.batch(name, owner)['owner']}:{name}"
    except NoSuchJob:
        return None


def _providers(client: Client) -> set[str]:
    """The ways out that are providers."""
    return {str(line["name"]) for line in client.trunks() if line.get("provider")}


def named(scope: str, providers: Collection[str] = ()) -> str:
    """A scope as a person says it. `providers`: the ways out that are no trunks."""
    kind, _, name = scope.partition(":")
    if kind == "batch":
        uid, _, name = name.partition(":")
        return f"Batch {name} of {show.user_name(int(uid))}" if uid.isdigit() else f"Batch {uid}"
    if kind != "trunk":
        return "Everything"
    return f"Provider {name}" if name in providers else f"Trunk {name}"


def _told(session: Session, answer: Mapping[str, Any], sentence: str) -> None:
    if session.json:
        show.print_json(answer)
    else:
        click.echo(sentence)


def _still(orders: Iterable[Mapping[str, Any]], providers: Collection[str]) -> None:
    for order in orders:
        if order["word"] == "paused":
            why = f": {order['reason']}" if order["reason"] else ""
            by = "dialerd itself" if order["by"] is None else show.user_name(order["by"])
            click.echo(f"Still paused by {by}: {named(order['scope'], providers)}{why}", err=True)
