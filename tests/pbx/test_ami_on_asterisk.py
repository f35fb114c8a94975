"""The AMI line against a real Asterisk, 22 and 16."""

from contextlib import suppress

import pytest

from dialerd.core.errors import Rejected
from dialerd.core.signals import AsteriskDown, AsteriskUp, CallSeen
from dialerd.pbx.ami import Ami, AmiSettings, Pace, Secret, Session
from dialerd.pbx.wire import LineLost
from tests.asterisk import Asterisk
from tests.pbx.lines import Dialling, down, up
from tests.pbx.place import place
from tests.waiting import until


def test_a_real_asterisk_is_up_with_its_version_and_start(any_asterisk: Asterisk, line: Dialling) -> None:
    _, heard = line(any_asterisk.ami_port)

    signal = up(heard)

    assert signal.version.startswith(f"{any_asterisk.version}.")
    assert signal.run[:2] == "20"
    assert signal.max_calls is None


def test_a_wrong_password_is_refused_by_a_real_asterisk(any_asterisk: Asterisk, line: Dialling) -> None:
    _, heard = line(any_asterisk.ami_port, secret="wrong", pace=Pace())

    assert down(heard).refused
    assert "Authentication failed" in down(heard).reason


def test_only_the_events_that_serve_are_sent(any_asterisk: Asterisk, line: Dialling) -> None:
    got: list[str] = []
    session = Session(lambda name, message: bool(got.append(name.decode())), lambda headers: None)
    ami = Ami(
        AmiSettings("127.0.0.1", any_asterisk.ami_port, "dialerd", Secret("secret")), lambda signal: None
    )
    session.connect("127.0.0.1", any_asterisk.ami_port)
    ami._await_probe = lambda session: None  # type: ignore[method-assign]
    ami._introduce(session)
    got.clear()

    name = place(any_asterisk, "Local/answer@sim", "Application: NoOp")
    until(lambda: (any_asterisk.outgoing_done / name).exists())
    with suppress(LineLost):
        until(lambda: session.pump(0.05) or got.count("Hangup") == 2)
    session.close()

    assert set(got) <= {"VarSet", "Newexten", "LocalBridge", "DialBegin", "DialEnd", "Hangup", "Cdr"}
    assert len(got) <= 10


@pytest.mark.parametrize("channel", ["Local/noanswer@sim", "PJSIP/noanswer@loop"])
def test_a_ringing_call_is_hung_up(any_asterisk: Asterisk, line: Dialling, channel: str) -> None:
    ami, heard = line(any_asterisk.ami_port)
    up(heard)
    name = place(any_asterisk, channel, "Application: Wait\nData: 60\nWaitTime: 60")
    ringing = until(lambda: [s.trace for s in heard.of(CallSeen) if s.name == name and s.trace.rang])[-1]
    assert ringing.channel is not None

    ami.hangup(ringing.channel)

    assert until(lambda: (any_asterisk.outgoing_done / name).exists())
    assert until(lambda: [s for s in heard.of(CallSeen) if s.name == name and s.trace.ended])


def test_hanging_up_what_is_gone_is_rejected(any_asterisk: Asterisk, line: Dialling) -> None:
    ami, heard = line(any_asterisk.ami_port)
    up(heard)

    with pytest.raises(Rejected, match="No such channel"):
        ami.hangup("PJSIP/gone-00000001")


def test_a_frozen_asterisk_goes_down_and_comes_back_in_the_same_run(
    own_asterisk: Asterisk, line: Dialling
) -> None:
    _, heard = line(own_asterisk.ami_port)
    before = up(heard).run

    own_asterisk.freeze()
    reason = down(heard).reason
    own_asterisk.thaw()
    until(lambda: len(heard.of(AsteriskUp)) == 2)

    assert "frozen" in reason
    assert up(heard).run == before


def test_a_killed_asterisk_comes_back_as_another_run(own_asterisk: Asterisk, line: Dialling) -> None:
    _, heard = line(own_asterisk.ami_port)
    before = up(heard).run

    own_asterisk.kill()
    down(heard)
    own_asterisk.start()
    until(lambda: up(heard).run != before, 20)

    assert not any(signal.refused for signal in heard.of(AsteriskDown))


def test_an_asterisk_that_is_stopped_says_so(own_asterisk: Asterisk, line: Dialling) -> None:
    _, heard = line(own_asterisk.ami_port)
    up(heard)

    own_asterisk.stop()

    assert until(lambda: heard.of(AsteriskDown))[0].reason == "Asterisk is going down"


@pytest.mark.parametrize(
    ("rights", "missing"),
    [
        ("read = call,dialplan,system\nwrite = call", "CoreSettings"),
        ("read = call,dialplan,system\nwrite = system,reporting", "Setvar"),
        ("read = call,system\nwrite = call,reporting,system", "dialplan events"),
    ],
)
def test_a_real_user_with_too_few_rights_is_refused_with_what_to_change(
    any_asterisk: Asterisk, line: Dialling, rights: str, missing: str
) -> None:
    user = f"poor{abs(hash((rights, any_asterisk.folder))) % 10**9}"
    any_asterisk.configure("manager.conf", f"\n[{user}]\nsecret = secret\n{rights}\n")
    any_asterisk.cli("manager reload")

    _, heard = line(any_asterisk.ami_port, username=user)

    assert down(heard).refused
    assert missing in down(heard).reason
