"""Telnyx: what it tells by callbacks, and how they are known to be its own."""

import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from dialerd.core.callbacks import Callback, Unreadable
from dialerd.core.model import Disposition
from dialerd.core.receipts import Message, Receipt
from tests.providers.telnyx_account import BY_TEXML, CALL, CALLBACK, ID, STATE, TELNYX, message

ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")


def event(name: str, payload: dict[str, Any], url: str = CALLBACK) -> Callback:
    body = {"data": {"event_type": name, "occurred_at": "2026-07-16T09:31:00.5Z", "payload": payload}}
    return Callback("POST", url, tuple(parse_qsl(urlsplit(url).query)), body=json.dumps(body).encode())


def test_the_last_word_on_a_message() -> None:
    (told,) = TELNYX.told(
        event("message.finalized", message("delivered", completed_at="2026-07-16T09:30:59Z"))
    )

    assert isinstance(told, Receipt)
    assert (told.ref, told.reference, told.disposition) == (ID, "3f9k2m8qx1abc.1", Disposition.DELIVERED)
    assert told.at == datetime(2026, 7, 16, 9, 30, 59, tzinfo=UTC)


def test_a_message_that_came_in() -> None:
    payload = message("webhook_delivered", direction="inbound", media=[{"url": "https://x.example/1"}])

    (told,) = TELNYX.told(event("message.received", payload, "https://dialer.example.org/in/te/k3y"))

    assert isinstance(told, Message)
    assert (told.what, told.ref, told.sender, told.dest, told.body, told.media) == (
        "sms", ID, "+13125550100", "+13125550123", "Hello", ("https://x.example/1",),
    )  # fmt: skip


def test_the_end_of_a_fax() -> None:
    payload = {
        "fax_id": ID,
        "direction": "outbound",
        "status": "delivered",
        "page_count": 3,
        "call_duration_secs": 50,
    }

    (told,) = TELNYX.told(event("fax.delivered", payload, "https://dialer.example.org/in/te/k3y"))

    assert isinstance(told, Receipt)
    assert (told.ref, told.disposition, told.parts, told.seconds) == (ID, Disposition.DELIVERED, 3, 50)


def test_a_fax_that_came_in_is_told_once_it_is_there() -> None:
    payload = {"fax_id": ID, "direction": "inbound", "from": "+1", "to": "+2", "page_count": 2}
    there = {**payload, "status": "received", "media_url": "https://x.example/f.pdf"}

    early = TELNYX.told(event("fax.receiving.started", {**payload, "status": "receiving"}))
    (told,) = TELNYX.told(event("fax.received", there))

    assert early == []
    assert isinstance(told, Message)
    assert (told.what, told.pages, told.media) == ("fax", 2, ("https://x.example/f.pdf",))


@pytest.mark.parametrize(
    ("cause", "sip", "disposition"),
    [
        ("normal_clearing", "200", Disposition.ANSWERED),
        ("time_limit", "200", Disposition.ANSWERED),
        ("user_busy", "486", Disposition.BUSY),
        ("timeout", "", Disposition.NOANSWER),
        ("no_answer", "480", Disposition.NOANSWER),
        ("originator_cancel", "487", Disposition.CANCELLED),
        ("call_rejected", "603", Disposition.BUSY),
        ("call_rejected", "403", Disposition.FAILED),
        ("not_found", "404", Disposition.FAILED),
        ("unspecified", "", Disposition.FAILED),
        ("meteor", "", None),
    ],
)
def test_the_end_of_a_call(cause: str, sip: str, disposition: Disposition | None) -> None:
    payload = {
        "call_control_id": CALL,
        "client_state": STATE,
        "hangup_cause": cause,
        "sip_hangup_cause": sip,
        "start_time": "2026-07-16T09:30:00Z",
        "end_time": "2026-07-16T09:30:42Z",
    }

    (told,) = TELNYX.told(event("call.hangup", payload, "https://dialer.example.org/in/te/k3y"))

    assert isinstance(told, Receipt)
    assert (told.ref, told.reference, told.disposition) == (CALL, "3f9k2m8qx1abc.1", disposition)
    assert (told.word, told.seconds) == (cause, 42)


def test_a_status_callback_of_texml() -> None:
    form = (("CallSid", CALL), ("CallStatus", "no-answer"), ("To", "+1"), ("CallDuration", "0"))

    (told,) = BY_TEXML.told(replace(event("", {}), form=form))

    assert isinstance(told, Receipt)
    assert (told.ref, told.reference, told.disposition) == (CALL, "3f9k2m8qx1abc.1", Disposition.NOANSWER)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"data": {"payload": {}}}', b"\xff"])
def test_a_callback_that_says_nothing_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        TELNYX.told(Callback("POST", CALLBACK, body=body))


def test_events_of_other_kinds_say_nothing() -> None:
    assert TELNYX.told(event("number_order.complete", {"id": ID})) == []


KEY = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = b64encode(KEY.public_key().public_bytes_raw()).decode()
SIGNED = replace(TELNYX, options={"public_key": PUBLIC}, clock=lambda: 1_784_190_660.0)


def signed(at: str, body: bytes = b'{"data": {}}') -> Callback:
    signature = b64encode(KEY.sign(at.encode() + b"|" + body)).decode()
    headers = {"telnyx-timestamp": at, "telnyx-signature-ed25519": signature}
    return Callback("POST", CALLBACK, headers=headers, body=body)


@pytest.mark.parametrize("at", ["1784190660", "1784190361", "1784190959"])
def test_a_right_signature_of_the_last_five_minutes_is_known(at: str) -> None:
    assert SIGNED.verify(signed(at))


@pytest.mark.parametrize(
    "callback",
    [
        signed("1784190359"),
        signed("1784190961"),
        signed("٣"),
        signed(""),
        signed("-5"),
        signed("9" * 400),
        replace(signed("1784190660"), body=b'{"data": []}'),
        replace(signed("1784190660"), headers={"telnyx-timestamp": "1784190660"}),
        replace(
            signed("1784190660"),
            headers={"telnyx-timestamp": "1784190660", "telnyx-signature-ed25519": "AAAA"},
        ),
        Callback("POST", CALLBACK),
    ],
)
def test_a_wrong_or_old_signature_is_not(callback: Callback) -> None:
    assert not SIGNED.verify(callback)


@pytest.mark.parametrize(
    "options", [{}, {"public_key": "AAAA"}, {"public_key": b64encode(bytes(32)).decode()}]
)
def test_without_the_right_key_nothing_is_verified(options: dict[str, str]) -> None:
    assert not replace(SIGNED, options=options).verify(signed("1784190660"))
