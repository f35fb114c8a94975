"""What Xoxzo says: its answers, lists and callbacks (after docs.xoxzo.com)."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dialerd.core.callbacks import Answer, Callback, Unreadable
from dialerd.core.model import Call, Disposition
from dialerd.core.receipts import Errand, Message, Receipt
from dialerd.core.tasks import NumberOrder
from dialerd.providers.base import Secret
from dialerd.providers.wire import Reply, Request
from dialerd.providers.xoxzo import Xoxzo

REPLIES = Path(__file__).parent / "replies" / "xoxzo"
XOXZO = Xoxzo(account="sid", secret=Secret("t0ken"))
REFERENCE = "3f9k2m8qx1abc.1"


def order(verb: str, *details: tuple[str, str]) -> Errand:
    return Errand(REFERENCE, Call(), NumberOrder(verb, "JPafr34rafic76tf", details))


def saved(name: str, request: Request | None = None) -> Reply:
    return Reply(int(name.split(".")[2]), {}, (REPLIES / name).read_bytes(), request)


def test_a_message_that_was_taken_has_an_id_and_no_end_yet() -> None:
    receipt = XOXZO.read_sms_send(saved("sms.send.201.accepted.json"))

    assert (receipt.ref, receipt.disposition) == ("7sBZmVznoXJap2wkMIlihgPKqjdOGS1f", None)


def test_the_answer_to_a_template_may_be_a_bare_object() -> None:
    assert XOXZO.read_sms_send(Reply(201, {}, b'{"msgid": "7s"}')).ref == "7s"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b"[{}]", b'[{"msgid": null}]', b"[1]"])
def test_an_answer_without_an_id_leaves_the_attempt_in_doubt(body: bytes) -> None:
    with pytest.raises(Unreadable):
        XOXZO.read_sms_send(Reply(201, {}, body))
    with pytest.raises(Unreadable):
        XOXZO.read_voice_play(Reply(201, {}, body))


def test_a_status_is_read_in_utc_with_its_price_and_our_reference() -> None:
    receipt = XOXZO.read_sms_status(saved("sms.status.200.read.json"))

    assert receipt.disposition is Disposition.DELIVERED
    assert receipt.at == datetime(2019, 3, 15, 8, 29, 9, tzinfo=UTC)
    assert (receipt.price, receipt.currency, receipt.sender) == ("10", "credits", "8011112222")
    assert (receipt.reference, receipt.to) == (REFERENCE, "+818012345678")


@pytest.mark.parametrize(
    ("word", "disposition", "handed_on"),
    [
        ("QUEUED", None, False),
        ("DELIVERING", None, True),
        ("DELIVERED", Disposition.DELIVERED, False),
        ("OK", Disposition.DELIVERED, False),
        ("FAIL", Disposition.FAILED, False),
        ("FAILED", Disposition.FAILED, False),
        ("TELEPORTED", None, False),
    ],
)
def test_words_for_a_message_are_understood_and_unknown_ones_kept(
    word: str, disposition: Disposition | None, handed_on: bool
) -> None:
    receipt = XOXZO.read_sms_status(Reply(200, {}, json.dumps({"msgid": "7", "status": word}).encode()))

    assert (receipt.disposition, receipt.handed_on, receipt.word) == (disposition, handed_on, word)


@pytest.mark.parametrize(
    ("word", "disposition"),
    [
        ("QUEUED", None),
        ("IN PROGRESS", None),
        ("ANSWERED", Disposition.ANSWERED),
        ("NO ANSWER", Disposition.NOANSWER),
        ("BUSY", Disposition.BUSY),
        ("FAILED", Disposition.FAILED),
    ],
)
def test_usual_words_for_a_call_are_understood(word: str, disposition: Disposition | None) -> None:
    body = json.dumps(
        {"callid": "71", "status": word, "caller": "8180", "recipient": "+818012345678"}
    ).encode()

    receipt = XOXZO.read_voice_status(Reply(200, {}, body))

    assert (receipt.ref, receipt.disposition, receipt.word) == ("71", disposition, word)


def test_a_list_tells_our_references_by_the_tags() -> None:
    page = XOXZO.read_sms_find(saved("sms.history.200.read.json"))

    assert [each.reference for each in page.items] == [REFERENCE, None, None]
    assert page.cursor is None


@pytest.mark.parametrize("tags", [[REFERENCE, "a"], f"a,{REFERENCE}", f'["{REFERENCE}"]'])
def test_our_reference_is_found_however_tags_are_written(tags: object) -> None:
    body = json.dumps({"msgid": "7", "tags": tags}).encode()

    assert XOXZO.read_sms_status(Reply(200, {}, body)).reference == REFERENCE


def test_a_list_that_is_none_can_not_be_read() -> None:
    with pytest.raises(Unreadable):
        XOXZO.read_sms_history(Reply(200, {}, b'{"detail": "?"}'))


@pytest.mark.parametrize("name", ["conferenceid", "conference_id", "confid"])
def test_a_conference_is_known_by_the_id_that_it_was_given(name: str) -> None:
    body = json.dumps([{name: "b600722b", "calls": [{"callid": "1"}, {"callid": "2"}]}]).encode()

    receipt = XOXZO.read_voice_conference(Reply(201, {}, body))

    assert (receipt.ref, receipt.room) == ("conferences/b600722b", "b600722b")
    assert XOXZO.voice_status(receipt.ref or "").path == "/voice/simple/conferences/b600722b/"


def test_a_conference_without_an_id_is_in_doubt() -> None:
    with pytest.raises(Unreadable):
        XOXZO.read_voice_conference(Reply(201, {}, b'[{"callid": "1"}]'))


def test_numbers_for_sale_have_their_country_code_and_their_id() -> None:
    first, second = XOXZO.read_numbers_search(saved("numbers.search.200.read.json")).items

    assert (first.number, first.id, first.monthly, first.per_minute) == (
        "+815012345678",
        "JPafr34rafic76tf",
        "650.0",
        "1",
    )
    assert (second.number, second.area, second.currency) == ("+81312345678", "3", "credits")


def test_a_subscription_says_where_its_calls_go() -> None:
    (number,) = XOXZO.read_numbers_list(saved("numbers.list.200.read.json")).items

    assert (number.number, number.forward_to) == ("+815012345678", "http://example.com/dummy_action")


@pytest.mark.parametrize("verb", ["buy", "configure", "release"])
@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"din_uid": "JPafr34rafic76tf"}'])
def test_an_order_that_was_carried_out_is_done_and_names_the_number(verb: str, body: bytes) -> None:
    request = getattr(XOXZO, f"numbers_{verb}")(order(verb, ("action_url", "http://example.com/")))

    receipt = getattr(XOXZO, f"read_numbers_{verb}")(Reply(200, {}, body, request))

    assert (receipt.disposition, receipt.ref) == (Disposition.DONE, "JPafr34rafic76tf")


def test_an_order_that_was_answered_by_a_web_page_is_in_doubt() -> None:
    with pytest.raises(Unreadable):
        XOXZO.read_numbers_buy(Reply(200, {}, b"<html>"))


def callback(
    method: str = "POST",
    query: dict[str, str] | None = None,
    form: dict[str, str] | None = None,
    body: object = None,
) -> Callback:
    raw = b"" if body is None else json.dumps(body).encode()
    pairs = tuple((query or {}).items())
    return Callback(
        method, "https://dialer.example.org/in/xo/k3y", pairs, tuple((form or {}).items()), {}, raw
    )


SMS = {"msgid": "7sBZ", "status": "DELIVERED", "recipient": "+818012345678"}


@pytest.mark.parametrize(
    "told",
    [
        callback(query={"ref": REFERENCE}, form=SMS),
        callback(query={"ref": REFERENCE}, body=SMS),
        callback(query={"ref": REFERENCE}, body=[SMS]),
        callback("GET", query={"ref": REFERENCE, **SMS}),
        callback("GET", query={"ref": REFERENCE, **SMS, "recipient": " 818012345678"}),
        callback(form={**SMS, "tags": f"{REFERENCE},a"}),
    ],
)
def test_a_message_callback_is_read_however_it_is_written(told: Callback) -> None:
    (receipt,) = XOXZO.told(told)

    assert isinstance(receipt, Receipt)
    assert (receipt.ref, receipt.reference, receipt.to) == ("7sBZ", REFERENCE, "+818012345678")
    assert receipt.disposition is Disposition.DELIVERED


def test_a_call_callback_is_one_of_a_call() -> None:
    fields = {"callid": "7142", "status": "BUSY", "caller": "8180", "recipient": "+818012345678"}

    (receipt,) = XOXZO.told(callback(query={"ref": REFERENCE}, form=fields))

    assert isinstance(receipt, Receipt)
    assert (receipt.ref, receipt.disposition) == ("7142", Disposition.BUSY)


def test_a_callback_of_a_shape_unknown_is_at_least_a_hint() -> None:
    (receipt,) = XOXZO.told(callback(query={"ref": REFERENCE}, form={"status": "DONE"}))

    assert isinstance(receipt, Receipt)
    assert (receipt.reference, receipt.ref, receipt.disposition) == (REFERENCE, None, None)


@pytest.mark.parametrize(
    "told", [callback(), callback(body=[]), callback(body="x"), callback(form={"a": "b"})]
)
def test_a_callback_that_says_nothing_can_not_be_read(told: Callback) -> None:
    with pytest.raises(Unreadable):
        XOXZO.told(told)


def test_a_call_that_comes_in_is_told_and_answered_with_its_action() -> None:
    asked = callback("GET", query={"caller": " 818012345678", "recipient": "815012345678"})

    (message,) = XOXZO.told(asked)

    assert isinstance(message, Message)
    assert (message.what, message.sender, message.dest) == ("call", "+818012345678", "+815012345678")
    assert XOXZO.acknowledgement(asked, "transfer +819012345678\n") == Answer(200, "transfer +819012345678")


def test_other_callbacks_are_answered_with_nothing() -> None:
    assert XOXZO.acknowledgement(callback(form=SMS), None) == Answer(200, "")
