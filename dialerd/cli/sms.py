"""dialerctl sms: text messages."""

import re
from pathlib import Path
from typing import Any

import click

from dialerd.cli import asking
from dialerd.cli.sending import extra_option, one_or_all, sends
from dialerd.cli.session import Session
from dialerd.client import Submitted

_NUMBER = re.compile(r"\+?[0-9 ().\-/]{5,}")


@click.group("sms")
def sms_() -> None:
    """Send text messages, and ask what became of them."""


@sms_.command("send")
@click.argument("words", nargs=-1, required=True, metavar="TO... [BODY|-]")
@click.option("--body", metavar="TEXT", help="The text, in place of the last word.")
@click.option(
    "--file",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE|-",
    help="The text is in a file; - is standard input.",
)
@click.option("--template", metavar="ID", help="A template of the provider, in place of a text.")
@click.option("--sender", metavar="NUMBER|NAME", help="Who it seems to be from.")
@click.option("--media", multiple=True, metavar="URL", help="A picture or sound (MMS); may be repeated.")
@click.option("--urgent", is_flag=True, help="By the provider's faster lane.")
@click.option("--bulk", is_flag=True, help="May share one request with others of the same text.")
@extra_option
@sends
def send_(session: Session, words: tuple[str, ...], file: Path | None = None, **fields: Any) -> Submitted:
    """Send BODY (- is standard input) to each number TO."""
    to, body = _taken_apart(words, fields.pop("body", None), file, "template" in fields, "media" in fields)
    return session.client.sms_send(one_or_all(to), body, **fields)


def _taken_apart(
    words: tuple[str, ...], body: str | None, file: Path | None, template: bool, media: bool
) -> tuple[tuple[str, ...], str | None]:
    """The numbers and the text. Raises UsageError."""
    if (body is not None) + (file is not None) + template > 1:
        raise click.UsageError("Give the text once: as the last word, or with --body, --file or --template.")
    if file is not None:
        return words, _read(str(file))
    if body is not None or template:
        return words, body
    *numbers, text = words
    if media and (not numbers or _NUMBER.fullmatch(text)):
        return words, None
    if not numbers:
        raise click.UsageError("Say what to send: a text behind the number, --body, --file or --template.")
    if _NUMBER.fullmatch(text):
        raise click.UsageError(f"{text!r} looks like a number. If it is the text, give it with --body.")
    return tuple(numbers), _read("-") if text == "-" else text


def _read(name: str) -> str:
    """A text without the line end of its last line."""
    try:
        with click.open_file(name, "rb") as stream:
            return bytes(stream.read()).decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise click.UsageError(f"{name} is not UTF-8.") from None
    except OSError as error:
        raise click.UsageError(f"{name} can't be read: {error.strerror}.") from None


asking.add_all(sms_, "sms")
