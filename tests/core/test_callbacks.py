"""What is read of a provider's JSON."""

import pytest

from dialerd.core.callbacks import Callback, Unreadable, parse_json


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (rb'{"a": "\ud83d"}', {"a": "\ufffd"}),
        (rb'["\udc00x", {"\ud800": 1}]', ["\ufffdx", {"\ufffd": 1}]),
        (rb'"\ud83d\ude00 \u00e9"', "\U0001f600 é"),
        ('"é\u2028"'.encode(), "é\u2028"),
        (b"[1.5, null, true, 12345678901234567890]", [1.5, None, True, 12345678901234567890]),
    ],
)
def test_half_letters_are_replaced_and_all_else_stays_as_it_is(written, read):
    assert parse_json(written) == read


@pytest.mark.parametrize("body", [b"\xff", b"{", b"[" * 100_000, b"\xed\xa0\x80", b"9" * 5000])
def test_what_is_no_json_cant_be_read(body):
    with pytest.raises(Unreadable):
        Callback("POST", "", body=body).json()
