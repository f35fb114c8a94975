"""The one place that sends to providers and judges what comes back: one attempt, and its outcome.

Certainly nothing was done as long as the first byte of the request was not written; from then on, whatever is
not an answer that can be read leaves the attempt in doubt.
"""

import json
from collections.abc import Callable
from urllib.parse import urlencode

from dialerd.core.addresses import is_private
from dialerd.core.errors import Rejected, Unavailable, Unconfirmed
from dialerd.http import Answer, Failed, Forbidden, Limits, Manner, Network, Outgoing, multipart
from dialerd.providers.judge import IN_DOUBT, verdict
from dialerd.providers.settings import AccountSettings
from dialerd.providers.wire import FORM, JSON, Reply, Request

MOST_BYTES = 1_000_000
"""The longest answer that is read."""

SLOWEST = 20_000
"""Bytes a second: a line on which a document is still uploaded in time."""

NETWORK = Network()


def _at_once() -> None:
    """Nothing holds the request up."""


def perform(
    settings: AccountSettings,
    request: Request,
    *,
    sending: bool,
    ready: Callable[[], None] = _at_once,
    network: Network = NETWORK,
) -> Reply:
    """One attempt. The reply is one with 2xx; everything else is raised, as DeliveryError.

    `sending`: the request may cost money or ring a phone, so that a lost answer is in doubt; of a read it
    only says that nothing was learned. `ready` is called right before the first byte is written; it may wait.
    """
    out = encoded(settings, request)
    try:
        answer = network.exchange(out, _manner(settings, out, ready))
    except Forbidden as error:
        why = f"{error.host} leads to {error.address}, which is not of the own network: TLS is needed there."
        raise Unavailable(f"{settings.name}: {why}") from None
    except Failed as error:
        if error.written:
            doubt = IN_DOUBT if sending else "Ask again."
            raise Unconfirmed(f"{settings.name}: {error} {doubt}") from None
        raise Unavailable(f"{settings.name}: {error} Nothing was sent.") from None
    return _judged(settings, request, answer)


def _judged(settings: AccountSettings, request: Request, answer: Answer) -> Reply:
    reply = Reply(answer.status, answer.headers, answer.body, request)
    if error := verdict(settings, request, reply):
        raise error
    if answer.cut:
        why = f"{settings.name} answers {reply.status} with more than {MOST_BYTES} bytes. {IN_DOUBT}"
        raise Unconfirmed(why)
    return reply


def _manner(settings: AccountSettings, out: Outgoing, ready: Callable[[], None]) -> Manner:
    """Raises Unavailable for what the settings do not allow."""
    plain = not out.url.startswith("https://")
    if plain and not (settings.plain and out.url.startswith("http://")):
        raise Unavailable(f"{settings.name}: its base_url does not begin with https://. Nothing was sent.")
    if plain and settings.proxy:
        raise Unavailable(f"{settings.name}: plain http does not go through a proxy. Nothing was sent.")
    upload = len(out.body or b"") / SLOWEST
    limits = Limits(settings.connect_s, settings.read_s, settings.connect_s + 2 * settings.read_s + upload)
    return Manner(
        limits,
        may=is_private if plain else lambda address: True,
        ca_file=settings.ca_file,
        proxy=settings.proxy,
        most=MOST_BYTES,
        ready=ready,
    )


def encoded(settings: AccountSettings, request: Request) -> Outgoing:
    """A request as it goes out. Raises Rejected for what can't be written."""
    authorization = settings.provider.authorization
    if {".", ".."} & set(request.path.partition("?")[0].split("/")):
        raise Rejected(
            "It has . or .. where an id should be, which leads to another place: look at it again."
        )
    try:
        body, media_type = _body(request)
        headers = {
            "Accept": request.accept,
            **({"Authorization": authorization} if authorization else {}),
            **({"Content-Type": media_type} if media_type else {}),
            **dict(request.headers),
        }
        return Outgoing(request.method, _url(settings.base_url, request), headers, body)
    except UnicodeEncodeError:
        raise Rejected("It holds half a letter, which no message can: write it anew.") from None


def _url(base: str, request: Request) -> str:
    """The path behind the base URL, with one slash between them where it begins with a name."""
    path = request.path
    if path.startswith("/"):
        base = base.removesuffix("/")
    elif path[:1].isalnum() and not base.endswith("/"):
        base += "/"
    query = request.query if isinstance(request.query, str) else urlencode(request.query)
    if not query:
        return base + path
    return f"{base}{path}{'&' if '?' in path else '?'}{query.removeprefix('?')}"


def _body(request: Request) -> tuple[bytes | None, str | None]:
    """The body and its media type."""
    if request.parts:
        files = [(each.name, each.filename, each.content, each.media_type) for each in request.parts]
        return multipart(request.form or (), files)
    if request.form is not None:
        return urlencode(request.form).encode(), request.media_type or FORM
    if request.content is not None:
        return request.content, request.media_type
    if request.json is not None:
        text = json.dumps(request.json, ensure_ascii=False, separators=(",", ":"))
        return text.encode(), request.media_type or JSON
    return None, request.media_type
