"""The judge of render() and parse() is a running Asterisk: what it has read is what was meant."""

from pathlib import Path

import pytest

from dialerd.core.model import Call
from dialerd.pbx.callfile import parse, render
from tests.asterisk import Asterisk
from tests.pbx.apart import NAMES, apart
from tests.users import ASTERISK_GID, ASTERISK_UID, as_dialerd, give
from tests.waiting import until

NAME = NAMES[7]
ATTEMPT = NAME.removesuffix(".call")
DIALPLAN = """
[read-back]
exten => s,1,Set(i=0)
 same => n(next),GotoIf($[${LEN(${V${i}})} = 0]?empty)
 same => n,Set(FILE(${READ_BACK}/${i})=${V${i}})
 same => n(empty),Set(i=$[${i}+1])
 same => n,GotoIf($[${i} < ${COUNT}]?next)
 same => n,Set(FILE(${READ_BACK}/name)=${CALLERID(name)})
 same => n,Set(FILE(${READ_BACK}/number)=${CALLERID(num)})
 same => n,Set(FILE(${READ_BACK}/account)=${CHANNEL(accountcode)})
 same => n,Set(FILE(${READ_BACK}/userfield)=${CDR(userfield)})
 same => n,Set(FILE(${READ_BACK}/attempt)=${DIALERD_JOB}/${DIALERD_ATTEMPT})
 same => n,Hangup()
"""
VALUES = [
    "plain",
    "a;b",
    "a\\;b",
    "a\\\\;b;",
    ";;;",
    "\\",
    "a#b",
    "äöü ß 漢字 😀",
    "${NOT} $[1+1] expanded",
    "a=b=c",
    "a,b|c(d)",
    "x" * 1010,  # with "Setvar: V11=" a line of 1022 bytes
    "é" * 500 + ";" + "x" * 8,
]


@pytest.fixture
def read_back(any_asterisk: Asterisk) -> Path:
    """A folder into which the dialplan writes what it was given."""
    folder = any_asterisk.spool / "tmp" / "read-back"
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    if "no existence" in any_asterisk.cli("dialplan show read-back"):
        any_asterisk.add_dialplan(DIALPLAN)
    return give(folder, ASTERISK_UID, ASTERISK_GID, 0o770)


def drop(asterisk: Asterisk, data: bytes) -> Path:
    """The file in `outgoing`, of Asterisk's user."""
    path = asterisk.spool / "tmp" / NAME
    path.write_bytes(data)
    give(path, ASTERISK_UID, ASTERISK_GID, 0o660)
    return path.rename(asterisk.outgoing / NAME)


def done(asterisk: Asterisk, data: bytes) -> str:
    """Has the file called, and takes the archived one away."""
    drop(asterisk, data)
    path = asterisk.outgoing_done / NAME
    until(lambda: path.exists() and "Status: " in path.read_text(errors="replace"))
    text = path.read_text(errors="replace")
    path.unlink()
    return text


def test_asterisk_reads_what_was_rendered(any_asterisk: Asterisk, read_back: Path) -> None:
    ours = (("READ_BACK", str(read_back)), ("COUNT", str(len(VALUES))))
    values = tuple((f"V{number}", value) for number, value in enumerate(VALUES))
    call = Call(
        context="read-back",
        extension="s",
        caller_id_name="Zoë O'Hara-_(1), Dr.",
        caller_id_number="+15550100",
        variables=(*ours, *values, ("CDR(userfield)", "a;b")),
        account="Büro 7",
        codecs=("ulaw", "alaw"),
        early_media=True,
    )
    text = done(any_asterisk, render(call, "Local/answer@sim", ATTEMPT))
    assert "Status: Completed" in text
    assert {path.name: path.read_text().removesuffix("\n") for path in read_back.iterdir()} == {
        **{str(number): value for number, value in enumerate(VALUES)},
        "name": "Zoë O'Hara-_(1), Dr.",
        "number": "+15550100",
        "account": "Büro 7",
        "userfield": "a;b",
        "attempt": f"{ATTEMPT.partition('.')[0]}/{ATTEMPT}",
    }


def test_parse_reads_odd_files_as_asterisk_does(any_asterisk: Asterisk, read_back: Path) -> None:
    lines = [
        b"channel:Local/answer@sim\r",
        b"CALLERID: Ann <100> # comment",
        b"Context: read-back ; comment",
        b"Extension:\ts",
        b"Archive: Yes  ",
        b"Set: READ_BACK=" + str(read_back).encode(),
        b"Setvar: COUNT=9",
        b"Setvar: V0=a\\;;b",
        b"Setvar: V1=#1 # 2",
        b"Setvar: V2=first",
        b"Setvar: V2=last\\\\;",
        b"Setvar: V3=" + b"x" * 1011,
        b"Setvar: V4=" + b"x" * 1012,
        b"Setvar: V5=a\0b",
        b"Setvar: V6=after",
        b" Setvar: V7=x",
        b'Setvar: V8="q;"',
        b"no colon",
    ]
    data = b"\n".join(lines)
    done(any_asterisk, data)
    read = dict(parse(data).variables)
    asked = {str(number): value for number in range(9) if (value := read.get(f"V{number}"))}
    found = {path.name: path.read_text().removesuffix("\n") for path in read_back.iterdir()}
    assert {name: value for name, value in found.items() if name.isdigit()} == asked
    assert sorted(asked) == ["0", "1", "2", "3", "8"]
    assert (found["name"], found["number"]) == ("Ann", "100")


def test_a_file_that_dialerd_hands_over_is_called_and_its_result_can_be_read(any_asterisk: Asterisk) -> None:
    came = apart("call", any_asterisk.spool, str(ASTERISK_UID), command=as_dialerd())
    assert came == {"mistakes": [], "failures": {}, "started": True, "status": "Completed", "left": []}
    assert any_asterisk.calls_made("apart") == 1


def test_a_call_under_way_is_seen_and_is_safe_from_a_redial(any_asterisk: Asterisk) -> None:
    came = apart("under_way", any_asterisk.spool, str(ASTERISK_UID), command=as_dialerd())
    assert came["place"] == "outgoing"
    assert came["ahead"] > 31_000_000
    assert came["status"] == "Expired"
    assert came["lines"][0].startswith("StartRetry: ")
    assert abs(came["since the end"]) < 10
