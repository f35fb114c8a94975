"""The real dialerd as a service: on a socket that outlives it, and telling the service manager how it is."""

import json
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.daemon import Daemon
from tests.test_systemd import needs_pystemd
from tests.users import ASTERISK_GID, ASTERISK_UID, DIALERD_GID, DIALERD_UID, give
from tests.waiting import until

pytestmark = needs_pystemd

AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execvp(sys.argv[2], sys.argv[2:])
"""
JOB = b'{"channel": "Local/1@sim", "play": "hello-world", "not_before": "in 5h"}'
SUBMIT = b"POST /v1/jobs HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Type: application/json\r\n"


@pytest.fixture
def spool() -> Iterator[Path]:
    """A spool that no Asterisk reads."""
    with tempfile.TemporaryDirectory(prefix="spool-", dir="/tmp") as path:
        outgoing = Path(path, "outgoing")
        outgoing.mkdir()
        for folder in (Path(path), outgoing):
            give(folder, ASTERISK_UID, ASTERISK_GID, 0o2770)
        yield Path(path)


@pytest.fixture
def daemon(spool: Path, make_daemon: Callable[..., Daemon]) -> Iterator[Daemon]:
    """Not yet started, with a socket that is open already."""
    daemon = make_daemon(spool)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(daemon.socket))
        give(daemon.socket, DIALERD_UID, DIALERD_GID, 0o600)
        listener.listen(100)
        daemon.descriptors = [listener.fileno()]
        daemon.wrapper = [sys.executable, "-c", AS_SYSTEMD, str(listener.fileno())]
        yield daemon


@pytest.fixture
def told(daemon: Daemon) -> Iterator[socket.socket]:
    """The service manager's end of NOTIFY_SOCKET."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        path = daemon.folder / "notify"
        manager.bind(str(path))
        path.chmod(0o666)
        manager.settimeout(30)
        daemon.extra_environment["NOTIFY_SOCKET"] = str(path)
        yield manager


def submitting(daemon: Daemon) -> socket.socket:
    """A client that has sent a job."""
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(60)
    client.connect(str(daemon.socket))
    client.sendall(SUBMIT + b"Content-Length: %d\r\n\r\n%s" % (len(JOB), JOB))
    return client


@pytest.mark.parametrize("end", [Daemon.stop, Daemon.kill])
def test_who_submits_while_dialerd_is_away_is_answered_when_it_is_back(
    daemon: Daemon, end: Callable[[Daemon], int]
) -> None:
    daemon.start()
    end(daemon)
    with submitting(daemon) as client:
        daemon.start()
        answer = client.recv(4096)
    assert answer.startswith(b"HTTP/1.1 201")
    assert len(daemon.jobs()) == 1


def test_peers_are_known_and_the_mode_is_the_configured_one(daemon: Daemon) -> None:
    daemon.start()

    assert daemon.request("GET", "/v1/whoami")[1]["uid"] == os.geteuid()
    assert daemon.socket.stat().st_mode & 0o777 == 0o666
    until(lambda: '"by": "systemd"' in daemon.log() or "by=systemd" in daemon.log())


def test_a_daemon_that_can_t_start_answers_those_who_wait(daemon: Daemon) -> None:
    daemon.settings["nonsense"] = {"a": 1}
    daemon.write_config()
    with submitting(daemon) as client:
        code = daemon.start(wait=False).wait_for_end()
        answer = client.recv(4096)

    assert code == 78
    assert answer.startswith(b"HTTP/1.1 503")


def test_a_socket_of_another_path_ends_the_start_with_its_cure(daemon: Daemon) -> None:
    daemon.settings["socket"]["path"] = f"{daemon.socket}2"
    daemon.write_config()

    assert daemon.start(wait=False).wait_for_end() == 70
    assert "systemctl disable --now dialerd.socket" in daemon.log()


def heard(told: socket.socket, last: str) -> list[str]:
    """What is told, up to the first message that is this one."""
    messages: list[str] = []
    while not messages or messages[-1] != last:
        messages.append(told.recv(65536).decode())
    return messages


@pytest.mark.parametrize(("mistake", "says"), [(False, "read again"), (True, "it has mistakes")])
def test_a_reload_ends_with_ready_whatever_came_of_it(
    daemon: Daemon, told: socket.socket, mistake: bool, says: str
) -> None:
    daemon.start()
    heard(told, "READY=1")
    if mistake:
        daemon.settings["nonsense"] = {"a": 1}
        daemon.write_config()
    os.kill(daemon.pid, signal.SIGHUP)
    messages = heard(told, "READY=1")
    problems = daemon.request("GET", "/v1/status")[1]["problems"]

    assert any("it has mistakes" in each for each in problems) == mistake
    begun = next(index for index, each in enumerate(messages) if each.startswith("RELOADING=1"))
    assert messages[begun].splitlines()[1].startswith("MONOTONIC_USEC=")
    assert says in messages[-2]
    assert messages[-2].startswith("STATUS=")


def test_ready_comes_once_jobs_are_taken_and_stopping_at_the_end(daemon: Daemon, told: socket.socket) -> None:
    daemon.start(wait=False)
    heard(told, "READY=1")
    answered = daemon.answers()
    daemon.stop()

    assert answered
    assert heard(told, "STOPPING=1")[-1] == "STOPPING=1"


def test_signs_of_life_end_when_the_process_stands_still(daemon: Daemon, told: socket.socket) -> None:
    daemon.extra_environment["WATCHDOG_USEC"] = "1000000"
    daemon.start()
    heard(told, "WATCHDOG=1")
    os.kill(daemon.pid, signal.SIGSTOP)
    try:
        told.settimeout(3)
        until(lambda: _silent(told))
    finally:
        os.kill(daemon.pid, signal.SIGCONT)
        told.settimeout(30)
    assert heard(told, "WATCHDOG=1")[-1] == "WATCHDOG=1"


def _silent(told: socket.socket) -> bool:
    try:
        told.recv(65536)
    except TimeoutError:
        return True
    return False


def test_a_sign_of_life_follows_each_reload_so_that_many_of_them_end_nothing(
    daemon: Daemon, told: socket.socket
) -> None:
    daemon.extra_environment["WATCHDOG_USEC"] = "60000000"
    daemon.start()
    heard(told, "WATCHDOG=1")
    for _ in range(100):
        os.kill(daemon.pid, signal.SIGHUP)
    messages = heard(told, "WATCHDOG=1")

    assert messages[-3:] == ["STATUS=The configuration was read again.", "READY=1", "WATCHDOG=1"]


def test_a_socket_whose_file_was_removed_is_told_of_and_a_restart_mends_it(daemon: Daemon) -> None:
    daemon.start()
    daemon.socket.unlink()
    until(lambda: "socket_unreachable" in daemon.log())
    daemon.stop()
    daemon.start()

    status, _ = daemon.request("POST", "/v1/jobs", json.loads(JOB))
    until(lambda: "systemctl stop dialerd.socket" in str(daemon.request("GET", "/v1/status")[1]["problems"]))
    assert status == 201
