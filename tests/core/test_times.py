from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialerd.core.times import format_duration, format_when, parse_duration, parse_when

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-01T01:00:00Z", datetime(2026, 12, 1, 1, tzinfo=UTC)),
        ("2026-12-01t01:00z", datetime(2026, 12, 1, 1, tzinfo=UTC)),
        ("2026-12-01T01:00:00+01:00", datetime(2026, 12, 1, 0, tzinfo=UTC)),
        ("2026-12-01 01:00 +0100", datetime(2026, 12, 1, 0, tzinfo=UTC)),
        ("2026-12-01T01:00:00.25-05:30", datetime(2026, 12, 1, 6, 30, 0, 250000, tzinfo=UTC)),
        ("2026-12-01 01:00 Europe/Berlin", datetime(2026, 12, 1, 0, tzinfo=UTC)),
        ("2026-07-01 01:00 Europe/Berlin", datetime(2026, 6, 30, 23, tzinfo=UTC)),
        ("2026-12-01 01:00 UTC", datetime(2026, 12, 1, 1, tzinfo=UTC)),
        ("2026-12-01T01:00+01:00[Europe/Berlin]", datetime(2026, 12, 1, 0, tzinfo=UTC)),
        ("2020-01-01T00:00Z", datetime(2020, 1, 1, tzinfo=UTC)),
        ("now", NOW),
        ("in 90s", NOW + timedelta(seconds=90)),
        ("in 1h30m", NOW + timedelta(minutes=90)),
        ("in 2 days", NOW + timedelta(days=2)),
        ("In 1 hour 5 minutes", NOW + timedelta(minutes=65)),
        ("in 0s", NOW),
    ],
)
def test_a_time_becomes_aware_utc(text: str, moment: datetime) -> None:
    parsed = parse_when(text, NOW)

    assert (parsed, parsed.tzinfo) == (moment, UTC)


def test_relative_times_count_from_now_whatever_zone_now_is_in() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=9)))

    assert parse_when("in 1h", there) == NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no time"),
        ("tomorrow", "no time"),
        ("2026-12-01", "no time"),
        ("1796083200", "no time"),
        ("2026-12-01T01:00:00Z; rm", "no time"),
        ("2026-12-01T01:00:00", r"has no zone: add one, as in 2026-12-01T01:00:00Z"),
        ("2026-12-01 01:00", "Europe/Berlin"),
        ("2026-13-01T01:00Z", "in the calendar"),
        ("2026-02-30T01:00Z", "in the calendar"),
        ("2026-12-01T25:00Z", "in the calendar"),
        ("2026-12-01T23:59:60Z", "in the calendar"),
        ("2026-12-01T01:00+24:00", "no offset"),
        ("1999-12-31T00:00Z", "year 1999"),
        ("2206-12-01T01:00Z", "year 2206"),
        ("9999-12-31T23:59:59-12:00", "year 9999"),
        ("2026-12-01 01:00 Europe/Berlim", 'Did you mean "Europe/Berlin"'),
        ("2026-12-01 01:00 Europe", "no time zone 'Europe'"),
        ("2026-12-01 01:00 ../../etc/passwd", "no time"),
        ("2026-12-01 01:00 CEST", "no time zone 'CEST'"),
        ("2026-12-01 01:00+02:00 Europe/Berlin", r"not at \+02:00 in Europe/Berlin"),
        ("in", "no time"),
        ("in 5", "Is 5s meant"),
        ("in 1h x", "no duration"),
        ("in 9999999999 weeks", "ten years"),
        ("in 3661 days", "ten years"),
    ],
)
def test_what_is_no_time_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_when(text, NOW)


def test_a_time_in_a_gap_is_refused_with_the_times_before_and_after_it() -> None:
    with pytest.raises(ValueError, match="does not exist") as caught:
        parse_when("2027-03-28 02:30 Europe/Berlin", NOW)

    assert "2027-03-28 01:59:59 Europe/Berlin or 2027-03-28 03:00:00 Europe/Berlin" in str(caught.value)


