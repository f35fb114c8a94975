"""Fixtures: a provider on loopback, over TLS."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.providers.cloud import Cloud, clouded
from tests.reports.receiver import Authority


@pytest.fixture(scope="session")
def localhost(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """What the server shows, and who vouches for it."""
    authority = Authority(tmp_path_factory.mktemp("cloud"))
    return authority.serve("localhost"), authority.certificate


@pytest.fixture(scope="session")
def shared_cloud(localhost: tuple[ssl.SSLContext, Path]) -> Iterator[Cloud]:
    with clouded(*localhost) as cloud:
        yield cloud


@pytest.fixture
def cloud(shared_cloud: Cloud) -> Cloud:
    """A provider that nobody asked yet."""
    shared_cloud.reset()
    return shared_cloud


@pytest.fixture
def own_cloud(localhost: tuple[ssl.SSLContext, Path]) -> Iterator[Cloud]:
    """Another one, of the test's own."""
    with clouded(*localhost) as cloud:
        yield cloud
