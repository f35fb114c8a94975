"""Channels: which of Asterisk's channels are on which trunk, and whose calls they are.

A channel's name begins with what was dialled. How it goes on was seen on Asterisk 22 and 16: PJSIP and SIP
name the endpoint and 8 hex digits (PJSIP/provider-0000001a), whether the call goes out or comes in; IAX2 the
peer and a decimal number (IAX2/provider-5535); Local what was dialled, and `;1` and `;2` for its two halves
(Local/100@office-0000001a;1). The technology may be written in any case, its channels' names are not. A DAHDI
channel of an ISDN span is DAHDI/i1/NUMBER-5b (by Asterisk's source; not tried); no name tells which group
(DAHDI/g1) it was taken from.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import NamedTuple

from dialerd.core.policy import Trunk

_PLACEHOLDER = re.compile(r"(\{[^{}]*\})")
_DIALLED = {"{e164}": r"\+[0-9]+"}
_DIGITS = "[0-9*#]+"
_HEX = "-[0-9a-f]{8}"
_ADDRESS = re.compile(r"[0-9.]+|.*:.*")


class Channel(NamedTuple):
    """One of Asterisk's channels.

    `linked` is the same for all channels of one call (Linkedid). `attempt` is the name of our attempt that
    the channel was made for, "" for any other channel. `idle`: nothing rings there yet (its state is Down).
    """

    name: str
    linked: str
    attempt: str
    idle: bool = False


@cache
def channel_pattern(template: str) -> str | None:
    """A regular expression (for fullmatch) of the names of channels on a trunk with this channel template.

    None where names can't tell: each phone is an endpoint of its own (PJSIP/{extension}), a peer that is an
    address (IAX2 then names whatever peer has it), a group of DAHDI, a technology that is not known here.
    """
    technology, _, rest = template.partition("/")
    maker = _MAKERS.get(technology.upper())
    return None if maker is None else maker(rest)


def watched(trunks: Mapping[str, Trunk]) -> dict[str, str]:
    """The patterns of those trunks for which it counts who else is on them: they have max_channels."""
    return {
        name: pattern
        for name, trunk in trunks.items()
        if trunk.max_channels is not None and (pattern := channel_pattern(trunk.channel)) is not None
    }


def count(channels: Iterable[Channel], patterns: Mapping[str, str]) -> dict[str, Counter[str]]:
    """For each trunk whose calls are on it, and with how many channels each.

    Whose is the name of our attempt that a channel was made for, or else of the attempt that the channel is
    in one call with (a phone that rings with others, say), else "". Two halves of a Local channel are one.
    """
    listed = list(channels)
    attempts = {each.linked: each.attempt for each in listed if each.attempt}
    return {trunk: _count(listed, re.compile(pattern), attempts) for trunk, pattern in patterns.items()}


def unmarked(channels: Iterable[Channel]) -> set[str]:
    """The calls (by `linked`) that no channel shows to be ours."""
    listed = list(channels)
    marked = {each.linked for each in listed if each.attempt}
    return {each.linked for each in listed} - marked


def just_made(channels: Iterable[Channel]) -> set[str]:
    """The calls (by `linked`) with a channel at which nothing rings yet."""
    return {each.linked for each in channels if each.idle}


def _count(
    channels: Iterable[Channel], pattern: re.Pattern[str], attempts: Mapping[str, str]
) -> Counter[str]:
    calls = {
        each.name.partition(";")[0]: each.attempt or attempts.get(each.linked, "")
        for each in channels
        if pattern.fullmatch(each.name)
    }
    return Counter(calls.values())


def _pjsip(rest: str) -> str | None:
    return _named("PJSIP", _endpoint(rest), _HEX)


def _sip(rest: str) -> str | None:
    return _named("SIP", _endpoint(rest), _HEX)


def _iax2(rest: str) -> str | None:
    peer = _endpoint(rest)
    return None if _ADDRESS.fullmatch(peer) else _named("IAX2", peer, "-[0-9]+")


def _dahdi(rest: str) -> str | None:
    span = rest.partition("/")[0]
    return rf"DAHDI/{span}/.*-[0-9a-f]+" if re.fullmatch("i[0-9]+", span) else None


def _local(rest: str) -> str:
    extension, _, context = rest.partition("@")
    if not context:
        extension, context = extension.partition("/")[0], "default"
    return f"Local/{_any(extension)}@{_any(context.partition('/')[0])}{_HEX};[12]"


def _endpoint(rest: str) -> str:
    """NUMBER@ENDPOINT or ENDPOINT, before what a slash adds to it."""
    return rest.partition("/")[0].rpartition("@")[2]


def _named(technology: str, endpoint: str, number: str) -> str | None:
    if not endpoint or "{" in endpoint:
        return None
    return f"{technology}/{re.escape(endpoint)}{number}"


def _any(text: str) -> str:
    """A template's text as a pattern: any number may stand in a placeholder's place."""
    parts = _PLACEHOLDER.split(text)
    return "".join(_DIALLED.get(part, _DIGITS) if part.startswith("{") else re.escape(part) for part in parts)


_MAKERS: dict[str, Callable[[str], str | None]] = {
    "PJSIP": _pjsip,
    "SIP": _sip,
    "IAX2": _iax2,
    "DAHDI": _dahdi,
    "LOCAL": _local,
}
