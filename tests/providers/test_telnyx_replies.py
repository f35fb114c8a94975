"""Telnyx: what is read of its answers."""

import json
from typing import Any

import pytest

from dialerd.core.callbacks import Unreadable
from dialerd.core.errors import AccountRefused, NotServed, Rejected
from dialerd.core.model import Disposition
from dialerd.providers.wire import Reply
from tests.providers.telnyx_account import BY_TEXML, CALL, ID, NUMBER, STATE, TELNYX, message


def reply(status: int, body: Any) -> Reply:
    return Reply(status, {"content-type": "application/json"}, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("word", "disposition", "handed_on"),
    [
        ("queued", None, False),
        ("sending", None, False),
        ("sent", None, True),
        ("delivered", Disposition.DELIVERED, False),
        ("delivery_failed", Disposition.UNDELIVERED, False),
        ("expired", Disposition.UNDELIVERED, False),
        ("sending_failed", Disposition.FAILED, False),
        ("delivery_unconfirmed", Disposition.SENT, False),
        ("evaporated", None, False),
    ],
)
def test_words_for_messages(word: str, disposition: Disposition | None, handed_on: bool) -> None:
    cost = {"amount": "0.0051", "currency": "USD"}

    receipt = TELNYX.read_sms_status(reply(200, {"data": message(word, cost=cost)}))

    assert (receipt.ref, receipt.word, receipt.disposition) == (ID, word, disposition)
    assert (receipt.handed_on, receipt.parts, receipt.price) == (handed_on, 2, "0.0051")


@pytest.mark.parametrize("body", [[], {}, {"data": []}, {"data": {}}, {"data": {"id": ""}}, "x", None])
def test_an_answer_without_an_id_leaves_doubt(body: Any) -> None:
    for read in (TELNYX.read_sms_send, TELNYX.read_fax_send, TELNYX.read_voice_play, TELNYX.read_numbers_buy):
        with pytest.raises(Unreadable):
            read(reply(200, body))


def test_a_texml_call_without_an_id_leaves_doubt() -> None:
    queued = {"from": "+13125550100", "to": "+13125550123", "status": "queued"}

    known = BY_TEXML.read_voice_say(reply(200, {**queued, "call_sid": CALL}))

    assert known.ref == CALL
    with pytest.raises(Unreadable, match="no sid"):
        BY_TEXML.read_voice_say(reply(200, queued))


@pytest.mark.parametrize(
    ("word", "reason", "disposition"),
    [
        ("queued", "", None),
        ("sending", "", None),
        ("delivered", "", Disposition.DELIVERED),
        ("failed", "", Disposition.FAILED),
        ("failed", "user_busy", Disposition.BUSY),
        ("failed", "receiver_no_answer", Disposition.NOANSWER),
        ("failed", "receiver_decline", Disposition.FAILED),
    ],
)
def test_words_for_faxes(word: str, reason: str, disposition: Disposition | None) -> None:
    receipt = TELNYX.read_fax_status(
        reply(200, {"data": {"id": ID, "status": word, "failure_reason": reason}})
    )

    assert (receipt.ref, receipt.disposition, receipt.detail) == (ID, disposition, reason)


@pytest.mark.parametrize(
    ("word", "disposition"),
    [
        ("ringing", None),
        ("completed", Disposition.ANSWERED),
        ("busy", Disposition.BUSY),
        ("no-answer", Disposition.NOANSWER),
        ("failed", Disposition.FAILED),
        ("canceled", Disposition.CANCELLED),
    ],
)
def test_words_for_calls(word: str, disposition: Disposition | None) -> None:
    receipt = BY_TEXML.read_voice_status(reply(200, {"sid": CALL, "status": word, "duration": "9"}))

    assert (receipt.disposition, receipt.seconds) == (disposition, 9)


def test_a_call_that_is_over_does_not_say_how() -> None:
    body = {
        "call_control_id": CALL,
        "is_alive": False,
        "end_time": "2026-07-16T09:31:00Z",
        "call_duration": 50,
    }

    receipt = TELNYX.read_voice_status(reply(200, {"data": {**body, "client_state": STATE}}))

    assert (receipt.word, receipt.disposition, receipt.seconds) == ("ended", None, 50)
    assert receipt.reference == "3f9k2m8qx1abc.1"


