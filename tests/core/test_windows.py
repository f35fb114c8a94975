from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dialerd.core.windows import (
    Hours,
    Opening,
    explain,
    for_callee,
    next_open,
    own_hours,
    parse_windows,
    zones_for,
)

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
OFFICE = Hours("office", parse_windows(["mon-fri 09:00-18:00"]))
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TOLL_FREE = "+18002223333"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def opened(now: str, windows: str | list[str], zone: str = BERLIN) -> tuple[str, str | None] | None:
    """When it opens and closes next, as texts in UTC."""
    texts = [windows] if isinstance(windows, str) else windows
    found = next_open(utc(now), [own_hours(texts)], [zone])
    if found is None:
        return None
    closes = f"{found.closes:%Y-%m-%d %H:%M}" if found.closes is not None else None
    return f"{found.opens:%Y-%m-%d %H:%M}", closes


@pytest.mark.parametrize(
    ("texts", "week"),
    [
        (["mon-fri 09:00-18:00"], [[(9, 18)]] * 5 + [[], []]),
        (["sat,sun 10:00-14:00"], [[]] * 5 + [[(10, 14)]] * 2),
        (["09:00-20:00"], [[(9, 20)]] * 7),
        (["22:00-06:00"], [[(22, 30)]] * 7),
        (["mon 20:00-24:00"], [[(20, 24)], *[[]] * 6]),
        (["mon 20:00-00:00"], [[(20, 24)], *[[]] * 6]),
        (["always"], [[(0, 24)]] * 7),
        (["fri-mon 9:00-10:00"], [[(9, 10)], [], [], [], *[[(9, 10)]] * 3]),
        (["Monday, WED – thu 09:00 – 10:00"], [[(9, 10)], [], [(9, 10)], [(9, 10)], [], [], []]),
        (["mon 09:00-12:00, 13:00-18:00"], [[(9, 12), (13, 18)], *[[]] * 6]),
        (["mon 09:00-12:00", "mon 11:00-13:00", "mon 13:00-14:00"], [[(9, 14)], *[[]] * 6]),
    ],
)
def test_windows_are_read(texts: list[str], week: list[list[tuple[int, int]]]) -> None:
    windows = parse_windows(texts)

    assert [[(begin / 3600, end / 3600) for begin, end in day] for day in windows.week] == week


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no times"),
        ("mon-fri", "no times"),
        ("mon-fri 9-18", "no times"),
        ("never", "no times"),
        ("mon-fry 09:00-18:00", 'no day "fry". Did you mean "fri"'),
        ("weekdays 09:00-18:00", 'no day "weekdays"'),
        ("mon, 09:00-18:00", "Days are mon, tue"),
        ("09:00", "no times from and until"),
        ("09:00-18:00 mon-fri", "no times from and until"),
        ("09:00-18", "no times from and until"),
        ("09:00-18:00:30", "no times from and until"),
        ("09:00-25:00", "no 25:00 on a clock"),
        ("09:60-10:00", "no 09:60 on a clock"),
        ("09:00-24:01", "no 24:01 on a clock"),
        ("24:00-06:00", "an end only"),
        ("09:00-09:00", "00:00-24:00 for the whole day"),
        ("٠٩:٠٠-١٨:٠٠", "no times"),
        ("09:00-18:00," * 50, "too long"),
    ],
)
def test_what_is_no_window_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="'") as caught:
        parse_windows([text])

    assert sentence in str(caught.value)
    assert text[:20] in str(caught.value)


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(ValueError, match="fry") as caught:
        parse_windows(["mon-fry 09:00-18:00", "sat 10:00-14:00", "sun 10:00-25:00"])

    assert "25:00" in str(caught.value)
    assert "sat" not in str(caught.value).split("Did you mean")[0]


@pytest.mark.parametrize("texts", [[], ["09:00-10:00"] * 101])
def test_no_windows_and_too_many_are_refused(texts: list[str]) -> None:
    with pytest.raises(ValueError, match="windows"):
        parse_windows(texts)


