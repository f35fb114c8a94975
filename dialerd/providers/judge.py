"""What an answer means: the table of verdicts that all providers share, and what is quoted of their words."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from dialerd.core.callbacks import Unreadable
from dialerd.core.errors import AccountRefused, DeliveryError, Rejected, Unavailable, Unconfirmed
from dialerd.log import mask
from dialerd.providers.settings import AccountSettings
from dialerd.providers.wire import Reply, Request

T = TypeVar("T")

QUOTED = 200
"""Characters of a provider's own words."""

LONGEST_WAIT_S = 86400.0
"""What a provider may ask us to wait."""

_ECHO = 12
"""Texts of a request that are so long are taken out of the words that quote them: they may be a message."""

_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
"""What reading raises where an answer is not what it should be."""

_DIGITS = re.compile(r"\+\d{5,}|\d{7,}")
"""Shorter ones are error codes, which people look up: those of Twilio and Telnyx have five digits."""

_SECONDS = re.compile(r"\d{1,9}(?:\.\d{1,9})?")


def verdict(settings: AccountSettings, request: Request, reply: Reply) -> DeliveryError | None:
    """The outcome that an answer stands for; None for 2xx, which the provider's reader judges."""
    if 200 <= reply.status < 300:
        return None
    error = _asked(settings.provider.refusal, reply) or _common(settings, reply)
    if isinstance(error, Unavailable) and error.retry_after is None:
        error.retry_after = retry_after(reply)
    return cleaned(error, settings, request)


def _common(settings: AccountSettings, reply: Reply) -> DeliveryError:
    """The table of all providers (docs/providers.md, "Answers")."""
    status = reply.status
    words = _asked(settings.provider.complaint, reply) or ""
    said = f"{settings.name} answers {status}{f': {words}' if words else ''}".rstrip(". ") + "."
    if status in (408, 425, 429):
        return Unavailable(f"{said} Nothing was done; it is asked again later.")
    if status in (401, 402):
        what = "its account and secret" if status == 401 else "what is left on the account"
        return AccountRefused(f"{said} It takes nothing from this account: see to {what}.")
    if 400 <= status < 500:
        return Rejected(f"{said} It refuses this, and would each time.")
    if 300 <= status < 400:
        return Unconfirmed(f"{said} A redirect is not followed: correct the base_url of {settings.name}.")
    return Unconfirmed(f"{said} It can't be known whether it was done.")


def understood(settings: AccountSettings, request: Request, reply: Reply, read: Callable[[Reply], T]) -> T:
    """What `read` makes of a reply with 2xx. Raises DeliveryError: the reader's own, or Unconfirmed for what
    can't be read."""
    try:
        return read(reply)
    except DeliveryError as error:
        raise cleaned(error, settings, request) from None
    except Unreadable as error:
        why = f"{settings.name} answers {reply.status}, but {error}".rstrip(".")
        raise cleaned(Unconfirmed(f"{why}. {IN_DOUBT}"), settings, request) from None
    except _UNREADABLE as error:
        form = f"its answer does not have the form that it should have ({type(error).__name__})"
        raise Unconfirmed(f"{settings.name} answers {reply.status}, but {form}. {IN_DOUBT}") from None


IN_DOUBT = "It can't be known whether it was done."


def retry_after(reply: Reply) -> float | None:
    """The seconds that a Retry-After asks for, as a number or a date (RFC 9110, 10.2.3); None for none."""
    value = reply.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), LONGEST_WAIT_S)
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(0.0, (at - datetime.now(UTC)).total_seconds()), LONGEST_WAIT_S)


def cleaned(error: DeliveryError, settings: AccountSettings, request: Request) -> DeliveryError:
    """The same error, its text bounded, printable, and without secrets, numbers and what was sent."""
    error.args = (quoted(str(error), settings, request),)
    return error


def quoted(words: str, settings: AccountSettings, request: Request) -> str:
    """Words that may be a provider's, fit for a log."""
    for hidden in sorted(_hidden(settings, request), key=len, reverse=True):
        words = words.replace(hidden, "…")
    words = _DIGITS.sub(lambda found: mask(found[0]), words)
    words = "".join(letter if letter.isprintable() else " " for letter in words)
    words = " ".join(words.split())
    return words if len(words) <= 2 * QUOTED else words[: 2 * QUOTED] + "…"


def _hidden(settings: AccountSettings, request: Request) -> set[str]:
    secret = settings.provider.secret.value
    proof = (settings.provider.authorization or "").rpartition(" ")[2]
    sent = {value for value in _texts(request) if len(value) >= _ECHO}
    return ({secret, proof} - {""}) | sent


def _texts(request: Request) -> list[str]:
    pairs = () if isinstance(request.query, str) else request.query
    found = [value for _, value in (*pairs, *(request.form or ()))]
    found.append((request.content or b"").decode("utf-8", "replace"))
    left = [request.json]
    while left:
        value = left.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            left.extend(value.values())
        elif isinstance(value, (list, tuple)):
            left.extend(value)
    return found


def _asked(ask: Callable[[Reply], T], reply: Reply) -> T | None:
    """What the provider's table says; an answer that it can't read says nothing."""
    try:
        return ask(reply)
    except _UNREADABLE:
        return None
