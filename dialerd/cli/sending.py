"""What the commands that submit jobs to providers share: options of every job, and --wait."""

import sys
from collections.abc import Callable
from typing import Any

import click

from dialerd.cli import completing, options, show, waiting
from dialerd.cli.asking import provider_option
from dialerd.cli.session import Session, shared
from dialerd.client import Submitted


def pairs(_ctx: click.Context, option: click.Parameter, given: tuple[str, ...]) -> dict[str, str] | None:
    """An option's callback: NAME=VALUE, several times."""
    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{text!r} has no name and =. Write NAME=VALUE.", param=option)
        found[name] = value
    return found or None


_OPTIONS = (
    provider_option,
    click.option("--key", metavar="TEXT", help="Your own key: repeated, it repeats nothing."),
    click.option(
        "--tag", "tags", multiple=True, metavar="TEXT", help="A tag to find it by; may be repeated."
    ),
    click.option(
        "--batch", metavar="TEXT", shell_complete=completing.batches, help="The batch that it belongs to."
    ),
    options.not_before,
    options.not_after,
    click.option(
        "--priority", type=int, metavar="0..9", help="Its place in the queue: 9 is the most urgent (5)."
    ),
    click.option("--max-retries", type=int, metavar="N", help="Further tries (0)."),
    click.option("--retry-time", type=int, metavar="SECONDS", help="Pause between tries (300)."),
    click.option(
        "--retry", metavar="NAME", help="When it is tried again: a [retry.NAME] of the configuration."
    ),
    click.option("--report-url", metavar="URL", help="Where its end is reported to, where allowed."),
    click.option(
        "--on-doubt",
        type=click.Choice(["hold", "retry", "drop"]),
        help="What to do if nobody can know whether it was done (hold).",
    ),
    click.option("--wait", "waits", is_flag=True, help="Wait until it has ended; the exit code says how."),
    click.option("--timeout", type=float, metavar="SECONDS", help="With --wait: no longer than this."),
)
_PEOPLE = (
    click.option(
        "--hours", multiple=True, metavar="NAME|WINDOW", help="When it may go out; may be repeated."
    ),
    click.option("--recipient-timezone", metavar="ZONE", help="The recipient's time zone (from the number)."),
)
extra_option = click.option(
    "--extra",
    multiple=True,
    metavar="NAME=VALUE",
    callback=pairs,
    help="A field of the provider's own; may be repeated.",
)


def sends(command: Callable[..., Submitted], people: bool = True) -> Callable[..., Any]:
    """Makes a command of what submits: gives it the options of every job, prints the jobs, and waits for them
    where that is wanted. `people`: it goes to somebody, who has hours."""

    @shared
    def submit(session: Session, waits: bool, timeout: float | None, **given: Any) -> None:
        fields = {name: value for name, value in given.items() if not _is_missing(value)}
        fields |= {name: list(fields[name]) for name in ("tags", "hours", "media") if name in fields}
        after = waiting.newest(session.client) if waits else 0
        submitted = command(session, **fields)
        if waits:
            ids = [job["id"] for job in submitted.jobs]
            sys.exit(waiting.report(session.client, ids, after, timeout, session.json))
        _tell(session, submitted)

    submit.__name__, submit.__doc__ = command.__name__, command.__doc__
    made: Callable[..., Any] = submit
    for option in reversed((*_OPTIONS, *(_PEOPLE if people else ()))):
        made = option(made)
    return made


def orders(command: Callable[..., Submitted]) -> Callable[..., Any]:
    """The same for orders of numbers and routes."""
    return sends(command, people=False)


def _tell(session: Session, submitted: Submitted) -> None:
    for job in submitted.jobs:
        if session.json:
            show.print_json(job)
        else:
            before = "there already under this key" if submitted.repeated else "accepted"
            click.echo(f"{before}: {show.sentence(job)}")


def one_or_all(numbers: tuple[str, ...]) -> str | list[str]:
    """Numbers as a document has them."""
    return numbers[0] if len(numbers) == 1 else list(numbers)


def _is_missing(value: object) -> bool:
    """Whether an option was not there. 0 is a value."""
    return value is None or value is False or value in ((), {})
