"""The section [hours.NAME]: calling hours that jobs and trunks name."""

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, model_validator

from dialerd.config.fields import Section, Texts, as_tuple
from dialerd.core.public_holidays import check_place
from dialerd.core.times import zone_named
from dialerd.core.windows import CALLEE, Hours, next_open, parse_windows

MOST_DATES = 1000


def _windows(texts: tuple[str, ...]) -> tuple[str, ...]:
    parse_windows(texts)
    return texts


def _zone(text: str) -> str:
    if text != CALLEE:
        zone_named(text)
    return text


def _places(texts: tuple[str, ...]) -> tuple[str, ...]:
    mistakes = []
    for text in texts:
        try:
            if text != CALLEE:
                check_place(text)
        except ValueError as error:
            mistakes.append(str(error))
    if mistakes:
        raise ValueError(" ".join(mistakes))
    return texts


def _dates(value: object) -> object:
    """Dates, which TOML has with quotes and without."""
    texts = as_tuple(value)
    if isinstance(texts, date):
        texts = (texts,)
    if not isinstance(texts, tuple):
        return texts
    if len(texts) > MOST_DATES:
        raise ValueError(f"There are {len(texts)} dates: {MOST_DATES} are the most.")
    found, mistakes = [], []
    for text in texts:
        try:
            found.append(_date(text))
        except ValueError:
            mistakes.append(f"{str(text)[:40]!r} is no date: write it like 2026-12-24.")
    if mistakes:
        raise ValueError(" ".join(mistakes))
    return tuple(found)


def _date(value: object) -> date:
    if isinstance(value, datetime) or not isinstance(value, str | date):
        raise ValueError("no date")
    return date.fromisoformat(value) if isinstance(value, str) else value


Dates = Annotated[tuple[date, ...], BeforeValidator(_dates)]
WindowTexts = Annotated[Texts, AfterValidator(_windows)]
"""Windows as they are written, each of them right: parse_windows takes them."""


class HoursSettings(Section):
    """Calling hours. `zone` is "callee" or an IANA name; on `holidays` and `closed` dates nobody is called,
    but on the dates `open`."""

    windows: WindowTexts
    zone: Annotated[str, AfterValidator(_zone)] = CALLEE
    holidays: Annotated[Texts, AfterValidator(_places)] = ()
    closed: Dates = ()
    open: Dates = ()

    @model_validator(mode="after")
    def _opens(self) -> "HoursSettings":
        if twice := sorted(set(self.closed) & set(self.open)):
            raise ValueError(f"{', '.join(map(str, twice))}: closed and open at once: take one of them out.")
        hours = self.hours("")
        if next_open(datetime.now(UTC), (hours,), (hours.zone or "UTC",)) is None:
            raise ValueError("These hours are never open within a year: add windows, or close less.")
        return self

    def hours(self, name: str) -> Hours:
        """The policy as core reads it."""
        zone = None if self.zone == CALLEE else self.zone
        return Hours(name, parse_windows(self.windows), zone, self.holidays, self.closed, self.open)
