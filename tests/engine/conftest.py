import pytest

from tests.engine.cloud import cloud, clouded
from tests.engine.ruled import make_ruled_world
from tests.engine.trunked import make_world
from tests.engine.world import World

__all__ = ["cloud", "clouded", "make_ruled_world", "make_world"]


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


@pytest.fixture
def ami_world(tmp_path):
    world = World(tmp_path, ami=True)
    yield world
    world.close()
