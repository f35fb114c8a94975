"""dialerctl call: one call, or one to each of several numbers, all fields as options: what Asterisk does on
answer, what a provider does, or both, where either may make the call."""

import sys
from collections.abc import Callable
from typing import Any

import click

from dialerd.cli import completing, options, show, waiting
from dialerd.cli.asking import provider_option
from dialerd.cli.sending import extra_option
from dialerd.cli.session import Session, shared


def _variables(_ctx: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.BadParameter(f"{text!r} has no =. Write NAME=VALUE.")
        found[name] = value
    return found


_OPTIONS = [
    click.option("--play", metavar="SOUND", help="Play this sound on answer."),
    click.option("--application", metavar="NAME", help="Run this application on answer."),
    click.option("--data", metavar="TEXT", help="The application's arguments."),
    click.option("--context", metavar="NAME", help="Go on in this context of the dialplan on answer."),
    click.option("--extension", metavar="TEXT", help="The context's extension."),
    click.option("--dialplan-priority", type=int, metavar="N", help="The extension's step (1)."),
    click.option("--say", metavar="TEXT", help="By a provider: speak this text on answer."),
    click.option("--language", metavar="TAG", help="The text's language, such as en or ja."),
    click.option("--play-url", metavar="URL", help="By a provider: play the MP3 at this address."),
    click.option("--connect", metavar="NUMBER", help="By a provider: connect the call with this number."),
    click.option("--flow", metavar="ID|URL", help="By a provider: go on in this flow of the account."),
    click.option("--longest", type=int, metavar="SECONDS", help="By a provider: the call ends after this."),
    click.option("--record", is_flag=True, help="By a provider: record the call."),
    extra_option,
    click.option("--caller-id", metavar="'\"NAME\" <NUMBER>'", help="Who the call seems to be from."),
    click.option(
        "--variable",
        "variables",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_variables,
        help="Set a channel variable; may be repeated.",
    ),
    click.option("--account", metavar="TEXT", help="The account for Asterisk's call records."),
    click.option("--wait-time", type=int, metavar="SECONDS", help="How long to let it ring (45)."),
    click.option("--codecs", metavar="LIST", help="Codecs, such as ulaw,alaw."),
    click.option("--early-media", is_flag=True, help="Begin on early media, before the answer."),
    click.option("--max-retries", type=int, metavar="N", help="Further tries when it is not answered (0)."),
    click.option("--retry-time", type=int, metavar="SECONDS", help="Pause between tries (300)."),
    options.not_before,
    options.not_after,
    click.option(
        "--hours", multiple=True, metavar="NAME|WINDOW", help="When it may be dialled; may be repeated."
    ),
    click.option("--recipient-timezone", metavar="ZONE", help="The callee's time zone (from the number)."),
    click.option(
        "--retry", metavar="NAME", help="When it is tried again: a [retry.NAME] of the configuration."
    ),
    click.option("--max-dials", type=int, metavar="N", help="Dials at most, whatever the reasons."),
    click.option("--kill-after", metavar="DURATION", help="No further try so long after the first."),
    click.option("--report-url", metavar="URL", help="Where its end is reported to, where allowed."),
    click.option(
        "--priority", type=int, metavar="0..9", help="Its place in the queue: 9 is the most urgent (5)."
    ),
    click.option("--key", metavar="TEXT", help="Your own key: repeated, it repeats no call."),
    click.option(
        "--tag", "tags", multiple=True, metavar="TEXT", help="A tag to find it by; may be repeated."
    ),
    click.option(
        "--batch", metavar="TEXT", shell_complete=completing.batches, help="The batch that it belongs to."
    ),
    click.option(
        "--trunk", metavar="NAME", shell_complete=completing.trunks, help="This trunk, and no other."
    ),
    provider_option,
    click.option(
        "--channel",
        multiple=True,
        metavar="TECH/DEST",
        help="A literal channel in place of a number, where allowed; may be repeated.",
    ),
    click.option(
        "--ring", type=click.Choice(["each", "any"]), help="Several numbers: call each, or all at once."
    ),
    click.option(
        "--on-doubt",
        type=click.Choice(["hold", "retry", "drop"]),
        help="What to do if nobody can know whether it was done (hold).",
    ),
]


def _is_given(value: object) -> bool:
    """Whether an option was there. 0 is a value (--priority 0)."""
    return value is not None and value is not False and value not in ((), {})


def _all_fields(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command("call")
@click.argument("to", nargs=-1)
@_all_fields
@click.option("--wait", "waits", is_flag=True, help="Wait until it has ended; the exit code says how.")
@click.option("--timeout", type=float, metavar="SECONDS", help="With --wait: no longer than this.")
@shared
def call_(session: Session, to: tuple[str, ...], waits: bool, timeout: float | None, **fields: Any) -> None:
    """Call TO: an E.164 or national number, or an extension. Say what a trunk does on answer, what a provider
    does, or both, where the route leads to both.
    """
    document = {name: value for name, value in fields.items() if _is_given(value)}
    for name, several in (("to", to), ("channel", fields["channel"])):
        if several:
            document[name] = several[0] if len(several) == 1 else list(several)
    document |= {name: list(document[name]) for name in ("tags", "hours") if name in document}
    after = waiting.newest(session.client) if waits else 0
    submitted = session.client.submit_document(document)
    if waits:
        ids = [job["id"] for job in submitted.jobs]
        sys.exit(waiting.report(session.client, ids, after, timeout, session.json))
    for job in submitted.jobs:
        if session.json:
            show.print_json(job)
        else:
            before = "there already under this key" if submitted.repeated else "accepted"
            click.echo(f"{before}: {show.sentence(job)}")
