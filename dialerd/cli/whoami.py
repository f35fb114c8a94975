"""dialerctl whoami: as whom dialerd sees the caller, and what he may."""

import grp
import json
import pwd
from collections.abc import Mapping
from typing import Any

import click

from dialerd.cli.session import Session, shared


@click.command("whoami")
@shared
def whoami_(session: Session) -> None:
    """Show as whom dialerd sees you, and what you may."""
    found = session.client.whoami()
    if session.json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    groups = ", ".join(_group(gid) for gid in found["groups"])
    click.echo(f"User:     {_user(found['uid'])}, in {groups or 'no group'}")
    click.echo(f"Roles:    {', '.join(found['roles']) or 'none'}")
    click.echo(f"Rights:   {', '.join(found['rights']) or 'none'}")
    if found["may_use"] is None:
        click.echo("Jobs:     you may submit none")
    else:
        _print_use(found["may_use"])


def _print_use(use: Mapping[str, Any]) -> None:
    click.echo("Jobs may use")
    for name in ("trunks", "contexts", "applications", "functions", "channels", "caller_ids"):
        click.echo(f"  {name.replace('_', ' ') + ':':<14}{', '.join(use[name]) or 'none'}")
    lists = [" ".join(some) for some in use["destinations"] if some]
    click.echo(f"  {'destinations:':<14}{'; or '.join(lists) or 'none'}")
    click.echo(f"  {'priority:':<14}up to {use['max_priority']}")


def _user(uid: int) -> str:
    try:
        return f"{pwd.getpwuid(uid).pw_name} ({uid})"
    except KeyError:
        return str(uid)


def _group(gid: int) -> str:
    try:
        return f"{grp.getgrgid(gid).gr_name} ({gid})"
    except KeyError:
        return str(gid)
