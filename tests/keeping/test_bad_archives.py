"""Archives that are damaged, made to do harm, or written twice at once."""

import gzip
import io
import json
import os
import random
import resource
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dialerd.core.errors import Broken, Overloaded
from dialerd.keeping.archive import unpack
from dialerd.keeping.backup import before_upgrade, make, save
from dialerd.keeping.manifest import Unfit
from dialerd.keeping.restore import KNOWN, restore
from tests.keeping.making import LATER, Made, all_jobs, backup_of, empty, state_in
from tests.store.old import left_by

SPARSE = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(1 << 60)}


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return state_in(tmp_path / "state")


def with_manifest(made: Made, change: Callable[[dict[str, Any]], object]) -> io.BytesIO:
    """A backup whose manifest says something else."""
    data = io.BytesIO()
    with (
        tarfile.open(fileobj=backup_of(made.folder), mode="r|gz") as old,
        tarfile.open(fileobj=data, mode="w:gz") as new,
    ):
        for info in old:
            content = old.extractfile(info)
            assert content is not None
            read = content.read()
            if info.name == "manifest.json":
                told = json.loads(read)
                change(told)
                read = json.dumps(told).encode()
                info.size = len(read)
            new.addfile(info, io.BytesIO(read))
    data.seek(0)
    return data


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told["members"][0].update(size=float("inf")),
        lambda told: told.update(taken="0001-01-01T00:00:00+23:00"),
        lambda told: told.update(host="pbx\x1b]0;evil\x07"),
        lambda told: told.update(version="1\n2"),
        lambda told: told.update(version="9\x1b[2J", form=99),
        lambda told: told.update(schemas={"dialerd.sqlite3": float("inf")}),
        lambda told: told.update(members=None),
    ],
)
def test_a_manifest_with_what_can_not_be_is_refused(
    made: Made, tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    with pytest.raises(Unfit, match="manifest can't be read"):
        restore(with_manifest(made, change), empty(tmp_path / "t"), replace=False, moved=False)

    assert not [path for path in (tmp_path / "t").iterdir() if path.name != "lock"]


def test_a_manifest_of_brackets_is_refused(tmp_path: Path) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        info = tarfile.TarInfo("manifest.json")
        info.size = 1_000_000
        tar.addfile(info, io.BytesIO(b"[" * info.size))
    data.seek(0)

    with pytest.raises(Unfit, match="manifest can't be read"):
        unpack(data, empty(tmp_path / "target"))


@pytest.mark.parametrize(
    ("kind", "headers"), [(tarfile.REGTYPE, SPARSE), (tarfile.CONTTYPE, {}), (tarfile.LNKTYPE, {})]
)
def test_only_plain_files_are_taken(tmp_path: Path, kind: bytes, headers: dict[str, str]) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("numbers.json")
        info.type, info.size, info.linkname = kind, 0 if kind == tarfile.LNKTYPE else 512, "dialerd.sqlite3"
        info.pax_headers = headers
        tar.addfile(info, io.BytesIO(b"0\n".ljust(512, b"\0")))
    data.seek(0)

    with pytest.raises(Unfit, match="no backup of dialerd"):
        unpack(data, empty(tmp_path / "target"))


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_of_a_gigabyte_is_refused_before_it_is_read(kind: bytes) -> None:
    head = tarfile.TarInfo("x")
    head.type, head.size = kind, 1 << 30
    data = io.BytesIO(gzip.compress(head.tobuf(tarfile.USTAR_FORMAT) + bytes(1 << 20)))

    with pytest.raises(Unfit, match="no backup of dialerd"):
        unpack(data, None)


def test_an_archive_of_headers_alone_is_refused() -> None:
    head, record = tarfile.TarInfo("x"), b"11 aaaa=bb\n"
    head.type, head.size = tarfile.XHDTYPE, len(record)
    data = io.BytesIO(gzip.compress((head.tobuf(tarfile.USTAR_FORMAT) + record.ljust(512, b"\0")) * 5000))

    with pytest.raises(Unfit, match="not whole"):
        unpack(data, None)


def test_of_a_full_disk_the_backup_is_not_blamed(tmp_path: Path) -> None:
    data, info = io.BytesIO(), tarfile.TarInfo("numbers.json")
    info.size = 1000
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        tar.addfile(info, io.BytesIO(bytes(1000)))
    data.seek(0)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))  # no file can grow, as on a full disk
    try:
        with pytest.raises(Broken, match="can't be written"):
            unpack(data, empty(tmp_path / "target"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("mtime", ["1e300", "-1e300", "nan", "inf"])
def test_a_member_of_an_impossible_time_is_refused(tmp_path: Path, mtime: str) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("numbers.json")
        info.pax_headers = {"mtime": mtime}
        tar.addfile(info)
    data.seek(0)

    with pytest.raises(Unfit, match="not whole"):
        unpack(data, empty(tmp_path / "target"))


def test_whatever_bytes_are_flipped_in_an_archive_it_is_refused_or_whole(made: Made, tmp_path: Path) -> None:
    tar = gzip.decompress(backup_of(made.folder).getvalue())
    whole = unpack(backup_of(made.folder), None)
    chance = random.Random(5)
    heads = [place for place in range(0, len(tar), 512) if tar[place + 257 : place + 262] == b"ustar"]
    refused = 0
    for trial in range(300):
        bad = bytearray(tar)
        base = chance.choice(heads) if trial % 2 else chance.randrange(0, len(tar) - 512)
        for _ in range(chance.randint(1, 3)):
            bad[base + chance.randrange(512)] = chance.randrange(256)
        if trial % 2:  # a head whose sum is right again
            bad[base + 148 : base + 156] = b" " * 8
            bad[base + 148 : base + 156] = b"%06o\0 " % sum(bad[base : base + 512])
        try:
            found = unpack(io.BytesIO(gzip.compress(bytes(bad), 1)), None)
        except Unfit:
            refused += 1
        else:
            assert [each.sha256 for each in found.members] == [each.sha256 for each in whole.members]

    assert refused > 100


def test_two_backups_to_one_file_leave_the_first_one_whole(made: Made, tmp_path: Path) -> None:
    path = tmp_path / "b.tar.gz"

    def meanwhile() -> Iterator[bytes]:
        for count, piece in enumerate(make(made.folder, stopped=True)):
            if count == 0:
                with pytest.raises(Overloaded, match="Another backup"):
                    save(iter([b"other"]), path)
            yield piece

    save(meanwhile(), path)

    with path.open("rb") as file:
        assert unpack(file, None).stopped
    assert [each.name for each in tmp_path.glob("*b.tar.gz*")] == ["b.tar.gz"]


def test_what_a_killed_backup_left_does_not_keep_the_next_one_back(made: Made, tmp_path: Path) -> None:
    path = tmp_path / "b.tar.gz"
    (tmp_path / ".b.tar.gz.dialerd-part").write_bytes(b"half")

    save(make(made.folder, stopped=True), path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in tmp_path.glob("*b.tar.gz*")) == ["b.tar.gz"]


def test_two_restores_within_a_second_keep_both_old_states(made: Made, tmp_path: Path) -> None:
    other = state_in(tmp_path / "other")
    first = all_jobs(other.folder)
    restore(backup_of(made.folder), other.folder, replace=True, moved=False, now=LATER)
    second = all_jobs(other.folder)

    restored = restore(backup_of(made.folder), other.folder, replace=True, moved=False, now=LATER)

    assert all_jobs(other.folder / "before-restore-20261121T140000Z") == first
    assert all_jobs(Path(restored.aside)) == second


def test_stop_lists_without_a_last_line_end_are_added_to_line_by_line(made: Made) -> None:
    stops = made.folder / "stop-lists" / "opt-out.txt"
    stops.write_text("+493011111\n+493033333")
    backup = backup_of(made.folder)
    stops.write_text("+493022222")

    restore(backup, made.folder, replace=True, moved=False)

    assert stops.read_text() == "+493011111\n+493033333\n+493022222\n"


def test_old_states_in_the_folder_do_not_keep_a_backup_before_an_upgrade_away(tmp_path: Path) -> None:
    folder = empty(tmp_path / "state")
    left_by(2, folder)
    (folder / "before-restore-x").mkdir()
    with (folder / "before-restore-x" / "dialerd.sqlite3").open("wb") as file:
        os.truncate(file.fileno(), 1 << 40)

    assert before_upgrade(folder, KNOWN) == folder / "before-upgrade-2.tar.gz"
