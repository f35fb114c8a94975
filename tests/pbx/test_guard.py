"""The spool guard: what may have been begun is not there when Asterisk starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dialerd.pbx.guard import ENDED, after, before
from dialerd.pbx.spool import Spool
from tests.pbx.apart import NAMES

BEGUN = "Channel: a/b\n\nStartRetry: 3101 1 (1795225058)\n"
NAME, OTHER = NAMES[:2]


@pytest.fixture
def outgoing(spool: Spool, folder: Path) -> Path:
    """With a file that was begun, one that was not, and one of somebody else."""
    outgoing = folder / "outgoing"
    (outgoing / NAME).write_text(BEGUN)
    (outgoing / OTHER).write_text("Channel: a/b\nSetvar: StartRetry: 1\n")
    (outgoing / "theirs.call").write_text(BEGUN)
    return outgoing


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_after_a_seen_end_only_what_was_begun_is_set_aside(outgoing: Path, folder: Path) -> None:
    assert after(folder) == 2
    assert before(folder) == [NAME]
    assert names(outgoing) == {OTHER, "theirs.call"}
    assert (folder / "dialerd/doubt" / NAME).read_text() == BEGUN


def test_after_a_power_cut_all_of_ours_is_set_aside(outgoing: Path, folder: Path) -> None:
    assert set(before(folder)) == {NAME, OTHER}
    assert names(outgoing) == {"theirs.call"}
    assert names(folder / "dialerd/doubt") == {NAME, OTHER}


def test_a_seen_end_counts_for_one_start(outgoing: Path, folder: Path) -> None:
    after(folder)
    before(folder)
    assert not (folder / "dialerd" / ENDED).exists()
    assert before(folder) == [OTHER]


def test_what_lies_in_doubt_is_not_replaced(outgoing: Path, folder: Path) -> None:
    (folder / "dialerd/doubt" / NAME).write_text("older")
    before(folder)
    assert (folder / "dialerd/doubt" / NAME).read_text() == "older"
    assert (folder / "dialerd/doubt" / f"{NAME}.2").read_text() == BEGUN


def test_however_often_it_was_set_aside_before_a_begun_call_is_set_aside(
    outgoing: Path, folder: Path
) -> None:
    for number in range(1, 12):
        (folder / "dialerd/doubt" / (NAME if number == 1 else f"{NAME}.{number}")).write_text("older")
    before(folder)
    assert names(outgoing) == {"theirs.call"}


def test_a_seen_end_does_not_count_again_where_nothing_could_be_set_aside(
    outgoing: Path, folder: Path
) -> None:
    after(folder)
    (folder / "dialerd/doubt").rmdir()
    with pytest.raises(FileNotFoundError):
        before(folder)
    (folder / "dialerd/doubt").mkdir()
    assert set(before(folder)) == {NAME, OTHER}


def test_a_link_is_moved_and_not_followed(spool: Spool, folder: Path) -> None:
    secret = folder / "secret"
    secret.write_text("precious")
    (folder / "outgoing" / NAME).symlink_to(secret)
    with pytest.raises(OSError, match="symbolic"):
        after(folder)  # what can't be synced leaves no mark
    assert before(folder) == [NAME]
    assert secret.read_text() == "precious"


def test_one_that_can_t_be_moved_does_not_keep_the_others_where_they_are(tmp_path: Path) -> None:
    stuck, spool = sorted(NAMES)[0], tmp_path / sorted(NAMES)[0] / "spool"
    (spool / "dialerd/doubt").mkdir(parents=True)
    (spool / "outgoing").symlink_to(
        tmp_path
    )  # so a folder would have to move into itself, which fails for root too
    others = sorted(NAMES)[1:]
    for name in others:
        (tmp_path / name).write_text(BEGUN)
    with pytest.raises(OSError, match=stuck):
        before(spool)
    assert names(spool / "dialerd/doubt") == set(others)


def test_a_folder_and_a_pipe_of_our_names_are_set_aside_and_hang_nothing(spool: Spool, folder: Path) -> None:
    (folder / "outgoing" / NAME).mkdir()
    os.mkfifo(folder / "outgoing" / OTHER)
    assert set(before(folder)) == {NAME, OTHER}
    assert names(folder / "outgoing") == set()


def test_our_folder_must_be_no_link(spool: Spool, folder: Path) -> None:
    (folder / "dialerd").rename(folder / "elsewhere")
    (folder / "dialerd").symlink_to(folder / "elsewhere")
    with pytest.raises(OSError, match="dialerd"):
        before(folder)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [(["after"], 64, "Usage"), (["now", "/"], 64, "Usage"), (["before", "/nowhere"], 1, "is gone")],
)
def test_what_it_can_t_do_is_said(arguments: list[str], code: int, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dialerd.pbx.guard", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )
    assert (done.returncode, said in done.stderr) == (code, True)


def test_what_is_set_aside_is_named(outgoing: Path, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dialerd.pbx.guard", "before", str(folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.splitlines()[1:]) == {NAME, OTHER}
