"""What single values of a job that providers carry may be: addresses, senders, texts for people."""

import re
from os.path import splitext

from dialerd.core import texts
from dialerd.core.documents import SUFFIXES
from dialerd.core.errors import InvalidJob
from dialerd.core.report_urls import url_mistake
from dialerd.intake.strictjson import loads

MOST_FURTHER = 50
LONGEST_FURTHER = 2000
"""Characters of one of a provider's own fields."""

LONGEST_TEXT = 10_000
"""Bytes of what is read or heard. What a provider takes may be less (its objections tell)."""

SENDER = r"[A-Za-z0-9+][A-Za-z0-9 +&._'()\-]{0,39}"
FURTHER = r"[A-Za-z][A-Za-z0-9_.\-\[\]]{0,63}"
_NUMBER = re.compile(r"\+?[0-9 ().\-/]+")


def _without_controls(text: str) -> None:
    """As texts.without_controls; line breaks and tabs pass."""
    texts.without_controls(text.replace("\r\n", "\n").translate({10: " ", 9: " "}))


def list_of_steps(value: object) -> object:
    """A list, or JSON text that stands for one."""
    if isinstance(value, str):
        try:
            value = loads(value.encode("utf-8", "surrogatepass"))
        except InvalidJob as error:
            raise ValueError(error.mistakes[0].what) from None
    if not isinstance(value, list):
        raise ValueError('Give a list of steps, such as [{"play": "Hello."}, {"hangup": "Goodbye."}].')
    return value


def address(text: str, plain: bool) -> str:
    """An address that a provider fetches."""
    if what := url_mistake(texts.without_controls(text), plain):
        raise ValueError(what)
    return text


def person_text(text: str) -> str:
    """A text that is read or heard, which may have several lines."""
    _without_controls(text)
    if not text.strip():
        raise ValueError("It is empty: give it a value or leave the field out.")
    if (size := len(text.encode())) > LONGEST_TEXT:
        raise ValueError(f"It has {size} bytes: {LONGEST_TEXT} are the most.")
    return text


def sender(text: str) -> str:
    """A number without the marks that people write, or a name."""
    if _NUMBER.fullmatch(texts.without_controls(text)):
        return texts.caller_number(text)
    if not re.fullmatch(SENDER, text) or text != text.strip():
        raise ValueError(
            "A sender is a number, a short code, or a name of up to 40 letters, digits, blanks and & . _ ' -"
        )
    return text


def companion(text: str) -> str:
    """The name of a file in the drop folder, beside the job's."""
    texts.bounded(text, 200)
    if "/" in text or text.startswith(".") or splitext(text)[1].lower() not in SUFFIXES:
        raise ValueError(
            "Give the name of a file that lies in the drop folder itself, which ends in"
            f" {', '.join(SUFFIXES)}, such as letter.pdf."
        )
    return text


def further(fields: dict[str, str]) -> dict[str, str]:
    """Fields of a provider's own."""
    for name, value in fields.items():
        if not re.fullmatch(FURTHER, name):
            raise ValueError(f"{name[:40]!a} is no field's name: letters, digits and _ . - [ ] (64 at most).")
        _without_controls(value)
        if len(value) > LONGEST_FURTHER:
            raise ValueError(f"{name} is too long: {LONGEST_FURTHER} characters are the most.")
    return fields
