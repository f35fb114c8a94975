"""POST /v1/documents: what is uploaded can be faxed by who uploaded it; every answer is as described."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import jsonschema
import pytest

from dialerd.core.documents import Paper
from dialerd.core.operations import OPERATIONS
from dialerd.core.policy import Provider
from dialerd.core.tasks import Fax
from dialerd.documents import DocumentSettings, FolderOfDocuments
from dialerd.intake.api import Api, Extras
from tests.core.test_documents import pdf, tiff
from tests.intake.serving import RULES, Heard, Served
from tests.waiting import until

MOST = 50_000


class Slow(FolderOfDocuments):
    """Keeps nothing before it is let."""

    def __init__(self, settings: DocumentSettings) -> None:
        super().__init__(settings)
        self.let, self.asked = Event(), 0
        self.let.set()

    def put(self, owner: int, data: bytes) -> Paper:
        self.asked += 1
        assert self.let.wait(30)
        return super().put(owner, data)


@pytest.fixture
def documents(tmp_path: Path) -> Slow:
    folder = Slow(DocumentSettings(tmp_path / "documents", most_bytes=MOST, owner_count=5))
    folder.prepare()
    return folder


@pytest.fixture
def served(tmp_path: Path, documents: Slow) -> Iterator[Served]:
    running = Served(tmp_path / "s")
    rules = replace(RULES, providers={"cloud": Provider("cloud", "test", frozenset(OPERATIONS))})
    extras = Extras(book=None, reporter=None, documents=documents)  # type: ignore[arg-type]
    running.api = Api(running.settings, running.desk, rules, extras=extras)
    with running:
        yield running
        documents.let.set()


def upload(served: Served, data: bytes, media_type: str = "application/pdf", **headers: str) -> Heard:
    return served.ask("POST", "/v1/documents", data, Content_Type=media_type, **headers)


def check(served: Served, heard: Heard) -> None:
    described = served.ask("GET", "/openapi.json").json
    answer = described["paths"]["/v1/documents"]["post"]["responses"][str(heard.status)]
    (schema,) = (each["schema"] for each in answer["content"].values())
    whole = {**schema, "components": described["components"]}
    jsonschema.Draft202012Validator(whole).validate(heard.json)


def test_an_upload_is_answered_with_its_id_and_what_it_is(served: Served, documents: Slow) -> None:
    heard = upload(served, pdf(3))

    check(served, heard)
    assert heard.status == 201
    assert heard.json["pages"] == 3
    assert documents.get(heard.json["document"]) == pdf(3)


def test_what_was_uploaded_can_be_faxed(served: Served) -> None:
    paper = upload(served, tiff(2), "image/tiff; charset=binary").json

    heard = served.ask(
        "POST", "/v1/jobs", {"kind": "fax", "to": "+4930123456", "document": paper["document"]}
    )

    assert heard.status == 201, heard.json
    shown = heard.json
    assert (shown["kind"], shown["pages"], shown["media_type"]) == ("fax", 2, "image/tiff")
    task = served.desk.job(shown["id"])[0].task
    assert isinstance(task, Fax)
    assert task.document == paper["document"]


def test_another_users_document_is_unknown(served: Served, documents: Slow) -> None:
    paper = documents.put(os.geteuid() + 1, pdf(1))

    heard = served.ask("POST", "/v1/jobs", {"kind": "fax", "to": "+4930123456", "document": paper.id})

    assert heard.status == 422
    assert [each["where"] for each in heard.json["mistakes"]] == ["document"]


@pytest.mark.parametrize(
    ("data", "media_type", "headers", "status", "words"),
    [
        (pdf(1), "application/x-www-form-urlencoded", {}, 422, "Content-Type"),
        (pdf(1), "image/tiff", {}, 422, "It is no image/tiff, but application/pdf"),
        (b"hello", "application/pdf", {}, 422, "neither PDF nor TIFF"),
        (b"", "application/pdf", {}, 422, "empty"),
        (pdf(1) + bytes(MOST), "application/pdf", {}, 413, f"may have {MOST} bytes"),
        (pdf(1), "application/pdf", {"Content_Encoding": "gzip"}, 415, "Content-Encoding"),
    ],
)
def test_what_can_not_be_kept_is_refused_with_a_sentence(
    served: Served, data: bytes, media_type: str, headers: Any, status: int, words: str
) -> None:
    heard = upload(served, data, media_type, **headers)

    check(served, heard)
    assert (heard.status, words in heard.json["detail"]) == (status, True)


def test_a_bound_on_documents_is_told(served: Served) -> None:
    answers = [upload(served, pdf(pages)).status for pages in range(1, 7)]

    assert answers == [201] * 5 + [503]


def test_of_one_user_only_a_few_documents_are_in_memory_at_once(served: Served, documents: Slow) -> None:
    documents.let.clear()
    plugs = [served.plug(30) for _ in range(2)]
    data = pdf(1)
    head = f"Host: d\r\nContent-Type: application/pdf\r\nContent-Length: {len(data)}\r\n\r\n"
    for plug in plugs:
        plug.sendall(b"POST /v1/documents HTTP/1.1\r\n" + head.encode() + data)
    until(lambda: documents.asked == 2, 30)

    third = upload(served, data)
    documents.let.set()
    answers = [plug.recv(12) for plug in plugs]
    for plug in plugs:
        plug.close()

    assert (third.status, third.json["detail"]) == (503, "Too many documents are being uploaded at once.")
    assert answers == [b"HTTP/1.1 201"] * 2
    until(lambda: upload(served, data).status == 201, 30)


def test_where_none_are_kept_there_is_no_such_address(tmp_path: Path) -> None:
    with Served(tmp_path / "t") as plain:
        assert upload(plain, pdf(1)).status == 404