@pytest.mark.parametrize(
    ("now", "opens", "closes"),
    [
        ("2026-11-23 07:59", "2026-11-23 08:00", "2026-11-23 17:00"),
        ("2026-11-23 08:00", "2026-11-23 08:00", "2026-11-23 17:00"),
        ("2026-11-23 16:59", "2026-11-23 16:59", "2026-11-23 17:00"),
        ("2026-11-23 17:00", "2026-11-24 08:00", "2026-11-24 17:00"),
        ("2026-11-20 18:00", "2026-11-23 08:00", "2026-11-23 17:00"),
        ("2026-07-20 00:00", "2026-07-20 07:00", "2026-07-20 16:00"),
    ],
)
def test_it_opens_and_closes_by_the_callees_clock(now: str, opens: str, closes: str) -> None:
    assert opened(now, "mon-fri 09:00-18:00") == (opens, closes)


def test_what_is_open_now_opens_now_to_the_microsecond_in_utc() -> None:
    now = datetime(2026, 11, 23, 10, 0, 0, 123457, tzinfo=ZoneInfo("Asia/Tokyo")) + timedelta(hours=9)

    found = next_open(now, [OFFICE], [BERLIN])

    assert found is not None
    assert (found.opens, found.opens.tzinfo) == (now, UTC)


@pytest.mark.parametrize("windows", [["always"], ["22:00-06:00", "06:00-22:00"], ["00:00-24:00"]])
def test_what_never_closes_has_no_closing_time(windows: list[str]) -> None:
    assert opened("2026-11-23 10:00", windows) == ("2026-11-23 10:00", None)


def test_without_hours_it_is_always_open() -> None:
    assert next_open(MONDAY, [], [BERLIN]) == Opening(MONDAY, None)


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    seen = [opened(now, "fri 22:00-06:00") for now in ("2026-11-21 02:00", "2026-11-20 02:00")]

    assert seen == [
        ("2026-11-21 02:00", "2026-11-21 05:00"),
        ("2026-11-20 21:00", "2026-11-21 05:00"),
    ]


@pytest.mark.parametrize(
    ("zone", "now", "windows", "opens", "closes"),
    [
        # The clocks go forward: 02:00 is 03:00.
        (BERLIN, "2027-03-28 00:30", "02:30-05:00", "2027-03-28 01:00", "2027-03-28 03:00"),
        (BERLIN, "2027-03-28 00:30", "02:00-03:00", "2027-03-29 00:00", "2027-03-29 01:00"),
        (BERLIN, "2027-03-27 12:00", "22:00-06:00", "2027-03-27 21:00", "2027-03-28 04:00"),
        (BERLIN, "2027-03-27 12:00", "22:00-02:30", "2027-03-27 21:00", "2027-03-28 01:00"),
        (NEW_YORK, "2027-03-14 06:30", "02:30-05:00", "2027-03-14 07:00", "2027-03-14 09:00"),
        (LORD_HOWE, "2026-10-03 15:00", "02:15-03:00", "2026-10-03 15:30", "2026-10-03 16:00"),
        # The clocks go back: 03:00 is 02:00 once more.
        (BERLIN, "2027-10-30 23:00", "02:00-03:00", "2027-10-31 00:00", "2027-10-31 02:00"),
        (BERLIN, "2027-10-30 23:00", "02:00-02:30", "2027-10-31 00:00", "2027-10-31 00:30"),
        (BERLIN, "2027-10-31 00:30", "02:00-02:30", "2027-10-31 01:00", "2027-10-31 01:30"),
        (BERLIN, "2027-10-30 12:00", "22:00-06:00", "2027-10-30 20:00", "2027-10-31 05:00"),
        (NEW_YORK, "2026-11-01 04:00", "01:00-01:30", "2026-11-01 05:00", "2026-11-01 05:30"),
        (NEW_YORK, "2026-11-01 05:30", "01:00-01:30", "2026-11-01 06:00", "2026-11-01 06:30"),
        (LORD_HOWE, "2027-04-03 14:00", "01:30-02:00", "2027-04-03 14:30", "2027-04-03 15:30"),
        # A day that a country left out.
        ("Pacific/Apia", "2011-12-30 05:00", "fri 09:00-18:00", "2012-01-05 19:00", "2012-01-06 04:00"),
    ],
)
def test_when_the_clocks_change_the_wall_clock_decides(
    zone: str, now: str, windows: str, opens: str, closes: str
) -> None:
    assert opened(now, windows, zone) == (opens, closes)


