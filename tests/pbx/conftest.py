"""Spools to work in."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialerd.pbx.spool import Spool, SpoolSettings
from tests.pbx.lines import line, manager
from tests.users import ASTERISK_GID, ASTERISK_UID, give

__all__ = ["line", "manager"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A spool's folder as Debian ships it: with `outgoing`, without `outgoing_done`."""
    (tmp_path / "outgoing").mkdir()
    return tmp_path


@pytest.fixture
def spool(folder: Path) -> Spool:
    """A checked spool whose Asterisk runs as we do."""
    made = Spool(SpoolSettings(folder))
    made.check()
    return made


@pytest.fixture
def asterisks() -> Iterator[Path]:
    """A spool's folder of Asterisk's user, open to its group, as an administrator makes it."""
    folder = Path(tempfile.mkdtemp(prefix="spool-", dir="/tmp"))
    outgoing = folder / "outgoing"
    outgoing.mkdir()
    for path in (folder, outgoing):
        give(path, ASTERISK_UID, ASTERISK_GID, 0o2770)
    yield folder
    for path in (folder, outgoing):
        path.chmod(0o700)
    shutil.rmtree(folder)
