"""dialerctl restore: a backup becomes the state of a stopped dialerd."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from dialerd.cli.ground import place_options, state_folder, told
from dialerd.cli.session import Session, shared

if TYPE_CHECKING:
    from dialerd.keeping.restore import Restored


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--replace", is_flag=True, help="Move the state that is there aside; nothing of it is deleted.")
@click.option(
    "--moved",
    is_flag=True,
    help="The queue goes on here: only for a backup made after dialerd was stopped for good.",
)
@place_options
@shared
def restore_(
    session: Session, file: Path, replace: bool, moved: bool, config: Path | None, state_dir: Path | None
) -> None:
    """Put the backup in FILE in the place of dialerd's state. FILE may be - for standard input. dialerd must
    be stopped.

    Jobs that were not over are held, since they may have been done since the backup: look at them, then
    release them with: dialerctl release --restored.
    """
    from dialerd.keeping.restore import restore, seize

    with told(session):
        state = state_folder(config, state_dir)
        with _opened(file) as backup, seize(state):
            restored = restore(backup, state, replace, moved)
    _say(session, state, restored)


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    if str(file) == "-":
        if sys.stdin is None:
            raise click.UsageError("Standard input is closed: name the FILE, or lead a backup into it.")
        yield sys.stdin.buffer
    else:
        with file.open("rb") as backup:
            yield backup


def _say(session: Session, state: Path, restored: "Restored") -> None:
    from dialerd.cli import show

    if session.json:
        show.print_json({"state_dir": str(state), **restored.to_json()})
        return
    manifest = restored.manifest
    taken = show.when(manifest.summary()["taken"])
    click.echo(f"{state}: restored what {manifest.host} had at {taken} (dialerd {manifest.version}).")
    if restored.aside:
        click.echo(f"The state before is in {restored.aside}.")
    for note in restored.notes:
        click.echo(note)
    if restored.held:
        click.echo(
            f"{restored.held} jobs were not over and are held: they may have been done since the backup."
            " Start dialerd, look at them (dialerctl list --state held), and release those that were not:"
            " dialerctl release ID..., or all of them: dialerctl release --restored."
        )
