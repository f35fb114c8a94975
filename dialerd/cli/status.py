"""dialerctl status: how the daemon is, at a glance. Kept free of slow imports."""

import json
from collections.abc import Mapping
from typing import Any

import click

from dialerd.cli.session import Session, shared

_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"))


@click.command("status")
@shared
def status_(session: Session) -> None:
    """Show how the daemon is. It tells of Asterisk, the spool and the jobs, and what is wrong."""
    found = session.client.status()
    if session.json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    click.echo(f"dialerd {found['version']}, up {_span(found.get('uptime_seconds', 0))}")
    click.echo(f"Asterisk: {_asterisk(found.get('asterisk', {}))}")
    spool = found.get("spool", {})
    free = f", {spool['free_bytes'] / 1e9:.1f} GB free" if "free_bytes" in spool else ""
    click.echo(
        f"Spool:    {spool.get('under_way', 0)} under way, {spool.get('not_begun', 0)} not begun{free}"
    )
    jobs = found["jobs"]
    click.echo(f"Jobs:     {', '.join(f'{count} {state}' for state, count in jobs.items()) or 'none'}")
    for problem in found["problems"]:
        click.secho(f"Problem:  {problem}", fg="red")


def _asterisk(line: Mapping[str, Any]) -> str:
    words = [f"version {line['version']}"] if line.get("version") else []
    words.append({"off": "without AMI"}.get(line.get("ami", ""), f"AMI {line.get('ami', 'unknown')}"))
    if line.get("calls") is not None:
        words.append(
            f"{line['calls']} of {line['max_calls']} calls"
            if line.get("max_calls")
            else f"{line['calls']} calls"
        )
    if line.get("reason"):
        words.append(str(line["reason"]))
    if line.get("takes_calls") is False:
        words.append("takes no calls now")
    return ", ".join(words)


def _span(seconds: float) -> str:
    for size, name in _UNITS:
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {name}{'s' if count > 1 else ''}"
    return f"{int(seconds)} seconds"
