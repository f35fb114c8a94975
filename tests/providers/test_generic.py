"""The generic provider: what goes out, by three configurations, and what is read of answers and callbacks."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dialerd.core.callbacks import Callback, Unreadable
from dialerd.core.errors import AccountRefused, DeliveryError, NotServed, Rejected, Unavailable
from dialerd.core.model import Call, Disposition
from dialerd.core.receipts import Message, Receipt
from dialerd.core.tasks import Script, Sms
from dialerd.providers.wire import Reply, Request
from tests.providers.generic_accounts import GAMMU, JSON_API, KANNEL, XML_VOICE, call_to, generic, text_to
from tests.providers.rendered import rendered, table

GATEWAY, API, VOICE = generic(KANNEL), generic(JSON_API), generic(XML_VOICE)

REQUESTS: dict[str, tuple[Callable[[], Request], str]] = {
    "by query": (
        lambda: GATEWAY.sms_send(text_to(sender="Shop")),
        """GET /cgi-bin/sendsms?username=me+%26+co&password=s3cr%2Ft&to=%2B14155550123&from=Shop&
        text=Hello+%26+bye&charset=UTF-8&coding=2&dlr-mask=31&
        dlr-url=https%3A%2F%2Fdialer.example.org%2Fin%2Fk%2Fk3y%3Fref%3D3f9k2m8qx1abc.1%26type%3D%25d""",
    ),
    "by query, without what has no value": (
        lambda: GATEWAY.sms_send(replace(text_to(), callback=None)),
        """GET /cgi-bin/sendsms?username=me+%26+co&password=s3cr%2Ft&to=%2B14155550123&text=Hello+%26+bye&
        charset=UTF-8&coding=2&dlr-mask=31""",
    ),
    "by JSON": (
        lambda: API.sms_send(text_to('Say "hi"\n', sender="Shop", extra=(("kind", "json"),))),
        """POST /v1/me%20%26%20co/messages
        X-Ref: 3f9k2m8qx1abc.1
        json
        {"to": ["14155550123"], "text": "Say \\"hi\\"\\n", "from": "Shop", "flash": false, \
"hook": {"url": "https://dialer.example.org/in/k/k3y?ref=3f9k2m8qx1abc.1", "kind": "json"}}""",
    ),
    "by JSON, without what has no value": (
        lambda: API.sms_send(replace(text_to("Hi"), callback=None)),
        """POST /v1/me%20%26%20co/messages
        X-Ref: 3f9k2m8qx1abc.1
        json
        {"to": ["14155550123"], "text": "Hi", "flash": false, "hook": {}}""",
    ),
    "of a status": (lambda: API.sms_status("a/b?c"), "GET /v1/messages/a%2Fb%3Fc"),
    "by a body of XML": (
        lambda: VOICE.voice_say(call_to(say='1 < 2 & "3"', language="en")),
        """PUT /calls
        text/xml
        <call to="+14155550123" lang="en"><say>1 &lt; 2 &amp; &quot;3&quot;</say>\
