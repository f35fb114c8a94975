"""The rate table's file."""

from pathlib import Path

import pytest

from dialerd.core.charges import Rate
from dialerd.core.errors import ConfigError
from dialerd.lists import Rates
from tests.waiting import until

GOOD = "prefix,per_minute\n+49,0.02\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rates.csv"


def loaded(path: Path, text: str | bytes) -> Rates:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    rates = Rates(path, trunks=("main", "cheap"))
    rates.load()
    return rates


def mistakes_in(path: Path, text: str | bytes) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(path, text)
    assert {mistake.where for mistake in caught.value.mistakes} == {"caps.rates"}
    return [mistake.what.removeprefix(f"{path}, ") for mistake in caught.value.mistakes]


@pytest.mark.parametrize(
    "text",
    [
        "prefix,per_minute,connect,increment,trunk\n+49,0.02,0.1,1,main\n*,1,,,\n",
        "\ufeffPrefix;Per_Minute;Connect;Increment;Trunk\r\n49;0.02;0.1;1;main\r\n\r\n# all\r\n+;1.00\r\n",
        'trunk,"per_minute",increment,connect,prefix\nmain,"0.02",1,0.1,+49*\n,1,,,*',
    ],
)
def test_a_table_is_read_however_spreadsheets_write_it(path: Path, text: str) -> None:
    rates = loaded(path, text)

    assert rates.find("+4930123456", "main") == Rate("+49", 200, 1000, 1, "main")
    assert rates.find("+4930123456", "cheap") == Rate("+", 10_000)
    assert rates.problems() == []


def test_without_a_file_nothing_has_a_rate() -> None:
    rates = Rates(None)
    rates.load()
    rates.start()
    rates.stop()

    assert rates.find("+4930123456") is None


def test_every_mistake_is_told_with_its_line(path: Path) -> None:
    text = (
        "prefix;per_minute;increment;trunk\n+49;0,02;60;main\n0049;0.02;0;\n+1;0.01;;mian\n+1;0.01\n+1;0.02\n"
        "+33;1;60;main;x\n+44\n"
    )

    found = mistakes_in(path, text)

    assert [each.split(":")[0] for each in found] == [
        "line 2", "line 3", "line 3", "line 4", "line 6", "line 7", "line 8",
    ]  # fmt: skip
    assert "comma" in found[0]
    assert 'Did you mean "main"' in found[3]
    assert "a rate already" in found[4]


def test_a_decimal_comma_between_commas_is_told_too(path: Path) -> None:
    (found,) = mistakes_in(path, "prefix,per_minute\n+49,0,02\n")

    assert "line 2" in found
    assert "write 0.05, not 0,05" in found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prefix,price\n+49,1\n", "There is no column 'price'"),
        ("+49,1\n", "There is no column '+49'"),
        ("prefix\n+49\n", "The column per_minute is needed"),
        ("", "The column prefix is needed"),
        (b"prefix,per_minute\n\xff\xfe,1\n", "save it as CSV UTF-8"),
    ],
)
def test_what_is_no_table_is_told_as_such(path: Path, text: str | bytes, words: str) -> None:
    assert words in " ".join(mistakes_in(path, text))


def test_at_most_twenty_mistakes_are_told(path: Path) -> None:
    found = mistakes_in(path, "prefix,per_minute\n" + "x,1\n" * 100)

    assert len(found) == 21
    assert "more mistakes" in found[20]


def test_a_changed_file_counts_soon_and_while_it_is_broken_the_last_good_one(path: Path) -> None:
    path.write_text(GOOD)
    rates = Rates(path, look_every=0.02)
    rates.load()
    rates.start()
    try:
        path.write_text("prefix,per_minute\n+49,x\n")
        (problem,) = until(rates.problems)
        kept = rates.find("+4930123456")
        path.write_text(GOOD.replace("0.02", "0.03"))
        until(lambda: rates.find("+4930123456") == Rate("+49", 300))
    finally:
        rates.stop()

    assert "line 2" in problem
    assert kept == Rate("+49", 200)
    assert rates.problems() == []
