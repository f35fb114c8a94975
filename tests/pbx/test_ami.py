"""The AMI line against a server that plays the ugly cases."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from dialerd.core.errors import Rejected, Unavailable
from dialerd.core.signals import AsteriskDown, AsteriskLoad, AsteriskUp, CallSeen
from dialerd.pbx.ami import AmiSettings, Pace, Secret, Session
from dialerd.pbx.wire import LineLost
from tests.pbx.fake_manager import Action, FakeManager, Line
from tests.pbx.lines import Dialling, begin, down, names, refuse, up
from tests.waiting import until


def test_a_line_tells_asterisks_run_version_limit_and_calls(manager: FakeManager, line: Dialling) -> None:
    manager.settings["CoreMaxCalls"] = "20"
    manager.status["CoreCurrentCalls"] = "3"

    ami, heard = line(manager.port)

    assert up(heard) == AsteriskUp("2026-01-02 03:04:05", "22.10.1", max_calls=20, calls=3)
    assert ami.state.word == "up"
    assert "22.10.1" in ami.state.sentence


def test_a_wrong_password_is_refused_and_told_once(manager: FakeManager, line: Dialling) -> None:
    manager.responses["Login"] = refuse("Authentication failed")

    ami, heard = line(manager.port)
    until(lambda: len(manager.asked("Login")) >= 3)

    assert [(signal.refused, "refused the login" in signal.reason) for signal in heard.of(AsteriskDown)] == [
        (True, True)
    ]
    assert ami.state.word == "refused"
    assert "secret" not in ami.state.sentence


@pytest.mark.parametrize("action", ["CoreSettings", "CoreStatus", "Setvar"])
def test_a_missing_permission_is_refused_with_what_to_change(
    manager: FakeManager, line: Dialling, action: str
) -> None:
    manager.responses[action] = refuse("Permission denied")

    _, heard = line(manager.port)

    assert down(heard).refused
    assert f"refused {action}: Permission denied" in down(heard).reason
    assert "manager.conf" in down(heard).reason


def test_a_user_who_is_not_shown_the_events_is_refused_with_what_to_change(
    manager: FakeManager, line: Dialling
) -> None:
    manager.responses["Setvar"] = lambda line, action: line.answer(action)

    _, heard = line(manager.port)

    assert down(heard).refused
    assert "read = call,dialplan,system" in down(heard).reason


def test_a_refused_filter_is_done_without(manager: FakeManager, line: Dialling) -> None:
    manager.responses["Filter"] = refuse("Permission denied")

    _, heard = line(manager.port)

    assert up(heard)


def test_nothing_that_listens_is_down_and_not_refused(manager: FakeManager, line: Dialling) -> None:
    manager.close()

    ami, heard = line(manager.port)

    assert not down(heard).refused
    assert "is Asterisk running" in down(heard).reason
    assert ami.state.word == "down"


def test_something_else_that_listens_is_named(manager: FakeManager, line: Dialling) -> None:
    manager.greeting = b"SSH-2.0-OpenSSH_9.2\r\n"

    _, heard = line(manager.port)

    assert "not Asterisk's manager" in down(heard).reason
    assert "SSH-2.0" in down(heard).reason


def test_it_reconnects_for_ever_and_tells_each_change_once(manager: FakeManager, line: Dialling) -> None:
    _, heard = line(manager.port)
    for times in range(1, 4):
        until(lambda times=times: len(heard.of(AsteriskUp)) == times)  # type: ignore[misc]
        manager.line.cut()
    until(lambda: len(heard.of(AsteriskUp)) == 4)

    assert [type(signal).__name__ for signal in heard] == ["AsteriskUp", "AsteriskDown"] * 3 + ["AsteriskUp"]


def test_a_restart_of_asterisk_shows_in_its_run(manager: FakeManager, line: Dialling) -> None:
    _, heard = line(manager.port)
    first = up(heard).run
    manager.status["CoreStartupTime"] = "03:09:00"
    manager.line.cut()

    until(lambda: len(heard.of(AsteriskUp)) == 2)

    assert (first, up(heard).run) == ("2026-01-02 03:04:05", "2026-01-02 03:09:00")


def test_a_frozen_asterisk_is_noticed_when_it_is_quiet(manager: FakeManager, line: Dialling) -> None:
    _, heard = line(manager.port)
    up(heard)

    manager.deaf = True

    assert "frozen" in down(heard).reason
    assert not down(heard).refused


def test_an_asterisk_that_is_quiet_and_answers_pings_stays_up(manager: FakeManager, line: Dialling) -> None:
    _, heard = line(manager.port)

    until(lambda: len(manager.asked("Ping")) >= 3)

    assert [type(signal).__name__ for signal in heard] == ["AsteriskUp"]


def test_a_server_that_accepts_and_says_nothing_is_down(manager: FakeManager, line: Dialling) -> None:
    manager.greeting = b""

    _, heard = line(manager.port)

    assert "does not answer" in down(heard).reason


def test_calls_are_counted_while_there_is_a_limit(manager: FakeManager, line: Dialling) -> None:
    manager.settings["CoreMaxCalls"] = "20"
    _, heard = line(manager.port)
    up(heard)

    manager.status["CoreCurrentCalls"] = "19"

    assert until(lambda: AsteriskLoad(19) in heard)


def test_a_cut_in_mid_event_loses_that_event_only(manager: FakeManager, line: Dialling) -> None:
    _, heard = line(manager.port)
    up(heard)
    manager.line.send(begin("1", "a.1") + begin("2", "b.1")[:-9])
    manager.line.cut()
    until(lambda: len(heard.of(AsteriskUp)) == 2)

    manager.line.send(begin("3", "c.1"))

    assert until(lambda: names(heard) == ["a.1.call", "c.1.call"])


def test_garbage_between_events_is_passed_over(manager: FakeManager, line: Dialling) -> None:
    _, heard = line(manager.port)
    up(heard)

    manager.line.send(
        b"\0\xff\xfe: :::\r\n\r\n\r\n\r\nResponse: Success\r\nActionID: not-ours\r\n\r\n"
        b"Response: Error\r\n\r\n"
    )
    manager.line.send(
        b"Event: VarSet\r\nVariable: DIALERD_ATTEMPT\r\n\r\nEvent: Hangup\r\n\r\nEvent: DialEnd\r\n\r\n"
    )
    manager.line.send(
        b"Event: LocalBridge\r\n\r\nEvent: Cdr\r\n\r\nEvent: \r\n\r\nEvent: Newexten\r\nChannel: \xff\r\n\r\n"
    )
    manager.line.send(begin("1", "a.1"))

    assert until(lambda: names(heard) == ["a.1.call"])
    assert not heard.of(AsteriskDown)


def test_an_event_of_half_a_megabyte_is_read(manager: FakeManager, line: Dialling) -> None:
    _, heard = line(manager.port)
    up(heard)

    manager.line.event("Newexten", Channel="PJSIP/x", Uniqueid="9", AppData="x" * 500_000)
    manager.line.send(begin("1", "a.1"))

    assert until(lambda: names(heard) == ["a.1.call"])


def test_an_event_without_an_end_costs_the_connection_and_no_memory(
    manager: FakeManager, line: Dialling
) -> None:
    _, heard = line(manager.port)
    up(heard)

    with suppress(OSError):
        manager.line.send(b"Event: VarSet\r\nValue: " + b"x" * 3_000_000)

    assert "no message ended" in down(heard).reason
    assert until(lambda: len(heard.of(AsteriskUp)) == 2)


def test_a_shutdown_is_told_at_once_and_the_ends_of_calls_are_still_read(
    manager: FakeManager, line: Dialling
) -> None:
    _, heard = line(manager.port)
    up(heard)

    manager.line.event("Shutdown", Shutdown="Cleanly", Restart="False")
    reason = down(heard).reason
    manager.line.send(begin("1", "a.1"))
    until(lambda: names(heard) == ["a.1.call"])
    manager.line.cut()
    until(lambda: len(heard.of(AsteriskUp)) == 2)

    assert reason == "Asterisk is going down"
    assert [type(each).__name__ for each in heard if not isinstance(each, CallSeen)] == [
        "AsteriskUp",
        "AsteriskDown",
        "AsteriskUp",
    ]


def test_answers_find_who_asked_in_whatever_order_they_come(manager: FakeManager, line: Dialling) -> None:
    waiting: list[Action] = []
    both = threading.Event()

    def answer_backwards(connection: Line, action: Action) -> None:
        waiting.append(action)
        if len(waiting) == 2:
            for each in reversed(waiting):
                known = each["Channel"] == "PJSIP/known"
                connection.answer(each, "Success" if known else "Error", Message="No such channel")
            both.set()

    manager.responses["Hangup"] = answer_backwards
    ami, heard = line(manager.port)
    up(heard)

    with ThreadPoolExecutor(2) as pool:
        known = pool.submit(ami.hangup, "PJSIP/known")
        unknown = pool.submit(ami.hangup, "PJSIP/unknown")

    assert both.is_set()
    assert known.exception() is None
    assert isinstance(unknown.exception(), Rejected)


@pytest.mark.parametrize(
    "channel", ["PJSIP/a\r\nAction: Command\r\nCommand: core stop now", "PJSIP/a\nX: y", "", "/.*/"]
)
def test_a_channel_that_is_more_than_a_name_is_refused_and_not_sent(
    manager: FakeManager, line: Dialling, channel: str
) -> None:
    ami, heard = line(manager.port)
    up(heard)

    with pytest.raises(Rejected):
        ami.hangup(channel)

    assert not manager.asked("Hangup")
    assert not manager.asked("Command")


def test_a_hangup_is_unavailable_while_there_is_no_line(manager: FakeManager, line: Dialling) -> None:
    manager.close()
    ami, heard = line(manager.port)
    down(heard)

    with pytest.raises(Unavailable, match="is Asterisk running"):
        ami.hangup("PJSIP/a-1")


def test_a_hangup_without_an_answer_is_unavailable_in_time(manager: FakeManager, line: Dialling) -> None:
    manager.responses["Hangup"] = lambda line, action: None
    ami, heard = line(manager.port)
    up(heard)

    with pytest.raises(Unavailable, match="did not answer"):
        ami.hangup("PJSIP/a-1")


def test_a_hangup_that_waits_is_told_when_the_line_breaks(manager: FakeManager, line: Dialling) -> None:
    manager.responses["Hangup"] = lambda line, action: line.cut()
    ami, heard = line(manager.port)
    up(heard)

    with pytest.raises(Unavailable, match="connection to Asterisk ended"):
        ami.hangup("PJSIP/a-1")


def test_it_stops_at_once_whatever_it_is_waiting_for(manager: FakeManager, line: Dialling) -> None:
    manager.deaf = True
    ami, _ = line(manager.port, pace=Pace(answer=60.0))
    until(lambda: manager.asked("Login"))

    ami.stop()

    assert not any(thread.name == "ami" and thread is ami._thread for thread in threading.enumerate())


def test_the_secret_shows_in_no_repr() -> None:
    settings = AmiSettings("127.0.0.1", 5038, "dialerd", Secret("hunter2"))

    assert "hunter2" not in repr(settings) + str(settings) + repr(settings.secret) + f"{settings.secret}"


def test_a_secret_with_a_line_break_is_refused_and_not_shown(manager: FakeManager, line: Dialling) -> None:
    _, heard = line(manager.port, secret="hunter2\r\nAction: Originate")

    assert down(heard).refused
    assert "hunter2" not in down(heard).reason
    assert not manager.actions


def test_an_action_does_not_change_what_it_was_given(manager: FakeManager) -> None:
    session = Session(lambda name, message: False, lambda headers: None)
    session.connect("127.0.0.1", manager.port)
    given = {"Action": "Ping"}

    answer = session.send_action(given)
    session.close()

    assert (given, answer["Ping"]) == ({"Action": "Ping"}, "Pong")
    with pytest.raises(LineLost):
        session.ping()
