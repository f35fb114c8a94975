"""dialerctl stats: what the calls came to, by trunk and hour or day."""

from typing import Any

import click

from dialerd.cli import show
from dialerd.cli.periods import ago
from dialerd.cli.session import Session, shared

_COLUMNS = ("FROM", "TRUNK", "DIALLED", "ANSWERED", "RATE", "RING S", "TALK S", "OTHERWISE")


@click.command("stats")
@click.option("--since", metavar="WHEN", default="24h", show_default=True, help="A time, or how long ago.")
@click.option("--until", metavar="WHEN", help="A time, or how long ago; left out: now.")
@click.option(
    "--by", type=click.Choice(["hour", "day"]), default="hour", show_default=True, help="What a row is."
)
@shared
def stats_(session: Session, since: str, until: str | None, by: str) -> None:
    """Show what the calls came to. It tells the answer rate, the dispositions and the mean times of each
    trunk's calls."""
    rows = session.client.stats(ago(since, "--since"), until and ago(until, "--until"), by)
    if session.json:
        for row in rows:
            show.print_json(row)
        return
    show.table(_COLUMNS, [_row(row, by) for row in rows])
    dialled, answered = (sum(row[name] for row in rows) for name in ("dialled", "answered"))
    rate = f", {answered / dialled:.1%}" if dialled else ""
    click.echo(f"{dialled} dialled, {answered} answered{rate}", err=True)


def _row(row: dict[str, Any], by: str) -> tuple[str, ...]:
    others = {name: count for name, count in row["dispositions"].items() if name != "ANSWERED"}
    return (
        show.when(row["begins"])[: 10 if by == "day" else 16],
        row["trunk"] or "-",
        str(row["dialled"]),
        str(row["answered"]),
        f"{row['answer_rate']:.1%}",
        _seconds(row["ring_seconds"]),
        _seconds(row["talk_seconds"]),
        ", ".join(f"{count} {name}" for name, count in others.items()),
    )


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
