"""Files of jobs, as spreadsheets and scripts write them: read row by row, with what is wrong said by row."""

import csv
import io
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialerd.core.errors import InvalidJob
from dialerd.intake import jobfile
from dialerd.intake.jobfile import Row


def rows(text: str | bytes, suffix: str) -> list[Row]:
    data = text if isinstance(text, bytes) else text.encode()
    return list(jobfile.read(io.BytesIO(data), suffix).rows)


def documents(text: str | bytes, suffix: str) -> list[Any]:
    return [row.document for row in rows(text, suffix)]


def refusal(text: str | bytes, suffix: str) -> str:
    with pytest.raises(InvalidJob) as caught:
        rows(text, suffix)
    return str(caught.value)


def test_a_csv_row_becomes_a_document_by_its_header() -> None:
    found = documents("to,play,wait_time,early_media\n+4930123456,hello-world,30,yes\n", ".csv")

    assert found == [{"to": "+4930123456", "play": "hello-world", "wait_time": 30, "early_media": True}]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_the_header_line_tells_the_separator(separator: str, ending: str) -> None:
    lines = [separator.join(cells) for cells in (["to", "play", "tags"], ["100", "beep", ""])]

    assert documents(ending.join(lines), ".csv") == [{"to": "100", "play": "beep"}]


def test_a_single_column_needs_no_separator() -> None:
    assert documents("to\n100\n200\n", ".csv") == [{"to": "100"}, {"to": "200"}]


def test_the_line_that_tells_excel_the_separator_is_understood() -> None:
    found = rows("sep=;\nto;play\n100;beep\n", ".csv")

    assert [(row.number, row.document) for row in found] == [(3, {"to": "100", "play": "beep"})]


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_spreadsheets_encodings_are_told_by_the_byte_order_mark(codec: str) -> None:
    text = 'to;caller_id\n100;"Zoë Groß"\n'

    assert documents(text.encode(codec), ".csv") == [{"to": "100", "caller_id": "Zoë Groß"}]


def test_big_endian_utf_16_is_read() -> None:
    assert documents("\ufeffto;play\n100;beep\n".encode("utf-16-be"), ".csv") == [
        {"to": "100", "play": "beep"}
    ]


def test_line_breaks_in_quotes_belong_to_the_cell_and_rows_count_as_in_the_spreadsheet() -> None:
    found = rows('to,variables.text\n100,"one\ntwo"\n\n,\n200,"say ""hi"""\n', ".csv")

    assert [(row.number, row.line) for row in found] == [(2, 2), (5, 6)]
    assert found[0].document == {"to": "100", "variables": {"text": "one\ntwo"}}
    assert found[1].document == {"to": "200", "variables": {"text": 'say "hi"'}}


def test_capitals_and_blanks_in_the_header_do_not_matter_but_in_a_variables_name_they_do() -> None:
    assert documents(" To ,PLAY,Variables.Name\n100,beep,x\n", ".csv") == [
        {"to": "100", "play": "beep", "variables": {"Name": "x"}}
    ]


def test_empty_columns_at_the_end_are_no_columns() -> None:
    assert documents("to;play;;\n100;beep;;\n", ".csv") == [{"to": "100", "play": "beep"}]


def test_every_mistake_of_the_header_is_said_once_with_the_nearest_right_name() -> None:
    text = refusal("to,waittime,,to,variables,zzz\n" + "100,1,2,3,4,5\n" * 3, ".csv")

    assert "column 2 ('waittime'): There is no such field. Did you mean \"wait_time\"?" in text
    assert "column 3: It has no name" in text
    assert "column 4 ('to'): The column stands there twice" in text
    assert "column 5 ('variables'): Give each variable a column of its own" in text
    assert text.count("'zzz'") == 1


def test_a_row_with_more_cells_than_columns_is_refused_and_the_others_are_not() -> None:
    first, second = documents("to,play\n100,beep,huh\n200,beep\n", ".csv")

    assert isinstance(first, InvalidJob)
    assert "3 cells, and the header names 2 columns" in str(first)
    assert second == {"to": "200", "play": "beep"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "There is no header line"),
        (b"\n;;\n\n", "There is no header line"),
        (
            b'to,play\n100,beep\n200,"beep\n300,beep\n',
            "line 3: This is not CSV: a quote that begins in this row",
        ),
        (b'to,play\n100,"a"b\n', "line 2: This is not CSV: something follows a closing quote"),
        (b"to,play\n100,beep\n200,b\xffp\n", "no text: save the file as CSV UTF-8"),
        (b'to,play\n100,"' + b"x" * 200_000 + b'"\n', "a cell is too long"),
        (b"to,play\n" + b"," * 1_100_000 + b"\n", "too long"),
        (b'to,play\n100,"' + b'\n","' * 400_000 + b'"\n', "too long"),
    ],
)
def test_a_csv_that_is_none_to_its_end_is_refused_as_a_whole(text: bytes, said: str) -> None:
    assert said in refusal(text, ".csv")


def test_a_csv_with_a_header_only_has_no_rows() -> None:
    assert rows("to;play\n", ".csv") == []


def test_raw_rows_with_the_head_make_a_file_of_the_same_kind() -> None:
    data = 'to;variables.a\r\n100;"x\r\ny"\r\n200;ö\r\n'.encode("utf-16")
    read = jobfile.read(io.BytesIO(data), ".csv")

    again = read.head + list(read.rows)[1].raw

    assert documents(again, ".csv") == [{"to": "200", "variables": {"a": "ö"}}]


