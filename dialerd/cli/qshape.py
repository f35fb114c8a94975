"""dialerctl qshape: how old the jobs in the queue are, by trunk."""

import click

from dialerd.cli import options, show
from dialerd.cli.session import Session, shared

_LITERAL = "(channels)"


@click.command("qshape")
@options.states
@shared
def qshape_(session: Session, states: tuple[str, ...]) -> None:
    """Show how old the queue is. It tells how many jobs wait or are under way, by trunk and by age in
    minutes."""
    found = session.client.qshape(states)
    if session.json:
        show.print_json(found)
        return
    minutes = found["minutes"]
    columns = ["TRUNK", "T", *map(str, minutes), f"{minutes[-1]}+"]
    rows = [("TOTAL", found["total"], found["ages"])]
    rows += [(each["trunk"] or _LITERAL, each["total"], each["ages"]) for each in found["trunks"]]
    cells = [[name, str(total), *map(str, ages)] for name, total, ages in rows]
    widths = [max(len(row[place]) for row in [columns, *cells]) for place in range(len(columns))]
    for row in [columns, *cells]:
        numbers = (f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        click.echo(f"{row[0]:<{widths[0]}}  {'  '.join(numbers)}")
