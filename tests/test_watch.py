"""Being woken by a real folder, whatever happens to the folder and to watchdog's thread."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from watchdog.observers import inotify_c

from dialerd.watch import FolderWatch, Kind
from tests.waiting import until

Watching = Callable[..., "Witness"]


class Witness:
    """Notes what it is woken for; raises once, for each name in `refused`."""

    def __init__(self, folders: dict[Path, tuple[Kind, ...]]) -> None:
        self.names: list[str] = []
        self.refused: set[str] = set()
        self.watch = FolderWatch(folders, self._wake)

    def _wake(self, folder: Path, name: str) -> None:
        self.names.append(name)
        if name in self.refused:
            self.refused.discard(name)
            raise RuntimeError(f"refused {name}")

    def saw(self, name: str) -> bool:
        return name in self.names


@pytest.fixture
def watching() -> Iterator[Watching]:
    """Starts watches, and stops them after the test."""
    begun: list[Witness] = []

    def watch(folder: Path, *kinds: Kind) -> Witness:
        begun.append(Witness({folder: kinds}))
        begun[-1].watch.start()
        return begun[-1]

    yield watch
    for witness in begun:
        witness.watch.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "watched"
    path.mkdir()
    return path


def test_a_written_file_wakes_when_it_is_closed(folder: Path, watching: Watching) -> None:
    witness = watching(folder, "closed")

    with (folder / "open").open("w") as file:
        file.write("some")
        file.flush()
        (folder / "other").write_text("x")
        until(lambda: witness.saw("other"))
        seen_while_open = witness.saw("open")

    until(lambda: witness.saw("open"))
    assert not seen_while_open


def test_a_file_moved_in_wakes(folder: Path, watching: Watching) -> None:
    witness = watching(folder, "moved")
    (folder.parent / "made").write_text("x")

    (folder.parent / "made").rename(folder / "arrived")

    assert until(lambda: witness.saw("arrived"))


def test_a_deleted_file_wakes(folder: Path, watching: Watching) -> None:
    (folder / "old").write_text("x")
    witness = watching(folder, "deleted")

    (folder / "old").unlink()

    assert until(lambda: witness.saw("old"))


def test_other_kinds_stay_in_the_kernel(folder: Path, watching: Watching) -> None:
    witness = watching(folder, "moved")
    (folder.parent / "made").write_text("x")

    (folder / "written").write_text("x")
    (folder / "written").read_text()
    (folder / "written").chmod(0o600)
    (folder / "written").unlink()
    (folder / "subfolder").mkdir()
    (folder.parent / "made").rename(folder / "arrived")

    until(lambda: witness.saw("arrived"))
    assert witness.names == ["", "arrived"]


def test_a_file_moved_out_does_not_keep_back_what_follows(folder: Path, watching: Watching) -> None:
    """watchdog waits half a second for the other half of a move, if it is told of the first."""
    witness = watching(folder, "closed", "moved")
    for number in range(20):
        (folder / f"out-{number}").write_text("x")
        (folder / f"out-{number}").rename(folder.parent / f"out-{number}")

    (folder / "last").write_text("x")

    assert until(lambda: witness.saw("last"), seconds=0.4)


def test_at_the_start_the_whole_folder_is_to_be_looked_at(folder: Path, watching: Watching) -> None:
    witness = watching(folder, "closed")

    assert witness.names == [""]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_exception_in_the_woken_one_is_survived(folder: Path, watching: Watching) -> None:
    witness = watching(folder, "closed")
    witness.refused.add("bad")

    (folder / "bad").write_text("x")
    until(lambda: not witness.watch.alive)
    (folder / "missed").write_text("x")
    problems = witness.watch.tend()
    (folder / "good").write_text("x")

    until(lambda: witness.saw("good"))
    assert problems == []
    assert witness.names == ["", "bad", "", "good"]


def test_a_folder_that_vanishes_and_comes_back_is_watched_again(folder: Path, watching: Watching) -> None:
    witness = watching(folder, "closed")

    folder.rmdir()
    [problem] = witness.watch.tend()
    folder.mkdir()
    problems = witness.watch.tend()
    (folder / "new").write_text("x")

    until(lambda: witness.saw("new"))
    assert problem == f"The folder {folder} can't be watched: No such file or directory."
    assert problems == []
    assert witness.names == ["", "", "new"]


def test_a_folder_replaced_by_another_is_watched_in_its_stead(folder: Path, watching: Watching) -> None:
    witness = watching(folder, "closed")

    folder.rename(folder.parent / "old")
    folder.mkdir()
    witness.watch.tend()
    (folder.parent / "old" / "in-the-old-one").write_text("x")
    (folder / "in-the-new-one").write_text("x")

    until(lambda: witness.saw("in-the-new-one"))
    assert not witness.saw("in-the-old-one")


def test_a_folder_that_is_not_there_yet_is_told_of_and_watched_later(
    tmp_path: Path, watching: Watching
) -> None:
    folder = tmp_path / "later"
    witness = watching(folder, "closed")

    [problem] = witness.watch.tend()
    folder.mkdir()
    witness.watch.tend()
    (folder / "new").write_text("x")

    assert str(folder) in problem
    assert until(lambda: witness.saw("new"))


def test_after_the_end_nobody_is_woken(folder: Path, watching: Watching) -> None:
    before = threading.active_count()
    witness = watching(folder, "closed")
    witness.watch.stop()

    (folder / "late").write_text("x")

    assert not witness.saw("late")
    assert not witness.watch.alive
    assert until(lambda: threading.active_count() <= before)


def test_a_healthy_watch_is_left_alone(folder: Path, watching: Watching) -> None:
    witness = watching(folder, "closed")

    witness.watch.tend()
    witness.watch.tend()

    assert witness.names == [""]


class Losses:
    """Counts what a watch may have lost events by."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def stirred(self, loss: str) -> None:
        self.heard.append(loss)


def test_an_overflow_of_the_kernels_queue_is_counted_and_the_folder_is_looked_at(folder: Path) -> None:
    losses, woken = Losses(), []
    watch = FolderWatch({folder: ("closed",)}, lambda _, name: woken.append(name), losses)  # type: ignore[arg-type]
    watch.start()
    try:
        woken.clear()

        overflow()
        watch.tend()

        assert losses.heard == ["overflow"]
        assert woken == [""]
    finally:
        watch.stop()


def overflow() -> None:
    """Has watchdog read what the kernel writes when its queue overflows (inotify(7): wd -1)."""
    fd = getattr(inotify_c, "InotifyFD", None)
    if fd is None:
        pytest.skip("this watchdog does not tell of overflows")
    fd.get_instance().handle_event(
        inotify_c.InotifyEvent(-1, inotify_c.InotifyConstants.IN_Q_OVERFLOW, 0, b"")
    )


def test_a_folder_that_is_replaced_is_counted(folder: Path) -> None:
    losses = Losses()
    watch = FolderWatch({folder: ("closed",)}, lambda _, name: None, losses)  # type: ignore[arg-type]
    watch.start()
    try:
        folder.rename(folder.with_name("old"))
        folder.mkdir()

        watch.tend()

        assert losses.heard == ["rearmed"]
    finally:
        watch.stop()
