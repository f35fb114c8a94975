"""GET /v1/backup: who may have one, and that one which is cut short is not taken for the whole."""

import os
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest
from click.testing import CliRunner

from dialerd.cli import main
from dialerd.client import Client, NotPermitted, TryLater, Unreachable
from dialerd.core.errors import Broken, Overloaded
from dialerd.core.roles import Right, Role, Roles, with_included
from dialerd.intake.api import Api, Extras
from tests.intake.serving import JOB, RULES, Served
from tests.waiting import until

Made = Callable[[], Generator[bytes, None, None]]


@contextmanager
def serving(path: Path, made: Made, *rights: Right, **settings: float) -> Iterator[Served]:
    """A socket whose backups are what `made` makes; the caller has these rights only."""
    served = Served(path, **settings)
    role = Role("member", rights=with_included(rights))
    extras = Extras(book=None, reporter=None, backup=made)  # type: ignore[arg-type]
    served.api = Api(served.settings, served.desk, RULES, Roles((role,), admins=frozenset()), extras)
    with served:
        yield served


class Archive:
    """An archive that a test makes, piece by piece."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces, self.closed = pieces, False

    def __call__(self) -> Generator[bytes, None, None]:
        try:
            for piece in self.pieces:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.closed = True


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s"


def test_an_admin_gets_the_archive_whole(path: Path) -> None:
    archive = Archive(b"one", b"two" * 100_000, b"three")
    with serving(path, archive, Right.ADMIN), Client(path) as client:
        data = b"".join(client.backup())

    assert data == b"one" + b"two" * 100_000 + b"three"
    assert archive.closed


@pytest.mark.parametrize("right", set(Right) - {Right.ADMIN})
def test_nobody_else_gets_one(path: Path, right: Right) -> None:
    archive = Archive(b"one")
    with serving(path, archive, right), Client(path) as client, pytest.raises(NotPermitted):
        b"".join(client.backup())

    assert not archive.closed


def test_why_there_is_none_is_told_as_for_all_else(path: Path) -> None:
    archive = Archive(Overloaded("There is no room for a backup.", 60))
    asked = pytest.raises(TryLater, match="no room")
    with serving(path, archive, Right.ADMIN), Client(path) as client, asked:
        b"".join(client.backup())

    assert archive.closed


def test_an_archive_that_breaks_off_does_not_look_whole(path: Path) -> None:
    archive = Archive(b"one", Broken("The disk is gone."))
    with serving(path, archive, Right.ADMIN), Client(path) as client:
        pieces = client.backup()
        first = next(pieces)
        with pytest.raises(Unreachable):
            b"".join(pieces)

    assert first == b"one"


def test_dialerctl_leaves_no_file_of_an_archive_that_breaks_off(path: Path, tmp_path: Path) -> None:
    archive = Archive(b"one", Broken("The disk is gone."))
    with serving(path, archive, Right.ADMIN):
        words = ["--socket", str(path), "backup", str(tmp_path / "b.tar.gz")]
        result = CliRunner().invoke(main, words)

    assert result.exit_code == 69
    assert os.listdir(tmp_path) == []


def test_dialerctl_does_not_keep_what_is_no_backup(path: Path, tmp_path: Path) -> None:
    with serving(path, Archive(b"one"), Right.ADMIN):
        words = ["--socket", str(path), "backup", str(tmp_path / "b.tar.gz")]
        result = CliRunner().invoke(main, words)

    assert result.exit_code == 65
    assert "not whole" in result.stderr
    assert os.listdir(tmp_path) == []


def test_an_archive_that_takes_long_keeps_nobody_waiting(path: Path) -> None:
    go_on = threading.Event()

    def slow() -> Generator[bytes, None, None]:
        go_on.wait(30)
        yield b"one"

    with serving(path, slow, Right.ADMIN, Right.SUBMIT) as served, Client(path) as client:
        thread = threading.Thread(target=lambda: b"".join(client.backup()))
        thread.start()
        accepted = served.ask("POST", "/v1/jobs", JOB).status
        go_on.set()
        thread.join(30)

    assert accepted == 201


def after(moment: float) -> Callable[[], bool]:
    """Whether it is past this moment."""
    return lambda: monotonic() >= moment


def test_a_reader_that_reads_slowly_gets_it_whole(path: Path) -> None:
    piece, a_second = b"x" * (1 << 20), 250_000
    with serving(path, Archive(piece), Right.ADMIN, write_timeout=2.0) as served, served.plug() as plug:
        plug.sendall(b"GET /v1/backup HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n")
        begun, got = monotonic(), bytearray()
        while data := plug.recv(50_000):
            got += data
            until(after(begun + len(got) / a_second))

    assert got.count(b"x") == len(piece)


def test_a_reader_that_goes_away_or_does_not_read_ends_the_archive(path: Path) -> None:
    gone, stuck = Archive(*[b"x" * 100_000] * 1000), Archive(*[b"x" * 100_000] * 1000)
    archives = iter([gone, stuck])

    with serving(path, lambda: next(archives)(), Right.ADMIN, write_timeout=0.2) as served:
        with served.connection() as connection:
            connection.request("GET", "/v1/backup")
            connection.getresponse().read(10)
        plug = served.plug()
        plug.sendall(b"GET /v1/backup HTTP/1.1\r\nHost: d\r\n\r\n")

        until(lambda: gone.closed)
        until(lambda: stuck.closed)
        plug.close()
        alive = served.ask("GET", "/healthz").status

    assert alive == 200
