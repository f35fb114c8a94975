"""A store that is damaged while dialerd runs is told of, and ends nobody's thread."""

import os
from datetime import UTC, datetime

import pytest

from dialerd.core.errors import Broken
from dialerd.core.states import State
from dialerd.store.figures import Figures
from dialerd.store.sqlite import FILE_NAME, SqliteStore


def test_figures_of_a_damaged_store_are_broken_and_no_error_of_sqlite(tmp_path):
    store = SqliteStore(tmp_path)
    store.close()
    path = tmp_path / FILE_NAME
    with path.open("r+b") as file:
        file.write(os.urandom(path.stat().st_size))
    figures = Figures(tmp_path)

    with pytest.raises(Broken, match="can't be read"):
        figures.stuck({State.HELD: 1}, datetime.now(UTC))

    figures.close()
