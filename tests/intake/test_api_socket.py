"""The socket itself: its place, mode and group, and who else may be there."""

import grp
import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from dialerd.core.errors import ConfigError
from dialerd.intake.api import Api, ApiSettings
from tests.intake.desk import MemoryDesk
from tests.intake.serving import JOB, RULES, Served


def refusal(path: Path, **settings: Any) -> str:
    api = Api(ApiSettings(path, **settings), MemoryDesk(), RULES)
    with pytest.raises(ConfigError) as caught:
        api.start()
    return str(caught.value)


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666])
def test_the_socket_has_its_mode_whatever_the_umask(tmp_path: Path, mode: int) -> None:
    before = os.umask(0o077)
    try:
        with Served(tmp_path / "s", mode=mode) as served:
            found = stat.S_IMODE(served.path.stat().st_mode)
    finally:
        os.umask(before)
    assert found == mode


def test_the_socket_belongs_to_the_group(tmp_path: Path) -> None:
    own = grp.getgrgid(os.getgroups()[0] if os.getgroups() else os.getgid())
    with Served(tmp_path / "s", group=own.gr_name) as served:
        assert served.path.stat().st_gid == own.gr_gid


def test_a_left_over_socket_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "s"))
    with Served(tmp_path / "s") as served:
        assert served.ask("POST", "/v1/jobs", JOB).status == 201


def test_a_daemon_that_lives_is_not_pushed_aside(tmp_path: Path) -> None:
    with Served(tmp_path / "s") as served:
        sentence = refusal(tmp_path / "s")
        assert served.ask("GET", "/healthz").status == 200
    assert "Another daemon answers" in sentence


def test_a_daemon_that_is_too_busy_to_accept_counts_as_alive(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as waiting:
        busy.bind(str(tmp_path / "s"))
        busy.listen(0)
        waiting.connect(str(tmp_path / "s"))
        assert "Another daemon answers" in refusal(tmp_path / "s")


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("precious")
    assert "not a socket" in refusal(tmp_path / "s")
    assert (tmp_path / "s").read_text() == "precious"


def test_a_path_that_is_too_long_is_refused_with_its_length(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 200)
    assert f"has {len(str(path))} bytes" in refusal(path)


def test_a_relative_path_is_refused() -> None:
    assert "absolute" in refusal(Path("dialerd.sock"))


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    assert "There is no folder" in refusal(tmp_path / "none" / "s")


def test_a_folder_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    if os.getuid() == 0:
        assert "not writable" in refusal(Path("/proc/dialerd.sock")) or "can't be made" in refusal(
            Path("/proc/s")
        )
        return
    tmp_path.chmod(0o500)
    sentence = refusal(tmp_path / "s")
    tmp_path.chmod(0o700)
    assert "not writable" in sentence


def test_an_unknown_group_is_told_with_how_to_make_it(tmp_path: Path) -> None:
    assert "groupadd no-such-group" in refusal(tmp_path / "s", group="no-such-group")


def test_stopping_takes_the_socket_away_and_may_be_done_twice(tmp_path: Path) -> None:
    with Served(tmp_path / "s") as served:
        served.api.stop()
        served.api.stop()
        assert not served.path.exists()
        assert not served.api.alive()


def test_stopping_leaves_the_socket_of_a_successor(tmp_path: Path) -> None:
    with Served(tmp_path / "s"):
        (tmp_path / "s").rename(tmp_path / "old")
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(tmp_path / "s"))
    assert (tmp_path / "s").exists()


def test_stopping_lets_the_requests_under_way_finish(tmp_path: Path) -> None:
    with Served(tmp_path / "s") as served, served.connection() as connection:
        served.desk.open.clear()
        connection.request("POST", "/v1/jobs", b'{"to": "+493012345678", "play": "hello-world"}')
        connection.sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.sock.recv(1)
        connection.sock.settimeout(10)
        served.desk.open.set()
        served.api.stop()
        assert connection.sock.recv(65536).startswith(b"HTTP/1.1 201")
