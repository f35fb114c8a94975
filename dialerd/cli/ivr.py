"""dialerctl ivr: calls that go through steps, and steps of a call under way."""

import json
from typing import Any

import click

from dialerd.cli import asking
from dialerd.cli.sending import extra_option, sends
from dialerd.cli.session import Session
from dialerd.client import Submitted


@click.group("ivr")
def ivr_() -> None:
    """Call somebody, and go through steps. They say something, ask for digits, record, connect."""


@ivr_.command("dial")
@click.argument("to")
@click.option("--message", metavar="TEXT|URL", help="What is said at first.")
@click.option(
    "--steps",
    type=click.File("rb"),
    metavar="FILE|-",
    help='The steps that follow, as JSON: [{"play": "Hello."}].',
)
@click.option("--caller-id", metavar="NUMBER", help="Who the call seems to be from.")
@click.option("--longest", type=int, metavar="SECONDS", help="The call ends after this.")
@extra_option
@sends
def dial_(
    session: Session, to: str, steps: Any = None, message: str | None = None, **fields: Any
) -> Submitted:
    """Call TO, and go through steps. The message is said at first; docs/messages.md has all steps. Without
    any the session waits for those that you give it by hand: gather, play, hangup and the others. To say
    something and hang up, use voice say.
    """
    given = None if steps is None else _steps(steps.read())
    return session.client.ivr(to, given, message, **fields)


def _steps(data: bytes) -> Any:
    try:
        found = json.loads(data)
    except ValueError as error:
        raise click.UsageError(f"The steps are not JSON: {error}.") from None
    if not isinstance(found, list):
        raise click.UsageError('Steps are a list, such as [{"play": "Hello."}, {"hangup": "Goodbye."}].')
    return found


asking.add_all(ivr_, "ivr")