def test_a_json_file_holds_one_job_or_a_list() -> None:
    assert documents('{"to": "100"}', ".json") == [{"to": "100"}]
    assert documents('\ufeff [ {"to": "1,]"} ,\n{"to": ["\\"2", "3"]}] \n', ".json") == [
        {"to": "1,]"},
        {"to": ['"2', "3"]},
    ]
    assert documents(" [ ] ", ".json") == []
    assert documents(" \n", ".json") == []


def test_a_suffix_in_capitals_is_the_same_suffix() -> None:
    assert documents('{"to": "100"}', ".JSON") == [{"to": "100"}]


def test_jobs_of_a_list_know_their_place_and_line() -> None:
    found = rows('[\n  {"to": "1"},\n  {"to":\n "2"},\n\n  {"to": "3"}\n]\n', ".json")

    assert [(row.number, row.line) for row in found] == [(1, 2), (2, 3), (3, 6)]


@pytest.mark.parametrize(
    "bad",
    [
        '{"to": 1, "to": 2}',
        '{"to": NaN}',
        '{"to": }',
        "nonsense",
        "[" * 50 + "]" * 50,
        '{"a": ' + "9" * 5000 + "}",
    ],
)
def test_one_bad_job_in_a_list_leaves_the_others_alone(bad: str) -> None:
    first, second, third = documents(f'[{{"to": "1"}}, {bad}, {{"to": "3"}}]', ".json")

    assert isinstance(second, InvalidJob)
    assert [first, third] == [{"to": "1"}, {"to": "3"}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"to": "1"}, {"to": "2', "line 1: This is not JSON: the list is not closed"),
        ('[{"to": "1"},\n{"to": "2"}', "line 2: This is not JSON: the list is not closed"),
        ('[{"to": "1"}] {"to": "2"}', "something follows the end"),
        ('[{"to": "1"}] x', "something follows the end"),
        ('[{"to": "1"},, {"to": "2"}]', "nothing stands between two commas"),
        ('[{"to": "1"},]', "nothing stands between two commas"),
        ('[{"to": "1"]}', "closes what was not opened so"),
        ("[" * 200_000, "nested more than"),
        ('["' + "\\\\" * 1_000_000 + '"]', "more than"),
        ('["' + "x" * 3_000_000, "more than"),
    ],
    ids=lambda text: text[:20],
)
def test_a_list_that_is_not_whole_is_refused_as_a_whole(text: str, said: str) -> None:
    assert said in refusal(text, ".json")


@pytest.mark.parametrize("bad", [b"[" * 100_000, b'{"to": "\xff"}', b'{"to": "1"', b"{" * 2_000_000])
def test_a_single_job_that_is_no_json_is_a_bad_row_or_a_bad_file(bad: bytes) -> None:
    try:
        found = documents(bad, ".json")
    except InvalidJob as error:
        found = [error]

    assert isinstance(found[0], InvalidJob)


def test_each_line_of_ndjson_stands_for_itself() -> None:
    found = rows(b'\xef\xbb\xbf{"to": "1"}\n\n{"to": \xff}\r\n nonsense\n{"to": "5"}', ".ndjson")

    assert [row.number for row in found] == [1, 3, 4, 5]
    assert [isinstance(row.document, InvalidJob) for row in found] == [False, True, True, False]
    assert found[1].raw == b'{"to": \xff}\r\n'


def test_an_endless_line_of_ndjson_refuses_the_file() -> None:
    assert "line 2: The line has more than" in refusal(b"{}\n" + b"x" * 3_000_000, ".ndjson")


@given(
    st.lists(
        st.recursive(
            st.text(max_size=8) | st.integers() | st.booleans(),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
            ),
            max_leaves=5,
        ),
        max_size=6,
    ),
    st.sampled_from([None, 2]),
    st.booleans(),
)
def test_any_list_is_cut_where_json_would_cut_it(
    values: list[Any], indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(values, indent=indent, ensure_ascii=ascii_only)

    assert documents(text, ".json") == values


@given(
    st.lists(
        st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1), min_size=1
    )
)
def test_any_cell_that_a_spreadsheet_quotes_comes_through(cells: list[str]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(["to", "data"])
    writer.writerows([["100", cell] for cell in cells])

    assert [row.get("data") for row in documents(out.getvalue(), ".csv")] == [
        cell.strip(" \t") or None for cell in cells
    ]


@pytest.mark.parametrize("suffix", [".csv", ".json", ".ndjson"])
def test_a_long_file_is_never_in_memory_as_a_whole(suffix: str, tmp_path: Any) -> None:
    line = '{"to": "+4930123456", "play": "hello-world"}'
    parts = {
        ".csv": ("to,play\n", "+4930123456,hello-world\n" + "x" * 0, ""),
        ".json": ("[{}", f",\n{line}", "]"),
        ".ndjson": ("", f"{line}\n", ""),
    }
    head, row, tail = parts[suffix]
    path = tmp_path / f"long{suffix}"
    path.write_text(head + row * 40_000 + tail)

    tracemalloc.start()
    with path.open("rb") as file:
        count = sum(1 for _ in jobfile.read(file, suffix).rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count >= 40_000
    assert peak < 1_000_000
