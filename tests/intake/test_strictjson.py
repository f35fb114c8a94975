import time

import pytest

from dialerd.core.errors import InvalidJob
from dialerd.intake.document import (
    loads,
)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{", "line 1, column 2"),
        (b'{"to": "1000",\n"play" "x"}', "line 2, column 8"),
        (b"{'to': 1}", "not JSON"),
        (b'{"to": "\xff"}', "Byte 9 is not UTF-8"),
        ('{"to": "1000"}'.encode("utf-16"), "not UTF-8"),
        (b'{"to": "1000", "to": "1001"}', "'to' stands twice"),
        (b'{"variables": {"a": "1", "a": "2"}}', "'a' stands twice"),
        (b'{"wait_time": NaN}', "NaN is not JSON"),
        (b'{"wait_time": -Infinity}', "-Infinity is not JSON"),
        (b'{"wait_time": 1e999}', "too large"),
        (b'{"wait_time": ' + b"9" * 5000 + b"}", "too many digits"),
        (b"[" * 25 + b"]" * 25, "deep"),
        (b"[" * 100_000, "deep"),
        (b'{"a":' * 100_000, "deep"),
        (b"[" * 100_000 + b"]" * 100_000, "deep"),
        (b'{"to": "a\nb"}', "control character"),
        (b'{"to": "1000"} {}', "not JSON"),
        (b'"' + b"x" * 1024 * 1024 + b'"', "1048576 are the most"),
    ],
)
def test_what_is_not_strict_json_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(InvalidJob) as caught:
        loads(data)

    assert sentence in str(caught.value)


def test_a_byte_order_mark_before_json_is_skipped() -> None:
    assert loads(b'\xef\xbb\xbf{"to": "1000"}') == {"to": "1000"}


def test_a_list_of_jobs_with_variables_is_not_too_deep() -> None:
    assert loads(b'[{"variables": {"a": "b"}}]') == [{"variables": {"a": "b"}}]


def test_a_bomb_is_refused_in_no_time() -> None:
    started = time.thread_time()
    with pytest.raises(InvalidJob):
        loads(b'{"a":' * 200_000)

    assert time.thread_time() - started < 2
