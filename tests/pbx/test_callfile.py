"""Call files: what is written is what Asterisk reads, and nothing else is ever written."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dialerd.core.errors import Rejected
from dialerd.core.model import Call
from dialerd.pbx.callfile import CallFile, parse, render

ATTEMPT = "0123456789abc.2"
CHANNEL = "PJSIP/15550001@trunk"
PLAY = Call(to=("+15550001",), trunk="trunk", play="hello-world")
SYNTAX = st.text(alphabet=st.sampled_from('ab \t#;\\:="<>\r\n\0\x85é€\ufeff'), max_size=12)
ANY_TEXT = st.one_of(st.text(max_size=30), SYNTAX, SYNTAX.map(lambda text: text * 100))
HARMLESS = st.text(alphabet=st.sampled_from("aZ09éß€😀.,;:\\=\"'<>|&/()[]{}$%!?*+-_~^@`"), max_size=200)
NAMES = st.from_regex(r"_{0,2}[A-Ca-c][A-Za-z0-9_]{0,40}", fullmatch=True)


def rendered(call: Call, extra: tuple[tuple[str, str], ...] = ()) -> CallFile:
    return parse(render(call, CHANNEL, ATTEMPT, extra))


def problems(call: Call, channel: str = CHANNEL, attempt: str = ATTEMPT) -> str:
    with pytest.raises(Rejected) as refusal:
        render(call, channel, attempt)
    return str(refusal.value)


@given(name=NAMES, value=ANY_TEXT, data=ANY_TEXT, account=ANY_TEXT)
@example(name="A", value="a;b\\;c\\\\;;", data="x", account="")
@example(name="A", value="x", data="# no", account="")
@example(name="A", value=" leading", data="x", account="")
def test_whatever_is_not_refused_is_read_as_it_was_meant(
    name: str, value: str, data: str, account: str
) -> None:
    call = Call(application="NoOp", data=data, variables=((name, value),), account=account or None)
    try:
        file = rendered(call)
    except Rejected:
        return
    assert file.ignored == ()
    assert file.variables[2:] == ((name, value),)
    assert (file.last("Data") or "", file.last("Account") or "") == (data, account)


@given(values=st.dictionaries(NAMES, HARMLESS, max_size=5), data=HARMLESS)
def test_ordinary_texts_of_any_script_are_never_refused(values: dict[str, str], data: str) -> None:
    call = Call(application="NoOp", data=data, variables=tuple(values.items()))
    file = rendered(call, (("DIALERD_RING", "PJSIP/1@a&PJSIP/2@a"),))
    assert dict(file.variables[3:]) == values
    assert file.variables[:3] == (
        ("DIALERD_JOB", "0123456789abc"),
        ("DIALERD_ATTEMPT", ATTEMPT),
        ("DIALERD_RING", "PJSIP/1@a&PJSIP/2@a"),
    )
    assert (file.last("Data") or "") == data


@given(name=ANY_TEXT, value=ANY_TEXT, caller=ANY_TEXT, number=ANY_TEXT, play=ANY_TEXT, place=ANY_TEXT)
def test_no_field_can_add_a_line(
    name: str, value: str, caller: str, number: str, play: str, place: str
) -> None:
    call = Call(play=play, variables=((name, value),), caller_id_name=caller, caller_id_number=number)
    try:
        data = render(replace(call, codecs=(place,)), CHANNEL, ATTEMPT)
    except Rejected:
        return
    keys = [line.partition(b":")[0] for line in data.splitlines()]
    expected = b"Channel Callerid Application Data MaxRetries RetryTime WaitTime Codecs Archive"
    assert sorted(keys) == sorted([*expected.split(), b"Setvar", b"Setvar", b"Setvar"])


def test_every_field_has_its_line() -> None:
    call = Call(
        context="survey",
        extension="s",
        dialplan_priority=3,
        caller_id_name="Zoë O'Hara",
        caller_id_number="+15550100",
        variables=(("GREETING", "hi; you"), ("CDR(userfield)", "x")),
        account="randall",
        wait_time=10,
        codecs=("ulaw", "alaw"),
        early_media=True,
    )
    assert render(call, "SIP/flowroute/18002223333", ATTEMPT).decode() == (
        "Channel: SIP/flowroute/18002223333\n"
        'Callerid: "Zoë O\'Hara" <+15550100>\n'
        "Context: survey\nExtension: s\nPriority: 3\n"
        "MaxRetries: 0\nRetryTime: 31536000\nWaitTime: 10\n"
        "Codecs: ulaw,alaw\nAccount: randall\nEarly_media: yes\nArchive: yes\n"
        "Setvar: DIALERD_JOB=0123456789abc\nSetvar: DIALERD_ATTEMPT=0123456789abc.2\n"
        "Setvar: GREETING=hi\\; you\nSetvar: CDR(userfield)=x\n"
    )


def test_a_play_job_is_a_playback() -> None:
    file = rendered(PLAY)
    assert (file.last("Application"), file.last("Data")) == ("Playback", "hello-world")


@pytest.mark.parametrize(
    ("name", "number", "line"),
    [("Ann", "100", '"Ann" <100>'), ("100", None, '"100" <>'), (None, "+1555", "<+1555>")],
)
def test_a_caller_id_can_have_a_name_a_number_or_both(
    name: str | None, number: str | None, line: str
) -> None:
    file = rendered(replace(PLAY, caller_id_name=name, caller_id_number=number))
    assert file.last("Callerid") == line


def test_a_line_may_have_1022_bytes_and_no_more() -> None:
    room = 1022 - len("Setvar: V=") - len("\\;")
    exact, over = ";" + "x" * room, ";" + "x" * (room + 1)
    assert dict(rendered(replace(PLAY, variables=(("V", exact),))).variables)["V"] == exact
    assert "1 bytes too long" in problems(replace(PLAY, variables=(("V", over),)))


@pytest.mark.parametrize(
    "name", ["DIALERD_JOB", "__dialerd_x", "A B", "A=B", "1A", "", "___A", "A(b", "A" * 60, "Ä"]
)
def test_a_variable_with_a_bad_or_reserved_name_is_refused(name: str) -> None:
    assert "variables." in problems(replace(PLAY, variables=((name, "x"),)))


@pytest.mark.parametrize(
    "channel",
    ["", "Local", "/x", "Local/", "SIP/a&SIP/b", "Local/a b", "Local/a\nApplication: System", "Local/a,b"],
)
def test_a_channel_that_is_not_one_destination_is_refused(channel: str) -> None:
    assert "Technology/Destination" in problems(PLAY, channel)


@pytest.mark.parametrize(
    "change",
    [
        {"play": "x\r\nApplication: System"},
        {"play": "http://example.org/x"},
        {"play": None},
        {"application": "NoOp"},
        {"application": "No Op", "play": None},
        {"context": "a b", "play": None},
        {"context": "a", "extension": "#1", "play": None},
        {"context": "a", "extension": "x" * 80, "play": None},
        {"application": "NoOp", "data": "a #b", "play": None},
        {"application": "NoOp", "data": "a\0b", "play": None},
        {"application": "NoOp", "data": "a\x85b", "play": None},
        {"application": "NoOp", "data": "a\ufeffb", "play": None},
        {"application": "NoOp", "data": "a\ud800b", "play": None},
        {"application": "NoOp", "data": "trailing ", "play": None},
        {"caller_id_name": 'A" <1>'},
        {"caller_id_name": "x" * 80},
        {"caller_id_name": "A #1"},
        {"caller_id_number": "(040) 12"},
        {"caller_id_number": "12a"},
        {"account": "x" * 80},
        {"account": "a;b"},
        {"codecs": ("ulaw,alaw\n",)},
        {"codecs": ("",)},
        {"wait_time": 0},
        {"wait_time": 601},
        {"dialplan_priority": 0},
    ],
    ids=str,
)
def test_what_asterisk_would_read_differently_is_refused(change: dict[str, object]) -> None:
    assert problems(replace(PLAY, **change))  # type: ignore[arg-type]


def test_a_refusal_names_every_problem_at_once() -> None:
    call = replace(PLAY, account="a\n", variables=(("A B", "x"), ("C", "x #y")), wait_time=0)
    told = problems(call, "nothing", "0123456789abc")
    assert [
        word in told for word in ("attempt", "channel", "account", "A B", "variables.C", "wait_time")
    ] == [True] * 6


def test_an_attempt_is_named_by_job_and_number() -> None:
    assert "attempt" in problems(PLAY, CHANNEL, "../../etc/x.1")


def keys_and_values(data: bytes) -> list[tuple[str, str]]:
    return [(line.key, line.value) for line in parse(data).lines]


@pytest.mark.parametrize(
    ("data", "read"),
    [
        (b"Channel: a/b\nData:x\nDATA:\t y ", [("Channel", "a/b"), ("Data", "x"), ("DATA", "y")]),
        (b"Data: a # b\n# all\nData: a#b\nData: #", [("Data", "a"), ("Data", "a#b"), ("Data", "")]),
        (b"Data:#1\nSetvar: A=#1", [("Data", "#1"), ("Setvar", "A=#1")]),
        (b'Callerid: "A #1" <100>', [("Callerid", '"A')]),
        (b"Data: a;b\nData: a\\;b\nData: a\\\\;b;c", [("Data", "a"), ("Data", "a;b"), ("Data", "a\\;b")]),
        (b"Data: a\\;;b", [("Data", "a;")]),
        (b'Data: "a;b"', [("Data", '"a')]),
        (b" Data: a\nSetvar : A=1", [(" Data", "a"), ("Setvar ", "A=1")]),
        (b"Data: a\r\n\r\nData: b\x01\x02", [("Data", "a"), ("Data", "b")]),
        (b"Data: a\rData: b\r", [("Data", "a\rData: b")]),
        (b"\xef\xbb\xbfData: a", [("\ufeffData", "a")]),
        (b"Data: \xff", [("Data", "\udcff")]),
        (b"", []),
    ],
)
def test_lines_are_read_as_asterisk_reads_them(data: bytes, read: list[tuple[str, str]]) -> None:
    assert keys_and_values(data) == read


@pytest.mark.parametrize(
    ("data", "numbers"),
    [
        (b"Data: " + b"x" * 1016 + b"\nData: 1", []),
        (b"Data: " + b"x" * 1017 + b"\nData: 1", ["line 1"]),
        (b"Data: 0\nno colon\nData: 1", ["line 2"]),
        (b"Data: a\0b\nData: 0\nData: 1", ["line 1", "line 2"]),
    ],
)
def test_lines_that_asterisk_drops_are_told_of(data: bytes, numbers: list[str]) -> None:
    file = parse(data)
    assert [mistake.where for mistake in file.ignored] == numbers
    assert file.last("Data") == "1"


def test_of_a_repeated_key_the_last_counts_and_variables_keep_their_order() -> None:
    file = parse(b"Data: 1\nSetvar: A=1\ndata: 2\nSet: A=2=3\nSetvar: B\nSetvar: C =\n")
    assert file.last("DATA") == "2"
    assert file.variables == (("A", "1"), ("A", "2=3"), ("C ", ""))
