"""What may stand at the cursor when TAB is pressed: callbacks for click's `shell_complete`.

What only the daemon knows it is asked, with a short limit; where it does not answer, nothing is offered.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import click

from dialerd.client import Client, ClientError
from dialerd.client.fields import Job

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

LIMIT_S = 0.5
"""How long one answer of the daemon may take."""

_NEWEST = 100
_OPEN = ("queued", "deferred", "active", "submitted", "held")
_ENDED = ("completed", "failed", "expired", "cancelled")
_STATES_FOR = {
    "cancel": _OPEN,
    "hold": _OPEN[:-1],
    "release": ("held",),
    "resolve": ("held",),
    "requeue": ("failed", "expired"),
}
"""The states of the jobs that a command is for; the others are for all."""

_WORD = re.compile(r"[\w@%+=:,./-]+")
"""What a shell takes as one word: bash puts in what it is offered as it is, without quotes."""

Offer = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]
_Found = Iterable[tuple[str, str]]


def _offered(
    ctx: click.Context, option: click.Parameter, begun: str, found: _Found
) -> "list[CompletionItem]":
    """Those that go on as the word begins, and were not given before."""
    from click.shell_completion import CompletionItem

    given = ctx.params.get(option.name or "")
    before = set(given) if isinstance(given, tuple | list) else set()
    return [
        CompletionItem(name, help=help or None)
        for name, help in found
        if name.startswith(begun) and name not in before and _WORD.fullmatch(name)
    ]


def _words(find: Callable[[], Iterable[str]]) -> Offer:
    def offer(ctx: click.Context, option: click.Parameter, begun: str) -> "list[CompletionItem]":
        return _offered(ctx, option, begun, ((word, "") for word in find()))

    return offer


def _asked(ask: Callable[[Client, str], _Found]) -> Offer:
    """`ask` gets the client and the command's name, and finds names with a few words on each."""

    def offer(ctx: click.Context, option: click.Parameter, begun: str) -> "list[CompletionItem]":
        try:
            with Client(_socket(ctx), timeout=LIMIT_S, patience=0) as client:
                return _offered(ctx, option, begun, list(ask(client, ctx.info_name or "")))
        except ClientError:
            return []

    return offer


def _socket(ctx: click.Context) -> str | None:
    """What --socket says, before the command's name or behind it."""
    chosen = ctx.find_object(dict) or {}
    return chosen.get("socket") or ctx.find_root().params.get("socket")


def _jobs(client: Client, command: str) -> _Found:
    for job in client.jobs(_NEWEST, state=_STATES_FOR.get(command)):
        yield job["id"], _about(job)


def _about(job: Job) -> str:
    from dialerd.cli import show

    return f"{job['kind']}, {job['state']}, {show.whom(job)}"


def _batches(client: Client, _command: str = "") -> _Found:
    for batch in client.batches(None, _NEWEST):
        yield batch["batch"], f"{batch['jobs']} jobs"


def _trunks(client: Client, _command: str) -> _Found:
    return ((line["name"], "trunk") for line in client.trunks() if not line.get("provider"))


def _providers(client: Client, _command: str) -> _Found:
    return ((str(each["name"]), str(each["type"])) for each in client.providers())


def _scopes(client: Client, _command: str) -> Iterator[tuple[str, str]]:
    yield "all", "everything"
    yield from ((line["name"], "provider" if line.get("provider") else "trunk") for line in client.trunks())
    yield from _batches(client)


def _lists(client: Client, _command: str) -> _Found:
    return ((each["name"], each["reason"]) for each in client.dnc_lists())


def _sinks(client: Client, _command: str) -> _Found:
    return ((name, "") for name in client.report_sinks())


def _kinds() -> Iterable[str]:
    from dialerd.core.tasks import KINDS

    return KINDS


def _events() -> Iterable[str]:
    from dialerd.core.reporting import EVENTS

    return EVENTS


def files(_ctx: click.Context, _option: click.Parameter, begun: str) -> "list[CompletionItem]":
    """Files, of which the shell knows."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(begun, type="file")]


jobs, batches, trunks, providers = _asked(_jobs), _asked(_batches), _asked(_trunks), _asked(_providers)
scopes, lists, sinks = _asked(_scopes), _asked(_lists), _asked(_sinks)
states, kinds, events = _words(lambda: (*_OPEN, *_ENDED)), _words(_kinds), _words(_events)
