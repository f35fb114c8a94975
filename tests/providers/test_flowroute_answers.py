"""What Flowroute says: its answers, errors, lists and callbacks (after developer.flowroute.com)."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dialerd.core.callbacks import Callback, Unreadable
from dialerd.core.errors import AccountRefused, NotServed
from dialerd.core.model import Call, Disposition
from dialerd.core.receipts import Errand, Message, Receipt
from dialerd.core.tasks import NumberOrder, Sms, Task
from dialerd.providers.base import Secret
from dialerd.providers.flowroute import Flowroute
from dialerd.providers.wire import Reply, Request

REPLIES = Path(__file__).parent / "replies" / "flowroute"
FLOWROUTE = Flowroute(account="access", secret=Secret("secret-9"))
OURS = "+12012673227"


def saved(name: str, request: Request | None = None) -> Reply:
    return Reply(int(name.split(".")[2]), {}, (REPLIES / name).read_bytes(), request)


def order(verb: str, subject: str = OURS, **details: str) -> Errand:
    return Errand("3f9k2m8qx1abc.1", Call(), NumberOrder(verb, subject, tuple(details.items())))


def mdr(**attributes: Any) -> Receipt:
    body = {
        "data": {"id": "mdr2-1", "type": "message", "attributes": {"direction": "outbound", **attributes}}
    }
    return FLOWROUTE.read_sms_status(Reply(200, {}, json.dumps(body).encode()))


def level(number: int, status: str) -> dict[str, Any]:
    return {"level": number, "status": status}


def test_a_message_that_was_taken_has_an_id() -> None:
    receipt = FLOWROUTE.read_sms_send(saved("sms.send.202.accepted.json"))

    assert (receipt.ref, receipt.disposition) == ("mdr2-39cadeace66e11e7aff806cd7f24ba2d", None)


@pytest.mark.parametrize("name", ["no_id.json", "empty.json", "list.json"])
def test_an_acceptance_without_an_id_can_not_be_read(name: str) -> None:
    with pytest.raises(Unreadable):
        FLOWROUTE.read_sms_send(saved(f"sms.send.202.unconfirmed.{name}"))


def test_an_error_in_an_answer_that_says_ok_is_one() -> None:
    with pytest.raises(AccountRefused, match="Insufficient funds"):
        FLOWROUTE.read_sms_send(saved("sms.send.200.account_refused.funds.json"))


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("sms.send.403.not_served.not_authorized.json", NotServed),
        ("sms.send.422.account_refused.funds.json", AccountRefused),
        ("numbers.buy.422.account_refused.funds.json", AccountRefused),
        ("sms.send.422.rejected.media.json", type(None)),
        ("sms.send.429.unavailable.rate.json", type(None)),
        ("sms.send.500.unconfirmed.trouble.json", type(None)),
    ],
)
def test_only_what_all_providers_do_not_mean_alike_is_judged_here(name: str, verdict: type[Any]) -> None:
    assert type(FLOWROUTE.refusal(saved(name))) is verdict


def test_the_complaint_is_title_and_detail() -> None:
    complaint = FLOWROUTE.complaint(saved("sms.send.422.rejected.media.json"))

    assert complaint.startswith("Unprocessable Entity: Error fetching media: File at")


def test_a_record_has_numbers_with_a_plus_and_a_price_in_dollars() -> None:
    receipt = FLOWROUTE.read_sms_status(saved("sms.status.200.read.incoming.json"))

    assert (receipt.to, receipt.sender, receipt.incoming) == (OURS, "+12067392634", True)
    assert (receipt.price, receipt.currency) == ("0.0040", "USD")
    assert receipt.at == datetime(2017, 12, 22, 1, 52, 39, 390000, tzinfo=UTC)


def test_version_2_2_tells_what_was_charged() -> None:
    receipt = FLOWROUTE.read_sms_status(saved("sms.status.200.read.v2_2.json"))

    assert (receipt.to, receipt.price) == ("+12067392634", "0.007")
    assert (receipt.disposition, receipt.detail) == (Disposition.FAILED, "Rejected by Carrier")


@pytest.mark.parametrize(
    ("status", "receipts", "disposition", "handed_on"),
    [
        ("delivered", [], Disposition.DELIVERED, False),
        ("delivered", [level(1, "message buffered")], None, True),
        ("delivered", [level(1, "delivered")], None, True),
        ("delivered", [level(1, "smsc reject")], Disposition.FAILED, False),
        ("sent", [level(1, "message buffered"), level(2, "delivered")], Disposition.DELIVERED, False),
        (
            "sent",
            [level(2, "delivery failure"), level(1, "message buffered")],
            Disposition.UNDELIVERED,
            False,
        ),
        ("sent", [], None, True),
        ("sent", [level(2, "teleported")], None, False),
        (None, [], None, False),
    ],
)
def test_a_receipt_of_level_one_is_the_carrier_s_and_of_level_two_the_end(
    status: str | None, receipts: list[Any], disposition: Disposition | None, handed_on: bool
) -> None:
    receipt = mdr(status=status, delivery_receipts=receipts)

    assert (receipt.disposition, receipt.handed_on) == (disposition, handed_on)


def test_a_history_goes_on_where_the_next_page_begins() -> None:
    page = FLOWROUTE.read_sms_history(saved("sms.history.200.read.json"))
    last = FLOWROUTE.read_sms_history(saved("sms.history.200.read.last.json"))

    assert ([each.incoming for each in page.items], page.cursor) == ([False, True], "200")
    assert (last.items, last.cursor) == ((), None)


def test_no_message_of_a_list_claims_to_be_ours() -> None:
    page = FLOWROUTE.read_sms_find(saved("sms.history.200.read.json"))

    assert [(each.reference, each.body) for each in page.items] == [
        (None, "Hello"),
        (None, "Hello are you there? "),
    ]


def test_area_codes_and_exchanges_are_what_a_search_takes() -> None:
    areas = FLOWROUTE.read_numbers_areas(saved("numbers.areas.200.read.json"))
    exchanges = FLOWROUTE.read_numbers_exchanges(saved("numbers.exchanges.200.read.json"))

    assert ([area.code for area in areas.items], areas.cursor) == (["201", "202"], "400")
    assert ([area.code for area in exchanges.items], exchanges.cursor) == (["347215"], None)


def test_a_number_for_sale_has_its_prices() -> None:
    (number,) = FLOWROUTE.read_numbers_search(saved("numbers.search.200.read.json")).items

    assert (number.number, number.id, number.area) == ("+16463439507", "16463439507", "ny")
    assert (number.monthly, number.setup, number.currency) == ("1.25", "1", "USD")


def test_a_number_of_the_account_has_its_routes() -> None:
    number = FLOWROUTE.read_numbers_show(saved("numbers.show.200.read.json"))
    (listed,) = FLOWROUTE.read_numbers_list(saved("numbers.list.200.read.json")).items

    assert (number.number, number.primary_route, number.failover_route) == ("+16502390214", "0", None)
    assert (listed.alias, listed.capabilities) == ("front desk", ("voice", "sms", "mms"))


@pytest.mark.parametrize(
    ("name", "price", "detail"),
    [
        ("numbers.buy.201.accepted.json", None, ""),
        ("numbers.buy.201.accepted.nested.json", "1.0", ""),
        ("numbers.buy.207.accepted.without_messages.json", None, "not enabled for messages"),
    ],
)
def test_a_number_that_was_bought_is_bought_also_where_messages_could_not_be_enabled(
    name: str, price: str | None, detail: str
) -> None:
    request = FLOWROUTE.numbers_buy(order("buy", "+16502390214"))

    receipt = FLOWROUTE.read_numbers_buy(saved(name, request))

    assert (receipt.ref, receipt.disposition, receipt.price) == ("16502390214", Disposition.DONE, price)
    assert detail in receipt.detail


@pytest.mark.parametrize(
    ("name", "method", "errand"),
    [
        ("numbers.configure.200.accepted.json", "numbers_configure", order("configure", alias="NYC")),
        ("numbers.release.204.accepted.json", "numbers_release", order("release")),
        ("routes.set_primary.204.accepted.json", "routes_set_primary", order("set-primary", route="1")),
        ("routes.set_failover.204.accepted.json", "routes_set_failover", order("set-failover", route="1")),
    ],
)
def test_a_change_without_an_answer_is_known_by_its_request(name: str, method: str, errand: Errand) -> None:
    receipt = getattr(FLOWROUTE, f"read_{method}")(saved(name, getattr(FLOWROUTE, method)(errand)))

    assert (receipt.ref, receipt.disposition) == ("12012673227", Disposition.DONE)


def test_routes_are_known_by_their_ids() -> None:
    made = FLOWROUTE.read_routes_create(saved("routes.create.201.accepted.json"))
    registered, number = FLOWROUTE.read_routes_list(saved("routes.list.200.read.json")).items

    assert made.ref == "98396"
    assert (registered.id, registered.type, registered.value) == ("0", "sip-reg", None)
    assert (number.id, number.type, number.value, number.alias) == (
        "83834",
        "number",
        "12065551212",
        "PSTNroute1",
    )


def heard(body: Any) -> Any:
    query = (("ref", "3f9k2m8qx1abc.1"),)
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    (found,) = FLOWROUTE.told(Callback("POST", "https://calls.example.org/x", query=query, body=content))
    return found


@pytest.mark.parametrize(
    ("number", "status", "disposition", "handed_on"),
    [
        (1, "message buffered", None, True),
        (1, "smsc reject", Disposition.FAILED, False),
        (2, "delivered", Disposition.DELIVERED, False),
        (2, "delivery failure", Disposition.UNDELIVERED, False),
    ],
)
def test_a_delivery_receipt_brings_our_reference_back_in_its_address(
    number: int, status: str, disposition: Disposition | None, handed_on: bool
) -> None:
    told = {**level(number, status), "body": "", "status_code_description": "as it went"}

    receipt = heard({"data": {"id": "mdr2-7", "type": "delivery_receipt", "attributes": told}})

    assert (receipt.ref, receipt.reference) == ("mdr2-7", "3f9k2m8qx1abc.1")
    assert (receipt.disposition, receipt.handed_on, receipt.detail) == (disposition, handed_on, "as it went")


def test_a_flat_message_that_comes_in_is_one() -> None:
    message = heard({"to": "12012673227", "from": "12067392634", "body": "Hi", "id": "mdr1-5"})

    assert isinstance(message, Message)
    assert (message.what, message.ref, message.sender, message.dest) == (
        "sms",
        "mdr1-5",
        "+12067392634",
        OURS,
    )


def test_a_message_with_pictures_has_their_addresses() -> None:
    told = {
        "to": "12012673227",
        "from": "12067392634",
        "body": "Look",
        "direction": "inbound",
        "is_mms": True,
        "amount_display": "$0.0095",
        "timestamp": "2026-11-21T10:00:00.00Z",
    }
    included = [{"type": "media", "id": "1", "attributes": {"url": "https://media.example/1.png"}}]

    message = heard({"data": {"id": "mdr2-6", "type": "message", "attributes": told}, "included": included})

    assert (message.body, message.media, message.price) == (
        "Look",
        ("https://media.example/1.png",),
        "0.0095",
    )
    assert message.at == datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def test_a_short_code_stays_as_it_is() -> None:
    assert heard({"to": "12012673227", "from": "72345", "body": "Hi", "id": "mdr1-5"}).sender == "72345"


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b"{}", b'{"data": {"type": "delivery_receipt"}}'])
def test_what_is_no_callback_can_not_be_read(body: bytes) -> None:
    with pytest.raises(Unreadable):
        heard(body)


@pytest.mark.parametrize(
    ("task", "where"),
    [
        (Sms("Hi", sender=OURS), set()),
        (Sms("Hi"), {"sender"}),
        (Sms("Hi", sender="Citibank"), {"sender"}),
        (Sms("Hi", sender=OURS, template="T1", extra=(("dlr_callback", "x"),)), {"template", "extra"}),
        (NumberOrder("buy", OURS), set()),
        (NumberOrder("buy", "a number", (("duration", "1"),)), {"number", "details.duration"}),
        (NumberOrder("configure", OURS, (("alias", "NYC"),)), set()),
        (NumberOrder("configure", OURS), {"details"}),
        (NumberOrder("configure", OURS, (("forward_to", OURS),)), {"details.forward_to"}),
        (NumberOrder("create-route", "pbx.example.com", (("type", "host"),)), set()),
        (NumberOrder("create-route", "", (("type", "sip-reg"),)), {"number", "details.type"}),
        (NumberOrder("set-primary", OURS, (("route", "1"),)), set()),
        (NumberOrder("set-failover", OURS), {"details.route"}),
    ],
)
def test_what_flowroute_can_not_do_is_told_before(task: Task, where: set[str]) -> None:
    assert {each.where for each in FLOWROUTE.objections("sms", Call(), task)} == where
