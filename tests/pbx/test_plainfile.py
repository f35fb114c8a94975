"""Plain Asterisk call files of old scripts, as job documents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialerd.core.errors import InvalidJob
from dialerd.pbx.plainfile import to_document

NOW = 1_800_000_000.5
LEAST = b"Channel: SIP/trunk/100\nApplication: NoOp\n"


def mistakes(data: bytes) -> list[str]:
    with pytest.raises(InvalidJob) as refusal:
        to_document(data, 0, NOW)
    return [str(mistake) for mistake in refusal.value.mistakes]


def test_every_documented_key_has_its_field() -> None:
    data = (
        b"# made by an old script\r\nChannel: SIP/flowroute/18002223333\nCallerid: Test User <5555555555>\n"
        b"Context: survey\nExtension: s\nPriority: 2\nMaxRetries: 2\nRetryTime: 60\nWaitTime: 10\n"
        b"Codecs: ulaw, alaw\nAccount: randall\nEarly_media: Yes\nSetvar: greeting=tt-monkeys\n"
        b"set: CDR(userfield)=a\\;b ; comment\n"
    )
    assert to_document(data, 0, NOW) == {
        "kind": "call",
        "channel": "SIP/flowroute/18002223333",
        "caller_id": {"name": "Test User", "number": "5555555555"},
        "context": "survey",
        "extension": "s",
        "dialplan_priority": 2,
        "max_retries": 2,
        "retry_time": 60,
        "wait_time": 10,
        "codecs": ["ulaw", "alaw"],
        "account": "randall",
        "early_media": True,
        "variables": {"greeting": "tt-monkeys", "CDR(userfield)": "a;b"},
    }


@pytest.mark.parametrize(
    ("text", "caller_id"),
    [
        ('"A. B" <+1 (555) 1>', {"name": "A. B", "number": "+15551"}),
        ("'Test User' <555>'", {"name": "'Test User'", "number": "555"}),
        ("Ann", {"name": "Ann"}),
        ("5551", {"number": "5551"}),
        ('"5551"', {"name": "5551"}),
        ("<5551>", {"number": "5551"}),
    ],
)
def test_a_caller_id_is_taken_apart_as_asterisk_does(text: str, caller_id: dict[str, str]) -> None:
    assert to_document(LEAST + f"Callerid: {text}\n".encode(), 0, NOW)["caller_id"] == caller_id


def test_an_mtime_in_the_future_means_not_before() -> None:
    assert to_document(LEAST, NOW + 60, NOW)["not_before"] == "2027-01-15T08:01:00Z"


@pytest.mark.parametrize("mtime", [0.0, NOW - 1, NOW, NOW + 0.4])
def test_an_mtime_that_is_not_a_whole_second_ahead_means_now(mtime: float) -> None:
    assert "not_before" not in to_document(LEAST, mtime, NOW)


def test_an_mtime_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(InvalidJob, match="modification time"):
        to_document(LEAST, 1e15, NOW)


def test_what_is_accepted_but_not_needed_is_noted() -> None:
    data = LEAST + b"Archive: yes\nAlwaysDelete: no\nExtension: s\nContext: c\nSetvar: A=1\nSetvar: A=2\n"
    document = to_document(data, 0, NOW)
    told = " ".join(document["notes"])
    assert [word in told for word in ("Archive", "AlwaysDelete", "Extension", "A is set")] == [True] * 4
    assert "context" not in document
    assert document["variables"] == {"A": "2"}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"Chanel: SIP/x/1", "Did you mean Channel?"),
        (b"AccountCode: x", "Did you mean Account?"),
        (b"Timeout: 5", "Did you mean WaitTime?"),
        (b"Variable: A=1", "Did you mean Setvar?"),
        (b"Xyzzy: 1", "'Xyzzy' is no keyword"),
        (b" Data: x", "must begin the line"),
        (b"Data : x", "touch the colon"),
        (b"StartRetry: 1 1 (1)", "writes itself"),
        (b"EndRetry: 1 1 (1)", "writes itself"),
        (b"AbortRetry: 1 1 (1)", "writes itself"),
        (b"DelayedRetry: 1 1 (1)", "writes itself"),
        (b"Retry: 1", "writes itself"),
        (b"Status: Completed", "writes itself"),
        (b"MaxRetries: 1x", "whole number from 0 to 100"),
        (b"MaxRetries: -1", "whole number"),
        (b"RetryTime: 0", "whole number from 1 to 86400"),
        (b"WaitTime: 601", "whole number from 1 to 600"),
        (b"Priority: label", "whole number from 1"),
        (b"Setvar: A", "NAME=value"),
        (b"Setvar: A =1", "no variable's name"),
        (b"Setvar: DIALERD_JOB=1", "dialerd's own"),
        (b'Callerid: "A #1" <100>', "quote or bracket"),
        (b"Callerid: A <12x>", "caller id's number"),
        (b"no colon", "no colon"),
        (b"Data: " + b"x" * 1017, "1023 bytes"),
        (b"Data: \xff", "not UTF-8"),
        (b"Data: a\rb", "control character"),
        (b"Data: a\0b", "NUL"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_cure(line: bytes, told: str) -> None:
    found = mistakes(LEAST + line + b"\n")
    assert len(found) == 1
    assert found[0].startswith("line 3: ")
    assert told in found[0]


def test_every_mistake_is_told_at_once_in_the_order_of_the_lines() -> None:
    found = mistakes(b"\xef\xbb\xbfMaxRetries: x\nFoo: 1\nWaitTime: 0\n")
    assert [text.partition(":")[0] for text in found] == [
        "file",
        "file",
        "line 1",
        "line 1",
        "line 2",
        "line 3",
    ]


def test_an_extension_needs_a_context() -> None:
    assert mistakes(b"Channel: SIP/x/1\nExtension: s\n") == [
        "line 2: Extension needs a Context, such as Context: from-internal."
    ]


@given(data=st.binary(max_size=200))
def test_no_bytes_whatever_raise_anything_else(data: bytes) -> None:
    try:
        document = to_document(LEAST + data, 0, NOW)
    except InvalidJob:
        return
    assert document["channel"]
