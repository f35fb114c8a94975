"""What Asterisk says of itself when it is asked, real ones and one that lies."""

import socket
import time
from contextlib import closing

import pytest

from dialerd.pbx.ami import AmiSettings, Secret
from dialerd.pbx.asking import ask
from tests.asterisk import Asterisk
from tests.pbx.fake_manager import FakeManager
from tests.pbx.lines import refuse


def settings(port: int, user: str = "dialerd", secret: str = "secret") -> AmiSettings:
    return AmiSettings("127.0.0.1", port, user, Secret(secret))


def test_a_real_asterisk_tells_all_that_is_needed(any_asterisk: Asterisk) -> None:
    facts = ask(settings(any_asterisk.ami_port))

    assert (facts.unreachable, facts.refused) == ("", "")
    assert facts.version.startswith(f"{any_asterisk.version}.")
    assert facts.modules == {"pbx_spool": True, "cdr_manager": True}
    assert facts.spool == str(any_asterisk.spool)
    assert facts.classes == {"call", "reporting", "system"}
    assert facts.read == {"call", "dialplan", "system", "cdr"}
    assert facts.actions >= {"Setvar", "Hangup", "CoreSettings", "CoreStatus", "CoreShowChannels", "Filter"}
    assert facts.ahead_s is not None
    assert abs(facts.ahead_s) < 2
    assert facts.zone is not None


def test_a_user_with_all_rights_is_seen_to_have_them(any_asterisk: Asterisk) -> None:
    facts = ask(settings(any_asterisk.ami_port, "all"))

    assert facts.classes >= {"command", "originate", "config", "system", "call"}
    assert facts.read == {"all"}


def test_a_user_with_few_rights_is_seen_to_lack_the_others(any_asterisk: Asterisk) -> None:
    user = f"few{any_asterisk.version}"
    any_asterisk.configure("manager.conf", f"\n[{user}]\nsecret = secret\nread = call\nwrite = reporting\n")
    any_asterisk.cli("manager reload")

    facts = ask(settings(any_asterisk.ami_port, user))

    assert "CoreSettings" in facts.actions
    assert not facts.actions & {"Setvar", "Filter", "Originate"}
    assert (facts.modules, facts.read, facts.spool) == ({}, None, None)


def test_a_wrong_secret_is_refused_and_not_repeated(asterisk: Asterisk) -> None:
    facts = ask(settings(asterisk.ami_port, secret="canary-word"))

    assert "Authentication failed" in facts.refused
    assert "canary-word" not in repr(facts)


def test_our_own_secret_is_in_no_answer(asterisk: Asterisk) -> None:
    assert "secret" not in repr(ask(settings(asterisk.ami_port)))


def test_nobody_there_is_told() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]

    assert ask(settings(port)).unreachable == f"Nothing listens at 127.0.0.1:{port}."


def test_something_else_there_is_told(manager: FakeManager) -> None:
    manager.greeting = b"SSH-2.0-OpenSSH\r\n"

    assert "not Asterisk's manager" in ask(settings(manager.port)).unreachable


def test_a_silent_one_is_given_up_in_time(manager: FakeManager) -> None:
    manager.deaf = True
    begun = time.monotonic()

    facts = ask(settings(manager.port), answer_s=0.2)

    assert "did not answer" in facts.unreachable
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_an_hour_off_is_seen(manager: FakeManager, hours: int) -> None:
    manager.responses["Ping"] = lambda line, action: line.answer(
        action, Ping="Pong", Timestamp=f"{time.time() + hours * 3600:.6f}"
    )

    facts = ask(settings(manager.port))

    assert facts.ahead_s == pytest.approx(hours * 3600, abs=30)


def test_a_module_that_is_not_loaded_is_told_from_one_that_may_not_be_asked_for(manager: FakeManager) -> None:
    manager.responses["ModuleCheck"] = refuse("Module not loaded")
    missing = ask(settings(manager.port)).modules
    manager.responses["ModuleCheck"] = refuse("Permission denied")

    assert missing == {"pbx_spool": False, "cdr_manager": False}
    assert ask(settings(manager.port)).modules == {}


def test_numbers_that_are_none_do_no_harm(manager: FakeManager) -> None:
    manager.settings = {"AsteriskVersion": "22", "CoreMaxCalls": "many", "CoreMaxLoadAvg": ""}

    facts = ask(settings(manager.port))

    assert (facts.max_calls, facts.max_load) == (0, 0.0)
