"""Twilio: what is read of its answers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dialerd.core.callbacks import Unreadable
from dialerd.core.errors import AccountRefused, NotServed, Rejected, Unavailable
from dialerd.core.model import Disposition
from dialerd.core.receipts import Receipt
from dialerd.core.tasks import Script, Sms
from dialerd.providers.wire import Reply
from tests.providers.twilio_account import AC, BASE, BEGUN, CA, PN, SM, TWILIO, errand, order


def reply(status: int, body: str) -> Reply:
    return Reply(status, {"content-type": "application/json"}, body.encode())


def test_a_message_that_was_taken_is_known_by_its_id() -> None:
    receipt = TWILIO.read_sms_send(
        reply(
            201,
            f'{{"sid": "{SM}", "status": "queued", "to": "+14155550123", "from": "+14155550100",'
            ' "body": "Hello", "num_segments": "2", "price": null, "price_unit": "USD",'
            ' "date_created": "Thu, 24 Aug 2023 05:01:45 +0000", "direction": "outbound-api"}',
        )
    )

    assert (receipt.ref, receipt.disposition, receipt.word, receipt.parts) == (SM, None, "queued", 2)
    assert receipt.at == datetime(2023, 8, 24, 5, 1, 45, tzinfo=UTC)


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"sid": ""}', "<html></html>", '{"sid": 5}'[:-1]])
def test_an_answer_without_an_id_leaves_doubt(body: str) -> None:
    with pytest.raises(Unreadable):
        TWILIO.read_sms_send(reply(201, body))


@pytest.mark.parametrize(
    ("word", "disposition", "handed_on"),
    [
        ("queued", None, False),
        ("accepted", None, False),
        ("scheduled", None, False),
        ("sending", None, False),
        ("sent", None, True),
        ("delivered", Disposition.DELIVERED, False),
        ("read", Disposition.DELIVERED, False),
        ("undelivered", Disposition.UNDELIVERED, False),
        ("failed", Disposition.FAILED, False),
        ("canceled", Disposition.CANCELLED, False),
        ("teleported", None, False),
    ],
)
def test_words_for_messages(word: str, disposition: Disposition | None, handed_on: bool) -> None:
    receipt = TWILIO.read_sms_status(reply(200, f'{{"sid": "{SM}", "status": "{word}"}}'))

    assert (receipt.word, receipt.disposition, receipt.handed_on) == (word, disposition, handed_on)


@pytest.mark.parametrize(
    ("word", "disposition"),
    [
        ("queued", None),
        ("ringing", None),
        ("in-progress", None),
        ("completed", Disposition.ANSWERED),
        ("busy", Disposition.BUSY),
        ("no-answer", Disposition.NOANSWER),
        ("failed", Disposition.FAILED),
        ("canceled", Disposition.CANCELLED),
        ("beamed", None),
    ],
)
def test_words_for_calls(word: str, disposition: Disposition | None) -> None:
    receipt = TWILIO.read_voice_status(
        reply(200, f'{{"sid": "{CA}", "status": "{word}", "duration": "17", "price": "-0.01300"}}')
    )

    assert (receipt.ref, receipt.word, receipt.disposition) == (CA, word, disposition)
    assert (receipt.seconds, receipt.price) == (17, "-0.01300")


def test_why_a_message_failed_is_kept() -> None:
    receipt = TWILIO.read_sms_status(
        reply(
            200,
            f'{{"sid": "{SM}", "status": "undelivered", "error_code": 30005, "error_message": "Unknown"}}',
        )
    )

    assert receipt.detail == "30005 Unknown"


def test_a_list_says_where_it_goes_on() -> None:
    page = TWILIO.read_sms_history(
        reply(
            200,
            f'{{"messages": [{{"sid": "{SM}", "direction": "inbound", "status": "received", "body": "Yes",'
            ' "from": "+14155550123", "to": "+14155550100"}],'
            f' "next_page_uri": "{BASE}/Messages.json?PageSize=1&Page=1&PageToken=PA1"}}',
        )
    )

    assert page.cursor == "PageSize=1&Page=1&PageToken=PA1"
    assert [(each.ref, each.incoming, each.sender, each.body) for each in page.items] == [
        (SM, True, "+14155550123", "Yes")
    ]


def test_the_last_page_has_no_cursor() -> None:
    assert TWILIO.read_voice_history(reply(200, '{"calls": [], "next_page_uri": null}')).cursor is None


def test_numbers_for_sale_and_owned() -> None:
    found = TWILIO.read_numbers_search(
        reply(
            200,
            '{"available_phone_numbers": [{"phone_number": "+14155550177", "iso_country": "US",'
            ' "region": "CA", "locality": "San Francisco",'
            ' "capabilities": {"voice": true, "SMS": true, "MMS": false}}]}',
        )
    ).items
    owned = TWILIO.read_numbers_show(
        reply(
            200,
            f'{{"incoming_phone_numbers": [{{"sid": "{PN}", "phone_number": "+14155550177",'
            ' "friendly_name": "Desk", "voice_url": "https://x.example/v", "sms_application_sid": "APx"}]}',
        )
    )

    assert [(each.number, each.area, each.place, each.capabilities) for each in found] == [
        ("+14155550177", "CA", "San Francisco", ("sms", "voice"))
    ]
    assert (owned.id, owned.alias, owned.forward_to, owned.forward_sms_to) == (
        PN,
        "Desk",
        "https://x.example/v",
        "APx",
    )


def test_a_number_that_the_account_has_not_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="no such number"):
        TWILIO.read_numbers_show(reply(200, '{"incoming_phone_numbers": []}'))


def test_orders_are_done_when_twilio_says_so() -> None:
    bought = TWILIO.read_numbers_buy(reply(201, f'{{"sid": "{PN}", "phone_number": "+14155550177"}}'))
    released = TWILIO.read_numbers_release(Reply(204, request=TWILIO.numbers_release(order("release", PN))))

    assert (bought.ref, bought.disposition) == (PN, Disposition.DONE)
    assert (released.ref, released.disposition) == (PN, Disposition.DONE)


def test_the_balance_is_as_twilio_writes_it() -> None:
    state = TWILIO.read_account_balance(reply(200, '{"balance": "-0.5", "currency": "EUR"}'))

    assert (state.balance, state.currency) == ("-0.5", "EUR")


def test_the_token_that_twilio_tells_with_the_account_goes_nowhere() -> None:
    state = TWILIO.read_account_info(
        reply(200, f'{{"sid": "{AC}", "friendly_name": "Shop", "auth_token": "c4nary", "status": "active"}}')
    )

    assert state.details["friendly_name"] == "Shop"
    assert "c4nary" not in repr(state)


@pytest.mark.parametrize(
    ("status", "code", "verdict"),
    [
        (400, 21211, Rejected),
        (400, 21610, Rejected),
        (400, 21614, Rejected),
        (400, 21617, Rejected),
        (400, 21408, NotServed),
        (400, 21612, NotServed),
        (400, 21606, NotServed),
        (400, 21215, NotServed),
        (400, 21608, NotServed),
        (400, 21611, Unavailable),
        (403, 20003, AccountRefused),
        (401, 20003, AccountRefused),
        (403, 20005, AccountRefused),
        (400, 10001, AccountRefused),
    ],
)
def test_what_its_error_codes_mean(status: int, code: int, verdict: type[Exception]) -> None:
    found = TWILIO.refusal(reply(status, f'{{"code": {code}, "message": "No.", "status": {status}}}'))

    assert type(found) is verdict
    assert str(found) == f"Twilio says: No ({code})."


@pytest.mark.parametrize(
    ("status", "body"),
    [(429, '{"code": 20429, "message": "No"}'), (500, '{"code": 20500}'), (404, "x"), (400, '{"code": 9}')],
)
def test_other_errors_mean_what_they_mean_everywhere(status: int, body: str) -> None:
    assert TWILIO.refusal(reply(status, body)) is None


SENT = Receipt(ref=SM, to="+14155550123", sender="+14155550100", body="Hello", at=BEGUN)


def test_a_message_of_the_same_numbers_and_text_since_then_is_the_attempts() -> None:
    assert TWILIO.is_of(errand(Sms("Hello", sender="+14155550100")), SENT)


@pytest.mark.parametrize(
    "other",
    [
        replace(SENT, to="+14155550124"),
        replace(SENT, sender="+14155550101"),
        replace(SENT, body="Hello."),
        replace(SENT, incoming=True),
        replace(SENT, at=BEGUN - timedelta(seconds=1)),
        replace(SENT, at=None),
    ],
)
def test_any_other_message_is_not(other: Receipt) -> None:
    assert not TWILIO.is_of(errand(Sms("Hello", sender="+14155550100")), other)


def test_a_call_is_never_taken_for_an_attempts() -> None:
    assert not TWILIO.is_of(errand(script=Script(say="Hello")), SENT)
