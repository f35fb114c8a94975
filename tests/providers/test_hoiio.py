"""What goes out to Hoiio, request for request: written by hand from its documentation (openapi.hoiio.com)."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from dialerd.core.errors import Rejected
from dialerd.core.model import Call
from dialerd.core.operations import OPERATIONS
from dialerd.core.receipts import Errand
from dialerd.core.tasks import Conference, Fax, Ivr, NumberOrder, Script, Sms, Step, Task
from dialerd.providers.base import Secret
from dialerd.providers.hoiio import Hoiio
from dialerd.providers.wire import Part, Request

HOIIO = Hoiio(account="app-1", secret=Secret("token-7"))
CREDENTIALS = (("app_id", "app-1"), ("access_token", "token-7"))
ONE, TWO, THREE = "+6511111111", "+6522222222", "+6533333333"
HEARD = "https://calls.example.org/p/u7/hoiio?ref=3f9k2m8qx1abc.1"
OURS = (("tag", "3f9k2m8qx1abc.1"), ("notify_url", HEARD))
PDF = b"%PDF-1.4 ..."
SINCE = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)
UNTIL = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
BEGUN = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)


def errand(
    task: Task | None = None, *to: str, script: Script | None = None, caller_id: str | None = None
) -> Errand:
    call = Call(to=to, script=script, caller_id_number=caller_id)
    return Errand("3f9k2m8qx1abc.1", call, task, callback=HEARD, document=PDF, begun=BEGUN)


def fax(**fields: Any) -> Fax:
    return Fax("5d41", "application/pdf", len(PDF), **fields)


JOBS: list[tuple[str, Errand, str, tuple[tuple[str, str], ...]]] = [
    (
        "sms.send",
        errand(Sms("Hoiio World"), ONE),
        "/sms/send",
        (("dest", ONE), ("msg", "Hoiio World"), *OURS),
    ),
    (
        "sms.send",
        errand(Sms("Grüße & 您好", sender="Citibank", extra=(("campaign", "7"),)), ONE),
        "/sms/send",
        (("dest", ONE), ("msg", "Grüße & 您好"), ("sender_name", "Citibank"), *OURS, ("campaign", "7")),
    ),
    (
        "sms.bulk",
        errand(Sms("Hoiio World", bulk=True), ONE, TWO),
        "/sms/bulk_send",
        (
            ("dest", f"{ONE},{TWO}"),
            ("msg", "Hoiio World"),
            ("tag", "bulk:3f9k2m8qx1abc.1"),
            ("notify_url", HEARD),
        ),
    ),
    (
        "voice.connect",
        errand(None, ONE, script=Script(connect=TWO)),
        "/voice/call",
        (("dest1", ONE), ("dest2", TWO), *OURS),
    ),
    (
        "voice.connect",
        errand(None, script=Script(connect=TWO, longest=600), caller_id=THREE),
        "/voice/call",
        (("dest2", TWO), ("caller_id", THREE), ("max_duration", "600"), *OURS),
    ),
    (
        "voice.say",
        errand(None, ONE, script=Script(say="Fire & smoke", language="en")),
        "/ivr/start/dial",
        (("dest", ONE), ("msg", '<speech language="en">Fire &amp; smoke</speech>'), OURS[0]),
    ),
    (
        "voice.play",
        errand(None, ONE, script=Script(play_url="https://example.org/a.mp3?a=1&b=2")),
        "/ivr/start/dial",
        (("dest", ONE), ("msg", "<url>https://example.org/a.mp3?a=1&amp;b=2</url>"), OURS[0]),
    ),
    (
        "voice.conference",
        errand(Conference(), ONE, TWO, THREE),
        "/conference/call",
        (("dest", f"{ONE},{TWO},{THREE}"), *OURS),
    ),
    (
        "voice.conference",
        errand(Conference(room="MY.ROOM_1", caller_id="private"), ONE),
        "/conference/call",
        (("dest", ONE), ("room", "MY.ROOM_1"), ("caller_id", "private"), *OURS),
    ),
    ("ivr.dial", errand(Ivr(()), ONE), "/ivr/start/dial", (("dest", ONE), *OURS)),
    (
        "ivr.dial",
        errand(Ivr((Step("hangup"),), message="Hello.", caller_id=TWO, longest=60), ONE),
        "/ivr/start/dial",
        (("dest", ONE), ("msg", "Hello."), ("caller_id", TWO), ("max_duration", "60"), *OURS),
    ),
    (
        "numbers.buy",
        errand(NumberOrder("buy", "+16001234567", (("duration", "auto_extend"),))),
        "/number/subscribe",
        (("number", "+16001234567"), ("duration", "auto_extend")),
    ),
    (
        "numbers.configure",
        errand(
            NumberOrder(
                "configure", "+16001234567", (("forward_sms_to", "https://a.example"), ("mode", "fax"))
            )
        ),
        "/number/update_forwarding",
        (("number", "+16001234567"), ("forward_sms_to", "https://a.example"), ("mode", "fax")),
    ),
    (
        "numbers.configure",
        errand(NumberOrder("configure", "+16001234567", (("forward_to", "https://a.example"),))),
        "/number/update_forwarding",
        (("number", "+16001234567"), ("forward_to", "https://a.example")),
    ),
]

ASKED: list[tuple[str, dict[str, Any], str, tuple[tuple[str, str], ...]]] = [
    ("sms.status", {"ref": "TX-1"}, "/sms/query_status", (("txn_ref", "TX-1"),)),
    ("sms.history", {}, "/sms/get_history", ()),
    (
        "sms.history",
        {"since": SINCE, "until": UNTIL, "cursor": "2"},
        "/sms/get_history",
        (("from", "2026-11-21 06:30:00"), ("to", "2026-11-21 18:00:00"), ("page", "2")),
    ),
    ("sms.rate", {"to": ONE, "body": "Hi"}, "/sms/get_rate", (("dest", ONE), ("msg", "Hi"))),
    ("sms.rate", {"incoming": TWO}, "/sms/get_rate", (("incoming", TWO),)),
    ("fax.status", {"ref": "TX-1"}, "/fax/query_status", (("txn_ref", "TX-1"),)),
    ("fax.history", {}, "/fax/get_history", (("type", "outgoing"),)),
    (
        "fax.history",
        {"since": SINCE, "incoming": True, "cursor": "3"},
        "/fax/get_history",
        (("from", "2026-11-21 06:30:00"), ("page", "3"), ("type", "incoming")),
    ),
    ("fax.rate", {"to": ONE}, "/fax/get_rate", (("dest", ONE),)),
    ("fax.rate", {"incoming": TWO}, "/fax/get_rate", (("incoming", TWO),)),
    ("voice.status", {"ref": "TX-1"}, "/voice/query_status", (("txn_ref", "TX-1"),)),
    ("voice.history", {"cursor": "2"}, "/voice/get_history", (("page", "2"),)),
    ("voice.rate", {"first": ONE, "second": TWO}, "/voice/get_rate", (("dest1", ONE), ("dest2", TWO))),
    ("voice.hangup", {"ref": "TX-4"}, "/voice/hangup", (("txn_ref", "TX-4"),)),
    (
        "ivr.play",
        {"session": "S4643", "message": "Hello.", "tag": "myapp", "callback": HEARD},
        "/ivr/middle/play",
        (("session", "S4643"), ("msg", "Hello."), ("tag", "myapp"), ("notify_url", HEARD)),
    ),
    (
        "ivr.gather",
        {
            "session": "S4643",
            "message": "Press 1.",
            "max_digits": 0,
            "timeout": 60,
            "attempts": 3,
            "callback": HEARD,
        },
        "/ivr/middle/gather",
        (
            ("session", "S4643"),
            ("msg", "Press 1."),
            ("max_digits", "0"),
            ("timeout", "60"),
            ("attempts", "3"),
            ("notify_url", HEARD),
        ),
    ),
    (
        "ivr.record",
        {"session": "S4643", "message": "https://example.org/beep.wav", "longest": 60, "callback": HEARD},
        "/ivr/middle/record",
        (
            ("session", "S4643"),
            ("msg", "<url>https://example.org/beep.wav</url>"),
            ("max_duration", "60"),
            ("notify_url", HEARD),
        ),
    ),
    (
        "ivr.monitor",
        {"session": "S4643", "callback": HEARD},
        "/ivr/middle/monitor",
        (("session", "S4643"), ("notify_url", HEARD)),
    ),
    (
        "ivr.transfer",
        {"session": "S4643", "dest": "room:R1", "on_failure": "continue", "callback": HEARD},
        "/ivr/end/transfer",
        (("session", "S4643"), ("dest", "room:R1"), ("on_failure", "continue"), ("notify_url", HEARD)),
    ),
    (
        "ivr.transfer",
        {"session": "S4643", "dest": TWO, "message": "Wait.", "caller_id": THREE, "tag": "myapp"},
        "/ivr/end/transfer",
        (("session", "S4643"), ("dest", TWO), ("msg", "Wait."), ("caller_id", THREE), ("tag", "myapp")),
    ),
    ("ivr.hangup", {"session": "S4643"}, "/ivr/end/hangup", (("session", "S4643"), ("force", "enabled"))),
    (
        "ivr.hangup",
        {"session": "S", "message": "Bye!"},
        "/ivr/end/hangup",
        (("session", "S"), ("msg", "Bye!")),
    ),
    ("numbers.countries", {}, "/number/get_countries", ()),
    ("numbers.areas", {"country": "US"}, "/number/get_countries", ()),
    ("numbers.search", {"country": "SG"}, "/number/get_choices", (("country", "SG"),)),
    (
        "numbers.search",
        {"country": "US", "area": "AL", "cursor": "2"},
        "/number/get_choices",
        (("country", "US"), ("state", "AL"), ("page", "2")),
    ),
    ("numbers.rate", {"country": "US"}, "/number/get_rates", (("country", "US"),)),
    ("numbers.list", {}, "/number/get_active", ()),
    ("account.balance", {}, "/user/get_balance", ()),
    ("account.info", {}, "/user/get_info", ()),
]


@pytest.mark.parametrize(("operation", "job", "path", "form"), JOBS)
def test_a_job_is_one_post_with_this_form(
    operation: str, job: Errand, path: str, form: tuple[tuple[str, str], ...]
) -> None:
    assert getattr(HOIIO, OPERATIONS[operation].method)(job) == Request("POST", path, form=CREDENTIALS + form)


@pytest.mark.parametrize(("operation", "asked", "path", "form"), ASKED)
def test_a_question_is_one_post_with_this_form(
    operation: str, asked: dict[str, Any], path: str, form: tuple[tuple[str, str], ...]
) -> None:
    request = getattr(HOIIO, OPERATIONS[operation].method)(**asked)

    assert request == Request("POST", path, form=CREDENTIALS + form)


def test_every_operation_stands_in_the_table() -> None:
    table = {row[0] for row in JOBS} | {row[0] for row in ASKED} | {"fax.send"}

    assert table == Hoiio.operations()


def test_a_fax_is_a_file_in_a_multipart_form() -> None:
    request = HOIIO.fax_send(errand(fax(filename="awesome.pdf", caller_id=TWO, header="Page"), ONE))

    assert request == Request(
        "POST",
        "/fax/send",
        form=(
            *CREDENTIALS,
            ("dest", ONE),
            ("filename", "awesome.pdf"),
            ("caller_id", TWO),
            ("fax_header", "Page"),
            *OURS,
        ),
        parts=(Part("file", "awesome.pdf", "application/pdf", PDF),),
    )


def test_an_empty_fax_header_is_sent_since_it_means_none() -> None:
    headers = [
        dict(HOIIO.fax_send(errand(fax(header=each), ONE)).form or ()).get("fax_header")
        for each in ("", None)
    ]

    assert headers == ["", None]


def test_no_secret_stands_in_an_address_or_in_what_a_request_shows_of_itself() -> None:
    request = HOIIO.sms_send(errand(Sms("Hi"), ONE))

    assert ("access_token", "token-7") in (request.form or ())
    assert request.query == ()
    assert "token-7" not in repr(request) + request.path


def test_the_older_path_of_conferences_can_be_configured() -> None:
    older = Hoiio(account="app-1", secret=Secret("token-7"), options={"conference": "voice/conference"})

    assert older.voice_conference(errand(Conference(), ONE)).path == "/voice/conference"


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("sms_find", "/sms/get_history", ()),
        ("fax_find", "/fax/get_history", (("type", "outgoing"),)),
        ("voice_find", "/voice/get_history", ()),
    ],
)
def test_a_lost_attempt_is_looked_for_in_the_history_of_its_day(
    method: str, path: str, kind: tuple[tuple[str, str], ...]
) -> None:
    request = getattr(HOIIO, method)(errand(Sms("Hi"), ONE), cursor="2")

    form = (("from", "2026-11-21 06:50:00"), ("to", "2026-11-22 07:00:00"), ("page", "2"), *kind)
    assert request == Request("POST", path, form=CREDENTIALS + form)


def test_a_session_with_steps_is_not_begun_where_no_notification_can_drive_it() -> None:
    deaf = Errand("3f9k2m8qx1abc.1", Call(to=(ONE,)), Ivr((Step("play", message="Hi"),)))

    with pytest.raises(Rejected, match="public_url"):
        HOIIO.ivr_dial(deaf)


def test_a_session_that_only_says_something_needs_no_notification() -> None:
    deaf = Errand("3f9k2m8qx1abc.1", Call(to=(ONE,)), Ivr((Step("hangup"),), message="Hi"))

    assert "notify_url" not in dict(HOIIO.ivr_dial(deaf).form or ())


def test_numbers_are_not_searched_by_what_hoiio_would_leave_out() -> None:
    with pytest.raises(Rejected, match="ends_with"):
        HOIIO.numbers_search(country="US", ends_with="7")


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        (Call(caller_id_name="Private"), "private"),
        (Call(caller_id_name="Anna"), None),
        (Call(caller_id_name="private", caller_id_number=THREE), THREE),
    ],
)
def test_no_caller_id_is_shown_where_it_is_private(call, shown):
    asked = replace(errand(None, ONE, script=Script(connect=TWO)).call, caller_id_name=call.caller_id_name)
    asked = replace(asked, caller_id_number=call.caller_id_number)

    request = HOIIO.voice_connect(replace(errand(None, ONE), call=asked))

    assert dict(request.form or ()).get("caller_id") == shown
