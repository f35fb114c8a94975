"""Stop lists on real files."""

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from dialerd.core.errors import ConfigError
from dialerd.lists import ListFile, StopLists

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BERLIN = "+4930123456"
MUNICH = "+4989123456"


def lists_of(path: Path, text: str | bytes, country: str | None = "DE", **settings: object) -> StopLists:
    """One list, `customers`, with this text, loaded."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    made = StopLists([ListFile("customers", path, "a customer", writable=True, **settings)], country)  # type: ignore[arg-type]
    made.load()
    return made


def mistakes_in(path: Path, text: str | bytes, country: str | None = "DE") -> list[str]:
    """What is said of a list that can't be loaded."""
    with pytest.raises(ConfigError) as caught:
        lists_of(path, text, country)
    return [str(mistake) for mistake in caught.value.mistakes]


def hashed(number: str, salt: str = "") -> str:
    """As sha256sum has it."""
    return "sha256:" + sha256((salt + number).encode()).hexdigest()


def stopped(lists: StopLists, numbers: Iterable[str]) -> list[str]:
    """Those of the numbers that may not be called."""
    return [number for number in numbers if lists.stopped(number)]
