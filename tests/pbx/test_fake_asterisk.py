"""The fake does what Asterisk's spool does, where dialerd leans on it, and dialerd's spool works with it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dialerd.core.model import Call
from dialerd.core.signals import Place
from dialerd.pbx.callfile import render
from dialerd.pbx.spool import Spool
from tests.pbx.apart import NAMES, PROJECT
from tests.pbx.fake_asterisk import FakeAsterisk
from tests.waiting import until

NAME = NAMES[0]
ATTEMPT = NAME.removesuffix(".call")
CALL = Call(application="NoOp", wait_time=2, account="test")


@pytest.fixture
def fake(folder: Path) -> FakeAsterisk:
    return FakeAsterisk(folder, cdr=folder / "cdr.csv", speed=20)


def hand_over(spool: Spool, exten: str = "answer", call: Call = CALL) -> None:
    spool.stage({NAME: render(call, f"Local/{exten}@sim", ATTEMPT)})
    assert spool.hand_over([NAME]) == {}


def drop(folder: Path, text: str, mtime: float | None = None) -> Path:
    """What an old script drops into `outgoing`: written elsewhere, renamed in."""
    (folder / "new").write_text(text)
    if mtime is not None:
        os.utime(folder / "new", (mtime, mtime))
    return (folder / "new").rename(folder / "outgoing" / "old.call")


@pytest.mark.parametrize(
    ("exten", "status", "disposition"),
    [
        ("answer", "Completed", "ANSWERED"),
        ("hangup-after-500", "Completed", "ANSWERED"),
        ("ring-then-answer-500", "Completed", "ANSWERED"),
        ("ring-then-answer-5000", "Expired", "NO ANSWER"),
        ("busy", "Expired", "BUSY"),
        ("progress-busy", "Expired", "BUSY"),
        ("noanswer", "Expired", "NO ANSWER"),
        ("silent", "Expired", "NO ANSWER"),
        ("congestion", "Expired", "CONGESTION"),
        ("cause-1", "Expired", "FAILED"),
        ("15550001", "Expired", "BUSY"),
        ("+15550002", "Expired", "NO ANSWER"),
        ("15550003", "Expired", "CONGESTION"),
        ("15550006", "Completed", "ANSWERED"),
        ("15550042", "Completed", "ANSWERED"),
    ],
)
def test_each_far_end_has_its_status_and_its_call_record(
    spool: Spool, fake: FakeAsterisk, exten: str, status: str, disposition: str
) -> None:
    hand_over(spool, exten)
    with fake:
        until(lambda: spool.look(NAME).status)
    assert spool.look(NAME).status == status
    assert fake.cdr is not None
    assert fake.cdr.read_text() == f"test,Local/{exten}@sim,{disposition},{ATTEMPT}\n"


def test_a_call_under_way_has_begun_and_is_out_of_reach_of_a_redial(spool: Spool, fake: FakeAsterisk) -> None:
    hand_over(spool, "noanswer", Call(application="NoOp", wait_time=600))
    with fake:
        until(lambda: spool.look(NAME).started)
    sighting = spool.look(NAME)
    assert sighting.place is Place.OUTGOING
    assert sighting.lines[0].startswith(f"StartRetry: {fake.pid} 1 (")
    assert (fake.outgoing / NAME).stat().st_mtime > time.time() + 31_536_000


def test_after_a_crash_dialerds_file_is_not_called_again(
    spool: Spool, folder: Path, fake: FakeAsterisk
) -> None:
    hand_over(spool, "noanswer", Call(application="NoOp", wait_time=600))
    with fake:
        until(lambda: spool.look(NAME).started)
    with FakeAsterisk(folder, pid=fake.pid + 1, cdr=fake.cdr, speed=20):
        marker = drop(folder, "Channel: Local/answer@sim\nApplication: NoOp\n")
        until(lambda: not marker.exists())
    assert len(spool.look(NAME).lines) == 1


def test_after_a_crash_an_old_scripts_file_is_called_again(folder: Path) -> None:
    path = drop(
        folder, "Channel: Local/answer@sim\nApplication: NoOp\nArchive: yes\n\nStartRetry: 1 1 (5)\n", 5
    )
    with FakeAsterisk(folder, speed=20):
        until(lambda: (folder / "outgoing_done" / path.name).exists())
    assert "AbortRetry" in (folder / "outgoing_done" / path.name).read_text()


def test_asterisks_own_retries_are_counted(folder: Path) -> None:
    drop(folder, "Channel: Local/busy@sim\nApplication: NoOp\nArchive: yes\nMaxRetries: 2\nRetryTime: 1\n")
    done = folder / "outgoing_done" / "old.call"
    with FakeAsterisk(folder, cdr=folder / "cdr.csv", speed=20) as fake:
        until(lambda: done.exists() and "Status: Expired" in done.read_text())
    assert done.read_text().count("StartRetry") == 3
    assert fake.calls_made() == 3


def test_a_future_mtime_means_not_before(folder: Path) -> None:
    due = int(time.time()) + 2
    path = drop(folder, "Channel: Local/answer@sim\nApplication: NoOp\n", due)
    with FakeAsterisk(folder, speed=20):
        until(lambda: not path.exists())
    assert time.time() >= due


@pytest.mark.parametrize(
    ("archive", "kept"), [("Archive: yes\n", "Archive: yes\nStatus: Failed\n"), ("", None)]
)
def test_a_file_that_can_not_be_read_fails(folder: Path, archive: str, kept: str | None) -> None:
    path = drop(folder, archive)
    with FakeAsterisk(folder):
        until(lambda: not path.exists())
    done = folder / "outgoing_done" / path.name
    assert (done.read_text() if done.exists() else None) == kept


def test_a_frozen_asterisk_leaves_the_file_and_it_can_be_taken_back(spool: Spool, fake: FakeAsterisk) -> None:
    fake.frozen = True
    hand_over(spool)
    with fake:
        assert spool.take_out(NAME)
        fake.frozen = False
        marker = drop(fake.spool, "Channel: Local/answer@sim\nApplication: NoOp\n")
        until(lambda: not marker.exists())
    assert (spool.look(NAME).place, fake.calls_made(ATTEMPT)) == (Place.TAKEN, 0)


def test_a_file_that_was_passed_over_is_noticed_after_out_and_in(spool: Spool, fake: FakeAsterisk) -> None:
    fake.skip = lambda name: name == NAME
    hand_over(spool)
    with fake:
        marker = drop(fake.spool, "Channel: Local/answer@sim\nApplication: NoOp\n")
        until(lambda: not marker.exists())
        assert not spool.look(NAME).started
        assert spool.take_out(NAME)
        other = drop(fake.spool, "Channel: Local/answer@sim\nApplication: NoOp\n")
        until(lambda: not other.exists())
        assert spool.put_back(NAME)
        until(lambda: spool.look(NAME).status)
    assert fake.calls_made(ATTEMPT) == 1


def test_a_file_taken_out_after_asterisk_read_it_is_called_all_the_same_and_its_name_comes_back(
    spool: Spool, fake: FakeAsterisk
) -> None:
    fake.read_pause, fake.speed = 0.5, 1
    hand_over(spool, "noanswer")
    with fake:
        until(lambda: fake.reading)
        assert spool.take_out(NAME)
        until(lambda: spool.look(NAME).place is Place.OUTGOING)
        sighting = spool.look(NAME)
        assert not spool.put_back(NAME)
    assert (sighting.started, sighting.also) == (True, (Place.TAKEN,))


def test_a_lost_file_leaves_no_trace(spool: Spool, fake: FakeAsterisk) -> None:
    fake.lose = lambda name: True
    hand_over(spool)
    with fake:
        until(lambda: spool.look(NAME).place is Place.GONE)
    assert fake.calls_made() == 0


def test_above_the_limit_of_calls_a_file_expires_without_a_call(spool: Spool, fake: FakeAsterisk) -> None:
    fake.max_calls = 0
    hand_over(spool)
    with fake:
        until(lambda: spool.look(NAME).status)
    assert (spool.look(NAME).status, fake.calls_made()) == ("Expired", 0)


def test_the_archive_is_seen_before_its_status(spool: Spool, fake: FakeAsterisk) -> None:
    fake.archive_pause = 600
    hand_over(spool)
    with fake:
        until(lambda: spool.look(NAME).place is Place.DONE)
    assert (spool.look(NAME).status, spool.look(NAME).ended, fake.calls_made(ATTEMPT)) == (None, None, 1)


def test_as_a_process_it_makes_its_folders_and_ends_when_told(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    options = ["--speed", "20", "--cdr", str(tmp_path / "cdr.csv"), "--lose", "lost*", "--skip", "skip*"]
    command = [sys.executable, "-m", "tests.pbx.fake_asterisk", str(spool), *options]
    with subprocess.Popen(command, cwd=PROJECT) as process:
        until(lambda: (spool / "outgoing_done").exists())
        path = drop(spool, "Channel: Local/busy@sim\nApplication: NoOp\nArchive: yes\n")
        until(lambda: (spool / "outgoing_done" / path.name).exists())
        process.send_signal(signal.SIGTERM)
        ended = process.wait(60)
    assert ended == 0
    assert (tmp_path / "cdr.csv").read_text() == ",Local/busy@sim,BUSY,\n"
