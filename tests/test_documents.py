"""The folder of documents: whose they are, what is on disk when, what goes."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dialerd.core.errors import Broken, ConfigError, InvalidJob, Overloaded
from dialerd.documents import DocumentSettings, FolderOfDocuments
from tests.core.test_documents import pdf, tiff

ANNA, BERT = 1001, 1002
DAY = 86400.0


class Clock:
    """A clock that stands until it is put on."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(tmp_path: Path, clock: Clock) -> Callable[..., FolderOfDocuments]:
    """Opens the folder, as a start of dialerd does."""

    def at_start(**settings: int) -> FolderOfDocuments:
        documents = FolderOfDocuments(DocumentSettings(tmp_path / "documents", **settings), clock)
        documents.prepare()
        return documents

    return at_start


Opened = Callable[..., FolderOfDocuments]


def nothing() -> list[str]:
    return []


def test_a_document_outlives_a_restart_with_all_that_is_known_of_it(opened: Opened) -> None:
    paper = opened().put(ANNA, pdf(2))

    again = opened()

    assert (again.find(ANNA, paper.id), again.get(paper.id)) == (paper, pdf(2))
    assert paper.pages == 2


def test_a_document_belongs_to_those_who_handed_in_its_bytes(opened: Opened) -> None:
    documents = opened()
    paper = documents.put(ANNA, pdf(1))
    before = documents.find(BERT, paper.id)

    documents.put(BERT, pdf(1))

    assert (before, documents.find(BERT, paper.id), documents.find(ANNA, paper.id)) == (None, paper, paper)


def test_only_dialerds_user_can_read_it(opened: Opened, tmp_path: Path) -> None:
    opened().put(ANNA, pdf(1))

    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "documents").iterdir()}

    assert (modes, (tmp_path / "documents").stat().st_mode & 0o777) == ({0o600}, 0o700)


def test_what_can_not_be_faxed_is_not_kept(opened: Opened, tmp_path: Path) -> None:
    documents = opened(most_bytes=500)

    for data in (b"hello", pdf(20)):
        with pytest.raises(InvalidJob):
            documents.put(ANNA, data)

    assert list((tmp_path / "documents").iterdir()) == []


def test_a_document_that_nobody_needs_goes_a_day_after_it_was_handed_in_or_named_last(
    opened: Opened, clock: Clock, tmp_path: Path
) -> None:
    documents = opened()
    old, named = documents.put(ANNA, pdf(1)), documents.put(ANNA, pdf(2))
    clock.now += DAY - 1
    documents.find(ANNA, named.id)
    early = documents.sweep(nothing)
    clock.now += 1

    assert (early, documents.sweep(nothing)) == (0, 1)
    assert (documents.find(ANNA, old.id), documents.find(ANNA, named.id)) == (None, named)
    assert sorted(os.listdir(tmp_path / "documents")) == [named.id, f"{named.id}.{ANNA}"]


def test_a_document_that_a_job_needs_stays(opened: Opened, clock: Clock) -> None:
    documents = opened()
    paper = documents.put(ANNA, pdf(1))
    clock.now += 100 * DAY

    assert (documents.sweep(lambda: [paper.id]), documents.get(paper.id)) == (0, pdf(1))
    assert documents.sweep(nothing) == 1


def test_a_document_that_is_named_while_jobs_are_looked_through_stays(opened: Opened, clock: Clock) -> None:
    documents = opened()
    paper = documents.put(ANNA, pdf(1))
    clock.now += 2 * DAY

    def meanwhile() -> list[str]:
        documents.find(ANNA, paper.id)
        return []

    assert (documents.sweep(meanwhile), documents.get(paper.id)) == (0, pdf(1))


def test_one_user_can_not_fill_the_folder_and_all_users_not_the_disk(opened: Opened) -> None:
    documents = opened(owner_count=2, total_count=3)
    documents.put(ANNA, pdf(1))
    documents.put(ANNA, pdf(2))
    with pytest.raises(Overloaded, match="one user may have"):
        documents.put(ANNA, pdf(3))
    documents.put(ANNA, pdf(2))
    documents.put(BERT, pdf(1))
    documents.put(BERT, pdf(4))

    with pytest.raises(Overloaded, match="as many documents as it may"):
        documents.put(1003, pdf(5))


@pytest.mark.parametrize("bound", ["owner_bytes", "total_bytes"])
def test_sizes_are_bounded_as_counts_are(opened: Opened, bound: str) -> None:
    documents = opened(**{bound: len(pdf(1)) + len(pdf(2)) - 1})
    documents.put(ANNA, pdf(1))

    with pytest.raises(Overloaded):
        documents.put(ANNA, pdf(2))


def test_what_was_half_written_at_a_crash_is_taken_away_at_the_start(opened: Opened, tmp_path: Path) -> None:
    paper = opened().put(ANNA, tiff(1))
    folder = tmp_path / "documents"
    (folder / f"{'1' * 64}.fresh").write_bytes(b"half")
    (folder / f"{'2' * 64}.{ANNA}").write_bytes(b"{}")
    (folder / ("3" * 64)).write_bytes(b"bytes without an owner")

    documents = opened()

    assert documents.find(ANNA, paper.id) == paper
    assert sorted(os.listdir(folder)) == sorted([paper.id, f"{paper.id}.{ANNA}", "3" * 64])
    assert (documents.sweep(nothing), sorted(os.listdir(folder))) == (
        1,
        sorted([paper.id, f"{paper.id}.{ANNA}"]),
    )


@pytest.mark.parametrize("spoil", [lambda path: path.unlink(), lambda path: path.write_bytes(b"x")])
def test_a_document_that_is_gone_or_was_changed_is_never_sent(
    opened: Opened, tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    documents = opened()
    paper = documents.put(ANNA, pdf(1))
    spoil(tmp_path / "documents" / paper.id)

    with pytest.raises(Broken):
        documents.get(paper.id)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "0" * 63, "0" * 64 + "\n"])
def test_what_is_no_id_leads_to_no_file(opened: Opened, name: str) -> None:
    documents = opened()

    assert documents.find(ANNA, name) is None
    with pytest.raises(Broken):
        documents.get(name)


def test_a_folder_that_can_not_be_made_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "documents").write_text("")

    with pytest.raises(ConfigError, match="the folder of documents can't be used"):
        FolderOfDocuments(DocumentSettings(tmp_path / "documents")).prepare()
