"""Addresses that dialerd reports to: which ones can be meant, which a job may name, how they are shown.

An address is compared as it stands: whatever two programs may read in two ways (blanks, backslashes, users
before the host, dot segments, encoded slashes) is refused, so that what was allowed is what is connected to.
"""

import re
from collections.abc import Sequence
from urllib.parse import SplitResult, unquote, urlsplit

LONGEST = 2000
"""Bytes of an address."""

_PORTS = {"https": 443, "http": 80}
_LETTERS = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%#]+")
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_.\-]{0,252})|\[[0-9A-Fa-f:.]+\])")
_HOW = "Write it like https://hooks.example.com/calls"


def url_mistake(url: str, plain: bool = False) -> str | None:
    """A sentence on what is wrong with an address, or None. `plain` lets http:// pass too."""
    if len(url) > LONGEST:
        return f"It has {len(url)} characters: {LONGEST} are the most."
    if not _LETTERS.fullmatch(url) or _BAD_PERCENT.search(url):
        return f"It holds letters that no address has. {_HOW}, everything else percent-encoded."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return f"This is no address. {_HOW}."
    if parts.scheme not in (("https", "http") if plain else ("https",)):
        return f"It does not begin with https://. {_HOW}."
    if "@" in parts.netloc:
        return "It holds a user or a password before the host: take them out; reports are signed instead."
    if port == 0 or not _HOST.fullmatch(re.sub(r":\d*$", "", parts.netloc)):
        return f"It names no host that can be connected to. {_HOW}."
    if parts.fragment or url.endswith("#"):
        return "It has a part after #, which is never sent: take it out."
    if _strays(parts.path):
        return "Its path holds . or .. or an encoded slash: write the path that is meant."
    return None


def report_url_mistake(url: str, allowed: Sequence[str]) -> str | None:
    """Why a job may not name this report_url, in a sentence; None where it may.

    It must have the scheme, host and port of an entry of `allowed`, and its path must be the entry's or go
    on from it behind a slash.
    """
    if not allowed:
        return (
            "No addresses are allowed here. The administrator can allow some under [reports]: allowed_urls."
        )
    if mistake := url_mistake(url, plain=True):
        return mistake
    if not any(_begins(url, entry) for entry in allowed):
        return f"This address is not allowed here: it must begin with {' or '.join(allowed)}."
    return None


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host (small letters, IPv6 without brackets) and port of an address that has no mistake."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    return parts.scheme, host, parts.port or _PORTS[parts.scheme]


def place(url: str) -> str:
    """HOST:PORT: where an address leads."""
    _, host, port = origin(url)
    return f"{f'[{host}]' if ':' in host else host}:{port}"


def shown(url: str) -> str:
    """An address for people and logs: without user and query, which may hold secrets."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _begins(url: str, entry: str) -> bool:
    if origin(url) != origin(entry):
        return False
    path, start = _path(urlsplit(url)), _path(urlsplit(entry))
    return path == start or path.startswith(start if start.endswith("/") else start + "/")


def _path(parts: SplitResult) -> str:
    return parts.path or "/"


def _strays(path: str) -> bool:
    """Whether some program may read another path in this one."""
    segments = [unquote(segment) for segment in path.split("/")]
    return any(
        segment.partition(";")[0] in (".", "..") or "/" in segment or "\\" in segment for segment in segments
    )
