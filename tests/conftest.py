"""Fixtures: real Asterisks. Without one the tests fail, they are never skipped.

No example of hypothesis has to be quick: how long one takes says what else the machine does.
"""

import os
from collections.abc import Callable, Iterator
from itertools import islice

import pytest
from hypothesis import HealthCheck, settings

from tests.asterisk import Asterisk

settings.register_profile("dialerd", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dialerd")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the long tests first, for each worker of xdist its share: begun last, one of them would keep all
    others waiting. worksteal hands each worker one piece of the list, all of about the same length."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    long = [item for item in items if item.get_closest_marker("long")]
    rest = iter([item for item in items if not item.get_closest_marker("long")])
    ordered: list[pytest.Item] = []
    for worker in range(workers):
        share, end = long[worker::workers], len(items) * (worker + 1) // workers
        ordered += share
        ordered += islice(rest, max(0, end - len(ordered)))
    items[:] = [*ordered, *rest]


def _running(version: int) -> Iterator[Asterisk]:
    instance = Asterisk(version)
    try:
        yield instance.start()
    finally:
        instance.remove()


@pytest.fixture(scope="session")
def asterisk() -> Iterator[Asterisk]:
    """An Asterisk 22 that all tests share: leave it as it was found."""
    yield from _running(22)


@pytest.fixture(scope="session")
def asterisk16() -> Iterator[Asterisk]:
    """An Asterisk 16 that all tests share."""
    yield from _running(16)


@pytest.fixture(params=["asterisk", "asterisk16"])
def any_asterisk(request: pytest.FixtureRequest) -> Asterisk:
    """Each version in turn."""
    instance = request.getfixturevalue(request.param)
    assert isinstance(instance, Asterisk)
    return instance


@pytest.fixture
def own_asterisk() -> Iterator[Asterisk]:
    """An Asterisk 22 of the test's own, to be stopped, killed and started at will."""
    yield from _running(22)


@pytest.fixture
def make_asterisk() -> Iterator[Callable[..., Asterisk]]:
    """Makes Asterisks of the test's own, not yet started, from the arguments of tests.asterisk.Asterisk."""
    made: list[Asterisk] = []

    def make(*args: object, **kwargs: object) -> Asterisk:
        made.append(Asterisk(*args, **kwargs))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for instance in made:
        instance.remove()
