"""A store that is damaged while dialerd runs is told of, and ends nobody's thread."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dialerd.core import ids
from dialerd.core.errors import Broken
from dialerd.core.signals import JobFilter
from dialerd.core.states import State
from dialerd.engine.housekeeping import Housekeeper
from dialerd.store.figures import Figures
from dialerd.store.reader import SqliteReader
from dialerd.store.sqlite import FILE_NAME, SqliteStore
from tests.engine.world import World

JOB = ids.to_text(1 << 60)


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A state folder whose store is noise, behind the backs of those who have it open."""
    SqliteStore(tmp_path).close()
    path = tmp_path / FILE_NAME
    with path.open("r+b") as file:
        file.write(os.urandom(path.stat().st_size))
    return tmp_path


@pytest.fixture
def figures(damaged: Path) -> Iterator[Figures]:
    found = Figures(damaged)
    yield found
    found.close()


@pytest.fixture
def reader(damaged: Path) -> Iterator[SqliteReader]:
    found = SqliteReader(damaged)
    yield found
    found.close()


def test_figures_of_a_damaged_store_are_broken_and_no_error_of_sqlite(figures):
    with pytest.raises(Broken, match=r"can't be read.*dialerctl fsck"):
        figures.stuck({State.HELD: 1}, datetime.now(UTC))


@pytest.mark.parametrize(
    "read",
    [
        lambda reader: reader.job(JOB),
        lambda reader: reader.jobs(JobFilter()),
        lambda reader: reader.events(0, 1),
        lambda reader: reader.documents(),
        lambda reader: reader.last_event(),
    ],
    ids=["job", "jobs", "events", "documents", "last_event"],
)
def test_what_can_not_be_read_is_broken_and_no_error_of_sqlite(reader, read):
    with pytest.raises(Broken, match=r"can't be read.*dialerctl fsck"):
        read(reader)


def test_the_housekeeper_tells_of_a_damaged_store_and_clears_nothing_away(tmp_path, figures, reader):
    evidence = tmp_path / "doubt" / f"{JOB}.1.call"
    evidence.parent.mkdir()
    evidence.write_text("Channel: Local/1\n")
    (tmp_path / "sound").mkdir()
    world = World(tmp_path / "sound")
    keeper = Housekeeper(world.engine, reader, figures, [evidence.parent], -60)

    keeper.look()

    world.close()
    assert "dialerctl fsck" in " ".join(keeper.problems)
    assert evidence.exists()
