"""What Hoiio notifies (after openapi.hoiio.com, "Handling notifications"), and what it can't do."""

from datetime import UTC, datetime
from typing import Any

import pytest

from dialerd.core.callbacks import Callback, Unreadable
from dialerd.core.model import Call, Disposition
from dialerd.core.receipts import Message, Notice, Receipt, Told
from dialerd.core.tasks import Conference, Fax, Ivr, NumberOrder, Script, Sms, Step, Task
from dialerd.providers.base import Secret
from dialerd.providers.hoiio import Hoiio

HOIIO = Hoiio(account="app-1", secret=Secret("token-7"))
REFERENCE = "3f9k2m8qx1abc.1"
ONE, TWO = "+6511111111", "+6522222222"


def told(**fields: str) -> list[Told]:
    """Parameters stand in the address, "from" among them."""
    query = tuple((name.rstrip("_"), value) for name, value in fields.items())
    return HOIIO.told(Callback("POST", "https://calls.example.org/p/u7/hoiio", query=query))


def the(kind: type[Any], **fields: str) -> Any:
    (found,) = told(**fields)
    assert isinstance(found, kind)
    return found


MESSAGE = {
    "txn_ref": "AA-S-1",
    "tag": REFERENCE,
    "dest": ONE,
    "date": "2012-01-31 12:06:15",
    "debit": "0.064",
}
SESSION = {"session": "S4643", "txn_ref": "AA-I-1", "ref": REFERENCE, "call_state": "ongoing"}


def test_a_message_that_was_delivered_is_told_with_our_reference() -> None:
    receipt = the(Receipt, **MESSAGE, sms_status="delivered", split_count="2", currency="SGD")

    assert (receipt.ref, receipt.reference, receipt.to) == ("AA-S-1", REFERENCE, ONE)
    assert (receipt.disposition, receipt.parts, receipt.price) == (Disposition.DELIVERED, 2, "0.064")


def test_parameters_may_come_as_a_form() -> None:
    callback = Callback(
        "POST", "", query=(("ref", "b.2"),), form=(("txn_ref", "T"), ("sms_status", "queued"))
    )
    (receipt,) = HOIIO.told(callback)

    assert isinstance(receipt, Receipt)
    assert (receipt.reference, receipt.disposition, receipt.word) == ("b.2", None, "queued")


@pytest.mark.parametrize("marked", [{"bulk_txn_ref": "AA-B-147"}, {"tag": f"bulk:{REFERENCE}"}])
def test_a_number_of_a_bulk_request_has_its_own_id_and_is_not_taken_for_the_first_job(
    marked: dict[str, str],
) -> None:
    receipt = the(Receipt, **MESSAGE | marked, sms_status="delivered", ref=REFERENCE)

    assert (receipt.ref, receipt.to, receipt.reference) == ("AA-S-1", ONE, None)
    assert receipt.refs == {ONE: "AA-S-1"}


def test_a_call_that_ended_is_told_by_its_legs() -> None:
    receipt = the(
        Receipt,
        txn_ref="AA-S-2",
        tag=REFERENCE,
        dest1=ONE,
        dest2=TWO,
        call_status_dest1="answered",
        call_status_dest2="unanswered",
        duration="0",
    )

    assert (receipt.reference, receipt.disposition) == (REFERENCE, Disposition.NOANSWER)


def test_a_fax_that_was_sent_is_told_as_a_receipt() -> None:
    receipt = the(Receipt, txn_ref="F", tag=REFERENCE, fax_status="busy", dest=ONE, fax_error_code="busy")

    assert (receipt.disposition, receipt.detail) == (Disposition.BUSY, "busy")


