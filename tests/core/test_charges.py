"""Money, rates and what calls cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialerd.core.charges import UNITS, Rate, RateTable, charge, format_money, parse_money


@pytest.mark.parametrize(
    ("text", "units"),
    [("12.50", 125_000), ("0", 0), ("0.0125", 125), ("7", 70_000), (" 1.5 ", 15_000), ("999", 9_990_000)],
)  # fmt: skip
def test_money_is_read_as_whole_units(text: str, units: int) -> None:
    assert parse_money(text) == units


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("12,50", "comma"),
        ("1.234,50", "comma"),
        ("-1", "less than nothing"),
        ("", "no amount"),
        ("1.23456", "no amount"),
        ("1e3", "no amount"),
        ("٣", "no amount"),
        ("12.50 EUR", "no amount"),
        ("9" * 500, "no amount"),
    ],
)
def test_what_is_no_amount_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        parse_money(text)

    assert len(str(caught.value)) < 200


@given(st.integers(0, 10**13 - 1))
def test_money_that_is_written_is_read_as_the_same(units: int) -> None:
    assert parse_money(format_money(units)) == units


def test_money_is_written_with_two_digits_or_more() -> None:
    assert [format_money(each) for each in (0, 125_000, 125, -15_000)] == ["0.00", "12.50", "0.0125", "-1.50"]


@pytest.mark.parametrize(
    ("seconds", "increment", "units"),
    [(0, 60, 100), (1, 60, 700), (60, 60, 700), (61, 60, 1300), (0.2, 1, 110), (59.5, 1, 700), (61, 6, 760)],
)
def test_each_started_increment_is_charged(seconds: float, increment: int, units: int) -> None:
    assert charge(Rate("+49", 600, connect=100, increment_s=increment), seconds) == units


def test_a_fraction_of_a_unit_is_charged_as_a_whole_one() -> None:
    assert charge(Rate("+49", 1, increment_s=1), 1) == 1


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 3600), st.integers(0, 10**5))
def test_a_charge_never_falls_short_of_the_time_and_exceeds_it_by_less_than_an_increment(
    per_minute: int, connect: int, increment: int, seconds: int
) -> None:
    found = charge(Rate("+1", per_minute, connect, increment), seconds)

    assert (found - connect) * 60 >= per_minute * seconds
    assert (found - connect - 1) * 60 < per_minute * (seconds + increment)


TABLE = RateTable(
    [
        Rate("+", 9 * UNITS),
        Rate("+49", 100),
        Rate("+4917", 300),
        Rate("+49", 90, trunk="cheap"),
        Rate("+4916", 250, trunk="cheap"),
    ]
)


@pytest.mark.parametrize(
    ("number", "trunk", "per_minute"),
    [
        ("+4930123456", None, 100),
        ("+4930123456", "cheap", 90),
        ("+4930123456", "other", 100),
        ("+49170123456", "cheap", 300),
        ("+49160123456", "cheap", 250),
        ("+49160123456", None, 100),
        ("+14155550100", "cheap", 9 * UNITS),
    ],
)
def test_the_longest_prefix_counts_and_of_two_as_long_the_trunks_own(
    number: str, trunk: str | None, per_minute: int
) -> None:
    found = TABLE.find(number, trunk)

    assert found is not None
    assert found.per_minute == per_minute


def test_an_extension_has_no_rate() -> None:
    assert TABLE.find("1000") is None
    assert RateTable().find("+4930123456") is None
