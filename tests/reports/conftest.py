"""Fixtures: a world of reports, and a certificate authority."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reports.receiver import Authority
from tests.reports.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.store.close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))
