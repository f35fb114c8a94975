import ssl
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.asterisk import Asterisk
from tests.daemon import Daemon
from tests.e2e.clouds import Clouds
from tests.providers.cloud import clouded
from tests.reports.receiver import Authority
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


@pytest.fixture(scope="session")
def vouched() -> Iterator[tuple[ssl.SSLContext, Path]]:
    """What a provider's server shows, and who vouches for it, in a folder that dialerd can read."""
    with tempfile.TemporaryDirectory(prefix="ca-", dir="/tmp") as path:
        Path(path).chmod(0o755)
        authority = Authority(Path(path))
        yield authority.serve("localhost"), authority.certificate


@pytest.fixture
def clouds(
    vouched: tuple[ssl.SSLContext, Path], open_folder: Path, make_daemon: Callable[..., Daemon]
) -> Iterator[Clouds]:
    """Providers of the test's own."""
    with clouded(*vouched) as cloud:
        yield Clouds(cloud, open_folder, make_daemon)