def test_several_zones_must_be_open_at_once() -> None:
    found = next_open(MONDAY, [OFFICE], [BERLIN, NEW_YORK])

    assert found == Opening(utc("2026-11-23 14:00"), utc("2026-11-23 17:00"))


def test_several_hours_must_be_open_at_once() -> None:
    found = next_open(MONDAY, [OFFICE, own_hours(["tue 17:00-20:00", "sun 09:00-18:00"])], [BERLIN])

    assert found == Opening(utc("2026-11-24 16:00"), utc("2026-11-24 17:00"))


def test_zones_whose_windows_never_meet_never_open() -> None:
    assert next_open(MONDAY, [OFFICE], ["Asia/Tokyo", NEW_YORK]) is None


def test_hours_that_contradict_each_other_never_open() -> None:
    assert next_open(MONDAY, [OFFICE, own_hours(["sun 09:00-18:00"])], [BERLIN]) is None


def test_what_is_closed_for_more_than_a_year_never_opens() -> None:
    days = tuple(date(2026, 11, 23) + timedelta(days=day) for day in range(380))
    closed = Hours("closed", OFFICE.windows, closed=days)

    assert next_open(MONDAY, [closed], [BERLIN]) is None


@pytest.mark.parametrize(("until", "opens"), [("2026-11-28 07:59", False), ("2026-11-30 08:00", True)])
def test_what_opens_too_late_does_not_open(until: str, opens: bool) -> None:
    found = next_open(utc("2026-11-27 18:00"), [OFFICE], [BERLIN], utc(until))

    assert (found is not None) is opens


def test_no_window_begins_on_holidays_and_closed_dates() -> None:
    hours = Hours("office", parse_windows(["09:00-18:00"]), holidays=("DE-BE",), closed=(date(2026, 12, 24),))

    found = next_open(utc("2026-12-23 17:00"), [hours], [BERLIN])

    assert found is not None
    assert found.opens == utc("2026-12-27 08:00")


def test_a_window_that_began_before_a_holiday_goes_on_into_it() -> None:
    hours = Hours("night", parse_windows(["22:00-06:00"]), holidays=("DE",))

    found = next_open(utc("2026-12-24 22:00"), [hours], [BERLIN])

    assert found == Opening(utc("2026-12-24 22:00"), utc("2026-12-25 05:00"))
    assert next_open(utc("2026-12-25 05:00"), [hours], [BERLIN]) == Opening(
        utc("2026-12-27 21:00"), utc("2026-12-28 05:00")
    )


def test_a_holiday_may_be_worked() -> None:
    hours = Hours("shop", parse_windows(["09:00-18:00"]), holidays=("DE",), open=(date(2026, 10, 3),))

    found = next_open(utc("2026-10-03 08:00"), [hours], [BERLIN])

    assert found is not None
    assert found.opens == utc("2026-10-03 08:00")


def test_a_part_of_a_country_has_holidays_of_its_own() -> None:
    now = utc("2027-03-08 09:00")
    places = [("DE",), ("DE-BE",)]

    found = [next_open(now, [Hours("x", OFFICE.windows, holidays=each)], [BERLIN]) for each in places]

    assert [each and each.opens for each in found] == [now, utc("2027-03-09 08:00")]


