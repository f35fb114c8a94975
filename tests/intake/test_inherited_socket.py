"""A socket that systemd opened: it is looked at, served on, and left where it is."""

import os
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from dialerd.core.errors import ConfigError
from dialerd.intake.api import Api, ApiSettings
from dialerd.intake.api.listening import turn_away
from tests.intake.desk import MemoryDesk
from tests.intake.serving import JOB, RULES, Served, ask
from tests.waiting import until


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[socket.socket]:
    """As systemd opens it."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        (tmp_path / "s").chmod(0o600)
        listener.listen(100)
        yield listener


def descriptor(opened: socket.socket) -> int:
    """A descriptor of the daemon's own."""
    return os.dup(opened.fileno())


def refusal(path: Path, inherited: int) -> str:
    api = Api(ApiSettings(path, inherited=inherited), MemoryDesk(), RULES)
    with pytest.raises(ConfigError) as caught:
        api.start()
    os.close(inherited)  # it is left to whoever answers those that wait
    return str(caught.value)


def test_it_is_served_on_with_the_configured_mode(opened: socket.socket, tmp_path: Path) -> None:
    with Served(tmp_path / "s", inherited=descriptor(opened), mode=0o666) as served:
        assert served.ask("POST", "/v1/jobs", JOB).status == 201
        assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o666


def test_its_file_stays_and_who_connects_waits_for_the_next(opened: socket.socket, tmp_path: Path) -> None:
    with Served(tmp_path / "s", inherited=descriptor(opened)) as served:
        served.ask("GET", "/healthz")
    with served.plug() as waiting:
        waiting.sendall(b"GET /healthz HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n")
        with Served(tmp_path / "s", inherited=descriptor(opened)):
            assert waiting.recv(100).startswith(b"HTTP/1.1 200")


def test_no_submit_is_lost_or_refused_over_restarts(opened: socket.socket, tmp_path: Path) -> None:
    answers: list[int] = []
    enough = threading.Event()
    served = Served(tmp_path / "s", inherited=descriptor(opened))

    def submit() -> None:
        while not enough.is_set():
            with served.connection(30) as connection:
                answers.append(ask(connection, "POST", "/v1/jobs", JOB).status)

    threads = [threading.Thread(target=submit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        with Served(tmp_path / "s", inherited=descriptor(opened)):
            so_far = len(answers)
            until(lambda enough=so_far: len(answers) > enough + 50)
    with Served(tmp_path / "s", inherited=descriptor(opened)):
        enough.set()
        for thread in threads:
            thread.join(30)
    assert set(answers) == {201}


def test_one_of_another_path_is_refused(opened: socket.socket, tmp_path: Path) -> None:
    sentence = refusal(tmp_path / "other", descriptor(opened))
    assert f"bound to {tmp_path}/s" in sentence
    assert "systemctl disable --now dialerd.socket" in sentence


@pytest.mark.parametrize("left", ["nothing", "a dead daemon's file"])
def test_one_whose_file_is_gone_gives_way_to_one_of_our_own(
    opened: socket.socket, tmp_path: Path, left: str
) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as waiting:
        waiting.settimeout(30)
        waiting.connect(str(path))
        path.unlink()
        if left != "nothing":
            with socket.socket(socket.AF_UNIX) as dead:
                dead.bind(str(path))
        with Served(path, inherited=descriptor(opened)) as served:
            answered = served.ask("GET", "/healthz").status
            problems = served.api.problems()
        heard = waiting.recv(4096)
    assert answered == 200
    assert any("systemctl stop dialerd.socket" in each for each in problems)
    assert heard.startswith(b"HTTP/1.1 503")
    assert not path.exists()


def test_what_is_put_in_its_place_is_not_touched(opened: socket.socket, tmp_path: Path) -> None:
    (tmp_path / "s").unlink()
    (tmp_path / "s").write_text("mine")
    assert "exists and is not a socket" in refusal(tmp_path / "s", descriptor(opened))
    assert (tmp_path / "s").read_text() == "mine"


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_file_that_is_gone_while_it_is_served_on_is_a_problem(
    opened: socket.socket, tmp_path: Path, how: str
) -> None:
    with Served(tmp_path / "s", inherited=descriptor(opened)) as served:
        before = served.api.problems()
        (tmp_path / "s").rename(tmp_path / "t")
        if how == "replaced":
            (tmp_path / "s").touch()
        [problem] = served.api.problems()
    assert before == []
    assert "restart dialerd" in problem


def test_the_same_path_by_another_name_is_taken(opened: socket.socket, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with Served(tmp_path / "link" / "s", inherited=descriptor(opened)) as served:
        assert served.ask("GET", "/healthz").status == 200


def test_one_that_does_not_listen_is_refused(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "s"))
        assert "nobody listens" in refusal(tmp_path / "s", descriptor(bound))


@pytest.mark.parametrize(
    ("family", "kind"), [(socket.AF_INET, socket.SOCK_STREAM), (socket.AF_UNIX, socket.SOCK_SEQPACKET)]
)
def test_one_of_another_kind_is_refused(
    tmp_path: Path, family: socket.AddressFamily, kind: socket.SocketKind
) -> None:
    with socket.socket(family, kind) as other:
        assert "no stream socket" in refusal(tmp_path / "s", descriptor(other))


def test_what_is_no_socket_is_refused(tmp_path: Path) -> None:
    assert "can't be used" in refusal(tmp_path / "s", os.open(tmp_path, os.O_RDONLY))


def test_where_dialerd_can_t_start_all_who_wait_are_told(opened: socket.socket, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one, socket.socket(socket.AF_UNIX) as other:
        for each in (one, other):
            each.settimeout(30)
            each.connect(str(tmp_path / "s"))
        one.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
        turn_away(opened.fileno())
        heard = [each.recv(4096) for each in (one, other)]
    assert all(each.startswith(b"HTTP/1.1 503") and b"journalctl" in each for each in heard)
    assert all(b"Retry-After: 10\r\n" in each for each in heard)


def test_a_server_gives_signs_of_life_while_it_lives(tmp_path: Path) -> None:
    with Served(tmp_path / "s") as served:
        started = monotonic()
        until(lambda: monotonic() - started > 0.5 and served.api.answered_within(0.3))
    until(lambda: not served.api.answered_within(0.3))
