"""What the text of a stop list means."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lists.making import BERLIN, MUNICH, hashed, lists_of, mistakes_in, stopped


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "list.txt"


@pytest.mark.parametrize(
    "line",
    [
        "+4930123456",
        "  +4930123456  ",
        "+4930123456,asked on 2026-11-01",
        "+4930123456 2026-11-01 asked",
        "+4930123456\tasked",
        "030 123456",
        "030 123456;asked",
        "030 123456 Herr Meier",
        "+49 (0)30 12.34-56,x",
        '"030 123456","asked, twice"',
        hashed(BERLIN),
        hashed(BERLIN).upper().replace("SHA", "sha") + ",a note",
        "+4930*",
        "+4930* Berlin",
    ],
)
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_line_stops_its_number_however_it_is_written(path: Path, line: str, end: str) -> None:
    lists = lists_of(path, line + end)

    assert stopped(lists, [BERLIN, MUNICH]) == [BERLIN]


@pytest.mark.parametrize("line", ["1000", "1000 reception", "ext:1000,reception", hashed("1000")])
def test_an_extension_is_stopped_as_it_stands(path: Path, line: str) -> None:
    assert stopped(lists_of(path, line), ["1000", "100", "10000", "+4930123456"]) == ["1000"]


@pytest.mark.parametrize("number", ["*97", "#1", "1*2"])
def test_an_extension_may_have_stars_and_hashes(path: Path, number: str) -> None:
    text = f"ext:{number}" if number.startswith("#") else number

    assert stopped(lists_of(path, text), ["*97", "#1", "1*2"]) == [number]


def test_a_long_extension_is_named_as_one(path: Path) -> None:
    assert stopped(lists_of(path, "ext:12345678"), ["12345678"]) == ["12345678"]


def test_comments_and_empty_lines_say_nothing(path: Path) -> None:
    lists = lists_of(path, f"\ufeff# a list\n\n  \n{BERLIN} # Berlin\n#{MUNICH}\n")

    assert stopped(lists, [BERLIN, MUNICH]) == [BERLIN]


@pytest.mark.parametrize("empty", ["", "\n", "# nothing\n", "number,reason\n"])
def test_an_empty_list_stops_nobody(path: Path, empty: str) -> None:
    assert stopped(lists_of(path, empty), [BERLIN]) == []


@pytest.mark.parametrize(
    "text",
    [
        "number,reason,date\n030 123456,asked,2026\n\n,,\n# no row\n+4989123456,,\n",
        '\ufeffName;Number;Reason\r\n"Meier; Hans";030 123456;"asked"\r\nHuber;+4989123456;\r\n',
        "number\n030 123456\n+4989123456\n",
        "reason\tnumber\nasked\t030 123456\n\t+4989123456",
    ],
)
def test_a_header_makes_it_csv(path: Path, text: str) -> None:
    lists = lists_of(path, text)

    assert stopped(lists, [BERLIN, MUNICH, "+4940123456"]) == [BERLIN, MUNICH]
    assert lists.described()[0]["entries"] == 2


def test_a_note_in_another_encoding_does_no_harm(path: Path) -> None:
    assert stopped(lists_of(path, b"+4930123456,M\xfcller\n"), [BERLIN]) == [BERLIN]


def test_an_entry_that_stands_there_twice_is_one(path: Path) -> None:
    assert lists_of(path, "030 123456\n+4930123456\n").described()[0]["entries"] == 1


def test_a_salt_stands_before_the_number(path: Path, tmp_path: Path) -> None:
    salt = tmp_path / "salt"
    salt.write_text("pepper\n")

    lists = lists_of(path, f"{hashed(BERLIN, 'pepper')}\n{hashed(MUNICH)}\n", salt_path=salt)

    assert stopped(lists, [BERLIN, MUNICH]) == [BERLIN]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("not a number", "no entry"),
        ("+49", "no entry"),
        ("030 123456 2026-11-01", "no entry"),
        ("sha256:abc", "64 hexadecimal digits"),
        ("+0*", "no entry"),
        ("ext:", "1 to 40"),
        ("ext:12a", "1 to 40"),
        ("1234567", "no entry"),
        ("\x00\x01", "no entry"),
        ("+49301234567890123", "no entry"),
    ],
)
def test_a_mistake_is_told_with_its_line(path: Path, line: str, words: str) -> None:
    (found,) = mistakes_in(path, f"{MUNICH}\n\n{line}\n{BERLIN}\n")

    assert found.startswith(f"stop_lists.customers: {path}, line 3: ")
    assert words in found
    assert found.isprintable()


def test_without_a_country_a_number_needs_its_plus(path: Path) -> None:
    (found,) = mistakes_in(path, "030 123456\n", country=None)

    assert "has no country" in found


def test_what_may_be_an_extension_or_a_number_must_say_which(path: Path) -> None:
    (found,) = mistakes_in(path, "312345\n", country="AD")

    assert "write ext:312345 or +376312345" in found


def test_a_row_without_its_number_is_a_mistake(path: Path) -> None:
    found = mistakes_in(path, 'name,number\nMeier\n"Huber,\n+4989123456"\n')

    assert [each.split(": ")[1].rpartition(", ")[2] for each in found] == ["line 2", "line 3", "line 4"]


def test_every_mistake_is_told_and_at_most_twenty(path: Path) -> None:
    found = mistakes_in(path, "bad\n" * 500)

    assert [f"line {number}: " in found[number - 1] for number in range(1, 21)] == [True] * 20
    assert found[20:] == [f"stop_lists.customers: {path}: There are more mistakes behind these."]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"x" * 5000, "line 1: It has more than 4096 characters"),
        (b"+4930123456\n" + b"7" * 1_000_000, "line 2: It has more than 4096 characters"),
        ("+4930123456\n".encode("utf-16"), "UTF-16"),
        (b"+4930123456\r+4989123456\r" * 500, "line 1: It has more than"),
    ],
)
def test_what_is_no_list_is_told_as_such(path: Path, text: bytes, words: str) -> None:
    (found,) = mistakes_in(path, text)

    assert words in found


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sets(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True), max_size=30),
    st.sets(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True), max_size=10),
    st.booleans(),
)
def test_just_the_numbers_of_a_list_are_stopped(
    path: Path, there: set[str], others: set[str], hide: bool
) -> None:
    lists = lists_of(path, "".join(f"{hashed(each) if hide else each}\n" for each in there))

    assert set(stopped(lists, there | others)) == there
    assert lists.described()[0]["entries"] == len(there)
