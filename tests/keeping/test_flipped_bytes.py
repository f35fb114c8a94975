"""Fsck and bytes that a bad disk changed: never a traceback, never a job that is gone without a word."""

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dialerd.core import ids
from dialerd.core.errors import Broken
from dialerd.core.states import State
from dialerd.keeping.fsck import fsck
from dialerd.store import codec
from dialerd.store.opening import schema_of
from dialerd.store.reports import ReportStore
from dialerd.store.reports_file import FILE_NAME as REPORTS
from dialerd.store.sqlite import FILE_NAME
from tests.keeping.making import Made, all_jobs, opened, state_in


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return state_in(tmp_path / "state")


def change(made: Made, sql: str) -> None:
    with closing(sqlite3.connect(made.folder / FILE_NAME, isolation_level=None)) as db:
        assert db.execute(sql).rowcount > 0


def overwrite(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))


def flip(path: Path, chance: random.Random) -> None:
    """Changes one to eight bytes where something stands."""
    data = bytearray(path.read_bytes())
    place = chance.choice([index for index, byte in enumerate(data[:-8]) if byte])
    for index in range(place, place + chance.choice((1, 1, 2, 8))):
        data[index] = chance.randrange(256)
    path.write_bytes(data)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_flipped_is_told_or_read_and_no_job_goes_without_a_word(
    made: Made, tmp_path: Path, seed: int
) -> None:
    chance, folder, before = random.Random(seed), tmp_path / "flipped", all_jobs(made.folder).keys()
    lost, unmended, trials = [], [], 30
    for _ in range(trials):
        shutil.copytree(made.folder, folder)
        flip(folder / chance.choice((FILE_NAME, REPORTS)), chance)
        if fsck(folder, repair=True).sound:
            kept = "".join(path.read_text() for path in folder.glob("quarantine-*"))
            gone = before - all_jobs(folder).keys()
            lost += [job for job in gone if str(ids.to_number(job)) not in kept]
            unmended += [each for each in fsck(folder).found if not each.harmless]
            ReportStore(folder).close()
        shutil.rmtree(folder)

    assert (lost, unmended) == ([], [])


def test_a_text_that_is_no_utf_8_takes_one_row_out_and_not_the_file(made: Made) -> None:
    change(made, "UPDATE jobs SET reason = cast(x'41ff' AS TEXT) WHERE state = 'failed'")
    change(made, "UPDATE events SET type = cast(x'ff' AS TEXT) WHERE id = 1")
    change(made, "UPDATE attempts SET document = cast(x'7bff' AS TEXT) WHERE trunk = 'cloud'")

    report = fsck(made.folder, repair=True)

    assert report.sound
    assert report.quarantine is not None
    assert '{"hex": "41ff"}' in report.quarantine.read_text()
    assert made.calls[State.FAILED].id not in all_jobs(made.folder)
    assert len(all_jobs(made.folder)) == 10
    assert fsck(made.folder).found == ()


def test_a_text_that_is_no_utf_8_beside_the_jobs_is_told(made: Made) -> None:
    change(made, "UPDATE usage SET scope = cast(x'ff' AS TEXT)")

    report = fsck(made.folder)

    assert any("usage holds a text that is no UTF-8" in each.what for each in report.found)
    assert not report.sound


@pytest.mark.parametrize("name", [FILE_NAME, REPORTS])
def test_a_schema_that_sqlite_can_not_even_quote_is_told(made: Made, name: str) -> None:
    overwrite(made.folder / name, b"INTEGER NOT NULL,", b"INTEGER NOT N\xffLL,")
    overwrite(made.folder / name, b" PRIMARY KEY", b" PRI\xffARY KEY")

    report = fsck(made.folder, repair=True)

    assert any("can't be read" in each.what for each in report.left)
    with pytest.raises(Broken, match="run dialerctl fsck"):
        schema_of(made.folder / name)


def test_a_column_with_another_name_is_told(made: Made) -> None:
    overwrite(made.folder / REPORTS, b"first_at INTEGER", b"firsT\xc0at INTEGER")

    report = fsck(made.folder)

    assert any("no first_at as it should be" in each.what for each in report.found)
    assert not report.sound


def test_a_row_of_no_job_is_told_as_any_other_that_can_not_be_read() -> None:
    with pytest.raises(Broken, match="can't be read"):
        codec.row_event((1, 0, None, "accepted", "{}"))  # type: ignore[arg-type]


def test_a_row_that_is_no_text_is_not_quoted_in_the_log(made: Made) -> None:
    change(made, "UPDATE jobs SET document = cast(x'2b34393330ff' AS TEXT) WHERE state = 'queued'")
    job = made.calls[State.QUEUED].id

    with (
        opened(made.folder) as store,
        pytest.raises(Broken, match="no UTF-8") as caught,
        store.transaction(),
    ):
        store.find_job(job)

    assert "run dialerctl fsck" in str(caught.value)
    assert "+4930" not in str(caught.value)


def test_a_waiting_job_of_which_two_numbers_are_told_is_held(made: Made) -> None:
    change(made, "UPDATE jobs SET document = replace(document, '+4930123456', '+4930123457')")
    waiting = [made.calls[state].id for state in (State.QUEUED, State.DEFERRED)]

    report = fsck(made.folder, repair=True)

    jobs = all_jobs(made.folder)
    assert {(jobs[job].state, jobs[job].reason[:22]) for job in waiting} == {
        (State.HELD, "its number was damaged")
    }
    assert report.sound
    assert fsck(made.folder).found == ()


@pytest.mark.parametrize("sql", ["scope = 'jatch:1000:spring'", "word = 'pGused'"])
def test_an_order_that_can_not_be_read_pauses_all(made: Made, sql: str) -> None:
    change(made, f"UPDATE orders SET {sql}")
    before = fsck(made.folder)

    report = fsck(made.folder, repair=True)

    with opened(made.folder) as store:
        (order,) = store.orders()
    assert not before.sound
    assert (order.scope, order.word) == ("all", "paused")
    assert report.sound
    assert report.quarantine is not None
