"""dialerctl voice: calls that a provider makes."""

from collections.abc import Callable
from typing import Any

import click

from dialerd.cli import asking
from dialerd.cli.sending import extra_option, sends
from dialerd.cli.session import Session
from dialerd.client import Submitted

_CALL = (
    click.option("--caller-id", metavar="NUMBER", help="Who the call seems to be from."),
    click.option("--wait-time", type=int, metavar="SECONDS", help="How long to let it ring."),
    click.option("--longest", type=int, metavar="SECONDS", help="The call ends after this."),
    click.option("--record", is_flag=True, help="Record the call."),
    extra_option,
)


def _calls(command: Callable[..., Submitted]) -> Callable[..., Any]:
    made = sends(command)
    for option in reversed(_CALL):
        made = option(made)
    return made


@click.group("voice")
def voice_() -> None:
    """Have a provider make calls, and ask what became of them."""


@voice_.command("connect")
@click.argument("numbers", nargs=-1, required=True, metavar="[FIRST] SECOND")
@_calls
def connect_(session: Session, numbers: tuple[str, ...], **fields: Any) -> Submitted:
    """Call FIRST, and connect it with SECOND. Without FIRST: the account's own number."""
    if len(numbers) > 2:
        raise click.UsageError("Two numbers are connected: for more, see dialerctl voice conference.")
    first = numbers[0] if len(numbers) == 2 else None
    return session.client.voice_connect(first, numbers[-1], **fields)


@voice_.command("flow")
@click.argument("to")
@click.argument("flow")
@_calls
def flow_(session: Session, to: str, flow: str, **fields: Any) -> Submitted:
    """Call TO, and connect it to FLOW. That is a flow or app of the account, by its id or address."""
    return session.client.voice_flow(to, flow, **fields)


@voice_.command("play")
@click.argument("to")
@click.argument("url")
@_calls
def play_(session: Session, to: str, url: str, **fields: Any) -> Submitted:
    """Call TO, and play the MP3 at URL."""
    return session.client.voice_play(to, url, **fields)


@voice_.command("say")
@click.argument("to")
@click.argument("text")
@click.option("--language", metavar="TAG", help="The text's language, such as en or ja.")
@_calls
def say_(session: Session, to: str, text: str, **fields: Any) -> Submitted:
    """Call TO, and speak TEXT."""
    return session.client.voice_say(to, text, **fields)


@voice_.command("conference")
@click.argument("to", nargs=-1, required=True, metavar="TO...")
@click.option("--room", metavar="NAME", help="The room; without one the provider names it.")
@click.option("--caller-id", metavar="NUMBER", help="Who the calls seem to be from.")
@extra_option
@sends
def conference_(session: Session, to: tuple[str, ...], **fields: Any) -> Submitted:
    """Call all numbers TO, which meet in a room."""
    return session.client.conference(to, **fields)


@voice_.command("add")
@click.argument("room")
@click.argument("to", nargs=-1, required=True, metavar="TO...")
@click.option("--caller-id", metavar="NUMBER", help="Who the call seems to be from.")
@extra_option
@sends
def add_(session: Session, room: str, to: tuple[str, ...], **fields: Any) -> Submitted:
    """Call further numbers TO into the ROOM of a conference."""
    return session.client.conference(to, room, **fields)


asking.add_all(voice_, "voice")
voice_.add_command(asking.command("voice.hangup", "kick"))
