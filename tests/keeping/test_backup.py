"""Backups: whole, consistent while the queue is written, and never taken for one when they are not."""

import gzip
import io
import os
import tarfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dialerd.core.errors import Broken, Overloaded
from dialerd.keeping.archive import unpack
from dialerd.keeping.backup import WORK, Backups, before_upgrade, make, save
from dialerd.keeping.manifest import Unfit
from dialerd.keeping.restore import KNOWN, restore
from dialerd.keeping.starting import at_start
from dialerd.store.sqlite import SqliteStore
from tests.keeping.making import NOW, Made, all_jobs, backup_of, empty, opened, state_in
from tests.store.old import left_by
from tests.waiting import until

EXABYTE = 1 << 60


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return state_in(tmp_path / "state")


def names_in(backup: io.BytesIO) -> list[str]:
    with tarfile.open(fileobj=backup, mode="r|gz") as tar:
        return [info.name for info in tar]


def test_a_backup_has_all_of_the_state_and_its_manifest_last(made: Made) -> None:
    names = names_in(backup_of(made.folder))

    assert names[-1] == "manifest.json"
    assert set(names[:-1]) == {
        *("dialerd.sqlite3", "reports.sqlite3", "numbers.json", "listener.key", "stop-lists/opt-out.txt"),
        *(f"documents/{made.document}", f"documents/{made.document}.1000"),
    }


def test_the_manifest_says_what_it_is(made: Made) -> None:
    manifest = unpack(backup_of(made.folder, stopped=True), None)

    assert manifest.stopped
    assert manifest.schemas == KNOWN
    assert manifest.jobs["queued"] == 2
    assert manifest.summary()["files"] == 7


def test_a_backup_of_a_queue_that_is_written_meanwhile_is_of_one_instant(made: Made) -> None:
    stop = threading.Event()
    pairs = 0

    def write() -> None:
        """Adds an event and a use in each commit: a backup between the two would show it."""
        nonlocal pairs
        job = next(iter(made.calls.values()))
        with opened(made.folder) as store:
            while not stop.is_set():
                with store.transaction():
                    store.add_event(NOW, job.id, "pair", {})
                    store._db.execute("UPDATE usage SET calls = calls + 1")
                pairs += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        until(lambda: pairs > 20)
        backups = [backup_of(made.folder) for _ in range(5)]
    finally:
        stop.set()
        thread.join()

    for number, backup in enumerate(backups):
        folder = empty(made.folder.parent / f"restored-{number}")
        restore(backup, folder, replace=False, moved=False)
        with opened(folder) as store:
            (events,) = store._db.execute("SELECT count(*) FROM events WHERE type = 'pair'").fetchone()
            assert store.usage("2026-11-21")["all"].calls == 7 + events
            assert events > 20


def test_the_queue_can_be_written_while_a_backup_is_read(made: Made) -> None:
    pieces = make(made.folder, stopped=False)
    first = next(pieces)
    with opened(made.folder) as store, store.transaction():
        store.add_event(NOW, made.fax.id, "late", {})
    rest = b"".join(pieces)

    assert unpack(io.BytesIO(first + rest), None).jobs["queued"] == 2


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_backup_that_is_cut_short_is_refused(made: Made, part: float) -> None:
    data = backup_of(made.folder).getvalue()

    with pytest.raises(Unfit, match="not whole"):
        unpack(io.BytesIO(data[: int(len(data) * part)]), None)


