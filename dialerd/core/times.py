"""Times and durations as people write them. `now` is always handed in; what comes out is aware UTC."""

import re
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from dialerd.core.texts import nearest

FIRST_YEAR = 2000
FURTHEST_AHEAD = timedelta(days=3660)
"""Ten years: whoever writes a later time has mistyped the year."""

_LONGEST_TEXT = 100
_LONGEST_ZONE = 40
"""The longest there is has 32 characters: America/Argentina/ComodRivadavia."""

_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)"
    r" ?([Zz]|[+-][0-9]{2}:?[0-9]{2})?(?: ?\[?([A-Za-z][A-Za-z0-9_+/\-]*)\]?)?"
)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_PART = re.compile(
    r"([0-9]{1,10}) ?(s|sec|secs|seconds?|m|min|mins|minutes?|h|hours?|d|days?|w|weeks?)(?![a-z]),? *"
)
_HOW = "write it as 2026-12-01T01:00:00+01:00, 2026-12-01 01:00 Europe/Berlin, or in 1h30m"
_ZONE_HOW = "write it like Europe/Berlin or UTC"


def parse_when(text: str, now: datetime) -> datetime:
    """The moment that `text` means: ISO 8601 with offset or Z, local time and zone, "in 1h30m", or "now".

    Raises ValueError with a sentence, also for a local time that does not exist or comes twice. Past times
    pass.
    """
    if len(text) > _LONGEST_TEXT:
        raise ValueError(f"This is no time that dialerd can read: {_HOW}.")
    words = text.strip()
    if words.lower() == "now":
        return now.astimezone(UTC)
    if words.lower().startswith("in "):
        return _relative(words[3:], now)
    match = _MOMENT.fullmatch(words)
    if match is None:
        raise ValueError(f"This is no time that dialerd can read: {_HOW}.")
    day, clock, offset, zone = match.groups()
    try:
        local = datetime.fromisoformat(f"{day}T{clock}")
    except ValueError:
        raise ValueError(f"There is no {day} {clock} in the calendar: {_HOW}.") from None
    if local.year < FIRST_YEAR or local > now.replace(tzinfo=None) + FURTHEST_AHEAD:
        raise ValueError(
            f"The year {local.year} can't be meant: times lie between {FIRST_YEAR} and ten years from now."
        )
    if zone is None or zone.upper() == "Z":
        return _with_offset(local, offset or zone)
    return _in_zone(local, offset, zone)


def _relative(text: str, now: datetime) -> datetime:
    ahead = parse_duration(text)
    if ahead > FURTHEST_AHEAD.total_seconds():
        raise ValueError("This is more than ten years ahead, which can't be meant.")
    return now.astimezone(UTC) + timedelta(seconds=ahead)


def _with_offset(local: datetime, offset: str | None) -> datetime:
    if offset is None:
        raise ValueError(
            f"This time has no zone: add one, as in {local.isoformat()}Z (UTC), {local.isoformat()}+01:00 or"
            f" {local:%Y-%m-%d %H:%M} Europe/Berlin."
        )
    if offset in "Zz":
        return local.replace(tzinfo=UTC)
    try:
        return datetime.fromisoformat(f"{local.isoformat()}{offset}").astimezone(UTC)
    except ValueError:
        raise ValueError(f"{offset} is no offset from UTC: it lies between -23:59 and +23:59.") from None


def _in_zone(local: datetime, offset: str | None, name: str) -> datetime:
    zone = zone_named(name)
    both = [local.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
    moments = [each.astimezone(UTC) for each in both]
    if offset is not None:
        wanted = _with_offset(local, offset)
        if wanted not in moments or wanted.astimezone(zone).replace(tzinfo=None) != local:
            raise ValueError(
                f"{local:%Y-%m-%d %H:%M} is not at {offset} in {name}: leave out the one or the other."
            )
        return wanted
    if moments[0].astimezone(zone).replace(tzinfo=None) != local:
        before, after = (f"{each:%Y-%m-%d %H:%M:%S}" for each in _around_gap(moments[1], moments[0], zone))
        raise ValueError(
            f"{local:%Y-%m-%d %H:%M} does not exist in {name}, where the clocks go forward from"
            f" {before[11:]} to {after[11:]}: write {before} {name} or {after} {name}."
        )
    if moments[0] != moments[1]:
        first, second = (each.isoformat(" ", "minutes") for each in both)
        raise ValueError(
            f"{local:%Y-%m-%d %H:%M} comes twice in {name}, where the clocks go back:"
            f" write {first} for the first or {second} for the second."
        )
    return moments[0]


def _around_gap(early: datetime, late: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The last second before the clocks go forward, and the first after, somewhere in (early, late]."""
    start, low, high = early.replace(microsecond=0), 0, int((late - early).total_seconds()) + 1
    offset = start.astimezone(zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        same = (start + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset
        low, high = (middle, high) if same else (low, middle)
    return tuple((start + timedelta(seconds=each)).astimezone(zone) for each in (low, high))  # type: ignore[return-value]


def zone_named(name: str) -> ZoneInfo:
    """The time zone of this IANA name. Raises ValueError with a sentence for what is none."""
    if len(name) > _LONGEST_ZONE:
        raise ValueError(f"There is no time zone with so long a name: {_ZONE_HOW}.")
    try:
        return ZoneInfo(name)
    except (
        ZoneInfoNotFoundError,
        ValueError,
        OSError,
    ):  # OSError: a folder of the time zone files, such as Europe
        raise ValueError(f"There is no time zone {name!r}: {_ZONE_HOW}.{nearest(name, _zones())}") from None


@cache
def _zones() -> AbstractSet[str]:
    """All names, once: each look reads the whole folder of time zones."""
    return available_timezones()


def format_when(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and Z, the one form in which dialerd writes times."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def parse_duration(text: str) -> int:
    """Seconds, from "4h", "1h30m", "90s", "2 days". An hour is 3600 seconds also when the clocks change.

    Raises ValueError with a sentence.
    """
    words, seconds, place = text[: _LONGEST_TEXT + 1].strip().lower(), 0, 0
    while place < len(words):
        part = _PART.match(words, place)
        if part is None:
            break
        seconds += int(part[1]) * _SECONDS[part[2][0]]
        place = part.end()
    if not words or place < len(words) or len(text) > _LONGEST_TEXT:
        hint = f" Is {words}s meant?" if re.fullmatch("[0-9]{1,10}", words) else ""
        raise ValueError(f"This is no duration: write 90s, 15m, 4h, 1h30m or 2 days.{hint}")
    return seconds


def format_duration(seconds: int) -> str:
    """The shortest text that parse_duration reads as so many seconds: 5400 is 1h30m."""
    parts, rest = [], seconds
    for letter in "dhms":
        count, rest = divmod(rest, _SECONDS[letter])
        if count:
            parts.append(f"{count}{letter}")
    return "".join(parts) or "0s"