def test_a_message_that_comes_in_is_a_message() -> None:
    message = the(
        Message,
        txn_ref="AA-SI-85",
        msg="hoiio world",
        from_="+16201234567",
        to="+16501234567",
        date="2012-10-30 12:20:50",
        debit="0.013",
        currency="SGD",
    )

    assert (message.what, message.ref, message.body) == ("sms", "AA-SI-85", "hoiio world")
    assert (message.sender, message.dest, message.price) == ("+16201234567", "+16501234567", "0.013")
    assert message.at == datetime(2012, 10, 30, 4, 20, 50, tzinfo=UTC)


def test_a_fax_that_comes_in_has_the_address_of_its_document() -> None:
    fields = {"txn_ref": "AA-FI-1", "fax_status": "answered", "from_": ONE, "to": TWO}
    message = the(Message, **fields, fax_url="https://hoiio.example/fax-1.pdf?Expires=1")

    assert (message.what, message.media) == ("fax", ("https://hoiio.example/fax-1.pdf?Expires=1",))


def test_a_fax_that_failed_to_come_in_is_nothing() -> None:
    assert told(txn_ref="AA-FI-1", fax_status="failed", from_=ONE, to=TWO, fax_error_code="busy") == []


def test_a_call_that_comes_in_waits_for_steps_under_its_session() -> None:
    message = the(Message, ivr_block="answer", session="S9", txn_ref="AA-II-1", from_=ONE, to=TWO)

    assert (message.what, message.session, message.sender, message.dest) == ("call", "S9", ONE, TWO)


def test_a_caller_who_hung_up_before_the_answer_is_a_session_that_is_over() -> None:
    notice = the(Notice, ivr_block="answer", session="S9", txn_ref="A", call_state="ended", from_=ONE, to=TWO)

    assert notice.over


@pytest.mark.parametrize(
    ("fields", "block", "failed", "over"),
    [
        ({"ivr_block": "dial", "dial_status": "answered"}, "dial", False, False),
        ({"ivr_block": "dial", "dial_status": "busy"}, "dial", True, True),
        ({"dial_status": "unanswered", "dest": ONE}, "dial", True, True),
        ({"ivr_block": "play"}, "play", False, False),
        ({"ivr_block": "Transfer", "transfer_status": "busy"}, "transfer", True, False),
        ({"transfer_status": "answered", "call_state": "ended"}, "transfer", False, True),
        ({"call_state": "ended", "duration": "2"}, "", False, True),
    ],
)
def test_blocks_of_a_session_tell_what_became_of_a_step(
    fields: dict[str, str], block: str, failed: bool, over: bool
) -> None:
    notice = the(Notice, **SESSION | fields)

    assert (notice.session, notice.ref, notice.reference) == ("S4643", "AA-I-1", REFERENCE)
    assert (notice.block, notice.failed, notice.over) == (block, failed, over)


def test_digits_that_were_not_pressed_are_an_empty_text() -> None:
    pressed = [the(Notice, **SESSION, digits=digits) for digits in ("12", "")]

    assert [(notice.block, notice.digits) for notice in pressed] == [("gather", "12"), ("gather", "")]


def test_a_recording_and_the_price_of_a_session_are_told() -> None:
    recorded = the(Notice, **SESSION, ivr_block="record", record_url="https://hoiio.example/r.mp3")
    ended = the(Notice, **SESSION | {"call_state": "ended"}, duration="2", debit="0.1", currency="SGD")

    assert recorded.recording == "https://hoiio.example/r.mp3"
    assert (ended.seconds, ended.price, ended.currency) == (120, "0.1", "SGD")


@pytest.mark.parametrize("fields", [{}, {"txn_ref": "A"}, {"sms_status": "delivered"}, {"hello": "world"}])
def test_what_is_no_notification_can_not_be_read(fields: dict[str, str]) -> None:
    with pytest.raises(Unreadable):
        told(**fields)


def wrong(task: Task | None = None, *to: str, kind: str = "sms", script: Script | None = None) -> set[str]:
    """Where the objections are."""
    call = Call(to=to or (ONE,), script=script)
    return {each.where for each in HOIIO.objections(kind, call, task)}