@pytest.mark.parametrize(
    ("number", "default", "places"),
    [
        ("+4930123456", "US", ("DE", "FR")),
        ("+33123456789", None, ("FR",)),
        ("1000", "US", ("US", "FR")),
        (None, None, ("FR",)),
        ("+80012345678", "DE", ("DE", "FR")),
    ],
)
def test_the_callees_country_is_filled_in(
    number: str | None, default: str | None, places: tuple[str]
) -> None:
    hours = Hours("office", OFFICE.windows, holidays=("callee", "FR"))

    assert for_callee(hours, number, default).holidays == places


@pytest.mark.parametrize(
    ("number", "word", "zone", "zones"),
    [
        ("+4930123456", "Asia/Tokyo", NEW_YORK, ("Asia/Tokyo",)),
        ("+4930123456", None, NEW_YORK, (NEW_YORK,)),
        ("+4930123456", None, None, (BERLIN,)),
        ("+77012345678", None, None, ("Asia/Almaty", "Asia/Aqtobe")),
        ("+80012345678", None, None, ("Etc/UTC",)),
        ("1000", None, None, ("Etc/UTC",)),
        (None, None, None, ("Etc/UTC",)),
    ],
)
def test_the_jobs_zone_goes_before_the_policys_and_the_numbers(
    number: str | None, word: str | None, zone: str | None, zones: tuple[str, ...]
) -> None:
    assert zones_for(number, word, Hours("office", OFFICE.windows, zone), "Etc/UTC") == zones


def test_a_toll_free_number_is_called_when_all_its_zones_are_open() -> None:
    day, long_day = OFFICE, Hours("long", parse_windows(["08:00-21:00"]))
    zones = zones_for(TOLL_FREE, None, day, "UTC")

    found = next_open(MONDAY, [long_day], zones)

    assert next_open(MONDAY, [day], zones) is None
    assert found is not None
    assert len(zones) > 20
    assert {found.opens.astimezone(ZoneInfo(zone)).hour for zone in zones} <= set(range(8, 21))


@pytest.mark.parametrize(
    ("now", "hours", "zones", "sentence"),
    [
        (
            "2026-11-21 12:00",
            [OFFICE],
            [BERLIN],
            "outside calling hours (office) of Europe/Berlin until Mon 09:00 (2026-11-23 08:00Z)",
        ),
        (
            "2026-11-23 12:00",
            [OFFICE, own_hours(["16:00-20:00"])],
            [BERLIN, "Europe/London"],
            "outside calling hours (office and the job's own) of Europe/Berlin and Europe/London"
            " until Mon 17:00 in Europe/Berlin (2026-11-23 16:00Z)",
        ),
        (
            "2026-12-25 12:00",
            [Hours("office", OFFICE.windows, holidays=("DE",))],
            [BERLIN],
            "outside calling hours (office) of Europe/Berlin until Mon 09:00 (2026-12-28 08:00Z),"
            " as today is Christmas Day (DE)",
        ),
        (
            "2026-11-23 12:00",
            [OFFICE],
            ["Asia/Tokyo", NEW_YORK],
            "there is no time left within calling hours (office) of Asia/Tokyo and America/New_York at once:"
            " give the job its recipient_timezone",
        ),
        ("2026-11-23 12:00", [OFFICE], [BERLIN], ""),
        ("2026-11-23 12:00", [], [BERLIN], ""),
    ],
)
def test_it_is_told_why_a_call_waits_and_until_when(
    now: str, hours: list[Hours], zones: list[str], sentence: str
) -> None:
    opening = next_open(utc(now), hours, zones)

    assert explain(opening, utc(now), zones, hours) == sentence


def test_many_zones_are_told_short() -> None:
    zones = zones_for(TOLL_FREE, None, OFFICE, "UTC")

    assert f"{zones[0]} and {len(zones) - 1} more time zones" in explain(None, MONDAY, zones, [OFFICE])
