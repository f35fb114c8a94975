from collections.abc import Iterator

import pytest

from tests.metrics.scraping import World, work, world


@pytest.fixture(scope="module")
def busy() -> Iterator[World]:
    """A daemon that has done something of everything. Tests only look at it."""
    with world() as running:
        work(running)
        yield running
