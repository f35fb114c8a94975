import subprocess
import sys
from datetime import date

import pytest

from dialerd.core.public_holidays import check_place, holiday, known_place


def test_holidays_have_english_names_whatever_the_language_of_the_country() -> None:
    names = [holiday(place, date(2026, 12, 25)) for place in ("DE", "FR", "US-CA", "GB-SCT")]

    assert names == ["Christmas Day"] * 4


def test_a_part_has_its_countrys_holidays_and_its_own() -> None:
    seen = [
        holiday(place, day) is not None
        for place in ("DE", "DE-BY")
        for day in (date(2026, 1, 6), date(2026, 1, 1))
    ]

    assert seen == [False, True, True, True]


def test_other_days_are_no_holidays() -> None:
    assert holiday("DE", date(2026, 12, 24)) is None


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("", "No holidays are known"),
        ("XX", "No holidays are known"),
        ("de", 'Did you mean "DE"'),
        ("UK", 'Did you mean "GB"'),
        ("DE-XX", "no part 'XX'"),
        ("DE-be", 'Did you mean "BE"'),
        ("VA-X", "none at all"),
        ("DE-", "No holidays are known"),
        ("x" * 1000, "No holidays are known"),
    ],
)
def test_an_unknown_place_is_refused_in_a_sentence(place: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="holidays") as caught:
        check_place(place)

    assert sentence in str(caught.value)
    assert not known_place(place)


def test_who_asks_for_no_holidays_does_not_load_the_library() -> None:
    code = "import sys; import dialerd.core.windows, dialerd.config; print('holidays' in sys.modules)"

    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )

    assert shown.stdout.strip() == "False"
