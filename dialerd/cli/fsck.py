"""dialerctl fsck: whether what the state folder says can be true."""

import sys
from pathlib import Path

import click

from dialerd.cli import exits
from dialerd.cli.ground import place_options, state_folder, told
from dialerd.cli.session import Session, shared


@click.command("fsck")
@click.option("--repair", is_flag=True, help="Mend what can be mended without losing anything.")
@place_options
@shared
def fsck_(session: Session, repair: bool, config: Path | None, state_dir: Path | None) -> None:
    """Look for damage in the state folder of a stopped dialerd.

    Changes nothing without --repair. Exits with 0 where all is well (or was mended), with 1 where something
    is wrong.
    """
    from dialerd.cli import show
    from dialerd.keeping.fsck import fsck
    from dialerd.keeping.restore import seize

    with told(session):
        state = state_folder(config, state_dir)
        with seize(state):
            report = fsck(state, repair)
    for finding in report.found:
        if session.json:
            line = {"where": finding.where, "what": finding.what, "repair": finding.repair or None}
            show.print_json({**line, "advice": finding.advice or None, "harmless": finding.harmless})
        else:
            click.echo(f"{finding.where}: {finding.what if repair and finding.mend else finding.sentence()}")
    if not session.json:
        click.echo(_summary(state, len(report.found), report.mended, len(report.left), repair))
        if report.quarantine is not None:
            click.echo(f"The rows that were taken out are in {report.quarantine}.")
    sys.exit(exits.DONE if report.sound else exits.NOT_DONE)


def _summary(state: Path, found: int, mended: int, left: int, repair: bool) -> str:
    if not found:
        return f"{state}: all is well."
    if not repair:
        return f"{state}: {found} found; nothing was changed."
    return f"{state}: {found} found, {mended} mended, {left} left."
