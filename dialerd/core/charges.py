"""Money and what calls cost: rates by the longest prefix. Pure; money is a whole number of units.

A unit is 1/10000 of the configured currency, so that a price such as 0.0125 a minute has no fraction.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

UNITS = 10_000
"""Units in one of the currency."""

_MONEY = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,4}))?")
_COMMA = re.compile(r"[0-9.]*,[0-9]+")
_HOW = "write it with a point, such as 12.50 (four digits behind it at most)"


def parse_money(text: str) -> int:
    """Units, from "12.50". Raises ValueError with a sentence, also for a decimal comma and below zero."""
    words = text.strip()[:40]
    found = _MONEY.fullmatch(words)
    if found is not None:
        return int(found[1]) * UNITS + int((found[2] or "0").ljust(4, "0"))
    if words.startswith("-"):
        raise ValueError(f"{words} is less than nothing, which no price can be.")
    if _COMMA.fullmatch(words):
        raise ValueError(f"{words} has a comma, which could mean thousands or a fraction: {_HOW}.")
    raise ValueError(f"{words!r} is no amount of money: {_HOW}.")


def format_money(units: int) -> str:
    """The text that parse_money reads as so many units, with two digits behind the point or more."""
    whole, rest = divmod(abs(units), UNITS)
    fraction = f"{rest:04}".rstrip("0").ljust(2, "0")
    return f"{'-' if units < 0 else ''}{whole}.{fraction}"


@dataclass(frozen=True, slots=True)
class Rate:
    """What calls to numbers that begin with `prefix` (such as "+4930"; "+": all) cost.

    `per_minute` and `connect` are units; each started `increment_s` is charged. `trunk`: only on that one.
    """

    prefix: str
    per_minute: int
    connect: int = 0
    increment_s: int = 60
    trunk: str | None = None


def charge(rate: Rate, seconds: float) -> int:
    """Units for an answered call of so many seconds: `connect`, and each started increment. Rounded up."""
    increments = -(-seconds // rate.increment_s) if seconds > 0 else 0
    return rate.connect + -(-rate.per_minute * int(increments) * rate.increment_s // 60)


class RateTable:
    """Rates by prefix. Never changes once it is made."""

    def __init__(self, rates: Iterable[Rate] = ()) -> None:
        """A rate that comes twice (prefix and trunk) counts as it came last."""
        self._rates = {(rate.prefix, rate.trunk): rate for rate in rates}
        self._lengths = sorted({len(prefix) for prefix, _ in self._rates}, reverse=True)

    def __len__(self) -> int:
        return len(self._rates)

    def find(self, e164: str, trunk: str | None = None) -> Rate | None:
        """The rate with the longest prefix; of two as long the trunk's own. None for what has no rate."""
        for length in self._lengths:
            prefix = e164[:length]
            found = self._rates.get((prefix, trunk)) or self._rates.get((prefix, None))
            if found is not None:
                return found
        return None
