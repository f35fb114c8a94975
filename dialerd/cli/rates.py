"""dialerctl rates: what calls cost."""

import sys

import click

from dialerd.cli import completing, exits, show
from dialerd.cli.session import Session, shared


@click.group("rates")
def rates_() -> None:
    """Show what calls cost."""


@rates_.command("check")
@click.argument("number")
@click.option(
    "--trunk", metavar="NAME", shell_complete=completing.trunks, help="What it costs on this trunk."
)
@shared
def check_(session: Session, number: str, trunk: str | None) -> None:
    """Show the rate of NUMBER. Exit code 1: it has none."""
    found = session.client.rates_check(number, trunk)
    rate = found["rate"]
    if session.json:
        show.print_json(found)
    elif rate is None:
        click.echo(f"{found['number']} has no rate")
    else:
        where = f" on {rate['trunk']}" if rate["trunk"] else ""
        click.echo(
            f"{found['number']}: {rate['per_minute']} a minute, by {rate['increment']} s,"
            f" {rate['connect']} for the connection (prefix {rate['prefix']}{where})"
        )
    sys.exit(exits.NOT_DONE if rate is None else exits.DONE)