def fax(**fields: Any) -> Fax:
    return Fax(**{"document": "5d41", "media_type": "application/pdf", "size": 9, **fields})


@pytest.mark.parametrize(
    ("task", "where"),
    [
        (Sms("Hi", sender="Citibank"), set()),
        (Sms("Hi", sender="+16501234567"), set()),
        (Sms("Hi", sender="ab"), {"sender"}),
        (Sms("Hi", sender="twelveletter"), {"sender"}),
        (Sms("x" * 459), set()),
        (Sms("x" * 460), {"body"}),
        (Sms("您" * 201), set()),
        (Sms("您" * 202), {"body"}),
        (Sms("Hi", media=("https://a.example/x.png",), template="T1"), {"media", "template"}),
        (Sms("Hi", extra=(("access_token", "mine"), ("campaign", "7"))), {"extra"}),
        (fax(), set()),
        (fax(size=2 * 1024 * 1024, header="Page 1"), set()),
        (fax(size=2 * 1024 * 1024 + 1, media_type="image/tiff"), {"document"}),
        (fax(header="x" * 101), {"header"}),
        (fax(header="50%"), {"header"}),
        (Conference(room="MY.ROOM_1"), set()),
        (Conference(room="no blanks"), {"room"}),
        (Ivr((Step("play", message="x" * 1000),), message="x" * 1000), set()),
        (Ivr((Step("play", message="x" * 1001),), message="x" * 1001), {"message", "steps.0.play"}),
        (Ivr((Step("gather", on_digits=(("1", (Step("play"),)),)),)), {"steps.0.gather.on.1.0.play"}),
        (Ivr((Step("gather", max_digits=256),)), {"steps.0.gather.max_digits"}),
        (NumberOrder("buy", ONE, (("duration", "12"),)), set()),
        (NumberOrder("buy", ONE, (("duration", "2"),)), {"details.duration"}),
        (NumberOrder("buy", ONE), {"details.duration"}),
        (NumberOrder("configure", ONE, (("foward_to", "https://a.example"),)), {"details.foward_to"}),
        (NumberOrder("configure", ONE, (("mode", "video"),)), {"details.mode"}),
        (NumberOrder("configure", ONE), {"details"}),
    ],
)
def test_what_hoiio_can_not_do_is_told_before(task: Task, where: set[str]) -> None:
    assert wrong(task) == where


def test_a_misspelt_field_of_an_order_is_told_with_the_right_one() -> None:
    order = NumberOrder("configure", ONE, (("foward_to", "https://a.example"),))
    (mistake,) = HOIIO.objections("number", Call(), order)

    assert 'Did you mean "forward_to"?' in mistake.what


def test_a_room_takes_eight_numbers_and_a_bulk_request_a_thousand() -> None:
    numbers = tuple(f"+65111{each:05}" for each in range(1001))

    assert [wrong(Conference(), *numbers[:count]) for count in (8, 9)] == [set(), {"to"}]
    assert [wrong(Sms("Hi", bulk=True), *numbers[:count]) for count in (1000, 1001)] == [set(), {"to"}]


@pytest.mark.parametrize(
    ("script", "where"),
    [
        (Script(connect=TWO), set()),
        (Script(say="Hello"), set()),
        (Script(play_url="https://a.example/x.mp3"), set()),
        (Script(), {"connect"}),
        (Script(flow="12"), {"flow"}),
        (Script(connect=ONE), {"connect"}),
        (Script(connect=TWO, record=True), {"record"}),
        (Script(say="x" * 1001), {"say"}),
    ],
)
def test_calls_connect_two_numbers_or_say_something(script: Script, where: set[str]) -> None:
    assert wrong(None, kind="call", script=script) == where


def test_only_a_connected_call_can_do_without_its_first_number() -> None:
    scripts = (Script(connect=TWO), Script(say="Hello"))

    assert [
        {each.where for each in HOIIO.objections("call", Call(script=script), None)} for script in scripts
    ] == [
        set(),
        {"to"},
    ]
