"""Twilio: what it tells by callbacks, and how they are known to be its own."""

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest

from dialerd.core.callbacks import Callback, Unreadable
from dialerd.core.model import Disposition
from dialerd.core.receipts import Message, Receipt
from dialerd.providers.base import Secret
from dialerd.providers.twilio import Twilio
from tests.providers.twilio_account import AC, CA, CALLBACK, SM, TWILIO


def callback(form: str, url: str = CALLBACK, signature: str | None = None) -> Callback:
    pairs = tuple(parse_qsl(form, keep_blank_values=True))
    headers = {} if signature is None else {"x-twilio-signature": signature}
    query = tuple(parse_qsl(urlsplit(url).query))
    return Callback("POST", url, query, pairs, headers, form.encode())


def signed(text: str) -> str:
    return base64.b64encode(hmac.new(b"t0ken", text.encode(), hashlib.sha1).digest()).decode()


def test_a_receipt_of_a_message() -> None:
    told = TWILIO.told(
        callback(
            f"MessageSid={SM}&MessageStatus=undelivered&To=%2B14155550123&From=%2B14155550100&ErrorCode=30003"
        )
    )

    assert [
        (each.ref, each.reference, each.disposition, each.word, each.detail, each.to)
        for each in told
        if isinstance(each, Receipt)
    ] == [(SM, "3f9k2m8qx1abc.1", Disposition.UNDELIVERED, "undelivered", "30003", "+14155550123")]


def test_a_message_that_came_in() -> None:
    told = TWILIO.told(
        callback(
            f"MessageSid={SM}&SmsSid={SM}&SmsStatus=received&From=%2B14155550123&To=%2B14155550100&Body=Yes+please"
            "&NumMedia=2&MediaUrl0=https%3A%2F%2Fx.example%2F0&MediaUrl1=https%3A%2F%2Fx.example%2F1",
            "https://dialer.example.org/in/tw/k3y",
        )
    )

    assert [replace(each, raw={}) for each in told] == [
        Message(
            "sms",
            SM,
            "+14155550123",
            "+14155550100",
            "Yes please",
            ("https://x.example/0", "https://x.example/1"),
        )
    ]


def test_the_end_of_a_call() -> None:
    told = TWILIO.told(
        callback(
            f"CallSid={CA}&CallStatus=completed&Direction=outbound-api&To=%2B14155550123&CallDuration=12"
            "&RecordingUrl=https%3A%2F%2Fapi.twilio.com%2Fr"
            "&Timestamp=Tue%2C+14+Apr+2026+09%3A31%3A00+%2B0000"
        )
    )

    assert [
        (each.ref, each.reference, each.disposition, each.seconds, each.recording, each.at)
        for each in told
        if isinstance(each, Receipt)
    ] == [
        (
            CA,
            "3f9k2m8qx1abc.1",
            Disposition.ANSWERED,
            12,
            "https://api.twilio.com/r",
            datetime(2026, 4, 14, 9, 31, tzinfo=UTC),
        )
    ]


def test_a_call_that_came_in() -> None:
    told = TWILIO.told(
        callback(f"CallSid={CA}&CallStatus=ringing&Direction=inbound&From=%2B14155550123&To=%2B14155550100")
    )

    assert [(each.what, each.ref, each.sender) for each in told if isinstance(each, Message)] == [
        ("call", CA, "+14155550123")
    ]


@pytest.mark.parametrize("form", ["", "Hello=1", "MessageStatus=sent", "CallStatus=busy", f"MessageSid={SM}"])
def test_a_callback_that_says_nothing_is_unreadable(form: str) -> None:
    with pytest.raises(Unreadable):
        TWILIO.told(callback(form))


def test_a_right_signature_is_known() -> None:
    """The example of twilio.com/docs/usage/security, in its numbers, with our token."""
    form = "CallSid=CA1234567890ABCDE&Caller=%2B12349013030&Digits=1234&From=%2B12349013030&To=%2B18005551212"
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    example = Twilio(account=AC, secret=Secret("12345"))

    assert example.verify(callback(form, url, "0/KCTR6DLpKmkAf8muzZqo1nDgQ="))


@pytest.mark.parametrize(
    ("form", "url", "signature"),
    [
        ("To=1&From=2", CALLBACK, None),
        ("To=1&From=2", CALLBACK, ""),
        ("To=1&From=2", CALLBACK, "é"),
        ("To=1&From=2", CALLBACK, signed(CALLBACK + "From3To1")),
        ("To=1&From=2", CALLBACK + "&x=1", signed(CALLBACK + "From2To1")),
    ],
)
def test_a_wrong_signature_is_not(form: str, url: str, signature: str | None) -> None:
    assert not TWILIO.verify(callback(form, url, signature))


@pytest.mark.parametrize("seen", [CALLBACK, CALLBACK.replace(".org/", ".org:443/")])
@pytest.mark.parametrize("signed_url", [CALLBACK, CALLBACK.replace(".org/", ".org:443/")])
def test_the_usual_port_may_be_written_or_not(seen: str, signed_url: str) -> None:
    assert TWILIO.verify(callback("To=1&From=2", seen, signed(signed_url + "From2To1")))


def test_a_body_that_is_no_form_is_signed_by_its_hash() -> None:
    url = f"{CALLBACK}&bodySHA256={hashlib.sha256(b'{}').hexdigest()}"
    made = Callback(
        "POST", url, tuple(parse_qsl(urlsplit(url).query)), (), {"x-twilio-signature": signed(url)}, b"{}"
    )

    assert TWILIO.verify(made)
    assert not TWILIO.verify(replace(made, body=b"[]"))


def test_the_secret_of_an_api_key_signs_nothing() -> None:
    key = Twilio(account="SK" + "1" * 32, secret=Secret("t0ken"), options={"account_sid": AC})

    assert not key.verify(callback("To=1", CALLBACK, signed(CALLBACK + "To1")))


def test_callbacks_are_answered_with_twiml_that_does_nothing() -> None:
    message = callback(f"MessageSid={SM}&SmsStatus=received&From=%2B1&To=%2B2&Body=x")
    receipt = callback(f"MessageSid={SM}&MessageStatus=sent")
    call = callback(f"CallSid={CA}&CallStatus=ringing&Direction=inbound&From=%2B1&To=%2B2")

    answers = [TWILIO.acknowledgement(each, None) for each in (message, receipt, call)]

    assert [each.media_type for each in answers] == ["text/xml"] * 3
    assert [each.text.partition("?>")[2] for each in answers] == [
        "<Response></Response>",
        "<Response></Response>",
        "<Response><Reject/></Response>",
    ]


def test_a_call_that_comes_in_gets_the_steps_of_its_number() -> None:
    call = callback(f"CallSid={CA}&CallStatus=ringing&Direction=inbound&From=%2B1&To=%2B2")

    assert (
        TWILIO.acknowledgement(call, "<Response><Say>Hi</Say></Response>").text
        == "<Response><Say>Hi</Say></Response>"
    )
