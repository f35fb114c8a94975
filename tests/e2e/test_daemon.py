"""The daemon as a process: how it starts, what it refuses to start with, what it tells systemd."""

import os
import socket
import subprocess
import sys

import pytest

from tests.asterisk import PROJECT
from tests.daemon import Daemon
from tests.users import DIALERD_GID, DIALERD_UID, as_dialerd, give
from tests.waiting import until

EXIT_CONFIG, EXIT_BUG = 78, 70


def refused(daemon: Daemon, *options: str, code: int = EXIT_BUG, **environment: str) -> str:
    """What it says on stderr when it won't start, which must be with the exit code for that."""
    done = subprocess.run(
        daemon.command(*options),
        env={**daemon.environment(), **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd="/",
    )
    assert done.returncode == code, done.stderr
    return done.stderr


def test_a_second_daemon_on_the_same_spool_is_told_who_has_it(daemon, make_daemon):
    second = make_daemon(daemon.asterisk)
    said = refused(second)
    assert f"pid {daemon.pid}" in said
    assert "the spool is in use" in said


def test_a_second_daemon_on_the_same_state_is_told_who_has_it(daemon, make_daemon):
    second = make_daemon(daemon.asterisk, state=daemon.state)
    assert "the state folder is in use" in refused(second)


def test_every_mistake_of_the_configuration_is_told_at_once(asterisk, make_daemon):
    daemon = make_daemon(asterisk, {"queue": {"max_jbs": 5}, "log": {"level": "loud"}})
    said = refused(daemon, "--check", code=EXIT_CONFIG)
    assert "queue.max_jbs" in said
    assert "max_jobs" in said
    assert "log.level" in said


def test_a_good_configuration_passes_the_check(asterisk, make_daemon):
    daemon = make_daemon(asterisk)
    done = subprocess.run(
        daemon.command("--check"), env=daemon.environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("broken", ["missing", "a file", "read-only"])
def test_a_spool_that_can_not_be_used_is_refused_with_what_to_do(open_folder, make_daemon, broken):
    spool = open_folder / "spool"
    if broken == "a file":
        spool.write_text("")
    elif broken == "read-only":
        (spool / "outgoing").mkdir(parents=True)
        give(spool, DIALERD_UID, DIALERD_GID)
        give(spool / "outgoing", DIALERD_UID, DIALERD_GID, 0o500)
    said = refused(make_daemon(spool, {"asterisk": {"user": str(DIALERD_UID)}}))
    assert str(spool) in said
    assert "Traceback" not in said


def test_an_unknown_asterisk_user_is_named(asterisk, make_daemon):
    said = refused(make_daemon(asterisk, {"asterisk": {"user": "nosuchuser"}}))
    assert "no user 'nosuchuser'" in said


def test_no_configuration_file_at_all_is_fine(open_folder):
    command = [*as_dialerd(), sys.executable, "-m", "dialerd.daemon", "--check"]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), "HOME": str(open_folder)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def notify(open_folder):
    """A service manager's notification socket, and its path."""
    path = open_folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        path.chmod(0o777)
        listener.settimeout(15)
        yield listener, path


def test_systemd_is_told_of_readiness_status_life_and_the_end(notify, asterisk, make_daemon):
    pytest.importorskip("pystemd")
    listener, path = notify
    daemon = make_daemon(asterisk)
    daemon.extra_environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "2000000"}
    daemon.start()
    told = {listener.recv(4096).decode().partition("=")[0]}
    while not {"READY", "STATUS", "WATCHDOG"} <= told:
        told.add(listener.recv(4096).decode().partition("=")[0])
    daemon.stop()
    while "STOPPING" not in told:
        told.add(listener.recv(4096).decode().partition("=")[0])
    assert told == {"READY", "STATUS", "WATCHDOG", "STOPPING"}


def test_under_systemd_without_pystemd_the_extra_is_named(notify, asterisk, make_daemon, open_folder):
    hidden = open_folder / "without"
    (hidden / "pystemd").mkdir(parents=True)
    (hidden / "pystemd" / "__init__.py").write_text("raise ImportError('not installed')\n")
    daemon = make_daemon(asterisk)
    paths = f"{hidden}:{daemon.environment()['PYTHONPATH']}"
    said = refused(daemon, code=EXIT_CONFIG, NOTIFY_SOCKET=str(notify[1]), PYTHONPATH=paths)
    assert "dialerd[systemd]" in said


def test_a_stop_is_graceful_and_a_start_goes_on_where_it_was(daemon):
    job = daemon.submit(to="100", application="Wait", data="1")
    until(lambda: daemon.job(job["id"])["state"] == "submitted")
    code = daemon.stop()
    daemon.start()
    assert code == 0
    assert daemon.ended(job["id"])["state"] == "completed"


def test_the_log_tells_each_change_of_state_and_masks_numbers(asterisk, make_daemon):
    daemon = make_daemon(asterisk, {"trunks.pstn": {"channel": "Local/{digits}@sim"}}).start()
    daemon.ended(daemon.submit(to="+4930123406", trunk="pstn", context="job", extension="hangup")["id"])
    log = daemon.log()
    assert all(
        f"job_{word}" in log for word in ("accepted", "leased", "submitted", "attempt_ended", "completed")
    )
    assert "4930123406" not in log
