"""Public holidays of countries and their parts. The one place that knows the library holidays.

A place is a country ("DE", ISO 3166) or one of its parts ("DE-BE", as the library names them: mostly ISO
3166-2). The library is loaded when the first holiday is asked for, since it is large.
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache

from dialerd.core.texts import nearest

_LONGEST_PLACE = 40
_PLACE = re.compile(r"([A-Z]{2})(?:-([A-Za-z0-9 '.]{1,30}))?")
_ENGLISH = "en_US"
"""The language of the names, whatever the machine's is. Countries without it use their own."""

_OFTEN_MEANT = {"UK": "GB", "EN": "GB"}


def check_place(place: str) -> str:
    """The place itself. Raises ValueError with a sentence where the library knows no such country or part."""
    found = _PLACE.fullmatch(place) if len(place) <= _LONGEST_PLACE else None
    if found is None or found[1] not in _places():
        country = place[:2].upper()
        hint = nearest(_OFTEN_MEANT.get(country, country), _places())
        raise ValueError(
            f"No holidays are known of {place[:_LONGEST_PLACE]!r}: give a country such as DE, or one of its"
            f" parts such as DE-BE.{hint}"
        )
    parts = _places()[found[1]]
    if found[2] is not None and found[2] not in parts:
        known = f"only {', '.join(parts)}" if parts else "none at all"
        hint = nearest(found[2].upper(), parts)
        raise ValueError(f"{found[1]} has no part {found[2]!r} with holidays of its own, {known}.{hint}")
    return place


def known_place(place: str) -> bool:
    """Whether holidays of this place are known."""
    try:
        check_place(place)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=8192)
def holiday(place: str, day: date) -> str | None:
    """The English name of the public holiday that `day` is in a known place, or None on other days."""
    return _year(place, day.year).get(day)


@lru_cache(maxsize=512)
def _year(place: str, year: int) -> Mapping[date, str]:
    import holidays  # 50 ms and 8 MB: not for those who configure none

    country, _, part = place.partition("-")
    return dict(holidays.country_holidays(country, subdiv=part or None, years=year, language=_ENGLISH))


@cache
def _places() -> Mapping[str, list[str]]:
    import holidays

    return holidays.list_supported_countries(include_aliases=False)
