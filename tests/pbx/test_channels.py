"""Asking who is on which trunk, against a server that plays the ugly cases."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from dialerd.core.channels import channel_pattern
from dialerd.core.signals import AsteriskDown, AsteriskLoad, AsteriskUp
from tests.pbx.fake_manager import Action, FakeManager, Line, message
from tests.pbx.lines import QUICK, Dialling, Heard, begin, names, refuse, up
from tests.waiting import until

PATTERNS = {"main": channel_pattern("PJSIP/{digits}@provider") or ""}
Respond = Callable[[Line, Action], None]


def channel(number: int, attempt: str = "(null)", **more: str) -> bytes:
    facts = {"Channel": f"PJSIP/provider-{number:08x}", "Linkedid": str(number), **more}
    return message({"Event": "Status", **facts, "Variable": f"DIALERD_ATTEMPT={attempt}"})


def listing(*items: bytes, complete: bool = True) -> Respond:
    """Answers Status with these items."""

    def respond(line: Line, action: Action) -> None:
        line.answer(action, EventList="start", Message="Channel status will follow")
        end = message({"Event": "StatusComplete", "ActionID": action["ActionID"]}) if complete else b""
        line.send(b"".join(items) + end)

    return respond


def in_turn(*responses: Respond) -> Respond:
    """Each once, and the last for ever."""
    left = list(responses)
    return lambda line, action: (left.pop(0) if len(left) > 1 else left[0])(line, action)


def told(heard: Heard) -> list[dict[str, dict[str, int]]]:
    return [
        {trunk: dict(calls) for trunk, calls in load.on_trunks.items()}
        for load in heard.of(AsteriskLoad)
        if load.on_trunks is not None
    ]


def test_who_is_on_a_trunk_is_told_before_asterisk_is_up(manager: FakeManager, line: Dialling) -> None:
    manager.responses["Status"] = listing(channel(1, "a.1"), channel(2))

    _, heard = line(manager.port, watched=lambda: PATTERNS)
    up(heard)

    assert type(heard[0]) is AsteriskLoad
    assert told(heard)[0] == {"main": {"a.1": 1, "": 1}}
    assert manager.asked("Status")[0]["Variables"] == "DIALERD_ATTEMPT"


def test_it_is_asked_again_and_again(manager: FakeManager, line: Dialling) -> None:
    manager.responses["Status"] = listing(channel(1))
    _, heard = line(manager.port, watched=lambda: PATTERNS)
    up(heard)

    manager.responses["Status"] = listing()

    assert until(lambda: told(heard)[-1] == {"main": {}})


def test_while_no_trunk_is_watched_nobody_asks(manager: FakeManager, line: Dialling) -> None:
    _, heard = line(manager.port)
    up(heard)

    until(lambda: len(manager.asked("Ping")) >= 2)

    assert not manager.asked("Status")
    assert not told(heard)


def test_when_the_last_trunk_is_watched_no_more_that_is_told_once(
    manager: FakeManager, line: Dialling
) -> None:
    patterns = dict(PATTERNS)
    manager.responses["Status"] = listing(channel(1))
    _, heard = line(manager.port, watched=lambda: patterns)
    up(heard)

    patterns.clear()
    until(lambda: told(heard)[-1] == {})
    asked = len(manager.asked("Status"))
    until(lambda: len(manager.asked("Ping")) >= 2)

    assert told(heard).count({}) == 1
    assert len(manager.asked("Status")) == asked


def test_a_trunk_that_is_added_later_is_asked_for(manager: FakeManager, line: Dialling) -> None:
    patterns: dict[str, str] = {}
    manager.responses["Status"] = listing(channel(1))
    _, heard = line(manager.port, watched=lambda: patterns)
    up(heard)

    patterns.update(PATTERNS)

    assert until(lambda: told(heard))[0] == {"main": {"": 1}}


def test_a_refused_list_is_done_without(manager: FakeManager, line: Dialling) -> None:
    manager.responses["Status"] = refuse("Permission denied")
    _, heard = line(manager.port, watched=lambda: PATTERNS)
    up(heard)

    until(lambda: len(manager.asked("Ping")) >= 2)

    assert len(manager.asked("Status")) == 1
    assert [type(each) for each in heard] == [AsteriskUp]


def test_a_list_without_an_end_holds_nothing_up(manager: FakeManager, line: Dialling) -> None:
    manager.responses["Status"] = listing(channel(1), complete=False)
    _, heard = line(manager.port, watched=lambda: PATTERNS)
    up(heard)

    manager.line.send(begin("1", "a.1"))

    assert until(lambda: names(heard) == ["a.1.call"])
    assert len(manager.asked("Status")) == 1
    assert not told(heard)


def test_half_a_list_of_a_lost_connection_is_forgotten(manager: FakeManager, line: Dialling) -> None:
    manager.responses["Status"] = listing(channel(1), channel(2), complete=False)
    _, heard = line(manager.port, watched=lambda: PATTERNS)
    up(heard)

    manager.responses["Status"] = listing(channel(3))
    manager.line.cut()
    until(lambda: len(heard.of(AsteriskUp)) == 2)

    assert {repr(each) for each in told(heard)} == {"{'main': {'': 1}}"}


def test_events_between_the_items_of_a_list_are_still_followed(manager: FakeManager, line: Dialling) -> None:
    manager.responses["Status"] = listing(channel(1), begin("9", "a.1"), channel(2))

    _, heard = line(manager.port, watched=lambda: PATTERNS)
    up(heard)

    assert names(heard)[:1] == ["a.1.call"]
    assert told(heard)[0] == {"main": {"": 2}}


@pytest.mark.parametrize(
    "item", [b"Event: Status\r\n\r\n", b"Event: Status\r\nVariable: DIALERD_ATTEMPT\r\n\r\n"]
)
def test_an_item_without_a_name_counts_for_nothing(manager: FakeManager, line: Dialling, item: bytes) -> None:
    manager.responses["Status"] = listing(item, channel(1))

    _, heard = line(manager.port, watched=lambda: PATTERNS)
    up(heard)

    assert told(heard)[0] == {"main": {"": 1}}
    assert not heard.of(AsteriskDown)


def test_a_list_that_takes_long_is_asked_for_less_often(manager: FakeManager, line: Dialling) -> None:
    ends: list[bytes] = []

    def slow(connection: Line, action: Action) -> None:
        connection.answer(action)
        ends.append(message({"Event": "StatusComplete", "ActionID": action["ActionID"]}))

    manager.responses["Status"] = slow
    _, heard = line(manager.port, watched=lambda: PATTERNS)
    up(heard)  # half a second is waited for the list, which so took that long

    manager.line.send(ends[0])
    until(lambda: told(heard))
    until(lambda: len(manager.asked("Ping")) >= 5)

    assert len(manager.asked("Status")) == 1


def test_a_channel_that_asterisk_just_made_counts_from_the_second_list_on(
    manager: FakeManager, line: Dialling
) -> None:
    manager.responses["Status"] = listing(channel(1, ChannelState="0"), channel(2, ChannelState="5"))

    _, heard = line(manager.port, watched=lambda: PATTERNS)
    until(lambda: len(told(heard)) >= 3)

    assert told(heard)[:3] == [{"main": {"": 1}}, {"main": {"": 2}}, {"main": {"": 2}}]


def test_a_channel_that_is_marked_in_the_second_list_never_counts_as_anothers(
    manager: FakeManager, line: Dialling
) -> None:
    manager.responses["Status"] = in_turn(
        listing(channel(1, ChannelState="0")), listing(channel(1, "a.1", ChannelState="0"))
    )

    _, heard = line(manager.port, watched=lambda: PATTERNS)
    until(lambda: len(told(heard)) >= 3)

    assert told(heard)[:3] == [{"main": {}}, {"main": {"a.1": 1}}, {"main": {"a.1": 1}}]


def test_a_ringing_half_that_a_list_shows_without_the_marked_one_never_counts_as_anothers(
    manager: FakeManager, line: Dialling
) -> None:
    manager.responses["Status"] = in_turn(
        listing(), listing(channel(1, ChannelState="4")), listing(channel(1, "a.1", ChannelState="4"))
    )

    _, heard = line(manager.port, watched=lambda: PATTERNS)
    until(lambda: len(told(heard)) >= 3)

    assert told(heard)[:3] == [{"main": {}}, {"main": {}}, {"main": {"a.1": 1}}]


def test_a_leg_that_a_list_shows_when_our_channel_is_gone_already_never_counts_as_anothers(
    manager: FakeManager, line: Dialling
) -> None:
    ours, leg = channel(1, "a.1", Linkedid="1"), channel(2, Linkedid="1")
    manager.responses["Status"] = in_turn(listing(ours, leg), listing(leg), listing())

    _, heard = line(manager.port, watched=lambda: PATTERNS)
    until(lambda: len(told(heard)) >= 3)

    assert told(heard)[:3] == [{"main": {"a.1": 2}}, {"main": {}}, {"main": {}}]


def test_a_call_that_began_after_the_first_list_counts_once_it_is_settled(
    manager: FakeManager, line: Dialling
) -> None:
    manager.responses["Status"] = in_turn(listing(), listing(channel(1, ChannelState="6")))

    _, heard = line(manager.port, watched=lambda: PATTERNS)
    until(lambda: len(told(heard)) >= 3)

    assert told(heard)[:3] == [{"main": {}}, {"main": {}}, {"main": {"": 1}}]


def test_a_call_that_is_not_settled_yet_is_nobodys_however_many_lists_show_it(
    manager: FakeManager, line: Dialling
) -> None:
    manager.responses["Status"] = in_turn(listing(), listing(channel(1, ChannelState="6")))

    _, heard = line(manager.port, pace=replace(QUICK, settled=3600), watched=lambda: PATTERNS)
    until(lambda: len(told(heard)) >= 5)

    assert all(each == {"main": {}} for each in told(heard))
