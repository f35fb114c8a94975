"""Calling hours: when a callee may be called, and when that is next.

A wall clock decides. A window is open at a moment if the clocks of the zone then show a time inside it: an
hour that comes twice is open twice, and a window that begins in an hour left out opens when the clocks have
gone forward. All is reckoned in seconds since the epoch; "local seconds" are those of a clock on local
time, and days are counted from the first of 1970.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from dialerd.core.numbers import region, time_zones
from dialerd.core.public_holidays import holiday, known_place
from dialerd.core.spans import DAY, Spans, both, joined, offsets
from dialerd.core.texts import nearest
from dialerd.core.times import zone_named

CALLEE = "callee"
"""As a zone or among the holidays: those of the number that is called."""

SEARCH_DAYS = 370
"""So far ahead is looked for an open moment."""

MOST_WINDOWS = 100

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FULL = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EPOCH = date(1970, 1, 1)
_CLOSES_WITHIN = 8
"""Days. What is open for longer need not be known: whoever asks again then, learns it then."""

_LONGEST_TEXT = 200
_TIMES = re.compile(r"([0-9]{1,2}:[0-9]{2})\s*[-–]\s*([0-9]{1,2}:[0-9]{2})")
_CLOCK = re.compile(r"[0-9]{1,2}:")
_HOW = "write it like mon-fri 09:00-18:00, sat,sun 10:00-14:00 or 09:00-20:00"


@dataclass(frozen=True, slots=True)
class Windows:
    """What is open on each day from Monday on: seconds from midnight on, beyond 86400 into the next day."""

    week: tuple[Spans, ...]


@dataclass(frozen=True, slots=True)
class Hours:
    """An hours policy. `zone` None stands for the callee's.

    On public `holidays` of the places ("DE", "DE-BE", "callee") and on `closed` dates no window begins, but
    for the dates `open`. `name` is how people know it.
    """

    name: str
    windows: Windows
    zone: str | None = None
    holidays: tuple[str, ...] = ()
    closed: tuple[date, ...] = ()
    open: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class Opening:
    """The first time at which calls are allowed, from now on, and until when (both aware UTC).

    `closes` is None where that is more than a week away.
    """

    opens: datetime
    closes: datetime | None


def parse_windows(texts: Iterable[str]) -> Windows:
    """The union of windows such as "mon-fri 09:00-18:00", "22:00-06:00" or "always".

    A window over midnight belongs to the day on which it begins. Raises ValueError with a sentence for each
    mistake.
    """
    return _windows(tuple(texts))


@lru_cache(maxsize=1024)
def _windows(texts: tuple[str, ...]) -> Windows:
    days: list[list[tuple[int, int]]] = [[] for _ in _DAYS]
    mistakes = [] if texts else [f"There are no windows, so no call could ever be made: {_HOW}."]
    if len(texts) > MOST_WINDOWS:
        raise ValueError(f"There are {len(texts)} windows: {MOST_WINDOWS} are the most.")
    for text in texts:
        try:
            for day, span in _window(text):
                days[day].append(span)
        except ValueError as error:
            mistakes.append(f"{text[:_LONGEST_TEXT]!r}: {error}")
    if mistakes:
        raise ValueError(" ".join(mistakes))
    return Windows(tuple(joined(sorted(each)) for each in days))


def own_hours(texts: Iterable[str]) -> Hours:
    """The windows that a job brings along. Raises ValueError as parse_windows does."""
    return Hours("the job's own", parse_windows(texts))


def _window(text: str) -> Iterator[tuple[int, tuple[int, int]]]:
    """Days (0 is Monday) with what is open on them."""
    words = text.strip().lower()
    if len(text) > _LONGEST_TEXT:
        raise ValueError(f"It is too long: {_LONGEST_TEXT} characters are the most.")
    if words == "always":
        return ((day, (0, DAY)) for day in range(7))
    found = _CLOCK.search(words)
    if found is None:
        raise ValueError(f"It has no times: {_HOW}.")
    days = _days(words[: found.start()].strip())
    spans = [_span(part.strip()) for part in words[found.start() :].split(",")]
    return ((day, span) for day in days for span in spans)


def _days(text: str) -> list[int]:
    if not text:
        return list(range(7))
    found: list[int] = []
    for part in text.split(","):
        first, hyphen, last = re.sub("–", "-", part).partition("-")
        begin = _day(first.strip())
        length = (_day(last.strip()) - begin) % 7 if hyphen else 0
        found += [(begin + each) % 7 for each in range(length + 1)]
    return found


def _day(text: str) -> int:
    for names in (_DAYS, _FULL):
        if text in names:
            return names.index(text)
    hint = nearest(text, _DAYS) or nearest(text, _FULL) or f" Days are {', '.join(_DAYS)}."
    raise ValueError(f'There is no day "{text}".{hint}')


def _span(text: str) -> tuple[int, int]:
    times = _TIMES.fullmatch(text)
    if times is None:
        raise ValueError(f'"{text}" are no times from and until: {_HOW}.')
    begin, end = _clock(times[1]), _clock(times[2])
    if begin == DAY:
        raise ValueError("24:00 is an end only: begin at 00:00 of the next day.")
    if begin == end:
        raise ValueError(f"{times[1]}-{times[2]} is never open: write 00:00-24:00 for the whole day.")
    return begin, end if end > begin else end + DAY


def _clock(text: str) -> int:
    hour, minute = map(int, text.split(":"))
    if minute > 59 or hour * 60 + minute > 24 * 60:
        raise ValueError(f"There is no {text} on a clock: times lie between 00:00 and 24:00.")
    return hour * 3600 + minute * 60


def for_callee(hours: Hours, number: str | None, default_country: str | None = None) -> Hours:
    """The hours with the country of the number (E.164) in place of "callee" among the holidays.

    An extension, or a number of no country, has the default one. Do this before next_open and explain.
    """
    if CALLEE not in hours.holidays:
        return hours
    country = region(number) if number is not None and number.startswith("+") else None
    return _with_country(hours, country or default_country)


@lru_cache(maxsize=1024)
def _with_country(hours: Hours, country: str | None) -> Hours:
    places = (country if place == CALLEE else place for place in hours.holidays)
    known = (place for place in places if place is not None and known_place(place))
    return replace(hours, holidays=tuple(dict.fromkeys(known)))


def zones_for(
    number: str | None, recipient_timezone: str | None, hours: Hours, default_zone: str
) -> tuple[str, ...]:
    """The time zones in all of which `hours` must be open for a call.

    The job's word goes first, then the policy's zone, then what the number (E.164) tells, else the default.
    """
    if recipient_timezone is not None:
        return (recipient_timezone,)
    if hours.zone is not None:
        return (hours.zone,)
    found = time_zones(number) if number is not None and number.startswith("+") else ()
    return tuple(zone for zone in found if _there(zone)) or (default_zone,)


@lru_cache(maxsize=1024)
def _there(zone: str) -> bool:
    """Whether this machine's tables have the zone: phonenumbers' may be newer."""
    try:
        zone_named(zone)
    except ValueError:
        return False
    return True


def next_open(
    now: datetime, hours_list: Iterable[Hours], zones: Sequence[str], until: datetime | None = None
) -> Opening | None:
    """The first time from `now` on (aware) at which all the hours are open in all the zones.

    None where that never is within 370 days, or only after `until`. Zones are IANA names that exist.
    """
    hours, zones, at = tuple(hours_list), tuple(zones), now.timestamp()
    if not hours:
        return Opening(now.astimezone(UTC), None)
    day = int(at // DAY)
    rest = [span for span in _open_on(hours, zones, day) if span[1] > at]
    if not rest:
        later = _next_open_day(hours, zones, day + 1)
        if later is None:
            return None
        day, rest = later, list(_open_on(hours, zones, later))
    begin, end = rest[0]
    opens = now.astimezone(UTC) if begin <= at else _moment(begin)
    if until is not None and opens > until:
        return None
    closes = _closes(hours, zones, day, end)
    return Opening(opens, None if closes is None else _moment(closes))


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _closes(hours: tuple[Hours, ...], zones: tuple[str, ...], day: int, end: int) -> int | None:
    """When the open time really ends that ends in a day of UTC at `end`, if not just the day does."""
    for following in range(day + 1, day + 1 + _CLOSES_WITHIN):
        if end < following * DAY:
            return end
        spans = _open_on(hours, zones, following)
        if not spans or spans[0][0] > end:
            return end
        end = spans[0][1]
    return None


@lru_cache(maxsize=4096)
def _next_open_day(hours: tuple[Hours, ...], zones: tuple[str, ...], day: int) -> int | None:
    return next((each for each in range(day, day + SEARCH_DAYS) if _open_on(hours, zones, each)), None)


@lru_cache(maxsize=8192)
def _open_on(hours: tuple[Hours, ...], zones: tuple[str, ...], day: int) -> Spans:
    """When on a day of UTC all hours are open in all zones."""
    spans: Spans = ((day * DAY, (day + 1) * DAY),)
    for each in hours:
        for zone in zones:
            spans = both(spans, _open_in(each, zone, day))
            if not spans:
                return ()
    return spans


@lru_cache(maxsize=8192)
def _open_in(hours: Hours, zone: str, day: int) -> Spans:
    """When on a day of UTC the hours are open in one zone."""
    found = []
    for begin, end, offset in offsets(zone, day):
        local = ((begin + offset, end + offset),)
        for there in range((begin + offset) // DAY, (end + offset - 1) // DAY + 1):
            met = both(local, _open_locally(hours, there))
            found += [(start - offset, stop - offset) for start, stop in met]
    return joined(found)


@lru_cache(maxsize=8192)
def _open_locally(hours: Hours, day: int) -> Spans:
    """When the hours are open on a local day, in local seconds."""
    found = []
    for begins in (day - 1, day):
        if spans := hours.windows.week[_weekday(begins)]:
            if why_closed(hours, _date(begins)) is not None:
                continue
            found += [(begins * DAY + start, begins * DAY + end) for start, end in spans]
    return both(((day * DAY, (day + 1) * DAY),), joined(sorted(found)))


def why_closed(hours: Hours, day: date) -> str | None:
    """Why no window begins on this date: the holiday's name, or that it is a closed date. None where they
    do."""
    if day in hours.closed:
        return "a closed date"
    if day in hours.open:
        return None
    names = ((holiday(place, day), place) for place in hours.holidays if place != CALLEE)
    return next((f"{name} ({place})" for name, place in names if name is not None), None)


def _weekday(day: int) -> int:
    return (day + 3) % 7


def _date(day: int) -> date:
    return _EPOCH + timedelta(days=day)


def explain(opening: Opening | None, now: datetime, zones: Sequence[str], hours_list: Iterable[Hours]) -> str:
    """Why a call waits, and until when, as `dialerctl show` tells it; "" where it need not wait."""
    hours = tuple(hours_list)
    if not hours or (opening is not None and opening.opens <= now):
        return ""
    name = f"calling hours ({' and '.join(each.name for each in hours)}) of {_listed(zones)}"
    if opening is None:
        several = " at once: give the job its recipient_timezone" if len(zones) > 1 else ""
        return f"there is no time left within {name}{several}"
    there = opening.opens.astimezone(zone_named(zones[0]))
    local = f"{_DAYS[there.weekday()].title()} {there:%H:%M}"
    where = f" in {zones[0]}" if len(zones) > 1 else ""
    today = now.astimezone(zone_named(zones[0])).date()
    closed = next((why for each in hours if (why := why_closed(each, today)) is not None), None)
    because = f", as today is {closed}" if closed is not None else ""
    return f"outside {name} until {local}{where} ({opening.opens.astimezone(UTC):%Y-%m-%d %H:%MZ}){because}"


def _listed(zones: Sequence[str]) -> str:
    if len(zones) <= 3:
        return " and ".join(zones)
    return f"{zones[0]} and {len(zones) - 1} more time zones"
