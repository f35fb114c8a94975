"""A template and a row make a job document; every mistake in a template is told at once."""

import io
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialerd.core.errors import InvalidJob
from dialerd.intake import csv_rows
from dialerd.intake.template import bind, read, row_key

PLAIN = {"to": "{phone}", "play": "hello-world"}


def made(fields: dict[str, Any], **cells: str) -> dict[str, Any]:
    return bind(fields, list(cells)).document(cells)


def mistakes(fields: dict[str, Any], *columns: str) -> dict[str, str]:
    with pytest.raises(InvalidJob) as caught:
        bind(fields, columns)
    return {each.where: each.what for each in caught.value.mistakes}


def test_a_placeholder_becomes_the_cell_of_its_column() -> None:
    fields = {**PLAIN, "account": "clinic {city}/{no}", "tags": ["a", "{city}"]}
    document = made(fields, phone="+4930123456", city="Berlin", no="7")
    assert document == {
        "to": "+4930123456",
        "play": "hello-world",
        "account": "clinic Berlin/7",
        "tags": ["a", "Berlin"],
    }


def test_doubled_braces_stand_for_braces() -> None:
    assert made({**PLAIN, "variables": {"x": "{{city}} {city}"}}, phone="1", city="Bonn")["variables"] == {
        "x": "{city} Bonn"
    }


def test_cells_are_never_read_as_a_template() -> None:
    assert made({**PLAIN, "account": "{a}"}, phone="1", a="{b}", b="secret")["account"] == "{b}"


def test_a_column_named_as_a_field_applies_by_itself_and_beats_the_template() -> None:
    document = made(
        {**PLAIN, "priority": 3}, phone="1", priority="7", account="sales", **{"variables.n": "x"}
    )
    assert (document["priority"], document["account"], document["variables"]) == (7, "sales", {"n": "x"})


def test_an_empty_cell_leaves_the_field_to_the_template() -> None:
    assert made({**PLAIN, "priority": 3}, phone="1", priority=" ")["priority"] == 3


def test_the_template_wins_where_its_own_value_for_the_field_is_made_from_that_column() -> None:
    assert made({"to": "+49{to}", "play": "x"}, to="30123456")["to"] == "+4930123456"


def test_a_column_used_elsewhere_in_the_template_still_applies_by_itself() -> None:
    document = made({"play": "x", "variables": {"callee": "{to}"}}, to="+4930123456")
    assert (document["to"], document["variables"]) == ("+4930123456", {"callee": "+4930123456"})


def test_columns_add_to_the_variables_of_the_template() -> None:
    fields = {**PLAIN, "variables": {"a": "1", "b": "2"}}
    assert made(fields, phone="1", **{"variables.b": "3"})["variables"] == {"a": "1", "b": "3"}


def test_what_comes_out_empty_is_left_out() -> None:
    fields = {
        **PLAIN,
        "account": "{a}",
        "tags": ["{a}"],
        "caller_id": {"name": "{a}"},
        "variables": {"v": "{a}"},
    }
    assert set(made(fields, phone="1", a="")) == {"to", "play"}


def test_texts_made_from_cells_become_numbers_and_yes_and_no_as_in_a_spreadsheet() -> None:
    fields = {**PLAIN, "wait_time": "{wait}", "early_media": "{early}"}
    document = made(fields, phone="1", wait="30", early="yes")
    assert (document["wait_time"], document["early_media"]) == (30, True)


def test_several_numbers_may_come_from_several_columns() -> None:
    assert made({**PLAIN, "to": "{mobile}, {home}"}, mobile="+491", home="+492")["to"] == ["+491", "+492"]
    assert made({**PLAIN, "to": "{mobile}, {home}"}, mobile="", home="+492")["to"] == ["+492"]


def test_capitals_in_a_column_name_do_not_matter() -> None:
    assert made(PLAIN, Phone="+491")["to"] == "+491"


def test_every_mistake_is_told_at_once_with_its_place() -> None:
    fields = {
        "to": "{phne}",
        "play": "x {",
        "context": "c",
        "wait_tme": 3,
        "priority": 12,
        "variables": {"MONITOR_EXEC": "x", "a": "{city"},
        "tags": ["ok", "{}"],
    }
    found = mistakes(fields, "phone", "city")
    assert found["to"] == "There is no column 'phne'. Did you mean \"phone\"?"
    assert (
        found["play"] == "The { at character 3 belongs to no column's name: write {{ where a brace is meant."
    )
    assert found["context"] == "Give only one of play and context."
    assert found["wait_tme"] == 'This name is not known here. Did you mean "wait_time"?'
    assert set(found) - {"to", "play", "context", "wait_tme"} == {
        "priority",
        "variables.MONITOR_EXEC",
        "variables.a",
        "tags.1",
    }


