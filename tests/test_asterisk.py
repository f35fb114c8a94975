"""The test bench itself: a real Asterisk that makes calls and records them, and can be killed and started."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.asterisk import Asterisk
from tests.users import ASTERISK_GID, ASTERISK_UID, ROOT, give
from tests.waiting import until


def drop(asterisk: Asterisk, text: str) -> tuple[str, Path]:
    """Hands Asterisk a call file; returns its account and where it will be archived."""
    account = uuid.uuid4().hex[:12]
    staged = asterisk.spool / "tmp" / f"{account}.call"
    staged.write_text(f"{text}Account: {account}\nArchive: yes\n")
    give(staged, ASTERISK_UID, ASTERISK_GID, 0o660)
    staged.rename(asterisk.outgoing / staged.name)
    return account, asterisk.outgoing_done / staged.name


def test_a_call_file_becomes_one_call_and_a_call_record(any_asterisk: Asterisk) -> None:
    account, archived = drop(any_asterisk, "Channel: Local/15551230006@sim\nApplication: NoOp\n")

    until(lambda: archived.exists() and "Status: Completed" in archived.read_text())
    until(lambda: any_asterisk.cdr_rows(account))

    assert any_asterisk.calls_made(account) == 1


@pytest.mark.parametrize(
    ("ending", "disposition"), [("01", "BUSY"), ("03", "CONGESTION"), ("06", "ANSWERED")]
)
def test_the_last_two_digits_choose_the_far_end(asterisk: Asterisk, ending: str, disposition: str) -> None:
    account, _ = drop(asterisk, f"Channel: Local/+155512300{ending}@sim\nApplication: NoOp\n")

    rows = until(lambda: asterisk.cdr_rows(account))

    assert rows[0]["disposition"] == disposition


def test_a_pbx_dials_on_to_the_far_end(any_asterisk: Asterisk) -> None:
    account, _ = drop(any_asterisk, "Channel: Local/15551230001@from-internal\nApplication: NoOp\n")

    rows = until(
        lambda: [row for row in any_asterisk.cdr_rows(account) if row["dstchannel"].startswith("PJSIP/")]
    )

    assert rows[0]["disposition"] == "BUSY"


def test_the_shipped_dialplan_rings_all_and_the_first_answer_wins(any_asterisk: Asterisk) -> None:
    ring = "Set: DIALERD_RING=Local/busy@sim&PJSIP/hangup-after-200@loop&Local/noanswer@sim\n"

    account, archived = drop(
        any_asterisk, f"Channel: Local/s@dialerd-ring\nApplication: Wait\nData: 5\n{ring}"
    )

    until(lambda: archived.exists() and "Status: Completed" in archived.read_text())
    [row] = until(
        lambda: [row for row in any_asterisk.cdr_rows(account) if row["dstchannel"].startswith("PJSIP/loop-")]
    )
    assert row["disposition"] == "ANSWERED"


def test_the_shipped_ami_user_has_few_rights(asterisk: Asterisk) -> None:
    told = asterisk.cli("manager show user dialerd")

    perms = dict(line.split(":", 1) for line in told.splitlines() if " perm:" in line)
    [read, write] = [set(perm.strip().split(",")) for perm in perms.values()]
    assert read <= {"system", "call", "dialplan", "cdr"}
    assert write == {"system", "call", "reporting"}


def test_a_killed_asterisk_starts_again(own_asterisk: Asterisk) -> None:
    own_asterisk.kill()
    own_asterisk.start()

    assert "System uptime" in own_asterisk.cli("core show uptime")


def test_dialplan_can_be_added(asterisk: Asterisk) -> None:
    asterisk.add_dialplan("[added-by-a-test]\nexten => s,1,NoOp()")

    assert "added-by-a-test" in asterisk.cli("dialplan show added-by-a-test")


def test_the_limit_on_calls_can_be_set(make_asterisk: Callable[..., Asterisk]) -> None:
    asterisk = make_asterisk(22, options={"maxcalls": "2"}).start()

    assert "Maximum calls:               2" in asterisk.cli("core show settings")


@pytest.mark.skipif(not ROOT, reason="only root may make a pid namespace")
def test_in_a_pid_namespace_asterisk_is_always_process_1(make_asterisk: Callable[..., Asterisk]) -> None:
    asterisk = make_asterisk(22, own_pids=True).start()
    asterisk.kill()
    asterisk.start()
    account, archived = drop(asterisk, "Channel: Local/answer@sim\nApplication: NoOp\n")

    until(archived.exists)

    assert account
    assert "StartRetry: 1 1 " in archived.read_text()
