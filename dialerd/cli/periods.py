"""Times on the command line: a moment, or how long ago."""

from datetime import UTC, datetime, timedelta

import click

from dialerd.core.times import format_when, parse_duration, parse_when

_HOW = (
    "Write it as 2026-12-01T01:00:00+01:00 or 2026-12-01 01:00 Europe/Berlin, or how long ago: 90m, 24h, 30d."
)


def moment(text: str, option: str) -> datetime:
    """The time that is meant: "24h" and "2 days" are so long ago, all else is as in job documents."""
    now = datetime.now(UTC)
    try:
        return now - timedelta(seconds=parse_duration(text))
    except (ValueError, OverflowError):
        pass
    try:
        return parse_when(text, now)
    except ValueError as error:
        what, ahead, _ = str(error).partition(": write it as")
        hint = f"{what}. {_HOW}" if ahead else f"{error} Or write how long ago: 90m, 24h, 30d."
        raise click.BadParameter(hint, param_hint=option) from None


def ago(text: str, option: str) -> str:
    """The same, as the daemon reads it."""
    return format_when(moment(text, option))
