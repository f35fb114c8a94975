"""dialerctl trunks: how the trunks stand."""

from collections.abc import Mapping
from typing import Any

import click

from dialerd.cli import show
from dialerd.cli.session import Session, shared

_COLUMNS = ("NAME", "STATE", "CHANNELS", "CALLS/S", "WINDOW", "TODAY", "WHY")


@click.command("trunks")
@shared
def trunks_(session: Session) -> None:
    """Show how the trunks stand. It tells whether each takes calls, how many are on it, and what it has done
    today."""
    found = session.client.trunks()
    if session.json:
        for line in found:
            show.print_json(line)
        return
    show.table(_COLUMNS, [_row(line) for line in found], state_column=1)


def _row(line: Mapping[str, Any]) -> tuple[str, ...]:
    most, others = line.get("max_channels"), line.get("others")
    in_use = f"{line.get('in_use', 0)}{f' and {others} not ours' if others else ''}"
    return (
        str(line["name"]),
        _state(line),
        in_use if most is None else f"{in_use} of {most}",
        _number(line.get("calls_per_second")),
        _number(line.get("window")),
        _today(line),
        str(line.get("trouble") or line.get("why") or line.get("cap") or ""),
    )


def _today(line: Mapping[str, Any]) -> str:
    words = [f"{line['calls_today']} calls"] if line.get("calls_today") else []
    return ", ".join([*words, str(line["spent_today"])] if line.get("spent_today") else words)


def _state(line: Mapping[str, Any]) -> str:
    """What an operator has to know first: paused, how the breaker stands where it is not closed, or that
    today's cap is reached."""
    if line.get("paused"):
        return "paused"
    breaker = str(line.get("breaker", "closed"))
    if breaker == "closed" and line.get("cap"):
        return "capped"
    return {"closed": "up", "open": "out of order", "half-open": "on trial"}.get(breaker, breaker)


def _number(value: object) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
