"""dialerctl check: what could be wrong, here and in the daemon."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from dialerd.cli import exits, show
from dialerd.cli.session import Session, shared
from dialerd.client import Client, ClientError


@click.command("check")
@click.option("--config", type=click.Path(path_type=Path), help="The configuration file to look at too.")
@shared
def check_(session: Session, config: Path | None) -> None:
    """Look for problems: the socket, the daemon, its Asterisk, the configuration file."""
    found, code = [], exits.DONE
    try:
        problems = session.client.status()["problems"]
        found.append(("daemon", "ok", f"answers on {session.client.socket_path}"))
        found += [("daemon", "problem", problem) for problem in problems]
    except ClientError as error:
        code = exits.of_error(error)
        found.append(("socket", "problem", str(error)))
        found += _socket(session.client)
    found += _configuration(config)
    if session.json:
        for part, verdict, text in found:
            show.print_json({"part": part, "ok": verdict != "problem", "text": text})
    else:
        show.table(("PART", "VERDICT", "WHAT"), found)
    if code == exits.DONE and any(verdict == "problem" for _, verdict, _ in found):
        code = exits.NOT_DONE
    sys.exit(code)


def _socket(client: Client) -> Iterator[tuple[str, str, str]]:
    """What the socket's file shows, where nobody answered."""
    path = Path(client.socket_path)
    try:
        if not path.parent.is_dir():
            yield "socket", "problem", f"There is no folder {path.parent}: no daemon has run with this path."
        elif path.exists() and not path.is_socket():
            yield "socket", "problem", f"{path} is no socket."
    except PermissionError:
        yield "socket", "problem", f"You may not look into {path.parent}."


def _configuration(path: Path | None) -> Iterator[tuple[str, str, str]]:
    from dialerd.config import DEFAULT_PATH, load
    from dialerd.core.errors import ConfigError

    chosen = path or DEFAULT_PATH
    if path is None and not chosen.exists():
        yield "configuration", "ok", f"there is no {chosen}: the defaults hold"
        return
    try:
        load(chosen)
    except ConfigError as error:
        for mistake in error.mistakes:
            if mistake.where.endswith("secret_file"):
                yield (
                    "configuration",
                    "not looked at",
                    f"{mistake.where}: a secret is for the daemon's user only",
                )
            else:
                yield "configuration", "problem", str(mistake)
    else:
        yield "configuration", "ok", f"{chosen} has no mistakes"