def test_a_backup_whose_content_was_changed_is_refused(made: Made) -> None:
    tar = bytearray(gzip.decompress(backup_of(made.folder).getvalue()))
    place = tar.index(b"+493011111")
    tar[place : place + 3] = b"+44"

    with pytest.raises(Unfit, match="manifest says"):
        unpack(io.BytesIO(gzip.compress(bytes(tar))), None)


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/passwd", "dialerd.sqlite3-wal", "stop-lists/../x", "documents/x", ".restored/x"]
)
def test_an_archive_with_other_files_is_no_backup(tmp_path: Path, name: str) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo(name))
    data.seek(0)

    with pytest.raises(Unfit, match="no backup of dialerd"):
        unpack(data, empty(tmp_path / "target"))

    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_a_link_in_an_archive_is_not_followed(tmp_path: Path) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        link = tarfile.TarInfo("numbers.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    data.seek(0)

    with pytest.raises(Unfit, match="no backup of dialerd"):
        unpack(data, empty(tmp_path / "target"))


def test_without_room_for_the_copy_no_backup_is_begun(made: Made) -> None:
    with pytest.raises(Overloaded, match="no room for a backup"):
        next(make(made.folder, stopped=False, min_free_bytes=EXABYTE))

    assert not (made.folder / WORK).exists()


def test_one_backup_at_a_time_and_the_next_after_it(made: Made) -> None:
    backups = Backups(made.folder, 0)
    first, second = backups.stream(), backups.stream()
    next(first)
    with pytest.raises(Overloaded, match="already"):
        next(second)
    first.close()

    whole = b"".join(backups.stream())

    assert unpack(io.BytesIO(whole), None).jobs["held"] == 1
    assert not (made.folder / WORK).exists()


def test_a_stop_of_dialerd_ends_a_backup(made: Made) -> None:
    backups = Backups(made.folder, 0)
    backups.stop()

    with pytest.raises(Broken, match="stopping"):
        b"".join(backups.stream())


def test_a_saved_backup_is_for_its_owner_only_and_half_a_one_has_no_name(made: Made, tmp_path: Path) -> None:
    def half() -> Iterator[bytes]:
        yield b"half"
        raise Broken("the daemon is gone")

    save(make(made.folder, stopped=True), tmp_path / "whole.tar.gz")
    with pytest.raises(Broken):
        save(half(), tmp_path / "half.tar.gz")

    assert (tmp_path / "whole.tar.gz").stat().st_mode & 0o777 == 0o600
    assert sorted(os.listdir(tmp_path)) == ["state", "whole.tar.gz"]


def test_a_state_of_an_older_version_is_backed_up_before_the_upgrade(tmp_path: Path) -> None:
    left_by(3, tmp_path)

    at_start(tmp_path)
    SqliteStore(tmp_path).close()

    with (tmp_path / "before-upgrade-3.tar.gz").open("rb") as file:
        manifest = unpack(file, None)
    assert manifest.schemas == {"dialerd.sqlite3": 3}
    assert not manifest.stopped


def test_only_the_newest_backup_before_an_upgrade_is_kept(tmp_path: Path) -> None:
    (tmp_path / "before-upgrade-1.tar.gz").write_bytes(b"old")
    left_by(2, tmp_path)

    path = before_upgrade(tmp_path, KNOWN)

    assert [each.name for each in tmp_path.glob("before-upgrade-*")] == ["before-upgrade-2.tar.gz"]
    assert path == tmp_path / "before-upgrade-2.tar.gz"


def test_a_state_of_this_version_needs_no_backup_at_the_start(made: Made) -> None:
    before = sorted(os.listdir(made.folder))

    at_start(made.folder)

    assert sorted(os.listdir(made.folder)) == before


def test_what_a_crash_left_of_a_backup_goes_at_the_next_start(made: Made) -> None:
    (made.folder / WORK).mkdir()
    (made.folder / WORK / "dialerd.sqlite3").write_bytes(b"half")

    at_start(made.folder)

    assert not (made.folder / WORK).exists()


def test_an_empty_state_can_be_backed_up(tmp_path: Path) -> None:
    with closing(SqliteStore(empty(tmp_path / "state"))):
        manifest = unpack(backup_of(tmp_path / "state"), None)

    assert manifest.jobs == {}


def test_a_document_that_goes_meanwhile_is_left_out(made: Made) -> None:
    pieces = make(made.folder, stopped=False)
    first = next(pieces)
    (made.folder / "documents" / f"{made.document}.1000").unlink()
    names = names_in(io.BytesIO(first + b"".join(pieces)))

    assert f"documents/{made.document}.1000" not in names
    assert len(all_jobs(made.folder)) == 11
