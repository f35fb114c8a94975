"""What the client's methods for providers submit: the documents on the wire."""

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from dialerd.client import Client, ClientError, Submitted
from dialerd.client.sending import ORDERS
from dialerd.core import operations
from tests.client.recording import DOCUMENT, JOB_ID, Recording

BERLIN, SINGAPORE = "+4930123456", "+6591234567"
PDF = b"%PDF-1.7\n%"
EVERYTHING = [{"name": "hoiio", "type": "hoiio", "operations": sorted(operations.OPERATIONS)}]


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    with Recording(tmp_path / "s", list(EVERYTHING)) as running:
        yield running


@pytest.fixture
def client(recording: Recording) -> Iterator[Client]:
    with Client(recording.path) as connected:
        yield connected


SUBMITS: list[tuple[Callable[[Client], Submitted], dict[str, Any]]] = [
    (lambda client: client.sms_send(BERLIN, "Hello"), {"kind": "sms", "to": BERLIN, "body": "Hello"}),
    (
        lambda client: client.sms_send(
            [BERLIN, SINGAPORE], template="t1", extra={"name": "Anna"}, provider="hoiio", tags=["x"], key="k"
        ),
        {
            "kind": "sms", "to": [BERLIN, SINGAPORE], "template": "t1", "extra": {"name": "Anna"},
            "provider": "hoiio", "tags": ["x"], "key": "k",
        },
    ),
    (
        lambda client: client.fax_send(BERLIN, PDF, "contract.pdf", header=""),
        {"kind": "fax", "to": BERLIN, "document": DOCUMENT, "filename": "contract.pdf", "header": ""},
    ),
    (
        lambda client: client.fax_send(BERLIN, "cd" * 32),
        {"kind": "fax", "to": BERLIN, "document": "cd" * 32},
    ),
    (
        lambda client: client.voice_connect(SINGAPORE, BERLIN, caller_id="private"),
        {"kind": "call", "to": SINGAPORE, "connect": BERLIN, "caller_id": "private"},
    ),
    (lambda client: client.voice_connect(None, BERLIN), {"kind": "call", "connect": BERLIN}),
    (lambda client: client.voice_flow(BERLIN, "926"), {"kind": "call", "to": BERLIN, "flow": "926"}),
    (
        lambda client: client.voice_play(BERLIN, "https://example.com/a.mp3"),
        {"kind": "call", "to": BERLIN, "play_url": "https://example.com/a.mp3"},
    ),
    (
        lambda client: client.voice_say(BERLIN, "Guten Tag", "de"),
        {"kind": "call", "to": BERLIN, "say": "Guten Tag", "language": "de"},
    ),
    (
        lambda client: client.conference([BERLIN, SINGAPORE], "R1"),
        {"kind": "conference", "to": [BERLIN, SINGAPORE], "room": "R1"},
    ),
    (lambda client: client.conference(BERLIN), {"kind": "conference", "to": [BERLIN]}),
    (
        lambda client: client.ivr(BERLIN, [{"play": "Hello."}, {"hangup": ""}], "Welcome."),
        {"kind": "ivr", "to": BERLIN, "steps": [{"play": "Hello."}, {"hangup": ""}], "message": "Welcome."},
    ),
    (lambda client: client.ivr(BERLIN), {"kind": "ivr", "to": BERLIN}),
    (
        lambda client: client.ivr(BERLIN, [], message="Hello."),
        {"kind": "ivr", "to": BERLIN, "message": "Hello."},
    ),
    (
        lambda client: client.numbers_buy(SINGAPORE, {"duration": 3}),
        {
            "kind": "number", "order": "buy", "number": SINGAPORE, "details": {"duration": "3"},
            "provider": "hoiio",
        },
    ),
    (
        lambda client: client.numbers_configure(SINGAPORE, {"forward_to": BERLIN, "x": None}, provider="b"),
        {
            "kind": "number", "order": "configure", "number": SINGAPORE, "details": {"forward_to": BERLIN},
            "provider": "b",
        },
    ),
    (
        lambda client: client.numbers_release(SINGAPORE),
        {"kind": "number", "order": "release", "number": SINGAPORE, "provider": "hoiio"},
    ),
    (
        lambda client: client.routes_create("host", "pbx.example.com"),
        {
            "kind": "number", "order": "create-route", "number": "pbx.example.com",
            "details": {"type": "host"}, "provider": "hoiio",
        },
    ),
    (
        lambda client: client.routes_set_primary("+12065550100", "98396"),
        {
            "kind": "number", "order": "set-primary", "number": "+12065550100",
            "details": {"route": "98396"}, "provider": "hoiio",
        },
    ),
    (
        lambda client: client.routes_set_failover("+12065550100", "98396"),
        {
            "kind": "number", "order": "set-failover", "number": "+12065550100",
            "details": {"route": "98396"}, "provider": "hoiio",
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("submit", "document"), SUBMITS, ids=lambda each: "" if callable(each) else str(each)[:60]
)
def test_a_method_submits_this_document(
    recording: Recording, client: Client, submit: Callable[[Client], Submitted], document: dict[str, Any]
) -> None:
    submitted = submit(client)

    assert submitted.id == JOB_ID
    assert recording.job == document
    assert "key" in recording.asked[-1].json


def test_a_fax_is_uploaded_from_its_path(recording: Recording, client: Client, tmp_path: Path) -> None:
    (tmp_path / "letter.tif").write_bytes(b"II*\0rest")

    client.fax_send(BERLIN, tmp_path / "letter.tif")

    upload, _ = recording.asked
    assert (upload.target, upload.media_type, upload.body) == ("/v1/documents", "image/tiff", b"II*\0rest")
    assert recording.job == {"kind": "fax", "to": BERLIN, "document": DOCUMENT, "filename": "letter.tif"}


def test_a_large_document_goes_up_whole(recording: Recording, client: Client) -> None:
    content = PDF + bytes(range(256)) * 8000

    found = client.upload(content)

    assert (found["document"], found["media_type"], found["size"]) == (
        DOCUMENT,
        "application/pdf",
        len(content),
    )
    assert recording.asked[0].body == content


def test_a_large_document_goes_up_from_a_program_with_many_files_open(
    recording: Recording, client: Client
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(1024):
            stack.callback(os.close, os.dup(0))
        client.upload(PDF + bytes(1 << 20))

    assert recording.asked[0].body == PDF + bytes(1 << 20)


def test_an_order_does_not_choose_among_several_providers(recording: Recording, client: Client) -> None:
    recording.providers.append({"name": "other", "type": "twilio", "operations": ["numbers.buy"]})

    with pytest.raises(ClientError, match=r"Say which provider is to do numbers\.buy: hoiio, other\."):
        client.numbers_buy(SINGAPORE)

    assert [each.target for each in recording.asked] == ["/v1/providers"]


def test_the_clients_orders_are_those_of_the_table() -> None:
    assert ORDERS == operations.ORDERS