<ref>3f9k2m8qx1abc.1</ref></call>""",
    ),
    "by a form": (
        lambda: VOICE.voice_connect(call_to(connect="+442079460000")),
        """POST /connect
        form
        a=%2B14155550123&b=442079460000&cli=%2B14155550100&ring=45""",
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_goes_out_as_the_configuration_says(name: str) -> None:
    make, expected = REQUESTS[name]

    assert rendered(make()) == table(expected)


def test_a_body_of_json_that_is_written_as_text_is_quoted() -> None:
    account = generic(
        """
        [sms]
        path = "/"
        success = "ok"
        media_type = "application/json"
        body = '{{"t": "{body}"}}'
        """
    )

    assert account.sms_send(text_to('a"b\\c\nd')).content == b'{"t": "a\\"b\\\\c\\nd"}'


def test_a_text_in_a_form_that_is_written_as_text_names_no_other_number() -> None:
    account = generic(
        """
        [sms]
        path = "/"
        success = "ok"
        media_type = "application/x-www-form-urlencoded"
        body = "to={to_digits}&text={body}"
        """
    )

    content = account.sms_send(text_to("hi&to=49900123 100%\n")).content

    assert content == b"to=14155550123&text=hi%26to%3D49900123+100%25%0A"


def test_a_plain_body_is_the_text_itself() -> None:
    account = generic('[sms]\npath = "/{to_digits}"\nsuccess = "ok"\nbody = "{body}"')

    request = account.sms_send(text_to("Grüße <1>"))

    assert (request.path, request.content) == ("/14155550123", "Grüße <1>".encode())
    assert request.media_type == "text/plain; charset=utf-8"


def test_a_list_repeats_a_name() -> None:
    account = generic('[sms]\npath = "/"\nsuccess = "ok"\nform = { to = ["{to}", "{to_digits}"] }')

    assert account.sms_send(text_to()).form == (("to", "+14155550123"), ("to", "14155550123"))


@pytest.mark.parametrize("value", ["a\r\nX-Admin: 1", "Grüße", "\x00"])
def test_a_header_takes_nothing_that_could_end_it(value: str) -> None:
    account = generic('[sms]\npath = "/"\nsuccess = "ok"\nheaders = { From = "{sender}" }')

    with pytest.raises(Rejected, match="header From"):
        account.sms_send(text_to(sender=value))


@pytest.mark.parametrize(
    ("auth", "header"),
    [("none", None), ("basic", "Basic bWUgJiBjbzpzM2NyL3Q="), ("bearer", "Bearer s3cr/t")],
)
def test_who_asks_is_shown_as_the_configuration_says(auth: str, header: str | None) -> None:
    assert generic(KANNEL, auth=auth).authorization == header


def test_the_operations_are_those_that_there_are_tables_for() -> None:
    assert GATEWAY.available() == {"sms.send"}
    assert API.available() == {"sms.send", "sms.status"}
    assert VOICE.available() == {"voice.say", "voice.connect"}
    with pytest.raises(Rejected, match="no table sms"):
        VOICE.sms_send(text_to())


def answer(status: int, body: str, request: Request | None = None) -> Reply:
    return Reply(status, {}, body.encode(), request)


def test_a_script_around_gammu_says_ok_or_leaves_doubt() -> None:
    script = generic(GAMMU)
    request = script.sms_send(text_to())

    assert rendered(request) == "POST /send.php\nform\nphone=%2B14155550123&text=Hello+%26+bye"
    assert script.read_sms_send(answer(200, '{"status": "ok"}', request)).ref == "3f9k2m8qx1abc.1"
    with pytest.raises(Unreadable):
        script.read_sms_send(answer(200, '{"status": "error"}', request))


def test_an_id_is_read_by_its_path() -> None:
    assert API.read_sms_send(answer(201, '{"data": {"messages": [{"id": 17}]}}')).ref == "17"


def test_an_id_is_read_by_a_pattern() -> None:
    assert VOICE.read_voice_say(answer(200, "<call><id>c17</id></call>")).ref == "c17"


def test_a_gateway_without_ids_is_known_by_our_reference() -> None:
    reply = answer(202, "0: Accepted for delivery", GATEWAY.sms_send(text_to()))

    assert GATEWAY.read_sms_send(reply).ref == "3f9k2m8qx1abc.1"


@pytest.mark.parametrize(
    ("read", "status", "body"),
    [
        (API.read_sms_send, 200, '{"data": {"messages": []}}'),
        (API.read_sms_send, 200, "<html>"),
        (API.read_sms_send, 202, '{"data": {"messages": [{"id": "17"}]}}'),
        (GATEWAY.read_sms_send, 200, "<html>0: Accepted</html>"),
        (GATEWAY.read_sms_send, 200, "Temporal failure, try again later."),
        (VOICE.read_voice_say, 200, "<id></id>"),
        (API.read_sms_status, 200, '{"id": "17"}'),
    ],
)
def test_what_is_not_as_the_configuration_says_leaves_doubt(
    read: Callable[[Reply], Receipt], status: int, body: str
) -> None:
    with pytest.raises(Unreadable):
        read(answer(status, body))


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (400, '{"code": "country"}', NotServed),
        (403, '{"code": "country"}', NotServed),
        (400, '{"code": "number"}', Rejected),
        (503, '{"code": "busy"}', Unavailable),
        (403, "{}", AccountRefused),
    ],
)
def test_refusals_are_those_of_the_table_in_order(
    status: int, body: str, verdict: type[DeliveryError]
) -> None:
    assert type(API.refusal(answer(status, body))) is verdict


@pytest.mark.parametrize(("status", "body"), [(400, "{}"), (500, '{"code": "country"}'), (429, "")])
def test_what_the_table_does_not_name_means_what_it_means_everywhere(status: int, body: str) -> None:
    assert API.refusal(answer(status, body)) is None


def test_a_refusal_in_a_good_answer_is_one() -> None:
    with pytest.raises(Unavailable):
        API.read_sms_send(answer(200, '{"code": "busy"}'))


@pytest.mark.parametrize(
    ("account", "body", "words"),
    [
        (API, '{"error": {"text": "No credit."}}', "No credit."),
        (API, "<html>", ""),
        (GATEWAY, "Authorization failed for sendsms\nmore", "Authorization failed for sendsms"),
        (GATEWAY, "wrong password s3cr/t", "wrong password …"),
        (GATEWAY, "<html>", ""),
        (GATEWAY, "x" * 500, "x" * 200),
    ],
)
def test_its_words_for_people(account: Any, body: str, words: str) -> None:
    assert account.complaint(answer(400, body)) == words


@pytest.mark.parametrize(
    ("word", "disposition", "handed_on"),
    [
        ("Delivered", Disposition.DELIVERED, False),
        ("DELIVERED", Disposition.DELIVERED, False),
        ("bounced", Disposition.UNDELIVERED, False),
        ("sent", None, True),
        ("new", None, False),
    ],
)
def test_words_mean_what_the_table_says(word: str, disposition: Disposition | None, handed_on: bool) -> None:
    body = f'{{"state": "{word}", "why": "because", "cost": 0.05, "parts": 2}}'

    receipt = API.read_sms_status(answer(200, body, API.sms_status("17")))

    assert (receipt.ref, receipt.word, receipt.disposition) == ("17", word, disposition)
    assert (receipt.handed_on, receipt.detail, receipt.price, receipt.parts) == (
        handed_on,
        "because",
        "0.05",
        2,
    )


def test_a_receipt_by_fields_of_its_address() -> None:
    query = (("ref", "3f9k2m8qx1abc.1"), ("type", "1"))

    (told,) = GATEWAY.told(Callback("GET", "https://x.example", query))

    assert isinstance(told, Receipt)
    assert (told.reference, told.disposition, told.word) == ("3f9k2m8qx1abc.1", Disposition.DELIVERED, "1")


def test_a_receipt_by_a_path_into_json() -> None:
    (told,) = API.told(Callback("POST", "u", body=b'{"message": {"id": 17, "state": "Bounced"}}'))

    assert isinstance(told, Receipt)
    assert (told.ref, told.disposition) == ("17", Disposition.UNDELIVERED)


def test_a_message_that_came_in() -> None:
    form = (("id", "9"), ("from", "+1"), ("to", "+2"), ("text", "Yes"))

    told = API.told(Callback("POST", "u", form=form))

    assert told == [Message("sms", "9", "+1", "+2", "Yes", raw=dict(form))]


@pytest.mark.parametrize(
    "callback",
    [
        Callback("GET", "u"),
        Callback("GET", "u", (("message.state", "Sent"),)),
        Callback("POST", "u", body=b"[]"),
        Callback("POST", "u", body=b'{"message": {"id": 17}}'),
        Callback("POST", "u", body=b'{"from": "+1", "text": "no id"}'),
        Callback("POST", "u", body=b"[" * 100_000),
    ],
)
def test_a_callback_without_these_fields_is_unreadable(callback: Callback) -> None:
    with pytest.raises(Unreadable):
        API.told(callback)


ONE = Call(to=("+1",))
CASES: list[tuple[Any, str, Call, Sms | None, str]] = [
    (API, "sms", ONE, Sms("x", media=("https://x.example/1",)), "media"),
    (API, "sms", ONE, Sms("x", template="t"), "template"),
    (API, "sms", ONE, Sms("x", extra=(("to", "+1900"),)), "extra"),
    (API, "sms", Call(to=("+1", "+2")), Sms("x"), "to"),
    (generic('[sms]\npath = "/"\nsuccess = "x"'), "sms", ONE, Sms("x", sender="Shop"), "sender"),
    (VOICE, "call", replace(ONE, script=Script(flow="f")), None, "flow"),
    (VOICE, "call", replace(ONE, script=Script(play_url="https://x.example/a")), None, "play_url"),
    (VOICE, "call", replace(ONE, script=Script(connect="+2", record=True)), None, "record"),
    (VOICE, "call", replace(ONE, script=Script(say="x", longest=5)), None, "longest"),
]


@pytest.mark.parametrize(("account", "kind", "call", "task", "where"), CASES)
def test_what_the_configuration_has_no_place_for_is_refused_beforehand(
    account: Any, kind: str, call: Call, task: Sms | None, where: str
) -> None:
    assert [each.where for each in account.objections(kind, call, task)] == [where]


def test_what_it_has_a_place_for_is_not() -> None:
    fine = [
        (API, "sms", ONE, Sms("x", sender="Shop", extra=(("kind", "json"),))),
        (VOICE, "call", replace(ONE, script=Script(say="x", language="en")), None),
        (VOICE, "call", replace(ONE, script=Script(connect="+2", longest=60)), None),
    ]

    found = [list(account.objections(kind, call, task)) for account, kind, call, task in fine]

    assert found == [[], [], []]


def test_the_secret_is_in_no_repr() -> None:
    request = GATEWAY.sms_send(text_to())

    assert "s3cr" not in f"{GATEWAY!r} {request!r}"
