"""Fixtures: a drop folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.intake.dropping import Desk, Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A drop folder, with a desk of its own."""
    desk = Desk()
    place = Place(tmp_path / "spool" / "dialerd", desk)
    yield place
    place.close()
    desk.close()
