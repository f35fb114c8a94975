"""What systemd hears, at a real notification socket."""

import importlib.util
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

needs_pystemd = pytest.mark.skipif(
    importlib.util.find_spec("pystemd") is None,
    reason="pystemd is built from source: scripts/test installs it as root on Debian",
)


class Manager:
    """A service manager's end of NOTIFY_SOCKET."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(10)

    def run(self, program: str, **env: str) -> "subprocess.CompletedProcess[str]":
        """Runs a Python program as a service; its Notifier is there as `notifier`."""
        start = "from dialerd.systemd import *; notifier = Notifier(); "
        return subprocess.run(
            [sys.executable, "-c", start + program],
            env={**os.environ, "NOTIFY_SOCKET": str(self.path), **env},
            capture_output=True,
            text=True,
            check=False,
        )

    def heard(self, count: int) -> list[str]:
        """The next messages."""
        return [self._socket.recv(4096).decode() for _ in range(count)]

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(tmp_path / "notify")
    yield manager
    manager.close()


@needs_pystemd
def test_ready_status_and_stopping_are_told(manager: Manager) -> None:
    manager.run('notifier.ready(); notifier.status("3 calls"); notifier.stopping()')

    assert manager.heard(3) == ["READY=1", "STATUS=3 calls", "STOPPING=1"]


@needs_pystemd
def test_a_status_is_one_line_and_told_once(manager: Manager) -> None:
    manager.run('notifier.status("a\\nREADY=1"); notifier.status("a READY=1"); notifier.stopping()')

    assert manager.heard(2) == ["STATUS=a READY=1", "STOPPING=1"]


@needs_pystemd
def test_a_status_that_is_too_long_for_systemd_or_no_text_is_told_as_far_as_it_goes(manager: Manager) -> None:
    manager.run('notifier.status("…" * 5000); notifier.status("a \\udcff name"); notifier.stopping()')

    long, odd, _ = manager.heard(3)
    assert long.startswith("STATUS=……")
    assert 1900 < len(long.encode()) < 4096
    assert odd == "STATUS=a ? name"


@needs_pystemd
def test_reloading_carries_the_time_that_systemd_asks_for(manager: Manager) -> None:
    manager.run("notifier.reloading()")

    [told] = manager.heard(1)
    assert told.splitlines()[0] == "RELOADING=1"
    assert told.splitlines()[1].removeprefix("MONOTONIC_USEC=").isdigit()


@needs_pystemd
def test_signs_of_life_come_at_half_the_time_that_the_manager_allows(manager: Manager) -> None:
    done = manager.run("notifier.watchdog(); print(notifier.interval)", WATCHDOG_USEC="30000000")

    assert manager.heard(1) == ["WATCHDOG=1"]
    assert done.stdout == "15.0\n"


@needs_pystemd
def test_sockets_that_were_opened_for_us_are_asked_for_once(manager: Manager) -> None:
    program = """
import os
os.dup2(0, 3); os.dup2(0, 4)
os.environ["LISTEN_PID"], os.environ["LISTEN_FDS"] = str(os.getpid()), "2"
print(inherited_sockets(), inherited_sockets(), os.get_inheritable(3), "LISTEN_FDS" in os.environ)
"""

    done = manager.run(program)

    assert done.stdout == "[3, 4] [] False False\n"


def test_sockets_of_another_process_are_left_alone(manager: Manager) -> None:
    done = manager.run("print(inherited_sockets())", LISTEN_PID="1", LISTEN_FDS="1")

    assert done.stdout == "[]\n"


@needs_pystemd
@pytest.mark.parametrize("env", [{}, {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}])
def test_no_sign_of_life_where_none_is_expected_of_this_process(
    manager: Manager, env: dict[str, str]
) -> None:
    done = manager.run("notifier.watchdog(); notifier.ready(); print(notifier.interval)", **env)

    assert manager.heard(1) == ["READY=1"]
    assert done.stdout == "None\n"


def test_without_a_manager_nothing_is_told_and_pystemd_is_not_needed(manager: Manager) -> None:
    program = "require(); notifier.ready(); import sys; print('pystemd' in sys.modules)"

    done = manager.run(program, NOTIFY_SOCKET="")

    assert done.stdout == "False\n"


def test_a_missing_pystemd_is_named_where_systemd_waits(manager: Manager) -> None:
    program = """
import sys
sys.modules["pystemd"] = None  # as if it were not installed
try:
    require()
except ConfigError as error:
    print(error)
"""

    done = manager.run(program)

    assert "pip install 'dialerd[systemd]'" in done.stdout
