"""What backup, restore and fsck share: where the state folder is, and errors that are no client's."""

import os
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from dialerd.cli import exits
from dialerd.cli.session import Session

F = TypeVar("F", bound=Callable[..., Any])

_PATH = click.Path(path_type=Path)


def place_options(command: F) -> F:
    """--config and --state-dir."""
    config = click.option(
        "--config", type=_PATH, metavar="FILE", help="dialerd's configuration; only its state_dir is read."
    )
    state = click.option(
        "--state-dir", type=_PATH, metavar="FOLDER", help="The state folder, instead of the configuration's."
    )
    return config(state(command))


def state_folder(config: Path | None, given: Path | None) -> Path:
    """Where the state is. The rest of the configuration is not looked at: its secrets may be none of ours.
    Raises click.UsageError for a configuration that can't be read."""
    from dialerd.config import DEFAULT_PATH, default_places

    if given is not None:
        return given
    default, _, _ = default_places(os.environ, os.geteuid() == 0 or Path("/var/lib/dialerd").is_dir())
    path = config or DEFAULT_PATH
    if config is None and not path.exists():
        return Path(default)
    try:
        said = tomllib.loads(path.read_text("utf-8-sig")).get("state_dir", default)
    except OSError as error:
        raise click.UsageError(f"{path} can't be read: {error.strerror}. Give --state-dir.") from None
    except ValueError as error:
        raise click.UsageError(f"{path} can't be read: {error}. Give --state-dir.") from None
    return Path(str(said))


@contextmanager
def told(session: Session) -> Iterator[None]:
    """Turns the errors of the parts below into sentences and exit codes."""
    from dialerd.core.errors import ConfigError, DialerError, Overloaded
    from dialerd.keeping.manifest import Unfit

    try:
        yield
    except DialerError as error:
        code = exits.REFUSED if isinstance(error, Unfit) else exits.NOT_DONE
        code = exits.TRY_LATER if isinstance(error, Overloaded) else code
        lines = list(map(str, error.mistakes)) if isinstance(error, ConfigError) else [str(error)]
    except OSError as error:
        code, lines = exits.USAGE, [f"{error.filename or 'The file'}: {error.strerror}."]
    else:
        return
    if session.json:
        from dialerd.cli import show

        show.print_json({"error": " ".join(lines)})
    for line in lines:
        click.echo(f"dialerctl: {line}", err=True)
    sys.exit(code)
