"""Commands that ask providers, made of the table of operations (core/operations.py): a parameter is an
argument or an option, and every such command takes --provider and --raw."""

import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import click

from dialerd.cli import answers, completing, exits, show
from dialerd.cli.periods import ago
from dialerd.cli.session import Session, shared
from dialerd.client import Job, NoSuchJob
from dialerd.core.ids import ALPHABET, LENGTH
from dialerd.core.operations import OPERATIONS, Effect, Operation, Parameter
from dialerd.core.times import format_when

_PLACES = ("ref", "session")
_NAIVE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?)?")
provider_option = click.option(
    "--provider", metavar="NAME", shell_complete=completing.providers, help="The account with a provider."
)


def add_all(group: click.Group, noun: str) -> None:
    """Gives a group all reads and acts of a noun."""
    for operation in OPERATIONS.values():
        if operation.name.startswith(f"{noun}.") and operation.effect is not Effect.JOB:
            group.add_command(command(operation.name))


def command(name: str, called: str | None = None) -> click.Command:
    """The command that asks for an operation, called as it is or otherwise."""
    operation = OPERATIONS[name]

    @shared
    def ask(session: Session, /, provider: str | None, raw: bool, **given: Any) -> None:
        sys.exit(_ask(session, operation, provider, raw, given))

    ask.__doc__ = "\n\n".join([operation.help, *_about(operation)])
    made: Callable[..., Any] = ask
    raw = click.option("--raw", is_flag=True, help="Also the provider's own record, as it came.")
    for option in (raw, provider_option, *(_option(each) for each in reversed(operation.parameters))):
        made = option(made)
    return click.command(called or name.partition(".")[2].replace("_", "-"))(made)


def _about(operation: Operation) -> list[str]:
    """What stands without a name, where its name does not say it all."""
    arguments = [each for each in operation.parameters if each.argument]
    return [" ".join(f"{each.name.upper()}: {_help(each)}" for each in arguments)] if arguments else []


def _help(parameter: Parameter) -> str:
    return parameter.help.replace(".", ", or a job's id.") if parameter.name in _PLACES else parameter.help


def _option(parameter: Parameter) -> Callable[..., Any]:
    if parameter.argument:
        jobs = completing.jobs if parameter.name in _PLACES else None
        return click.argument(parameter.name, required=parameter.required, shell_complete=jobs)
    flag, help = f"--{parameter.name.replace('_', '-')}", parameter.help
    if parameter.kind == "flag":
        return click.option(flag, parameter.name, is_flag=True, help=help)
    kinds: Mapping[str, dict[str, Any]] = {
        "integer": {"type": click.IntRange(0), "metavar": "N"},
        "time": {
            "callback": _moment,
            "metavar": "WHEN",
            "help": f'{help.rstrip(".")}, such as "2026-12-01 09:00" (here) or 24h (ago).',
        },
        "number": {"metavar": "NUMBER"},
    }
    settings = {"help": help, "metavar": "TEXT", **kinds.get(parameter.kind, {})}
    return click.option(flag, parameter.name, required=parameter.required, **settings)


def _moment(_ctx: click.Context, option: click.Parameter, text: str | None) -> str | None:
    """A time as the daemon reads it; one without a zone is the user's own."""
    if text is None:
        return None
    if _NAIVE.fullmatch(text.strip()):
        try:
            return format_when(datetime.fromisoformat(text.strip()).astimezone(UTC))
        except ValueError:
            raise click.BadParameter(f"There is no {text.strip()} in the calendar.", param=option) from None
    return ago(re.sub(r" ago$", "", text.strip()), option.opts[0])


def _ask(
    session: Session, operation: Operation, provider: str | None, raw: bool, given: dict[str, Any]
) -> int:
    given = {name: value for name, value in given.items() if value is not None and value is not False}
    place = _place(operation)
    job = None if place is None else _job(session, given[place])
    if job is not None and place is not None:
        if not session.json:
            click.echo(show.sentence(job))
        at = _at(job, place)
        if at is None:
            return _nowhere(session, job, operation)
        given[place] = at[1]
        provider = provider or at[0]
    name, is_act = operation.name, operation.effect is Effect.ACT
    if provider is None and not is_act:
        found = session.client.ask(name, None, raw, **given)
    else:
        named = provider or session.client.only_provider(name)
        found = [_answer(named, session.client.ask(name, named, raw, **given))]
        if is_act and not session.json:
            click.echo("done")
    single = not operation.paged and any(each.required for each in operation.parameters)
    return answers.report(name, found, session.json, single and name not in answers.COLUMNS)


def _answer(provider: str, found: Any) -> dict[str, Any]:
    return {"provider": provider, "items" if isinstance(found, list) else "value": found}


def _place(operation: Operation) -> str | None:
    """The parameter that a job's id may stand for."""
    return next((each.name for each in operation.parameters if each.name in _PLACES), None)


def _job(session: Session, text: str) -> Job | None:
    """The job of this id, where it is one."""
    if len(text) != LENGTH or not set(text) <= set(ALPHABET):
        return None
    try:
        return session.client.job(text)
    except NoSuchJob:
        return None


def _at(job: Job, place: str) -> tuple[str, str] | None:
    """The provider that has the job's newest attempt, and the id that it gave it."""
    for attempt in reversed(job.get("attempts", [])):
        known = attempt.get("evidence", {}).get("session") if place == "session" else None
        ref = known or attempt.get("ref")
        if ref and "provider" in attempt:
            return str(attempt["provider"]), str(ref)
    return None


def _nowhere(session: Session, job: Job, operation: Operation) -> int:
    """The job is at no provider: what dialerd knows of it is all there is."""
    if session.json:
        show.print_json(job)
    if operation.effect is Effect.READ:
        return exits.DONE
    click.echo(f"dialerctl: No provider has job {job['id']}: there is nothing to do it to.", err=True)
    return exits.NOT_DONE
