import pytest

from dialerd.providers.registry import TYPES
from tests.config.accounts import Gateway, Owl, Parrot, Pigeon


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> None:
    """Types of providers that there are for tests only; the last stands for generic."""
    for each in (Pigeon, Parrot, Owl, Gateway):
        monkeypatch.setitem(TYPES, each.TYPE, each)
