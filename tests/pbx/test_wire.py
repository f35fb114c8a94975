"""AMI's bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialerd.pbx import wire


@given(st.lists(st.integers(min_value=1, max_value=30)))
def test_messages_are_the_same_however_the_stream_is_cut(cuts: list[int]) -> None:
    stream = b"Event: A\r\nX: 1\r\n\r\nResponse: Success\r\n\r\n\r\n\r\nEvent: B\r\nY: \xff\r\n\r\nEvent: C"
    splitter, got, at = wire.Splitter(), [], 0
    for cut in [*cuts, len(stream)]:
        got += splitter.feed(stream[at : at + cut])
        at += cut

    assert [each for each in got if each] == [
        b"Event: A\r\nX: 1",
        b"Response: Success",
        b"Event: B\r\nY: \xff",
    ]


def test_a_message_without_an_end_is_given_up() -> None:
    splitter = wire.Splitter()
    splitter.feed(b"x" * wire.MAX_MESSAGE)

    with pytest.raises(wire.NotAmi, match="no message ended"):
        splitter.feed(b"x")


def test_headers_keep_bad_utf8_and_empty_values() -> None:
    assert wire.headers(b"Event: A\r\nName: M\xfcller\r\nEmpty: \r\nOdd") == {
        "Event": "A",
        "Name": "M\udcfcller",
        "Empty": "",
        "Odd": "",
    }


def test_an_answer_keeps_repeated_headers_and_shows_the_first() -> None:
    answer = wire.Answer(b"Response: Success\r\nOutput: one\r\nOutput: two")

    assert [value for key, value in answer.pairs if key == "Output"] == ["one", "two"]
    assert answer["Output"] == "one"
    assert answer.refusal is None


def test_an_action_is_rendered_with_a_header_for_each_of_a_list() -> None:
    assert wire.render({"Action": "X", "Variable": ["a=1", "b=ü"], "N": 3}) == (
        "Action: X\r\nVariable: a=1\r\nVariable: b=ü\r\nN: 3\r\n\r\n".encode()
    )


@pytest.mark.parametrize("value", ["a\r\nAction: Command", "a\nb", "a\rb", "a\0b"])
def test_a_value_that_would_be_a_second_header_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(ValueError, match="Secret holds a line break") as caught:
        wire.render({"Action": "Login", "Secret": value})

    assert value not in str(caught.value)


@pytest.mark.parametrize("key", ["", "A:B", "A\r\nB"])
def test_a_name_that_is_no_header_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="can't be the name"):
        wire.render({key: "x"})
