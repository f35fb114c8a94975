"""Folders and disks, real ones."""

import os
from pathlib import Path

import pytest

from dialerd.checks import ground
from dialerd.core.errors import ConfigError, Mistake
from dialerd.core.findings import Verdict
from tests.users import ROOT


def test_a_spool_that_is_right_is_told_of() -> None:
    assert [each.verdict for each in ground.spool(lambda: [], Path("/spool"))] == [Verdict.OK]


def test_each_mistake_of_a_spool_is_an_error_and_its_cure_what_to_do() -> None:
    mistakes = [
        Mistake("asterisk.user", "There is no user 'x'. Name the user."),
        Mistake("asterisk.spool", "No."),
    ]

    found = list(ground.spool(lambda: mistakes, Path("/spool")))

    assert [(each.verdict, each.found, each.todo) for each in found] == [
        (Verdict.ERROR, "asterisk.user: There is no user 'x'.", "Name the user."),
        (Verdict.ERROR, "asterisk.spool: No.", ""),
    ]


def test_a_drop_folder_that_can_not_be_made_is_an_error(tmp_path: Path) -> None:
    def prepare() -> None:
        raise ConfigError([Mistake("/drop", "It can't be made. Make it.")])

    (found,) = ground.drop_folder(prepare, tmp_path)

    assert (found.verdict, found.todo) == (Verdict.ERROR, "Make it.")


@pytest.mark.parametrize(
    ("mode", "verdict"), [(0o3770, Verdict.OK), (0o1777, Verdict.OK), (0o777, Verdict.WARNING)]
)
def test_a_drop_folder_in_which_all_may_remove_is_a_warning(
    tmp_path: Path, mode: int, verdict: Verdict
) -> None:
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop").chmod(mode)

    assert [each.verdict for each in ground.drop_folder(lambda: None, tmp_path)] == [verdict]


def test_a_state_folder_is_written_to_and_left_as_it_was(tmp_path: Path) -> None:
    (found,) = ground.state_folder(tmp_path)

    assert (found.name, "ms" in found.found) == ("state folder", True)
    assert os.listdir(tmp_path) == []


def test_a_state_folder_that_is_gone_is_an_error(tmp_path: Path) -> None:
    (found,) = ground.state_folder(tmp_path / "gone")

    assert found.verdict is Verdict.ERROR
    assert "Nothing is accepted" in found.found


def test_a_results_folder_that_can_be_written_is_told_of(tmp_path: Path) -> None:
    assert [each.verdict for each in ground.results_folder(tmp_path)] == [Verdict.OK]


def test_a_results_folder_that_can_not_be_seen_is_an_error_that_tells_of_the_sandbox(tmp_path: Path) -> None:
    (found,) = ground.results_folder(tmp_path / "home")

    assert (found.verdict, "ReadWritePaths=" in found.todo) == (Verdict.ERROR, True)


@pytest.mark.skipif(ROOT, reason="root may write anywhere")
def test_a_results_folder_that_may_not_be_written_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    (found,) = ground.results_folder(tmp_path)

    assert (found.verdict, "can't be written" in found.found) == (Verdict.ERROR, True)


@pytest.mark.skipif(ROOT, reason="root may write anywhere")
def test_a_state_folder_that_may_not_be_written_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    (found,) = ground.state_folder(tmp_path)

    assert found.verdict is Verdict.ERROR


def test_a_disk_is_told_of_once(tmp_path: Path) -> None:
    found = list(ground.disks({"state folder": tmp_path, "spool": tmp_path}, 1))

    assert [each.verdict for each in found] == [Verdict.OK]


def test_a_disk_below_the_bound_is_an_error_and_near_it_a_warning(tmp_path: Path) -> None:
    state = os.statvfs(tmp_path)
    free = state.f_bavail * state.f_frsize >> 20

    verdicts = [next(ground.disks({"state": tmp_path}, bound)).verdict for bound in (free * 2, free // 2)]

    assert verdicts == [Verdict.ERROR, Verdict.WARNING]


def test_a_disk_that_is_gone_is_not_judged(tmp_path: Path) -> None:
    (found,) = ground.disks({"spool": tmp_path / "gone"}, 1)

    assert found.verdict is Verdict.SKIPPED


@pytest.mark.parametrize(("mode", "verdict"), [(0o660, Verdict.OK), (0o666, Verdict.NOTE)])
def test_a_socket_that_is_open_to_all_is_a_note(tmp_path: Path, mode: int, verdict: Verdict) -> None:
    (tmp_path / "s").touch()
    (tmp_path / "s").chmod(mode)

    assert [each.verdict for each in ground.socket(tmp_path / "s")] == [verdict]


def test_a_socket_that_was_removed_is_a_warning(tmp_path: Path) -> None:
    assert [each.verdict for each in ground.socket(tmp_path / "s")] == [Verdict.WARNING]


def test_a_cure_behind_a_colon_is_what_to_do() -> None:
    told = "dialerd may not write in /s: give it the right, for example with `setfacl -m u:1:rwx /s`."

    (found,) = ground.spool(lambda: [Mistake("asterisk.spool", told)], Path("/s"))

    assert found.found == "asterisk.spool: dialerd may not write in /s."
    assert found.todo == "Give it the right, for example with `setfacl -m u:1:rwx /s`."