def test_a_list_goes_on_until_its_last_page() -> None:
    meta = {"page_number": 1, "total_pages": 2, "total_results": 101}
    entries = [{"id": ID, "status": "delivered"}]

    first = TELNYX.read_fax_history(reply(200, {"data": entries, "meta": meta}))
    last = TELNYX.read_fax_history(reply(200, {"data": entries, "meta": {**meta, "page_number": 2}}))

    assert (first.cursor, first.total, last.cursor) == ("2", 101, None)


def test_detail_records_are_messages() -> None:
    record = {"uuid": ID, "status": "dlr_unconfirmed", "cld": "+1", "cli": "+2", "cost": "0.01", "parts": 1}

    found = TELNYX.read_sms_history(reply(200, {"data": [record], "meta": {}})).items

    assert [(each.ref, each.disposition, each.to, each.price) for each in found] == [
        (ID, Disposition.SENT, "+1", "0.01")
    ]


def test_only_countries_with_numbers_are_told() -> None:
    body = {"data": {"Albania": {"code": "AL", "numbers": True}, "Aland": {"code": "AX", "numbers": False}}}

    assert [each.code for each in TELNYX.read_numbers_countries(reply(200, body)).items] == ["AL"]


def test_numbers_for_sale_tell_their_prices() -> None:
    body = {
        "phone_number": "+13125550177",
        "cost_information": {"upfront_cost": "3.21", "monthly_cost": "6.54", "currency": "USD"},
        "features": [{"name": "sms"}, {"name": "fax"}],
        "region_information": [
            {"region_type": "country_code", "region_name": "US"},
            {"region_type": "rate_center", "region_name": "CHICAGO"},
        ],
    }

    (number,) = TELNYX.read_numbers_search(reply(200, {"data": [body]})).items

    assert (number.setup, number.monthly, number.currency) == ("3.21", "6.54", "USD")
    assert (number.country, number.place, number.capabilities) == ("US", "CHICAGO", ("fax", "sms"))


@pytest.mark.parametrize(
    "entries", [[], [{"id": "1", "phone_number": "+1"}, {"id": "2", "phone_number": "+12"}]]
)
def test_a_number_that_is_not_one_is_unreadable(entries: list[Any]) -> None:
    with pytest.raises(Unreadable, match="no such number"):
        TELNYX.read_numbers_show(reply(200, {"data": entries, "meta": {}}))


def test_orders() -> None:
    bought = TELNYX.read_numbers_buy(reply(200, {"data": {"id": ID, "status": "pending"}}))
    released = TELNYX.read_numbers_release(reply(200, {"data": {"id": NUMBER, "status": "deleted"}}))

    assert (bought.ref, bought.disposition, bought.word) == (ID, Disposition.DONE, "pending")
    assert (released.ref, released.disposition) == (NUMBER, Disposition.DONE)
    with pytest.raises(Rejected):
        TELNYX.read_numbers_buy(reply(200, {"data": {"id": ID, "status": "failure"}}))


@pytest.mark.parametrize(
    ("status", "code", "verdict"),
    [
        (401, "10009", AccountRefused),
        (400, "40300", Rejected),
        (400, "10002", Rejected),
        (400, "40305", NotServed),
        (403, "10039", NotServed),
    ],
)
def test_what_its_error_codes_mean(status: int, code: str, verdict: type[Exception]) -> None:
    found = TELNYX.refusal(reply(status, {"errors": [{"code": code, "title": "No", "detail": "Because"}]}))

    assert type(found) is verdict
    assert str(found) == f"Telnyx says: No: Because ({code})."


def test_a_country_that_was_not_opened_may_be_anothers() -> None:
    detail = "Dialed number is not included in whitelisted countries D13"

    found = TELNYX.refusal(reply(403, {"errors": [{"code": "10010", "title": "No", "detail": detail}]}))

    assert type(found) is NotServed


@pytest.mark.parametrize("body", [{}, {"errors": []}, {"errors": [{"code": "90018"}]}, [], {"errors": "x"}])
def test_other_errors_mean_what_they_mean_everywhere(body: Any) -> None:
    assert TELNYX.refusal(reply(422, body)) is None
