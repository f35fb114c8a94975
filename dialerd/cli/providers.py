"""dialerctl providers: the accounts with providers, and whether they answer."""

import sys
from collections.abc import Mapping
from typing import Any

import click

from dialerd.cli import completing, exits, show
from dialerd.cli.session import Session, shared

_GOOD = ("reachable", "unknown")


@click.group("providers")
def providers_() -> None:
    """Show what the providers can do, and whether they answer."""


@providers_.command("list")
@shared
def list_(session: Session) -> None:
    """Show the providers, and what each can do."""
    found = session.client.providers()
    if session.json:
        for each in found:
            show.print_json(each)
        return
    if not found:
        click.echo("No provider is configured: add a section [providers.NAME].", err=True)
        return
    show.table(("NAME", "TYPE", "STATE", "UNDER WAY", "CAN", "WHY"), [_row(each) for each in found])


@providers_.command("addresses")
@shared
def addresses_(session: Session) -> None:
    """Show the address to give each provider. To it goes what comes in. Keep it to yourself: whoever knows it
    could tell dialerd what never happened."""
    found = [each for each in session.client.providers() if each.get("address")]
    if session.json:
        for each in found:
            show.print_json({"name": each["name"], "address": each["address"]})
    elif found:
        show.table(("NAME", "ADDRESS"), [(str(each["name"]), str(each["address"])) for each in found])
    else:
        click.echo("There are none to show: that takes a [listener], and the right operate.", err=True)


@providers_.command("check")
@click.argument("names", nargs=-1, metavar="[NAME...]", shell_complete=completing.providers)
@shared
def check_(session: Session, names: tuple[str, ...]) -> None:
    """Ask each provider whether it answers, or each NAME. It costs nothing. Exit code 1: one does not."""
    found = [each for name in names or (None,) for each in session.client.providers_check(name)]
    if session.json:
        for each in found:
            show.print_json(each)
    else:
        show.table(
            ("PROVIDER", "STATE", "ASKED FOR", "WHAT"),
            [(each["provider"], each["state"], each.get("asked", ""), _what(each)) for each in found],
        )
    good = all(each["state"] in _GOOD for each in found)
    sys.exit(exits.DONE if good else exits.NOT_DONE)


def _what(check: Mapping[str, Any]) -> str:
    value = check.get("value", {})
    if "balance" in value:
        return f"{value['balance']} {value.get('currency', '')} left".replace("  ", " ")
    return str(check.get("what", ""))


def _row(each: Mapping[str, Any]) -> tuple[str, ...]:
    """`blocked_until` says how long the provider asked us to wait."""
    until = each.get("blocked_until")
    why = " ".join(filter(None, (str(each.get("why", "")), f"Until {show.when(until)}." if until else "")))
    busy = str(each.get("busy") or "")
    return (str(each["name"]), str(each["type"]), str(each["state"]), busy, _can(each), why)


def _can(each: Mapping[str, Any]) -> str:
    """The nouns of what it can send, and of what it can only be asked."""
    return " ".join(dict.fromkeys(name.partition(".")[0] for name in each["operations"]))
