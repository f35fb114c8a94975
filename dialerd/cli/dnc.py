"""dialerctl dnc: the numbers that must not be called."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from dialerd.cli import completing, errors, exits, show
from dialerd.cli.session import Session, shared
from dialerd.client import NoSuchJob, Refused

_NUMBERS = click.argument("numbers", nargs=-1, required=True, metavar="NUMBER...")
_LIST = click.option(
    "--list",
    "name",
    default="opt-out",
    show_default=True,
    metavar="NAME",
    shell_complete=completing.lists,
    help="The stop list.",
)


@click.group("dnc")
def dnc_() -> None:
    """Look at stop lists (do-not-call lists), and change them."""


@dnc_.command("lists")
@shared
def lists_(session: Session) -> None:
    """Show the lists."""
    found = session.client.dnc_lists()
    if session.json:
        for each in found:
            show.print_json(each)
        return
    columns = ("LIST", "ENTRIES", "WRITABLE", "REASON", "FILE")
    show.table(
        columns,
        [
            (each["name"], str(each["entries"]), _yes(each["writable"]), each["reason"], each["file"])
            for each in found
        ],
    )
    for each in found:
        for problem in each["problems"]:
            click.secho(f"Problem:  {problem}", fg="red")


@dnc_.command("add")
@_NUMBERS
@_LIST
@click.option("--reason", default="", metavar="TEXT", help="Why; kept beside the number.")
@shared
def add_(session: Session, numbers: tuple[str, ...], name: str, reason: str) -> None:
    """Never call each NUMBER again."""

    def add(number: str) -> dict[str, Any]:
        return session.client.dnc_add(number, list=name, reason=reason)

    def told(found: dict[str, Any]) -> str:
        stands = "is" if found["changed"] else "was already"
        return f"{found['number']} {stands} on the list {found['list']}"

    _each(session, numbers, add, told)


@dnc_.command("remove")
@_NUMBERS
@_LIST
@shared
def remove_(session: Session, numbers: tuple[str, ...], name: str) -> None:
    """Take each NUMBER off a list."""

    def remove(number: str) -> dict[str, Any]:
        return session.client.dnc_remove(number, list=name)

    def told(found: dict[str, Any]) -> str:
        stands = "is taken off" if found["changed"] else "was not on"
        still = f"; but {found['stopped']}" if found["stopped"] else ""
        return f"{found['number']} {stands} the list {found['list']}{still}"

    _each(session, numbers, remove, told)


@dnc_.command("check")
@click.argument("number")
@shared
def check_(session: Session, number: str) -> None:
    """Say whether NUMBER is on a list, and which lines stop it. Exit code 1: it is."""
    found = session.client.dnc_check(number)
    if session.json:
        show.print_json(found)
    elif not found["stopped"]:
        click.echo(f"{found['number']} is on no list")
    else:
        click.echo(found["stopped"])
        for entry in found["entries"]:
            click.echo(f"  {entry['list']}: {entry['line']}")
    sys.exit(exits.NOT_DONE if found["stopped"] else exits.DONE)


@dnc_.command("import")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE|-")
@click.option(
    "--list", "name", required=True, metavar="NAME", shell_complete=completing.lists, help="The stop list."
)
@shared
def import_(session: Session, file: Path, name: str) -> None:
    """Add all numbers of FILE to a list, or none. It has a number a line, or is CSV with a
    column "number"."""
    with click.open_file(str(file), "rb") as stream:
        added = session.client.dnc_import(name, stream.read())
    if session.json:
        show.print_json({"list": name, "added": added})
    else:
        click.echo(f"{added} added to the list {name}")


def _each(
    session: Session,
    numbers: Iterable[str],
    verb: Callable[[str], dict[str, Any]],
    told: Callable[[dict[str, Any]], str],
) -> None:
    """Does it with each number; what can't be done with one does not stop the others."""
    code = exits.DONE
    for number in numbers:
        try:
            found = verb(number)
        except (NoSuchJob, Refused) as error:
            code = errors.report(error, {"json": session.json})
            continue
        if session.json:
            show.print_json(found)
        else:
            click.echo(told(found))
    sys.exit(code)


def _yes(value: bool) -> str:
    return "yes" if value else "no"
