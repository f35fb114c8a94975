"""What another user may do in a folder, on real ones."""

import os
import struct
from pathlib import Path

import pytest

from dialerd.checks import rights
from dialerd.core.findings import Verdict
from tests.users import ROOT, give

root = pytest.mark.skipif(not ROOT, reason="only root can give folders away")
SOMEBODY, ANOTHER, NOBODYS_GROUP = 54321, 54322, 54323
OWNER, USER, GROUP, MASK, OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
NO_ID = 0xFFFFFFFF


@pytest.fixture
def outgoing(tmp_path: Path) -> Path:
    path = tmp_path / "outgoing"
    path.mkdir()
    tmp_path.chmod(0o755)
    return path


def listed(path: Path, *entries: tuple[int, int, int]) -> None:
    """Gives a folder an access list."""
    text = b"".join(struct.pack("<HHI", *each) for each in entries)
    try:
        os.setxattr(path, "system.posix_acl_access", struct.pack("<I", 2) + text)
    except OSError as error:
        pytest.skip(f"this file system has no access lists: {error.strerror}")


@root
@pytest.mark.parametrize(
    ("mode", "good"), [(0o700, True), (0o770, True), (0o300, False), (0o500, False), (0o077, False)]
)
def test_the_owner_is_judged_by_the_owners_bits(outgoing: Path, mode: int, good: bool) -> None:
    give(outgoing, SOMEBODY, NOBODYS_GROUP, mode)

    assert [each.verdict for each in rights.asterisks(outgoing, SOMEBODY)] == [Verdict.ERROR] * (not good)


@root
def test_a_folder_of_somebody_else_is_an_error_that_says_what_to_do(outgoing: Path) -> None:
    give(outgoing, ANOTHER, NOBODYS_GROUP, 0o770)

    (found,) = rights.asterisks(outgoing, SOMEBODY)

    assert found.verdict is Verdict.ERROR
    assert f"{SOMEBODY}, whom Asterisk is said to run as, may not read and write in" in found.found
    assert f"chown {SOMEBODY} {outgoing}" in found.todo


@root
def test_a_spool_that_may_not_be_looked_into_is_an_error(outgoing: Path) -> None:
    give(outgoing, SOMEBODY, NOBODYS_GROUP, 0o700)
    outgoing.parent.chmod(0o700)

    (found,) = rights.asterisks(outgoing, SOMEBODY)

    assert f"may not look into {outgoing.parent}" in found.found


@root
@pytest.mark.parametrize(("mask", "good"), [(7, True), (5, False)])
def test_an_access_list_is_judged_with_its_mask(outgoing: Path, mask: int, good: bool) -> None:
    give(outgoing, ANOTHER, NOBODYS_GROUP, 0o770)
    listed(
        outgoing,
        (OWNER, 7, NO_ID),
        (USER, 7, SOMEBODY),
        (GROUP, 0, NO_ID),
        (MASK, mask, NO_ID),
        (OTHER, 0, NO_ID),
    )

    assert rights.may(outgoing, SOMEBODY, 7) is good


@root
def test_an_access_list_for_dialerd_alone_does_not_let_asterisk_in(outgoing: Path) -> None:
    give(outgoing, 0, 0, 0o770)
    listed(
        outgoing,
        (OWNER, 7, NO_ID),
        (USER, 7, ANOTHER),
        (GROUP, 7, NO_ID),
        (MASK, 7, NO_ID),
        (OTHER, 0, NO_ID),
    )

    assert [each.verdict for each in rights.asterisks(outgoing, SOMEBODY)] == [Verdict.ERROR]


def test_a_folder_that_is_not_there_is_left_to_the_other_checks(tmp_path: Path) -> None:
    found = list(rights.asterisks(tmp_path / "outgoing", 12345))

    assert [each.verdict for each in found] == [Verdict.SKIPPED]


def test_root_may_do_everything(outgoing: Path) -> None:
    outgoing.chmod(0)

    assert rights.may(outgoing, 0, 7)
