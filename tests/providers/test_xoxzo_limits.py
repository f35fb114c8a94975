"""What Xoxzo can't do is said before anything is sent."""

import pytest

from dialerd.core.model import Call
from dialerd.core.tasks import Conference, NumberOrder, Script, Sms
from dialerd.providers.base import Secret
from dialerd.providers.xoxzo import Xoxzo

XOXZO = Xoxzo(account="sid", secret=Secret("t0ken"))
MP3 = "http://example.com/sample.mp3"


def call(script: Script | None = None, to: tuple[str, ...] = ("+818012345678",)) -> Call:
    return Call(to=to, caller_id_number="818011112222", script=script)


def test_messages_that_xoxzo_takes_meet_no_objection() -> None:
    for sender in ("818011112222", "+818011112222", "1" * 15, "XOXZO1", "A" * 10):
        assert not list(XOXZO.objections("sms", call(), Sms("x" * 660, sender=sender)))


@pytest.mark.parametrize("sender", ["1" * 16, "A" * 11, "Two words", "Café"])
def test_a_sender_that_xoxzo_would_not_show_is_refused(sender: str) -> None:
    assert [each.where for each in XOXZO.objections("sms", call(), Sms("Hi", sender=sender))] == ["sender"]


def test_every_mistake_in_a_message_is_told_at_once() -> None:
    bad = Sms("x" * 661, media=("https://x.example/a.png",), extra=(("recipient", "+8190"),))

    found = list(XOXZO.objections("sms", call(), bad))

    assert [each.where for each in found] == ["media", "body", "sender", "extra"]


CALLS: dict[str, tuple[Call, list[str]]] = {
    "played": (call(Script(play_url=MP3)), []),
    "spoken": (call(Script(say="Hello", language="en")), []),
    "spoken in no language": (call(Script(say="Hello")), ["language"]),
    "fetched by TLS": (call(Script(play_url="https://example.com/a.mp3")), ["play_url"]),
    "fetched with a question": (call(Script(play_url=MP3 + "?a=%20")), ["play_url"]),
    "connected": (call(Script(connect="+819012345678")), ["connect"]),
    "into a flow": (call(Script(flow="1")), ["flow"]),
    "bounded and recorded": (
        call(Script(play_url=MP3, longest=60, record=True)),
        ["longest", "record"],
    ),
    "to two, by nobody": (
        Call(to=("+818012345678", "+819012345678"), script=Script(play_url=MP3)),
        ["to", "caller_id"],
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_a_call_can_not_be_is_said_before(name: str) -> None:
    made, mistakes = CALLS[name]

    assert [each.where for each in XOXZO.objections("call", made, None)] == mistakes


def test_a_conference_has_two_or_three_and_no_name() -> None:
    two, three, four = (call(to=("+818012345678",) * count) for count in (2, 3, 4))

    assert not list(XOXZO.objections("conference", two, Conference()))
    assert not list(XOXZO.objections("conference", three, Conference()))
    assert [each.where for each in XOXZO.objections("conference", four, Conference(room="x"))] == [
        "to",
        "room",
    ]


def test_an_order_names_the_id_of_a_number_and_an_address() -> None:
    bad = NumberOrder("configure", "+815012345678")

    assert not list(XOXZO.objections("number", Call(), NumberOrder("buy", "JPafr34rafic76tf")))
    assert [each.where for each in XOXZO.objections("number", Call(), bad)] == [
        "number",
        "details.action_url",
    ]