def test_a_template_that_says_not_whom_to_call_needs_a_column_that_does() -> None:
    assert list(mistakes({"play": "x"}, "phone")) == ["to"]
    assert list(mistakes({"to": "{phone}"}, "phone")) == ["play"]
    assert bind({"play": "x"}, ["to"]).own == ("to",)


def test_columns_that_stand_there_twice_are_refused_only_where_they_are_used() -> None:
    assert list(mistakes({"play": "x"}, "to", "to")) == ["column 'to'"]
    assert list(mistakes(PLAIN, "phone", "Phone")) == ["to"]
    assert bind(PLAIN, ["phone", "note", "note", ""]).unused == ("note", "note")


def test_a_column_that_looks_like_a_misspelt_field_is_warned_of_and_others_are_not() -> None:
    template = bind(
        PLAIN, ["phone", "wait_tme", "variable.greeting", "city", "last contact", "notes", "name"]
    )
    assert template.warnings() == [
        'The column "wait_tme" is not used. Did you mean "wait_time"?',
        'The column "variable.greeting" is not used. Did you mean "variables.greeting"?',
    ]


@pytest.mark.parametrize(
    ("data", "suffix"),
    [
        (b'to = "{phone}"\nplay = "x"\nnot_after = 2026-12-01T20:00:00+01:00', ".toml"),
        (b'\xef\xbb\xbfto = "{phone}"\nplay = "x"\nnot_after = "2026-12-01T20:00:00+01:00"', ".TOML"),
        (b'{"to": "{phone}", "play": "x", "not_after": "2026-12-01T20:00:00+01:00"}', ".json"),
    ],
)
def test_a_template_is_toml_or_json(data: bytes, suffix: str) -> None:
    document = bind(read(data, suffix), ["phone"]).document({"phone": "+491"})
    assert document == {"to": "+491", "play": "x", "not_after": "2026-12-01T20:00:00+01:00"}


@pytest.mark.parametrize(
    ("data", "suffix"),
    [
        (b"to = ", ".toml"),
        (b"\xff\xfe", ".toml"),
        (b"{", ".json"),
        (b"[]", ".json"),
        (b"x = 1\n" * 300_000, ".toml"),
    ],
)
def test_what_is_no_template_is_refused(data: bytes, suffix: str) -> None:
    with pytest.raises(InvalidJob):
        read(data, suffix)


def test_the_same_row_has_the_same_key_in_a_batch_whatever_the_order_of_its_columns() -> None:
    key = row_key("spring", {"a": "1", "b": "2", "c": ""})
    assert key == row_key("spring", {"b": "2 ", "a": "1"})
    assert len({key, row_key("autumn", {"a": "1", "b": "2"}), row_key("spring", {"a": "1", "b": "3"})}) == 3


@given(st.text(max_size=40), st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_a_text_without_braces_stays_and_any_cell_comes_through(text: str, cell: str) -> None:
    text = text.replace("{", "").replace("}", "")
    value = bind({**PLAIN, "variables": {"v": text + "|{a}|"}}, ["phone", "a"]).document(
        {"phone": "1", "a": cell}
    )
    assert value["variables"]["v"] == (text + "|" + cell.strip(" \t") + "|").strip(" \t")


def outcome(text: str) -> str:
    """The account that a template makes, or the places of its mistakes."""
    try:
        template = bind({**PLAIN, "account": text + "x"}, ["phone", "a"])
    except InvalidJob as error:
        return " ".join({each.where for each in error.mistakes})
    return str(template.document({"phone": "1", "a": "A"})["account"])


@given(st.text("{}ab", max_size=12))
def test_every_text_is_a_template_or_a_told_mistake(text: str) -> None:
    found = outcome(text)
    assert found == "account" or found.endswith("x")


def test_a_long_file_goes_through_in_little_memory() -> None:
    row = b"+4930123456;Berlin;" + b"x" * 100 + b"\n"
    file = io.BytesIO(b"phone;city;notes\n" + row * 50_000)
    template = bind({**PLAIN, "account": "{city}"}, ["phone", "city", "notes"])
    tracemalloc.start()
    proof = csv_rows.prove(file, any_columns=True)
    while True:
        try:
            next(proof)
        except StopIteration as end:
            header = end.value
            break
    count = sum(
        template.document(cells)["account"] == "Berlin"
        for _, cells in csv_rows.rows(file, header)
        if isinstance(cells, dict)
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 50_000
    assert peak < 2_000_000
