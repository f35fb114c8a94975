"""How many parts a text message takes: the encoding, and where it is cut.

A message is written in the GSM alphabet (3GPP TS 23.038, 7 bits a unit) where it can be, else in UCS-2 (16
bits a unit). One SMS holds 140 bytes; of each part of a longer one, six bytes say which part it is (3GPP TS
23.040). The national tables of the GSM alphabet are left out: few providers use them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED = frozenset("\f^{}\\[~]|€")
"""Letters of the extension table: an escape goes before each, so they take two units."""

_BASIC_PLANE_END = "\uffff"


class Encoding(StrEnum):
    """How a message is written. ASCII is what providers call it that don't take the whole GSM alphabet."""

    GSM7 = "GSM-7"
    ASCII = "ASCII"
    UCS2 = "UCS-2"


@dataclass(frozen=True, slots=True)
class Limits:
    """How many units a message may have that goes in one part, and each part of a longer one.

    `ascii`: the short alphabet is ASCII, each letter one unit, in place of GSM-7.
    """

    single: int = 160
    part: int = 153
    wide_single: int = 70
    wide_part: int = 67
    ascii: bool = False


GSM = Limits()
"""The rule of 3GPP TS 23.040."""


@dataclass(frozen=True, slots=True)
class Segments:
    """`units` are septets of GSM-7, or 16-bit words of UCS-2; in `parts` messages."""

    encoding: Encoding
    parts: int
    units: int


def segments(body: str, limits: Limits = GSM) -> Segments:
    """How a text is sent. An empty one is one part."""
    encoding = _encoding(body, limits)
    widths = [_width(letter, encoding) for letter in body]
    single, part = (
        (limits.wide_single, limits.wide_part) if encoding is Encoding.UCS2 else (limits.single, limits.part)
    )
    units = sum(widths)
    return Segments(encoding, 1 if units <= single else _parts(widths, part), units)


def _encoding(body: str, limits: Limits) -> Encoding:
    if limits.ascii:
        return Encoding.ASCII if body.isascii() else Encoding.UCS2
    return Encoding.GSM7 if all(each in _GSM or each in _GSM_EXTENDED for each in body) else Encoding.UCS2


def _width(letter: str, encoding: Encoding) -> int:
    if encoding is Encoding.UCS2:
        return 1 if letter <= _BASIC_PLANE_END else 2
    return 2 if encoding is Encoding.GSM7 and letter in _GSM_EXTENDED else 1


def _parts(widths: Iterable[int], most: int) -> int:
    """Into how many parts letters of these widths go: no letter is cut in two."""
    parts, used = 1, 0
    for width in widths:
        if used + width > most:
            parts, used = parts + 1, 0
        used += width
    return parts
