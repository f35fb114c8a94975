"""The commands that make what setup wrote count: run one after the other, each told of."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence

import click

from dialerd.cli import exits

_LIMIT_S = 120.0


def line(step: Sequence[str]) -> str:
    """A command as one types it."""
    return shlex.join(step)


def run(steps: Sequence[Sequence[str]], quiet: bool) -> bool:
    """Runs them all, also after one that failed; whether all went well. `quiet`: stdout is another's."""
    done = [_run(step, quiet) for step in steps]
    return all(done)


def _run(step: Sequence[str], quiet: bool) -> bool:
    click.echo(f"$ {line(step)}", err=quiet)
    command = [_found(step[0]), *step[1:]]
    out = sys.stderr.fileno() if quiet else None
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, timeout=_LIMIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        why = (
            f"took longer than {_LIMIT_S:g} s"
            if isinstance(error, subprocess.TimeoutExpired)
            else error.strerror
        )
        click.echo(f"dialerctl: {line(step)}: {why}", err=True)
        return False
    # What `dialerctl check` warns of is told by itself; all was done.
    well = done.returncode == 0 or (step[0] == "dialerctl" and done.returncode == exits.WARNED)
    if not well:
        click.echo(f"dialerctl: {line(step)} failed (exit code {done.returncode}).", err=True)
    return well


def _found(name: str) -> str:
    """Where a command is; dialerctl itself is the one that runs."""
    return shutil.which(name) or (sys.argv[0] if name == "dialerctl" else name)
