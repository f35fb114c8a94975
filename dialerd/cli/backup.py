"""dialerctl backup: all that dialerd knows, in one file."""

import sys
from collections.abc import Generator, Iterable
from pathlib import Path

import click

from dialerd.cli.ground import place_options, state_folder, told
from dialerd.cli.session import Session, shared
from dialerd.client import Unreachable


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--offline", is_flag=True, help="dialerd is stopped: read its state folder.")
@place_options
@shared
def backup_(session: Session, file: Path, offline: bool, config: Path | None, state_dir: Path | None) -> None:
    """Write a backup to FILE; - is standard output. It holds the queue, reports, documents and stop lists.

    Made while dialerd works. The configuration and its secrets are not in it.
    """
    with told(session):
        if offline:
            from dialerd.keeping.owner import pieces_as_owner

            state = state_folder(config, state_dir)
            _write(session, file, pieces_as_owner(_offline(state), state))
            return
        try:
            _write(session, file, session.client.backup())
        except Unreachable as error:
            raise Unreachable(f"{error} Is it stopped? Then: dialerctl backup --offline {file}.") from None


def _offline(state: Path) -> Generator[bytes, None, None]:
    from dialerd.keeping.backup import make
    from dialerd.keeping.placing import finish
    from dialerd.keeping.restore import seize

    with seize(state):
        finish(state)
        yield from make(state, stopped=True)


def _write(session: Session, file: Path, pieces: Iterable[bytes]) -> None:
    """What is written to a file is read again before it is called a backup."""
    from dialerd.cli import show
    from dialerd.keeping.archive import unpack
    from dialerd.keeping.backup import save
    from dialerd.keeping.manifest import Manifest

    if str(file) == "-":
        if sys.stdout is None:
            raise click.UsageError("Standard output is closed: name a FILE, or lead it to one.")
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        return
    found: list[Manifest] = []

    def prove(path: Path) -> None:
        with path.open("rb") as written:
            found.append(unpack(written, None))

    save(pieces, file, prove)
    (manifest,) = found
    if session.json:
        show.print_json({"file": str(file), **manifest.summary()})
        return
    jobs = ", ".join(f"{count} {state}" for state, count in sorted(manifest.jobs.items())) or "no jobs"
    click.echo(f"{file}: {jobs}; {file.stat().st_size} bytes, dialerd {manifest.version}")
