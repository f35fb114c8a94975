import re

import pytest

from dialerd.core.numbers import (
    calling_code,
    countries,
    is_emergency,
    kind,
    national,
    parse_public,
    region,
    time_zones,
)


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("+4930123456", None, "+4930123456"),
        ("+49 (0)30 / 12.34-56", None, "+4930123456"),
        (" +49 30 123456 ", None, "+4930123456"),
        ("030 123456", "DE", "+4930123456"),
        ("0049 30 123456", "DE", "+4930123456"),
        ("011 49 30 123456", "US", "+4930123456"),
        ("18002223333", "US", "+18002223333"),
        ("(202) 555-0123", "US", "+12025550123"),
        ("06 1234 5678", "IT", "+390612345678"),
    ],
)
def test_a_number_becomes_e164(written: str, country: str | None, number: str) -> None:
    assert parse_public(written, country) == number


@pytest.mark.parametrize(
    ("written", "country", "sentence"),
    [
        ("", "DE", "no phone number"),
        ("hello", "DE", "no phone number"),
        ("1-800-FLOWERS", "US", "no phone number"),
        ("+49 30 123456 ext. 7", None, "no phone number"),
        ("tel:+4930123456", None, "no phone number"),
        ("+4930123456&PJSIP/100", None, "no phone number"),
        ("+4930123456\n", None, None),
        ("٠٣٠١٢٣٤٥٦", "DE", "no phone number"),
        ("1" * 41, "DE", "no phone number"),
        ("030 123456", None, "default_country"),
        ("+4930", None, "wrong length"),
        ("+49301234567890123", None, "wrong length"),
        ("+999123456789", None, "the code after the"),
        ("+12125550", None, "wrong length"),
        ("+10005550123", None, "not in use"),
        ("112", "DE", "emergency"),
        ("110", "DE", "emergency"),
        ("911", None, "emergency"),
        ("115", "DE", "wrong length"),
    ],
)
def test_what_is_no_public_number_is_refused_in_a_sentence(
    written: str, country: str | None, sentence: str | None
) -> None:
    if sentence is None:
        assert parse_public(written, country) == written.strip()
        return
    with pytest.raises(ValueError, match=re.escape(sentence)) as caught:
        parse_public(written, country)
    assert str(caught.value).endswith((".", ")."))


@pytest.mark.parametrize(
    ("number", "at_home"),
    [("+4930123456", "030123456"), ("+12025550123", "2025550123"), ("+390612345678", "0612345678")],
)
def test_the_national_form_is_what_is_dialled_at_home(number: str, at_home: str) -> None:
    assert national(number) == at_home


def test_emergency_numbers_are_known_with_and_without_a_country() -> None:
    seen = [
        is_emergency("112", None),
        is_emergency("110", "DE"),
        is_emergency("110", "US"),
        is_emergency("1000", "DE"),
    ]

    assert seen == [True, True, False, False]


def test_every_country_is_two_capital_letters() -> None:
    assert all(re.fullmatch("[A-Z]{2}", country) for country in countries())
    assert {"DE", "US", "JP"} <= countries()


def test_a_number_is_measured_with_the_blanks_around_it() -> None:
    longest = "+4930123456".rjust(40)

    assert parse_public(longest, None) == "+4930123456"
    with pytest.raises(ValueError, match="40 characters at most"):
        parse_public(longest + " ", None)


@pytest.mark.parametrize("digits", ["112#", "112*", "*911", "##112######", "110#"])
def test_star_and_hash_at_the_ends_hide_no_emergency_number(digits: str) -> None:
    assert is_emergency(digits, "DE")


@pytest.mark.parametrize("digits", ["112#", "911*"])
def test_star_and_hash_hide_no_emergency_number_where_no_country_is_known(digits: str) -> None:
    assert is_emergency(digits, None)


@pytest.mark.parametrize(
    ("number", "country", "sort"),
    [
        ("+4930123456", "DE", "fixed"),
        ("+4915112345678", "DE", "mobile"),
        ("+498001234567", "DE", "toll_free"),
        ("+499001234567", "DE", "premium"),
        ("+12025550123", "US", "fixed"),
        ("+14165550123", "CA", "fixed"),
        ("+18765550123", "JM", "mobile"),
        ("+19005551234", "US", "premium"),
        ("+442012345678", "GB", "fixed"),
        ("+441534123456", "JE", "fixed"),
        ("+447012345678", "GB", "other"),
        ("+77272345678", "KZ", "fixed"),
        ("+39066982", "VA", "fixed"),
        ("+979123456789", None, "premium"),
        ("+80012345678", None, "toll_free"),
        ("+870773123456", None, "satellite"),
        ("+87812345678901", None, "satellite"),
        ("+881612345678", None, "satellite"),
        ("+8821612345678", None, "satellite"),
        ("+883510012345678", None, "satellite"),
    ],
)
def test_a_number_has_a_country_and_a_kind(number: str, country: str | None, sort: str) -> None:
    assert (region(number), kind(number)) == (country, sort)


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        ("+4930123456", {"Europe/Berlin"}),
        ("+4915112345678", {"Europe/Berlin"}),
        ("+12025550123", {"America/New_York"}),
        ("+18085550123", {"Pacific/Honolulu"}),
        ("+79161234567", {"Europe/Moscow"}),
        ("+77012345678", {"Asia/Almaty", "Asia/Aqtobe"}),
        ("+80012345678", set()),
        ("+881612345678", set()),
    ],
)
def test_a_number_tells_its_time_zones(number: str, zones: set[str]) -> None:
    assert set(time_zones(number)) == zones


@pytest.mark.parametrize(
    ("number", "among"),
    [
        ("+18002223333", {"America/St_Johns", "America/New_York", "Pacific/Honolulu", "Pacific/Guam"}),
        ("+78001234567", {"Europe/Moscow", "Asia/Kamchatka"}),
    ],
)
def test_a_toll_free_number_may_be_anywhere_under_its_code(number: str, among: set[str]) -> None:
    assert among <= set(time_zones(number))


def test_a_country_has_a_calling_code() -> None:
    assert [calling_code(each) for each in ("DE", "JM", "KZ")] == ["+49", "+1", "+7"]
