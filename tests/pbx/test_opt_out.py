"""A callee who asks not to be called again: the dialplan says so on a channel of the call, and AMI shows it.

Each way on a real Asterisk 22 and 16: by the call's action on a direct and on a Local channel, by the
dialplan behind a Local channel, by what that dials, and at the hangup.
"""

from collections.abc import Iterator

import pytest

from dialerd.core.disposition import judge
from dialerd.core.model import Disposition, Trace
from dialerd.pbx.trace import Tracer
from tests.asterisk import Asterisk
from tests.pbx.outcomes import Watched, prepared
from tests.pbx.place import place
from tests.waiting import until

DIALPLAN = """
[survey]
exten => stop,1,Set(DIALERD_OPT_OUT=pressed 9)
 same => n,Wait(1)
 same => n,Hangup()
exten => late,1,Wait(0.5)
 same => n,Hangup()
exten => h,1,ExecIf($["${STOPPING}" = "yes"]?Set(DIALERD_OPT_OUT=hung up))
exten => other,1,Set(OPT_OUT=no)
 same => n,Wait(0.5)
[out-opting]
exten => _[a-z].,1,Set(DIALERD_OPT_OUT=before the dial)
 same => n,Dial(PJSIP/${EXTEN}@loop,5)
[out-asking]
exten => _[a-z].,1,Dial(PJSIP/${EXTEN}@loop,5,U(asked))
[asked]
exten => s,1,Set(DIALERD_OPT_OUT=the callee)
 same => n,Return()
"""
STOP = "Context: survey\nExtension: stop"
LATE = "Context: survey\nExtension: late\nSetvar: STOPPING=yes"
TALK = "Application: Wait\nData: 1"
WAYS = [
    ("PJSIP/answer@loop", STOP, "pressed 9"),
    ("Local/answer@sim", STOP, "pressed 9"),
    ("Local/answer@out", STOP, "pressed 9"),
    ("PJSIP/answer@loop", LATE, "hung up"),
    ("Local/answer@out-opting", TALK, "before the dial"),
    ("Local/answer@out-asking", TALK, "the callee"),
    ("Local/busy@out-opting", TALK, "before the dial"),
    ("PJSIP/answer@loop", "Context: survey\nExtension: other", ""),
    ("PJSIP/answer@loop", TALK, ""),
]


@pytest.fixture(scope="module", params=[22, 16])
def asterisk(request: pytest.FixtureRequest) -> Iterator[Asterisk]:
    instance = prepared(request.param)
    instance.configure("extensions.conf", DIALPLAN)
    yield instance.start()
    instance.remove()


def test_an_opt_out_is_told_with_its_reason_whoever_of_the_call_says_it(asterisk: Asterisk) -> None:
    with Watched(asterisk) as watched:
        names = [place(asterisk, channel, action) for channel, action, _ in WAYS]
        until(lambda: all(watched.over(name) for name in names), 20)

    results = [watched.judged(name) for name in names]
    assert [result.opt_out for result in results] == [reason for _, _, reason in WAYS]
    busy = Disposition.BUSY
    assert [result.disposition is busy for result in results] == ["busy" in each for each, _, _ in WAYS]


def test_an_opt_out_is_told_while_the_call_lasts(asterisk: Asterisk) -> None:
    with Watched(asterisk) as watched:
        name = place(asterisk, "PJSIP/answer@loop", STOP)
        trace = until(lambda: watched.traces.get(name, Trace()).opt_out and watched.traces[name])
        until(lambda: watched.over(name))

    assert (trace.opt_out, trace.ended) == ("pressed 9", None)


def event(channel: str, uniqueid: str, variable: str, value: str) -> dict[str, str]:
    facts = {"Channel": channel, "Uniqueid": uniqueid, "Variable": variable, "Value": value}
    return {"Event": "VarSet", **facts}


def traced(*values: str) -> Trace:
    """A call whose dialplan says these one after the other."""
    tracer = Tracer()
    seen = tracer.feed(event("PJSIP/a-1", "1.1", "DIALERD_ATTEMPT", "0a.1"), 0.0)
    for value in values:
        seen = tracer.feed(event("PJSIP/a-1", "1.1", "DIALERD_OPT_OUT", value), 0.0)
    assert seen is not None
    return seen[1]


def test_the_last_word_counts() -> None:
    assert traced("a", "b").opt_out == "b"


def test_an_empty_word_says_nothing_and_takes_nothing_back() -> None:
    tracer = Tracer()
    tracer.feed(event("PJSIP/a-1", "1.1", "DIALERD_ATTEMPT", "0a.1"), 0.0)
    tracer.feed(event("PJSIP/a-1", "1.1", "DIALERD_OPT_OUT", "stop"), 0.0)

    silent = tracer.feed(event("PJSIP/a-1", "1.1", "DIALERD_OPT_OUT", ""), 0.0)
    seen = tracer.feed(event("PJSIP/a-1", "1.1", "DIALERD_OPT_OUT", "stop"), 0.0)

    assert silent is None
    assert seen is not None
    assert seen[1].opt_out == "stop"


def test_a_reason_is_kept_on_one_line_and_short() -> None:
    assert traced(" a\tb\x07 " + "x" * 1000).opt_out == "a b " + " " + "x" * 194


def test_another_channels_word_is_passed_over() -> None:
    tracer = Tracer()
    tracer.feed(event("PJSIP/a-1", "1.1", "DIALERD_ATTEMPT", "0a.1"), 0.0)

    assert tracer.feed(event("PJSIP/b-1", "2.1", "DIALERD_OPT_OUT", "x"), 0.0) is None


@pytest.mark.parametrize("status", ["Completed", "Expired"])
def test_every_result_says_it(status: str) -> None:
    results = [
        judge(status, Trace(opt_out="x", **facts), ami=True, cancelled=cancelled)  # type: ignore[arg-type]
        for facts in ({}, {"answered": 1.0}, {"dial_status": "BUSY"}, {"dialled": True, "ended": 1.0})
        for cancelled in (False, True)
    ]

    assert {result.opt_out for result in results} == {"x"}
