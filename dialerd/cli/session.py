"""What all commands share: --socket and --json, also behind the command's name, and the client."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from dialerd.client import Client

F = TypeVar("F", bound=Callable[..., Any])


class Session:
    """The client and how to print."""

    def __init__(self, chosen: Mapping[str, Any]) -> None:
        self.json = bool(chosen.get("json"))
        self.client = Client(chosen.get("socket"))


def _remember(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(ctx: click.Context, _option: click.Parameter, value: Any) -> None:
        if value:
            ctx.ensure_object(dict)[name] = value

    return callback


def shared(command: F) -> F:
    """Gives a command --socket and --json, and a Session as its first argument."""

    @click.pass_context
    def with_session(ctx: click.Context, /, *args: Any, **kwargs: Any) -> Any:
        session = Session(ctx.ensure_object(dict))
        ctx.call_on_close(session.client.close)
        return ctx.invoke(command, session, *args, **kwargs)

    named = click.option(
        "--socket",
        metavar="PATH",
        expose_value=False,
        callback=_remember("socket"),
        help="The daemon's socket; default $DIALERD_SOCKET, else the system's.",
    )
    printed = click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        callback=_remember("json"),
        help="Print JSON: one value a line.",
    )
    with_session.__name__, with_session.__doc__ = command.__name__, command.__doc__
    return named(printed(with_session))  # type: ignore[return-value]
