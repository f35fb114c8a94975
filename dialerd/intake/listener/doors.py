"""Doors: one for each provider, behind a path that cannot be guessed. From a request to a Callback, and whom
it may come from."""

import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import parse_qsl

from dialerd.core.callbacks import Answer, Callback, Pairs
from dialerd.core.inbound import ListenerSettings, Network
from dialerd.core.receipts import Told

MOST_FIELDS = 200
MOST_HEAD = 1000
"""Bytes of a part's head, in which its name is looked for."""

METHODS = ("GET", "POST")

_BOUNDARY = re.compile(r'(?i);\s*boundary=(?:"([^"]{1,70})"|([^\s";,]{1,70}))')
_NAME = re.compile(rb'(?i)content-disposition:[^\r\n]*?;[ \t]*name="?([^"\r\n;]*)')


class Forged(Exception):
    """A callback's signature is not right."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a callback says, and what it is answered with. `surely`: its signature proves whose it is."""

    told: Sequence[Told]
    answer: Answer
    surely: bool = False


@dataclass(frozen=True, slots=True)
class Door:
    """A provider's. `token` is the part of its path that nobody can guess. `sources`: the networks that its
    callbacks may come from, none for all. `open` raises Unreadable and Forged."""

    provider: str
    token: str
    open: Callable[[Callback], Opened]
    sources: tuple[Network, ...] = ()


def find(path: str, doors: Mapping[str, Door]) -> Door | None:
    """The door that a path leads to, whatever a reverse proxy put before it: .../PROVIDER/TOKEN."""
    before, _, token = whole_letters(path).rpartition("/")
    door = doors.get(before.rpartition("/")[2])
    known = "" if door is None else door.token
    return door if hmac.compare_digest(token.encode(), known.encode()) and known else None


def source_of(peer: str | None, forwarded: Sequence[str], proxies: Sequence[Network]) -> str | None:
    """Who sent a request: the peer, or where that is one of our proxies (None: whoever has a Unix socket)
    the last of X-Forwarded-For that is none of them."""
    chain = [each.strip() for line in forwarded for each in line.split(",")]
    found = peer
    while (found is None or within(found, proxies)) and chain:
        found = chain.pop()
    return found


def may_read(peer: str | None, forwarded: Sequence[str], settings: ListenerSettings) -> bool:
    """Whether the metrics are shown to whom a request comes from. What somebody passed on whom we don't know
    as a proxy comes from nobody."""
    if forwarded and peer is not None and not within(peer, settings.proxies):
        return False
    return within(source_of(peer, forwarded, settings.proxies), settings.metrics)


def within(address: str | None, networks: Sequence[Network]) -> bool:
    """Whether an address lies in one of the networks."""
    try:
        parsed = ip_address((address or "").removeprefix("::ffff:"))
    except ValueError:
        return False
    return any(parsed.version == each.version and parsed in each for each in networks)


def whole_letters(text: str) -> str:
    """Bytes that are no UTF-8, which aiohttp hands on as half letters, replaced."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def pairs(query: str) -> Pairs:
    """The fields of a query or a form, decoded. Raises ValueError where they are too many."""
    query = whole_letters(query)
    return tuple(parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_FIELDS))


def form(media_type: str, body: bytes) -> Pairs:
    """The fields of a body: urlencoded, or multipart, whose files are left out. Nothing for other types."""
    kind = media_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return pairs(body.decode("utf-8", "replace"))
    boundary = _BOUNDARY.search(media_type)
    if kind != "multipart/form-data" or boundary is None:
        return ()
    mark = b"\r\n--" + (boundary[1] or boundary[2]).encode("latin-1", "replace")
    parts = (b"\r\n" + body).split(mark, MOST_FIELDS + 1)
    return tuple(found for part in parts[1 : MOST_FIELDS + 1] if (found := _field(part)) is not None)


def _field(part: bytes) -> tuple[str, str] | None:
    """Name and value of one part (RFC 7578, 4.2); None for a file, and for what is no part."""
    head, blank, value = part.partition(b"\r\n\r\n")
    named = _NAME.search(head[:MOST_HEAD])
    if not blank or named is None or b"filename" in head.lower():
        return None
    return named[1].decode("utf-8", "replace"), value.decode("utf-8", "replace")
