"""dialerctl check: everything looked at, live, by the daemon and from here; what to do, the worst first."""

import sys
from collections.abc import Sequence
from pathlib import Path
from shutil import get_terminal_size
from textwrap import wrap

import click

from dialerd.cli import exits, show
from dialerd.cli.session import Session, shared
from dialerd.core.findings import Finding, Verdict

_STYLED = {Verdict.ERROR: "ERROR", Verdict.WARNING: "WARNING"}
_COLOURS = {"ERROR": "red", "WARNING": "yellow"}


@click.command("check")
@click.option("--config", type=click.Path(path_type=Path), help="The configuration file to look at too.")
@click.option("--problems", is_flag=True, help="Show errors and warnings only.")
@shared
def check_(session: Session, config: Path | None, problems: bool) -> None:
    """Look at everything, live, and say what to do. That is Asterisk, the spool, disks, clocks, providers and
    the queue.

    The worst comes first. error: jobs can't be done, or may be lost or repeated. warning: a person should
    act. Exit code 1 for an error, 3 where there is nothing worse than a warning.
    """
    from dialerd.cli import checking

    found, code = checking.look(session.client, config)
    shown = [each for each in found if not (problems and each.good)]
    if session.json:
        for each in shown:
            show.print_json(_json(each))
    else:
        _print(shown)
    sys.exit(code if code is not None else of_findings(found))


def of_findings(found: Sequence[Finding]) -> int:
    """The exit code by the worst."""
    verdicts = {each.verdict for each in found}
    if Verdict.ERROR in verdicts:
        return exits.NOT_DONE
    return exits.WARNED if Verdict.WARNING in verdicts else exits.DONE


def _json(each: Finding) -> dict[str, object]:
    shown: dict[str, object] = {
        "check": each.name,
        "verdict": each.verdict.value,
        "ok": each.good,
        "found": each.found,
    }
    return {**shown, "todo": each.todo} if each.todo else shown


def _print(shown: Sequence[Finding]) -> None:
    if not shown:
        click.echo("Nothing is wrong.")
        return
    rows = [
        (_STYLED.get(each.verdict, each.verdict.value), each.name, each.found, each.todo) for each in shown
    ]
    if sys.stdout.isatty():
        _print_wide(rows)
    else:
        show.table(("VERDICT", "CHECK", "FOUND", "TO DO"), rows)


def _print_wide(rows: Sequence[tuple[str, str, str, str]]) -> None:
    """For a terminal: what to do stands below what was found."""
    width, first = max(40, get_terminal_size().columns), max(len(row[0]) for row in rows)
    second = max(len(row[1]) for row in rows)
    room = max(30, width - first - second - 4)
    for verdict, name, found, todo in rows:
        lines = [*wrap(found, room, break_on_hyphens=False), *wrap(todo, room, break_on_hyphens=False)]
        click.secho(
            f"{verdict:<{first}}  ", nl=False, fg=_COLOURS.get(verdict), bold=verdict in _COLOURS or None
        )
        click.echo(f"{name:<{second}}  {lines[0]}")
        for line in lines[1:]:
            click.echo(" " * (first + second + 4) + line)
