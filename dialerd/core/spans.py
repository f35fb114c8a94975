"""Spans of time, and the offset of a zone's clocks in each. All in seconds, since the epoch where it is not
said otherwise."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from dialerd.core.times import zone_named

DAY = 86400
"""Seconds. Day 0 is the first of 1970, a Thursday."""

Spans = tuple[tuple[int, int], ...]
"""Times from and until (not included), in order and apart from each other."""


def both(one: Spans, other: Spans) -> Spans:
    """Where both are open."""
    met = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return tuple((begin, end) for begin, end in met if begin < end)


def joined(spans: Iterable[tuple[int, int]]) -> Spans:
    """The union of spans that come in the order of their beginnings."""
    found: list[tuple[int, int]] = []
    for begin, end in spans:
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((begin, end))
    return tuple(found)


@lru_cache(maxsize=32768)
def offsets(zone: str, day: int) -> tuple[tuple[int, int, int], ...]:
    """The parts of a day of UTC with the clocks' offset in each, in seconds. Clocks change once a day at
    most."""
    there, begin, end = zone_named(zone), day * DAY, (day + 1) * DAY
    before, after = _offset(there, begin), _offset(there, end - 1)
    if before == after:
        return ((begin, end, before),)
    low, high = begin, end - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(there, middle) == before else (low, middle)
    return (begin, high, before), (high, end, after)


def _offset(zone: ZoneInfo, seconds: int) -> int:
    offset = datetime.fromtimestamp(seconds, zone).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0
