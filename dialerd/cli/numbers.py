"""dialerctl numbers: numbers for sale, and those that the accounts have."""

from typing import Any

import click

from dialerd.cli import asking
from dialerd.cli.sending import orders, pairs
from dialerd.cli.session import Session
from dialerd.client import Submitted

_SET = click.option(
    "--set",
    "details",
    multiple=True,
    metavar="NAME=VALUE",
    callback=pairs,
    help="A field of the provider's own; may be repeated.",
)


@click.group("numbers")
def numbers_() -> None:
    """Find numbers, buy them, configure them, give them up."""


@numbers_.command("buy")
@click.argument("number")
@click.option("--duration", metavar="MONTHS|auto_extend", help="For how long: months, or auto_extend.")
@_SET
@orders
def buy_(
    session: Session,
    number: str,
    duration: str | None = None,
    details: dict[str, str] | None = None,
    **fields: Any,
) -> Submitted:
    """Subscribe to NUMBER, which costs money. It is given with +, or by the provider's id of it."""
    return session.client.numbers_buy(number, _with(details, duration=duration), **fields)


@numbers_.command("configure")
@click.argument("number")
@click.option("--forward-to", metavar="NUMBER|URL", help="Where its calls go.")
@click.option("--forward-sms-to", metavar="NUMBER|URL", help="Where its messages go.")
@click.option("--mode", metavar="voice|fax", help="What it takes.")
@click.option("--action-url", metavar="URL", help="Who is asked what becomes of its calls.")
@click.option("--alias", metavar="TEXT", help="What it is called.")
@_SET
@orders
def configure_(
    session: Session,
    number: str,
    forward_to: str | None = None,
    forward_sms_to: str | None = None,
    mode: str | None = None,
    action_url: str | None = None,
    alias: str | None = None,
    details: dict[str, str] | None = None,
    **fields: Any,
) -> Submitted:
    """Say where calls and messages for NUMBER go. It is given with +, or by the provider's id of it."""
    given = {"forward_to": forward_to, "forward_sms_to": forward_sms_to, "mode": mode}
    found = _with(details, **given, action_url=action_url, alias=alias)
    if not found:
        raise click.UsageError("Say what is to change, such as --forward-to +4930123456.")
    return session.client.numbers_configure(number, found, **fields)


@numbers_.command("release")
@click.argument("number")
@orders
def release_(session: Session, number: str, **fields: Any) -> Submitted:
    """Give NUMBER up. It is given with +, or by the provider's id of it."""
    return session.client.numbers_release(number, **fields)


def _with(details: dict[str, str] | None, **given: str | None) -> dict[str, str]:
    return {name: value for name, value in {**(details or {}), **given}.items() if value is not None}


asking.add_all(numbers_, "numbers")
