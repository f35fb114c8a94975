"""Doors: one for each provider, behind a path that cannot be guessed. From a request to a Callback, and whom
it may come from."""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from ipaddress import ip_address
from urllib.parse import parse_qsl

from dialerd.core.callbacks import Answer, Callback, Pairs
from dialerd.core.inbound import Network
from dialerd.core.receipts import Told

MOST_FIELDS = 200
METHODS = ("GET", "POST")


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
    if kind != "multipart/form-data":
        return ()
    head = b"Content-Type: " + media_type.encode("latin-1", "replace") + b"\r\n\r\n"
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    found = []
    for part in list(message.iter_parts())[:MOST_FIELDS]:
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and part.get_filename() is None and isinstance(content, bytes):
            found.append((name, content.decode("utf-8", "replace")))
    return tuple(found)
