"""dialerctl routes: where calls that come in to the accounts' numbers go."""

from typing import Any

import click

from dialerd.cli import asking
from dialerd.cli.sending import orders
from dialerd.cli.session import Session
from dialerd.client import Submitted


@click.group("routes")
def routes_() -> None:
    """Make routes for calls that come in, and give them to numbers."""


@routes_.command("create")
@click.argument("type", metavar="host|number|uri")
@click.argument("value")
@click.option("--alias", metavar="TEXT", help="What it is called.")
@orders
def create_(session: Session, type: str, value: str, alias: str | None = None, **fields: Any) -> Submitted:
    """Make a route to VALUE. It is a host with its port, a number or a URI."""
    return session.client.routes_create(type, value, alias, **fields)


@routes_.command("set-primary")
@click.argument("number")
@click.argument("route")
@orders
def set_primary_(session: Session, number: str, route: str, **fields: Any) -> Submitted:
    """Send the calls of NUMBER to ROUTE (its id)."""
    return session.client.routes_set_primary(number, route, **fields)


@routes_.command("set-failover")
@click.argument("number")
@click.argument("route")
@orders
def set_failover_(session: Session, number: str, route: str, **fields: Any) -> Submitted:
    """Send calls of NUMBER to ROUTE, where the primary fails."""
    return session.client.routes_set_failover(number, route, **fields)


asking.add_all(routes_, "routes")
