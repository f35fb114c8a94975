"""Faxes in the drop folder: the document lies beside the file of the job that names it."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dialerd.core.operations import OPERATIONS
from dialerd.core.policy import Provider
from dialerd.core.tasks import Fax
from dialerd.documents import DocumentSettings, FolderOfDocuments
from dialerd.intake.dropbox import Dropbox, DropSettings
from tests.core.test_documents import pdf
from tests.intake import dropping
from tests.intake.dropping import JOB, Killed, Place
from tests.users import ROOT

FAX = {"kind": "fax", "to": "+4930123456", "document_file": "letter.pdf"}
OWNER = 12345 if ROOT else os.geteuid()
needs_root = pytest.mark.skipif(not ROOT, reason="takes two users, so root")


@pytest.fixture
def documents(tmp_path: Path) -> FolderOfDocuments:
    folder = FolderOfDocuments(DocumentSettings(tmp_path / "documents", most_bytes=10_000))
    folder.prepare()
    return folder


@pytest.fixture
def start(place: Place, documents: FolderOfDocuments) -> Callable[..., Place]:
    """Starts a run of the drop folder that takes faxes."""

    def at_start(kept: FolderOfDocuments | None = documents, **settings: Any) -> Place:
        patience = {"still_seconds": 0.0, "look_seconds": 0.05, "drop_mode": 0o1777}
        cloud = Provider("cloud", "test", frozenset(OPERATIONS))
        place.box = Dropbox(
            DropSettings(place.folder, **{**patience, **settings}),
            place.desk,
            replace(dropping.RULES, providers={"cloud": cloud}),
            dropping.callfile,
            clock=lambda: time.time() + place.now,
            documents=kept,
        )
        place.box.prepare()
        place.runs.append(place.box)
        return place

    return at_start


@pytest.fixture
def faxing(start: Callable[..., Place]) -> Place:
    return start()


def put(place: Place, *jobs: dict[str, Any], name: str = "fax.json") -> None:
    found = jobs[0] if len(jobs) == 1 else list(jobs)
    place.put(name, json.dumps(found), owner=OWNER if ROOT else None)


def letter(place: Place, data: bytes | None = None, name: str = "letter.pdf", owner: int = OWNER) -> Path:
    return place.put(name, pdf(2) if data is None else data, owner=owner if ROOT else None)


def test_a_fax_is_accepted_with_its_document_and_both_files_go(
    faxing: Place, documents: FolderOfDocuments
) -> None:
    letter(faxing)
    put(faxing, FAX)

    faxing.look()

    (submission,) = faxing.desk.seen
    task = submission.draft.task
    assert isinstance(task, Fax)
    assert (task.pages, task.filename, documents.get(task.document)) == (2, "letter.pdf", pdf(2))
    assert documents.find(OWNER, task.document) is not None
    assert faxing.names() == {}


def test_several_rows_may_name_the_same_document(faxing: Place) -> None:
    letter(faxing)
    put(faxing, FAX, {**FAX, "to": "+4930123457"})

    faxing.look()

    assert len(faxing.desk.accepted) == 2
    assert faxing.names() == {}


def test_a_job_waits_for_its_document(faxing: Place) -> None:
    put(faxing, FAX)
    faxing.look(3)
    before = len(faxing.desk.seen), list(faxing.names())
    letter(faxing)

    faxing.look_until(lambda: faxing.desk.accepted)

    assert before == (0, ["claimed"])
    assert faxing.names() == {}


def test_a_document_that_is_still_being_written_is_waited_for(start: Callable[..., Place]) -> None:
    place = start(still_seconds=1000.0)
    letter(place)
    put(place, FAX)
    place.box.wake("fax.json", closed=True)

    place.look(3)

    assert place.desk.seen == []
    assert place.names()["drop"] == ["letter.pdf"]


def test_a_document_that_never_comes_is_said_in_the_reason(start: Callable[..., Place]) -> None:
    place = start(companion_seconds=0.0)
    put(place, FAX)

    place.look()

    assert place.names() == {"rejected": ["fax.json", "fax.json.reason"]}
    assert "document_file: There is no letter.pdf in the drop folder" in place.reason("fax.json")


def test_a_refused_job_goes_back_with_its_document(faxing: Place) -> None:
    letter(faxing)
    put(faxing, {**FAX, "to": "112"})

    faxing.look()

    assert faxing.names() == {"rejected": ["fax.json", "fax.json.reason", "letter.pdf", "letter.pdf.reason"]}
    assert (faxing.rejected / "letter.pdf").read_bytes() == pdf(2)
    assert "fax.json, which names it, was refused" in faxing.reason("letter.pdf")


def test_of_a_file_with_good_and_bad_rows_the_document_comes_back(faxing: Place) -> None:
    letter(faxing)
    put(faxing, FAX, {**FAX, "to": "nobody"})

    faxing.look()

    assert len(faxing.desk.accepted) == 1
    assert faxing.names()["rejected"] == ["fax.json", "fax.json.reason", "letter.pdf", "letter.pdf.reason"]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"hello", "neither PDF nor TIFF"),
        (b"", "empty"),
        (pdf(1) + bytes(10_000), "10000 are the most"),
    ],
)
def test_what_is_no_document_is_refused(faxing: Place, data: bytes, sentence: str) -> None:
    letter(faxing, data)
    put(faxing, FAX)

    faxing.look()

    assert faxing.desk.seen == []
    assert sentence in faxing.reason("fax.json")
    assert "letter.pdf" in faxing.names()["rejected"]


@pytest.mark.parametrize("kind", ["symbolic link", "hard links", "folder", "pipe"])
def test_only_a_plain_file_with_one_name_is_a_document(faxing: Place, tmp_path: Path, kind: str) -> None:
    secret, here = tmp_path / "secret.pdf", faxing.drop / "letter.pdf"
    secret.write_bytes(pdf(1))
    make = {
        "symbolic link": lambda: here.symlink_to(secret),
        "hard links": lambda: here.hardlink_to(secret),
        "folder": here.mkdir,
        "pipe": lambda: os.mkfifo(here),
    }
    make[kind]()
    if ROOT:
        os.chown(here, OWNER, OWNER, follow_symlinks=False)
    put(faxing, FAX)

    faxing.look()

    assert faxing.desk.seen == []
    assert kind in faxing.reason("fax.json")
    assert secret.read_bytes() == pdf(1)


@needs_root
def test_another_users_document_is_refused_and_left_where_it_is(faxing: Place) -> None:
    letter(faxing, owner=OWNER + 1)
    put(faxing, FAX)

    faxing.look()

    assert faxing.desk.seen == []
    assert "Another user put it into the drop folder" in faxing.reason("fax.json")
    assert faxing.names()["drop"] == ["letter.pdf"]


def test_a_document_that_no_job_names_is_left_for_a_while_and_then_rejected(faxing: Place) -> None:
    letter(faxing)
    faxing.box.wake("letter.pdf", closed=True)
    faxing.look()
    before = faxing.names()

    faxing.now = 3600.0
    faxing.look()

    assert before == {"drop": ["letter.pdf"]}
    assert faxing.names() == {"rejected": ["letter.pdf", "letter.pdf.reason"]}
    assert "no job names it" in faxing.reason("letter.pdf")


def test_without_a_place_for_documents_the_reason_says_so(start: Callable[..., Place]) -> None:
    place = start(kept=None)
    letter(place)
    put(place, FAX)

    place.look()

    assert "Documents are not kept here" in place.reason("fax.json")


def test_a_crash_after_the_acceptance_sends_no_second_fax_and_leaves_nothing(
    faxing: Place, start: Callable[..., Place]
) -> None:
    def dies() -> None:
        raise Killed

    letter(faxing)
    put(faxing, FAX)
    faxing.desk.on_answer = dies
    with pytest.raises(Killed):
        faxing.box.look()
    faxing.desk.on_answer = lambda: None
    between = sorted(faxing.names())

    start().look_until(lambda: not faxing.names())

    assert between == ["claimed"]
    assert len(faxing.desk.accepted) == 1
    assert [each.draft.digest for each in faxing.desk.seen] == [faxing.desk.seen[0].draft.digest] * 2


def test_a_document_that_outlived_its_accepted_job_file_goes_at_the_start(
    faxing: Place, start: Callable[..., Place]
) -> None:
    (faxing.claimed / f"document.{'0' * 20}.letter.pdf").write_bytes(pdf(1))
    (faxing.claimed / f"document.{'1' * 20}.letter.pdf").write_bytes(pdf(1))
    (faxing.claimed / f"{'1' * 20}.fax.json").write_bytes(JOB)

    start()

    assert [name[:12] for name in faxing.names()["claimed"]] == ["111111111111", "document.111"]


def test_a_bound_on_documents_puts_the_job_off_and_loses_nothing(
    start: Callable[..., Place], tmp_path: Path
) -> None:
    full = FolderOfDocuments(DocumentSettings(tmp_path / "full", total_count=0))
    full.prepare()
    place = start(kept=full)
    letter(place)
    put(place, FAX)
    place.look()
    before = sorted(place.names())

    start().look_until(lambda: place.desk.accepted)

    assert before == ["claimed"]
    assert place.names() == {}


def test_a_document_that_is_written_for_ever_is_refused(start: Callable[..., Place]) -> None:
    place = start(still_seconds=1000.0, lone_seconds=0.0)
    letter(place)
    put(place, FAX)
    place.box.wake("fax.json", closed=True)

    place.look()

    assert "still being written" in place.reason("fax.json")
