import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.asterisk import Asterisk
from tests.daemon import Daemon
from tests.users import DIALERD_GID, DIALERD_UID, give


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A temporary folder that every user can look into (pytest's own are closed to others)."""
    with tempfile.TemporaryDirectory(prefix="open-", dir="/tmp") as path:
        yield give(Path(path), DIALERD_UID, DIALERD_GID, 0o755)


@pytest.fixture
def make_daemon() -> Iterator[Callable[..., Daemon]]:
    """Makes daemons of the test's own, not yet started, from the arguments of tests.daemon.Daemon."""
    made: list[Daemon] = []

    def make(*args: Any, **kwargs: Any) -> Daemon:
        made.append(Daemon(*args, **kwargs))
        return made[-1]

    yield make
    for daemon in made:
        daemon.remove()


@pytest.fixture
def daemon(asterisk: Asterisk, make_daemon: Callable[..., Daemon]) -> Daemon:
    """A running daemon on the shared Asterisk 22."""
    return make_daemon(asterisk).start()
