"""What Hoiio says: its answers, errors and lists (after openapi.hoiio.com)."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from dialerd.core.callbacks import Unreadable
from dialerd.core.errors import AccountRefused, NotServed, Rejected, Unavailable, Unconfirmed
from dialerd.core.model import Call, Disposition
from dialerd.core.receipts import Area, Errand, Price
from dialerd.core.tasks import Conference, NumberOrder
from dialerd.providers.accounts import Accounts
from dialerd.providers.base import Secret
from dialerd.providers.hoiio import Hoiio
from dialerd.providers.settings import AccountSettings
from dialerd.providers.wire import Reply, Request
from tests.providers.cloud import Cloud, says

REPLIES = Path(__file__).parent / "replies" / "hoiio"
HOIIO = Hoiio(account="app-1", secret=Secret("token-7"))
REFERENCE = "3f9k2m8qx1abc.1"


def saved(name: str, request: Request | None = None) -> Reply:
    return Reply(int(name.split(".")[2]), {}, (REPLIES / name).read_bytes(), request)


def said(code: int = 200, /, **fields: Any) -> Reply:
    return Reply(code, {}, json.dumps(fields).encode())


def test_a_message_that_was_taken_has_an_id() -> None:
    assert HOIIO.read_sms_send(saved("sms.send.200.accepted.json")).ref == "AA-S-141147"


def test_a_bulk_request_has_an_id_of_its_own() -> None:
    assert HOIIO.read_sms_bulk(saved("sms.bulk.200.accepted.json")).ref == "AA-B-147"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("error_insufficient_credit", AccountRefused),
        ("error_invalid_access_token", AccountRefused),
        ("error_invalid_app_id", AccountRefused),
        ("error_user_not_live", AccountRefused),
        ("error_rate_limit_exceeded", Unavailable),
        ("error_concurrent_call_limit_reached", Unavailable),
        ("error_unable_to_resolve_notify_url", Unavailable),
        ("error_dest_not_supported", NotServed),
        ("error_dest2_not_supported", NotServed),
        ("error_destination_not_supported", NotServed),
        ("error_sms_service_not_available", NotServed),
        ("error_service_not_available", NotServed),
        ("error_not_allowed_for_trial", NotServed),
        ("error_dest_param_missing", Rejected),
        ("error_malformed_params", Rejected),
        ("error_dest_invalid", Rejected),
        ("error_number_not_available", Rejected),
        ("error_nobody_knows", Rejected),
        ("error_internal_server_error", Unconfirmed),
        ("error_add_notification_failed", Unconfirmed),
    ],
)
def test_the_status_of_an_answer_says_what_it_means_whatever_its_code(
    status: str, error: type[Exception]
) -> None:
    with pytest.raises(error) as raised:
        HOIIO.read_sms_send(said(status=status))

    assert type(raised.value) is error
    assert [type(HOIIO.refusal(said(code, status=status))) for code in (400, 403, 500)] == [error] * 3


def test_a_rate_limit_is_waited_for_by_the_minute_unless_the_answer_says_how_long() -> None:
    body = b'{"status": "error_rate_limit_exceeded"}'
    found = [HOIIO.refusal(Reply(429, headers, body)) for headers in ({}, {"retry-after": "7"})]

    assert [getattr(each, "retry_after", "") for each in found] == [60.0, None]


def test_their_trouble_leaves_what_changes_something_in_doubt_and_nothing_else() -> None:
    trouble = said(status="error_internal_server_error")

    for read in (HOIIO.read_voice_hangup, HOIIO.read_numbers_buy, HOIIO.read_ivr_play, HOIIO.read_fax_send):
        with pytest.raises(Unconfirmed):
            read(trouble)
    with pytest.raises(Unavailable):
        HOIIO.read_sms_status(trouble)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"txn_ref": "1"}', b'{"status": "success_ok"}', b'{"status": 0}']
)
def test_an_answer_without_status_or_id_can_not_be_read(body: bytes) -> None:
    with pytest.raises(Unreadable):
        HOIIO.read_sms_send(Reply(200, {}, body))


def test_a_success_with_another_code_is_believed_by_nobody() -> None:
    assert isinstance(HOIIO.refusal(saved("sms.send.400.unconfirmed.success.json")), Unconfirmed)


def test_a_status_has_singapore_times_in_utc_and_prices_as_they_are_written() -> None:
    receipt = HOIIO.read_sms_status(saved("sms.status.200.read.delivered.json"))

    assert (receipt.reference, receipt.disposition) == (REFERENCE, Disposition.DELIVERED)
    assert receipt.at == datetime(2012, 1, 31, 4, 6, 15, tzinfo=UTC)
    assert (receipt.parts, receipt.price, receipt.currency) == (2, "0.064", "SGD")


@pytest.mark.parametrize(
    ("word", "disposition"),
    [
        ("queued", None),
        ("delivered", Disposition.DELIVERED),
        ("failed", Disposition.FAILED),
        ("error", Disposition.FAILED),
        ("teleported", None),
    ],
)
def test_words_for_a_message_are_understood_and_unknown_ones_kept(
    word: str, disposition: Disposition | None
) -> None:
    receipt = HOIIO.read_sms_status(said(status="success_ok", txn_ref="1", sms_status=word))

    assert (receipt.disposition, receipt.word) == (disposition, word)


@pytest.mark.parametrize(
    ("first", "second", "duration", "disposition"),
    [
        ("answered", "answered", "2", Disposition.ANSWERED),
        ("answered", "answered", None, None),
        ("answered", "ongoing", None, None),
        ("answered", "busy", "0", Disposition.BUSY),
        ("unanswered", None, "0", Disposition.NOANSWER),
        ("failed", "failed", "0", Disposition.FAILED),
        ("answered", None, "3", Disposition.ANSWERED),
        (None, None, None, None),
        ("teleported", "answered", "1", None),
    ],
)
def test_a_call_comes_to_what_its_first_failing_leg_says(
    first: str | None, second: str | None, duration: str | None, disposition: Disposition | None
) -> None:
    fields = {"call_status_dest1": first, "call_status_dest2": second, "duration": duration}

    receipt = HOIIO.read_voice_status(said(status="success_ok", txn_ref="1", **fields))

    assert receipt.disposition is disposition


def test_minutes_of_a_call_are_told_in_seconds() -> None:
    ended, going_on = (
        HOIIO.read_voice_status(saved(f"voice.status.200.read.{name}.json"))
        for name in ("answered", "ongoing")
    )

    assert (ended.seconds, ended.to, ended.word) == (120, "+6511111111", "answered/answered")
    assert (going_on.seconds, going_on.disposition) == (None, None)


def test_a_fax_has_its_pages_and_the_address_of_its_document() -> None:
    receipt = HOIIO.read_fax_status(saved("fax.status.200.read.json"))

    assert (receipt.disposition, receipt.parts) == (Disposition.DELIVERED, 3)
    assert receipt.media == ("https://hoiio.example/fax-1.pdf",)


def test_a_history_tells_our_references_and_what_came_in() -> None:
    first, second = HOIIO.read_sms_history(saved("sms.history.200.read.json")).items

    assert (first.reference, first.incoming, first.sender) == (REFERENCE, False, "+6599999999")
    assert (second.reference, second.incoming, second.to) == (None, True, "+16001234567")


def test_messages_of_a_bulk_request_are_not_taken_for_its_first_job() -> None:
    fields = {"txn_ref": "1", "sms_status": "delivered", "tag": f"bulk:{REFERENCE}"}

    assert HOIIO.read_sms_status(said(status="success_ok", **fields)).reference is None


def test_pages_are_counted_by_the_request_since_no_answer_says_which_it_is() -> None:
    found = [
        HOIIO.read_sms_history(saved("sms.history.200.read.json", HOIIO.sms_history(cursor=here)))
        for here in (None, "2", "3")
    ]

    assert [page.cursor for page in found] == ["2", "3", None]
    assert {page.total for page in found} == {234}


def test_an_empty_history_may_lack_its_entries() -> None:
    page = HOIIO.read_sms_history(saved("sms.history.200.read.empty.json", HOIIO.sms_history()))

    assert (page.items, page.cursor) == ((), None)


def test_a_search_ends_where_hoiio_says_that_there_is_no_such_page() -> None:
    pages = [HOIIO.numbers_search(country="US", area="AL", cursor=here) for here in (None, "3")]
    reply = "numbers.search.200.read.json"

    first, third = (HOIIO.read_numbers_search(saved(reply, request)) for request in pages)
    beyond = HOIIO.read_numbers_search(Reply(200, {}, b'{"status": "error_page_invalid"}', pages[1]))

    assert [each.number for each in first.items] == ["+16001234567", "+16001234568"]
    assert (first.cursor, third.cursor) == ("2", None)
    assert (beyond.items, beyond.cursor) == ((), None)


@pytest.mark.parametrize("form", ["list", "commas"])
def test_a_conference_tells_the_id_of_each_number_in_either_form(form: str) -> None:
    numbers = ("+6511111111", "+6522222222", "+6533333333")
    request = HOIIO.voice_conference(Errand(REFERENCE, Call(to=numbers), Conference()))

    receipt = HOIIO.read_voice_conference(saved(f"voice.conference.200.accepted.{form}.json", request))

    assert (receipt.ref, receipt.room) == ("AA-C-141147", "R123")
    assert receipt.refs == dict(zip(numbers, ("AA-C-141147", "AA-C-141148", "AA-C-141149"), strict=True))


def test_a_session_has_both_its_ids() -> None:
    receipt = HOIIO.read_ivr_dial(saved("ivr.dial.200.accepted.json"))

    assert (receipt.ref, receipt.session) == ("AA-I-141147", "S4643")


def test_a_transfer_to_a_new_room_names_it() -> None:
    assert HOIIO.read_ivr_transfer(saved("ivr.transfer.200.read.room.json")).room == "R9"


def test_a_number_that_was_bought_is_known_by_the_request() -> None:
    order = Errand(REFERENCE, Call(), NumberOrder("buy", "+16001234567", (("duration", "1"),)))

    receipt = HOIIO.read_numbers_buy(saved("numbers.buy.200.accepted.json", HOIIO.numbers_buy(order)))

    assert (receipt.ref, receipt.disposition) == ("+16001234567", Disposition.DONE)
    assert (receipt.price, receipt.currency, receipt.detail) == ("4.00", "USD", "It expires on 2026-12-21.")


def test_auto_extend_is_read_the_right_way_round() -> None:
    first, second = HOIIO.read_numbers_list(saved("numbers.list.200.read.json")).items

    assert (first.number, first.renews, first.expiry) == ("+6511111111", False, date(2027, 1, 1))
    assert (second.renews, second.area, second.capabilities) == (True, "CA", ("voice", "sms"))
    assert (first.forward_sms_to, second.forward_sms_to) == (None, "http://www.example.com/notify/sms")


def test_countries_have_their_states_and_areas_are_the_states_of_all() -> None:
    usa, singapore = HOIIO.read_numbers_countries(saved("numbers.countries.200.read.json")).items
    areas = HOIIO.read_numbers_areas(saved("numbers.areas.200.read.json")).items

    assert (usa.code, usa.prefix, [state.code for state in usa.areas]) == ("US", "1", ["AL", "CA"])
    assert (singapore.name, singapore.areas) == ("Singapore", ())
    assert areas[0] == Area("AL", "Alabama", "1", raw={"country": "US", "name": "Alabama", "code": "AL"})


def test_rates_are_texts_by_unit() -> None:
    sms = HOIIO.read_sms_rate(saved("sms.rate.200.read.json"))
    call = HOIIO.read_voice_rate(saved("voice.rate.200.read.json"))
    numbers = HOIIO.read_numbers_rate(saved("numbers.rate.200.read.json"))

    assert (sms.rate, sms.unit, sms.parts, sms.total, sms.unicode) == ("0.032", "message", 2, "0.064", False)
    assert (call.rate, call.unit, call.minutes) == ("0.036", "minute", "2352")
    assert [(each.rate, each.unit) for each in numbers] == [
        ("4", "1 month"),
        ("40.5", "12 months"),
        ("4", "auto_extend"),
    ]


def test_the_rate_of_what_comes_in_has_no_parts() -> None:
    price = HOIIO.read_sms_rate(saved("sms.rate.200.read.incoming.json"))

    assert price == Price("0.01", "message", "SGD", raw=price.raw)


def test_the_balance_is_told_with_what_it_is_made_of() -> None:
    state = HOIIO.read_account_balance(saved("account.balance.200.read.json"))

    assert (state.balance, state.currency) == ("12.40", "USD")
    assert state.details == {"points": "10.00", "bonus": "2.40"}


def test_the_account_tells_which_numbers_calls_may_show() -> None:
    state = HOIIO.read_account_info(saved("account.info.200.read.json"))

    assert state.details["caller_ids"] == "+6511111111, private"
    assert state.details["uid"] == "AA-1234"


def test_steps_of_a_session_go_out_with_an_address_for_what_follows(cloud: Cloud) -> None:
    cloud.otherwise = says({"status": "success_ok"})
    settings = AccountSettings("cloud", HOIIO, cloud.url, ca_file=cloud.ca_file, connect_s=30.0)
    accounts = Accounts([settings], callback_url=lambda name, _: f"https://d.example.org/{name}/u7")

    accounts.ask("cloud", "ivr.gather", {"session": "S1", "tag": REFERENCE}).result(timeout=60)
    accounts.stop(0)

    (seen,) = cloud.seen
    assert (seen.method, seen.target) == ("POST", "/ivr/middle/gather")
    assert ("notify_url", f"https://d.example.org/cloud/u7?ref={REFERENCE}") in seen.form