@pytest.mark.parametrize("edge", ["2027-03-28 01:59:59 Europe/Berlin", "2027-03-28 03:00:00 Europe/Berlin"])
def test_the_times_at_the_edges_of_a_gap_are_valid(edge: str) -> None:
    assert abs(parse_when(edge, NOW) - datetime(2027, 3, 28, 1, tzinfo=UTC)) <= timedelta(seconds=1)


def test_a_gap_at_midnight_is_found_too() -> None:
    with pytest.raises(ValueError, match=r"2020-09-05 23:59:59 .* 2020-09-06 01:00:00"):
        parse_when("2020-09-06 00:30 America/Santiago", NOW)


def test_a_day_that_a_country_left_out_is_a_gap() -> None:
    with pytest.raises(ValueError, match=r"2011-12-29 23:59:59 .* 2011-12-31 00:00:00"):
        parse_when("2011-12-30 12:00 Pacific/Apia", NOW)


def test_a_time_that_comes_twice_is_refused_with_both_ways_to_write_it() -> None:
    with pytest.raises(ValueError, match="comes twice") as caught:
        parse_when("2027-10-31 02:30 Europe/Berlin", NOW)

    assert "2027-10-31 02:30+02:00 for the first or 2027-10-31 02:30+01:00 for the second" in str(
        caught.value
    )


@pytest.mark.parametrize(("offset", "hour"), [("+02:00", 0), ("+01:00", 1)])
@pytest.mark.parametrize("zone", ["", " Europe/Berlin"])
def test_with_an_offset_a_time_that_comes_twice_is_clear(offset: str, hour: int, zone: str) -> None:
    parsed = parse_when(f"2027-10-31 02:30{offset}{zone}", NOW)

    assert parsed == datetime(2027, 10, 31, hour, 30, tzinfo=UTC)


@given(st.datetimes(datetime(2001, 1, 1), datetime(2036, 1, 1)), st.integers(-1439, 1439))
def test_what_is_written_by_us_is_read_as_the_same_moment(local: datetime, minutes: int) -> None:
    moment = local.replace(
        tzinfo=timezone(timedelta(minutes=minutes)), microsecond=local.microsecond // 1000 * 1000
    )

    assert parse_when(format_when(moment), NOW) == moment == parse_when(moment.isoformat(), NOW)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("4h", 14400),
        ("90s", 90),
        ("1h30m", 5400),
        ("2 days", 172800),
        ("1w", 604800),
        ("1 h, 5 min", 3900),
        ("0s", 0),
    ],
)
def test_a_duration_becomes_seconds(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "4", "h", "-4h", "1.5h", "4 hh", "4h!", "4 months", "h4", "١h"])
def test_what_is_no_duration_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="This is no duration"):
        parse_duration(text)


@given(st.integers(0, 10**9))
def test_a_duration_that_we_write_is_read_as_the_same(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


def test_a_duration_is_written_short() -> None:
    assert [format_duration(each) for each in (0, 90, 5400, 14400, 172800)] == [
        "0s",
        "1m30s",
        "1h30m",
        "4h",
        "2d",
    ]


@pytest.mark.parametrize("text", ["2026-12-01 01:00 Europe/Berlin", "in 1h", "now"])
def test_a_time_is_measured_with_the_blanks_around_it(text: str) -> None:
    assert parse_when(text.ljust(100), NOW)
    with pytest.raises(ValueError, match="no time that dialerd can read"):
        parse_when(text.ljust(101), NOW)


def test_the_name_of_a_time_zone_has_a_length() -> None:
    assert parse_when("2026-12-01 01:00 America/Argentina/ComodRivadavia", NOW)
    with pytest.raises(ValueError, match="so long a name"):
        parse_when("2026-12-01 01:00 " + "A" * 41, NOW)


def test_a_duration_is_measured_with_the_blanks_around_it() -> None:
    assert parse_duration("1h".ljust(100)) == 3600
    with pytest.raises(ValueError, match="no duration"):
        parse_duration("1h".ljust(101))
