import tomllib
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from dialerd.config.destinations import DestinationTexts
from dialerd.config.fields import Section
from dialerd.config.hours import HoursSettings
from dialerd.core.windows import Hours, parse_windows


class Lists(Section):
    destinations: DestinationTexts = ()


def hours(text: str) -> HoursSettings:
    return HoursSettings.model_validate(tomllib.loads(text))


def mistakes(model: type[Section], text: str) -> dict[str, str]:
    """The sentences by their keys; "" is the section."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(tomllib.loads(text))
    found: list[Any] = caught.value.errors()
    return {
        ".".join(map(str, each["loc"])): str(each.get("ctx", {}).get("error", each["msg"])) for each in found
    }


def test_only_windows_are_needed() -> None:
    office = hours('windows = "mon-fri 09:00-18:00"').hours("office")

    assert office == Hours("office", parse_windows(["mon-fri 09:00-18:00"]))


def test_every_option_reaches_the_policy() -> None:
    shop = hours(
        """
        windows = ["mon-fri 09:00-18:00", "sat 10:00-14:00"]
        zone = "Europe/Berlin"
        holidays = ["callee", "DE-BE"]
        closed = ["2026-12-24", 2026-12-31]
        open = 2026-10-03
        """
    ).hours("shop")

    assert shop == Hours(
        "shop",
        parse_windows(["mon-fri 09:00-18:00", "sat 10:00-14:00"]),
        "Europe/Berlin",
        ("callee", "DE-BE"),
        (date(2026, 12, 24), date(2026, 12, 31)),
        (date(2026, 10, 3),),
    )


def test_every_mistake_comes_at_once() -> None:
    found = mistakes(
        HoursSettings,
        """
        windows = ["mon-fry 09:00-18:00", "25:00-26:00"]
        zone = "Europe/Berlim"
        holidays = ["XX", "DE-XX", "callee"]
        closed = ["24.12.2026", "2026-02-30", 2026-12-24T10:00:00]
        shut = []
        """,
    )

    assert set(found) == {"windows", "zone", "holidays", "closed", "shut"}
    assert all(each in found["windows"] for each in ('"fri"', "25:00"))
    assert 'Did you mean "Europe/Berlin"' in found["zone"]
    assert all(each in found["holidays"] for each in ("'XX'", "no part 'XX'"))
    assert found["closed"].count("is no date") == 3


@pytest.mark.parametrize(
    ("text", "where", "sentence"),
    [
        ("", "windows", "required"),
        ("windows = []", "windows", "no windows"),
        ("windows = 9", "windows", "tuple"),
        ("windows = 'always'\nclosed = 3", "closed", "tuple"),
        ("windows = 'always'\nclosed = [3]", "closed", "'3' is no date"),
        ("windows = 'always'\nzone = 'Callee'", "zone", "no time zone 'Callee'"),
        ("windows = 'always'\nzone = ''", "zone", "no time zone"),
        ("windows = 'always'\nholidays = 'UK'", "holidays", 'Did you mean "GB"'),
        (
            "windows = 'always'\nclosed = 2026-12-24\nopen = 2026-12-24",
            "",
            "2026-12-24: closed and open at once",
        ),
    ],
)
def test_a_mistake_is_named_in_a_sentence(text: str, where: str, sentence: str) -> None:
    found = mistakes(HoursSettings, text)

    assert sentence in found[where]


def test_hours_that_are_never_open_are_refused() -> None:
    days = [date.fromordinal(date.today().toordinal() + day).isoformat() for day in range(-2, 400)]

    found = mistakes(HoursSettings, f"windows = 'always'\nclosed = {days}")

    assert "never open" in found[""]


def test_destinations_are_checked_as_a_list() -> None:
    assert Lists.model_validate({"destinations": "DE"}).destinations == ("DE",)
    found = mistakes(Lists, 'destinations = ["DE", "Germany", "4420"]')

    assert all(each in found["destinations"] for each in ("'Germany'", '"+4420"'))
