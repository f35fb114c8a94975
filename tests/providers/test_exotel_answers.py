"""What Exotel says: its answers, lists and callbacks (after developer.exotel.com)."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dialerd.core.callbacks import Callback, Unreadable
from dialerd.core.errors import AccountRefused, Rejected, Unavailable
from dialerd.core.model import Disposition
from dialerd.core.receipts import Receipt
from dialerd.providers.base import Secret
from dialerd.providers.exotel import Exotel
from dialerd.providers.wire import Reply

REPLIES = Path(__file__).parent / "replies" / "exotel"
EXOTEL = Exotel(account="key", secret=Secret("t0ken"), options={"sid": "acme1"})
REFERENCE = "3f9k2m8qx1abc.1"


def saved(name: str) -> Reply:
    return Reply(int(name.split(".")[2]), {}, (REPLIES / name).read_bytes())


def test_a_message_that_was_taken_is_under_way_and_not_sent_yet() -> None:
    receipt = EXOTEL.read_sms_send(saved("sms.send.200.accepted.json"))

    assert receipt.ref == "5a7b0c19d2e84f63a1b2c3d4e5f60718"
    assert (receipt.disposition, receipt.word, receipt.handed_on) == (None, "queued", False)
    assert receipt.at == datetime(2026, 3, 1, 18, 30, 5, tzinfo=UTC)
    assert receipt.price is None


def test_sent_is_the_last_word_of_a_message_and_its_times_are_indian() -> None:
    receipt = EXOTEL.read_sms_status(saved("sms.status.200.read.sent.json"))

    assert receipt.disposition is Disposition.DELIVERED
    assert receipt.at == datetime(2026, 3, 1, 18, 30, 9, tzinfo=UTC)
    assert (receipt.price, receipt.parts, receipt.detail) == ("0.250000", 1, "DELIVERED_TO_HANDSET")


@pytest.mark.parametrize(
    ("word", "disposition", "handed_on"),
    [
        ("queued", None, False),
        ("sending", None, False),
        ("submitted", None, True),
        ("sent", Disposition.DELIVERED, False),
        ("delivered", Disposition.DELIVERED, False),
        ("failed", Disposition.FAILED, False),
        ("failed-dnd", Disposition.FAILED, False),
        ("failed_dnd", Disposition.FAILED, False),
        ("undelivered", Disposition.UNDELIVERED, False),
        ("expired", Disposition.UNDELIVERED, False),
        ("teleported", None, False),
    ],
)
def test_words_for_a_message_are_understood_and_unknown_ones_kept(
    word: str, disposition: Disposition | None, handed_on: bool
) -> None:
    body = json.dumps({"SMSMessage": {"Sid": "5a", "Status": word}}).encode()

    receipt = EXOTEL.read_sms_status(Reply(200, {}, body))

    assert (receipt.disposition, receipt.handed_on) == (disposition, handed_on)
    assert receipt.word == word.replace("_", "-")


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
    ],
)
def test_words_for_a_call_are_understood(word: str, disposition: Disposition | None) -> None:
    body = json.dumps({"Call": {"Sid": "b6", "Status": word}}).encode()

    assert EXOTEL.read_voice_status(Reply(200, {}, body)).disposition is disposition


def test_a_call_is_for_the_number_that_was_rung_first() -> None:
    receipt = EXOTEL.read_voice_status(saved("voice.status.200.read.completed.json"))

    assert (receipt.to, receipt.sender, receipt.seconds) == ("+919876543210", "08088919888", 77)
    assert receipt.recording == "https://recordings.example/acme1/b6cf.mp3"
    assert receipt.at == datetime(2026, 3, 2, 5, 18, 33, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"SMSMessage": null}', b'{"SMSMessage": {"Status": "queued"}}'],
)
def test_an_answer_without_an_id_leaves_the_message_in_doubt(body: bytes) -> None:
    with pytest.raises(Unreadable):
        EXOTEL.read_sms_send(Reply(200, {}, body))


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, Rejected), (403, Rejected), (401, AccountRefused), (402, AccountRefused), (429, Unavailable)],
)
def test_an_error_in_an_answer_of_200_counts_as_what_it_says(status: int, error: type[Exception]) -> None:
    body = json.dumps({"RestException": {"Status": status, "Message": "Why"}}).encode()

    with pytest.raises(error, match="Why"):
        EXOTEL.read_sms_send(Reply(200, {}, body))


def test_an_error_of_theirs_in_an_answer_of_200_leaves_the_call_in_doubt() -> None:
    with pytest.raises(Unreadable):
        EXOTEL.read_voice_connect(Reply(200, {}, b'{"RestException": {"Status": 500, "Message": "Oops"}}'))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"RestException": {"Status": 400, "Message": "Bad number"}}', "Bad number"),
        (
            b"<TwilioResponse><RestException><Message>A &amp; B</Message></RestException></TwilioResponse>",
            "A & B",
        ),
        (b"<html>502</html>", ""),
        (b"{", ""),
    ],
)
def test_their_complaint_is_found_in_json_and_xml(body: bytes, said: str) -> None:
    assert EXOTEL.complaint(Reply(400, {}, body)) == said


def test_a_page_of_calls_names_the_next_one() -> None:
    page = EXOTEL.read_voice_history(saved("voice.history.200.read.json"))

    assert [each.ref for each in page.items] == ["c5797dcb", "d7d9cefd"]
    assert (page.cursor, page.total) == ("xyz==", 1027)
    assert (page.items[1].incoming, page.items[1].to) == (True, "08088919888")


def test_the_last_page_names_none() -> None:
    page = EXOTEL.read_voice_history(saved("voice.history.200.read.last.json"))

    assert (page.items, page.cursor) == ((), None)


def callback(*form: tuple[str, str], query: str = "", body: bytes = b"") -> Callback:
    pairs = (("ref", query),) if query else ()
    return Callback("POST", "https://dialer.example.org/in/exo/k3y", pairs, form, {}, body)


def test_a_message_callback_brings_our_reference_back() -> None:
    told = EXOTEL.told(
        callback(
            ("SmsSid", "5a7b"),
            ("To", "09876543210"),
            ("Status", "failed_dnd"),
            ("SmsUnits", "2"),
            ("DetailedStatus", "FAILED_DND"),
            ("DateSent", "1970-01-01 05:30:00"),
            ("CustomField", REFERENCE),
        )
    )

    (receipt,) = told
    assert isinstance(receipt, Receipt)
    assert (receipt.ref, receipt.reference, receipt.disposition) == ("5a7b", REFERENCE, Disposition.FAILED)
    assert (receipt.at, receipt.parts, receipt.to) == (None, 2, "09876543210")


@pytest.mark.parametrize("as_json", [True, False])
def test_a_call_callback_is_read_as_json_and_as_a_form(as_json: bool) -> None:
    fields = {
        "CallSid": "b6cf",
        "Status": "completed",
        "From": "+919876543210",
        "EndTime": "2026-03-02 10:49:50",
        "StartTime": "2026-03-02 10:48:33",
        "ConversationDuration": "8",
        "RecordingUrl": "null",
    }
    body = json.dumps({**fields, "Legs": [{"OnCallDuration": 21, "Status": "completed"}]}).encode()

    (receipt,) = EXOTEL.told(
        callback(query=REFERENCE, body=body) if as_json else callback(*fields.items(), query=REFERENCE)
    )

    assert isinstance(receipt, Receipt)
    assert (receipt.ref, receipt.reference, receipt.seconds) == ("b6cf", REFERENCE, 8)
    assert (receipt.disposition, receipt.recording) == (Disposition.ANSWERED, None)
    assert receipt.at == datetime(2026, 3, 2, 5, 18, 33, tzinfo=UTC)


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b'{"Status": "sent"}'])
def test_a_callback_without_an_id_can_not_be_read(body: bytes) -> None:
    with pytest.raises(Unreadable):
        EXOTEL.told(callback(body=body))
