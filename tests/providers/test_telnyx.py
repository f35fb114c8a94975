"""Telnyx: every request as it goes out (by hand from the OpenAPI file of July 2026), and what is refused
before that."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dialerd.core.errors import Rejected
from dialerd.core.model import Call
from dialerd.core.tasks import Conference, Fax, NumberOrder, Script, Sms
from dialerd.providers.telnyx import Telnyx
from dialerd.providers.wire import Request
from tests.providers.rendered import rendered, table
from tests.providers.telnyx_account import (
    BEGUN,
    BY_TEXML,
    CALL,
    CALLBACK,
    ID,
    NUMBER,
    STATE,
    TELNYX,
    errand,
    order,
)

TEXML = "/texml/Accounts/61bf923e-5e4d-4595-a110-56190ea18a1b/Calls"
HEAD = '<?xml version=\\"1.0\\" encoding=\\"UTF-8\\"?>'
LETTER = Fax("0" * 64, "application/pdf", 8, filename="letter.pdf", extra=(("quality", "high"),))

REQUESTS: dict[str, tuple[Callable[[Telnyx], Request], str]] = {
    "sms.send": (
        lambda t: t.sms_send(errand(Sms('Say "hi"', sender="+13125550100"))),
        f"""POST /messages
        json
        {{"to": "+13125550123", "from": "+13125550100", "text": "Say \\"hi\\"", \
"webhook_url": "{CALLBACK}"}}""",
    ),
    "sms.send of a profile, with media and fields of its own": (
        lambda t: replace(t, options={"messaging_profile_id": ID}).sms_send(
            errand(Sms("", media=("https://x.example/1.png",), extra=(("auto_detect", "true"),)))
        ),
        f"""POST /messages
        json
        {{"to": "+13125550123", "messaging_profile_id": "{ID}", "media_urls": ["https://x.example/1.png"], \
"webhook_url": "{CALLBACK}", "auto_detect": true}}""",
    ),
    "sms.status": (lambda t: t.sms_status(ID), f"GET /messages/{ID}"),
    "sms.history": (
        lambda t: t.sms_history(since=BEGUN, until=datetime(2026, 7, 17, tzinfo=UTC)),
        """GET /detail_records?
        filter%5Brecord_type%5D=messaging&filter%5Bdirection%5D=outbound&
        filter%5Bcreated_at%5D%5Bgte%5D=2026-07-16T09%3A30%3A00Z&
        filter%5Bcreated_at%5D%5Blt%5D=2026-07-17T00%3A00%3A00Z&page%5Bnumber%5D=1&page%5Bsize%5D=50""",
    ),
    "sms.history of what came in, third page": (
        lambda t: t.sms_history(incoming=True, cursor="3"),
        """GET /detail_records?
        filter%5Brecord_type%5D=messaging&filter%5Bdirection%5D=inbound&page%5Bnumber%5D=3&page%5Bsize%5D=50""",
    ),
    "fax.send": (
        lambda t: t.fax_send(errand(LETTER)),
        """POST /faxes
        connection_id=1594404757140276705
        to=+13125550123
        from=+13125550100
        quality=high
        contents: letter.pdf application/pdf b'%PDF-1.4'""",
    ),
    "fax.status": (lambda t: t.fax_status(ID), f"GET /faxes/{ID}"),
    "fax.history": (
        lambda t: t.fax_history(since=BEGUN, incoming=True, cursor="2"),
        """GET /faxes?
        filter%5Bdirection%5D%5Beq%5D=inbound&filter%5Bcreated_at%5D%5Bgte%5D=2026-07-16T09%3A30%3A00Z&
        page%5Bnumber%5D=2&page%5Bsize%5D=100""",
    ),
    "fax.cancel": (lambda t: t.fax_cancel(ID), f"POST /faxes/{ID}/actions/cancel"),
    "voice.play without TeXML": (
        lambda t: t.voice_play(
            errand(script=Script(play_url="https://x.example/a.mp3", longest=120, record=True))
        ),
        f"""POST /calls
        json
        {{"connection_id": "1494404757140276705", "to": "+13125550123", "from": "+13125550100", \
"audio_url": "https://x.example/a.mp3", "timeout_secs": 45, "time_limit_secs": 120, \
"record": "record-from-answer", "command_id": "3f9k2m8qx1abc.1", "client_state": "{STATE}", \
"webhook_url": "{CALLBACK}"}}""",
    ),
    "voice.status without TeXML": (lambda t: t.voice_status("v3:abc"), "GET /calls/v3%3Aabc"),
    "voice.hangup without TeXML": (
        lambda t: t.voice_hangup("v3:abc"),
        """POST /calls/v3%3Aabc/actions/hangup
        json
        {}""",
    ),
    "voice.connect": (
        lambda t: BY_TEXML.voice_connect(errand(script=Script(connect="+442079460000", longest=600))),
        f"""POST {TEXML}
        json
        {{"ApplicationSid": "1694404757140276705", "To": "+13125550123", "From": "+13125550100", \
"Texml": "{HEAD}<Response><Dial callerId=\\"+13125550100\\"><Number>+442079460000</Number></Dial>\
</Response>", \
"Timeout": 45, "TimeLimit": 600, "StatusCallback": "{CALLBACK}"}}""",
    ),
    "voice.say": (
        lambda t: BY_TEXML.voice_say(
            errand(
                script=Script(say="1 < 2", language="en-GB", record=True, extra=(("Trim", "do-not-trim"),))
            )
        ),
        f"""POST {TEXML}
        json
        {{"ApplicationSid": "1694404757140276705", "To": "+13125550123", "From": "+13125550100", \
"Texml": "{HEAD}<Response><Say language=\\"en-GB\\">1 &lt; 2</Say></Response>", \
"Timeout": 45, "Record": true, "StatusCallback": "{CALLBACK}", "Trim": "do-not-trim"}}""",
    ),
    "voice.play": (
        lambda t: BY_TEXML.voice_play(errand(script=Script(play_url="https://x.example/a.mp3"))),
        f"""POST {TEXML}
        json
        {{"ApplicationSid": "1694404757140276705", "To": "+13125550123", "From": "+13125550100", \
"Texml": "{HEAD}<Response><Play>https://x.example/a.mp3</Play></Response>", \
"Timeout": 45, "StatusCallback": "{CALLBACK}"}}""",
    ),
    "voice.flow": (
        lambda t: BY_TEXML.voice_flow(errand(script=Script(flow="https://x.example/texml"))),
        f"""POST {TEXML}
        json
        {{"ApplicationSid": "1694404757140276705", "To": "+13125550123", "From": "+13125550100", \
"Url": "https://x.example/texml", "Timeout": 45, "StatusCallback": "{CALLBACK}"}}""",
    ),
    "voice.conference": (
        lambda t: BY_TEXML.voice_conference(errand(Conference(room="r1", caller_id="+13125550111"))),
        f"""POST {TEXML}
        json
        {{"ApplicationSid": "1694404757140276705", "To": "+13125550123", "From": "+13125550111", \
"Texml": "{HEAD}<Response><Dial><Conference>r1</Conference></Dial></Response>", \
"Timeout": 45, "StatusCallback": "{CALLBACK}"}}""",
    ),
    "voice.status": (lambda t: BY_TEXML.voice_status(CALL), f"GET {TEXML}/{CALL.replace(':', '%3A')}"),
    "voice.history": (
        lambda t: BY_TEXML.voice_history(since=BEGUN, until=datetime(2026, 7, 18, tzinfo=UTC)),
        f"GET {TEXML}?StartTime_gt=2026-07-16&StartTime_lt=2026-07-18&PageSize=100",
    ),
    "voice.history, next page": (
        lambda t: BY_TEXML.voice_history(cursor="Page=1&PageToken=MTY"),
        f"GET {TEXML}?Page=1&PageToken=MTY",
    ),
    "voice.hangup": (
        lambda t: BY_TEXML.voice_hangup("v3:abc"),
        f"""POST {TEXML}/v3%3Aabc
        form
        Status=completed""",
    ),
    "numbers.countries": (lambda t: t.numbers_countries(), "GET /country_coverage"),
    "numbers.search": (
        lambda t: t.numbers_search(country="us", area="312", contains="555", place="CHICAGO", limit=5),
        """GET /available_phone_numbers?
        filter%5Bcountry_code%5D=US&filter%5Bnational_destination_code%5D=312&filter%5Brate_center%5D=CHICAGO&
        filter%5Bphone_number%5D%5Bcontains%5D=555&filter%5Blimit%5D=5""",
    ),
    "numbers.search in a state": (
        lambda t: t.numbers_search(country="US", area="IL", starts_with="55", ends_with="77"),
        """GET /available_phone_numbers?
        filter%5Bcountry_code%5D=US&filter%5Badministrative_area%5D=IL&
        filter%5Bphone_number%5D%5Bstarts_with%5D=55&filter%5Bphone_number%5D%5Bends_with%5D=77""",
    ),
    "numbers.buy": (
        lambda t: t.numbers_buy(order("buy", "+13125550177", ("connection_id", "149"))),
        """POST /number_orders
        json
        {"phone_numbers": [{"phone_number": "+13125550177"}], "customer_reference": "3f9k2m8qx1abc.1", \
"connection_id": "149"}""",
    ),
    "numbers.configure": (
        lambda t: t.numbers_configure(order("configure", NUMBER, ("connection_id", "149"))),
        f"""PATCH /phone_numbers/{NUMBER}
        json
        {{"connection_id": "149"}}""",
    ),
    "numbers.configure, where calls go": (
        lambda t: t.numbers_configure(order("configure", NUMBER, ("forward_to", "+13125550100"))),
        f"""PATCH /phone_numbers/{NUMBER}/voice
        json
        {{"call_forwarding": {{"call_forwarding_enabled": true, "forwards_to": "+13125550100", \
"forwarding_type": "always"}}}}""",
    ),
    "numbers.configure, whose messages": (
        lambda t: t.numbers_configure(order("configure", NUMBER, ("messaging_profile_id", ID))),
        f"""PATCH /phone_numbers/{NUMBER}/messaging
        json
        {{"messaging_profile_id": "{ID}"}}""",
    ),
    "numbers.release": (
        lambda t: t.numbers_release(order("release", NUMBER)),
        f"DELETE /phone_numbers/{NUMBER}",
    ),
    "numbers.list": (
        lambda t: t.numbers_list(cursor="4"),
        "GET /phone_numbers?page%5Bnumber%5D=4&page%5Bsize%5D=100",
    ),
    "numbers.list of those with these digits": (
        lambda t: t.numbers_list(contains="555"),
        "GET /phone_numbers?filter%5Bphone_number%5D=555&page%5Bnumber%5D=1&page%5Bsize%5D=100",
    ),
    "numbers.show": (
        lambda t: t.numbers_show("+13125550177"),
        "GET /phone_numbers?filter%5Bphone_number%5D=13125550177",
    ),
    "numbers.show by its id": (lambda t: t.numbers_show(NUMBER), f"GET /phone_numbers/{NUMBER}"),
    "account.balance": (lambda t: t.account_balance(), "GET /balance"),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_goes_out_as_the_table_says(name: str) -> None:
    make, expected = REQUESTS[name]

    request = make(TELNYX)

    assert rendered(request) == table(expected)


def test_every_operation_has_a_row_in_the_table() -> None:
    assert {name.partition(" ")[0].strip(",") for name in REQUESTS} == Telnyx.operations()


def test_the_key_is_a_bearers() -> None:
    assert TELNYX.authorization == "Bearer KEY1"


def test_calls_and_faxes_take_an_application() -> None:
    bare = replace(TELNYX, options={})

    missing = Telnyx.operations() - bare.available()

    assert missing == {
        "fax.send", "voice.connect", "voice.flow", "voice.say", "voice.play", "voice.conference",
        "voice.history", "voice.status", "voice.hangup",
    }  # fmt: skip
    assert TELNYX.available() - bare.available() == {"fax.send", "voice.play", "voice.status", "voice.hangup"}
    assert BY_TEXML.available() == Telnyx.operations()


@pytest.mark.parametrize("digits", [{"starts_with": "1"}, {"ends_with": "1"}])
def test_numbers_of_the_account_are_listed_by_digits_in_them_only(digits: dict[str, str]) -> None:
    with pytest.raises(Rejected, match="contains only"):
        TELNYX.numbers_list(**digits)


@pytest.mark.parametrize("ref", ["../phone_numbers/1", "a/b", "a?b=c", "a#b"])
def test_an_id_that_is_more_than_an_id_stays_inside_its_place(ref: str) -> None:
    path = TELNYX.sms_status(ref).path

    assert path.startswith("/messages/")
    assert not set("/?#") & set(path.removeprefix("/messages/"))


ONE = Call(to=("+1",), caller_id_number="+2")
OTHER = (("to", "+1900"), ("To", "+1900"))
CASES: list[tuple[Telnyx, str, Call, object, str]] = [
    (TELNYX, "sms", ONE, Sms("x"), "sender"),
    (TELNYX, "sms", ONE, Sms("x", sender="Shop"), "sender"),
    (TELNYX, "sms", ONE, Sms("x", sender="+2", template="t"), "template"),
    (TELNYX, "sms", ONE, Sms("x", sender="+2", extra=OTHER[:1]), "extra"),
    (TELNYX, "fax", replace(ONE, caller_id_number=None), LETTER, "caller_id"),
    (TELNYX, "fax", ONE, replace(LETTER, size=20_000_001), "document"),
    (TELNYX, "fax", ONE, replace(LETTER, pages=351), "document"),
    (TELNYX, "fax", ONE, replace(LETTER, header="Shop"), "header"),
    (TELNYX, "fax", ONE, replace(LETTER, extra=OTHER[:1]), "extra"),
    (TELNYX, "call", replace(ONE, script=Script(say="x")), None, "say"),
    (TELNYX, "call", replace(ONE, script=Script(connect="+3")), None, "connect"),
    (TELNYX, "conference", ONE, Conference(room="r"), "room"),
    (TELNYX, "call", replace(ONE, script=Script(play_url="https://x.example/a")), None, "longest"),
    (BY_TEXML, "call", replace(ONE, script=Script(say="x"), wait_time=4), None, "wait_time"),
    (BY_TEXML, "call", replace(ONE, script=Script(say="x"), wait_time=121), None, "wait_time"),
    (BY_TEXML, "call", replace(ONE, script=Script(say="x", longest=29)), None, "longest"),
    (BY_TEXML, "call", replace(ONE, script=Script(say="x"), to=("+1", "+2")), None, "to"),
    (BY_TEXML, "call", replace(ONE, script=Script(say="x"), caller_id_number=None), None, "caller_id"),
    (BY_TEXML, "call", replace(ONE, script=Script(say="x", extra=OTHER[1:])), None, "extra"),
    (BY_TEXML, "call", replace(ONE, script=Script(flow="AP1")), None, "flow"),
    (BY_TEXML, "call", replace(ONE, to=(), script=Script(connect="+2")), None, "to"),
    (BY_TEXML, "conference", ONE, Conference(), "room"),
    (TELNYX, "number", Call(), NumberOrder("release", "+13125550177"), "number"),
    (TELNYX, "number", Call(), NumberOrder("configure", NUMBER), "details"),
    (
        TELNYX,
        "number",
        Call(),
        NumberOrder("configure", NUMBER, (("forward_to", "+1"), ("connection_id", "1"))),
        "details",
    ),
]


@pytest.mark.parametrize(("account", "kind", "call", "task", "where"), CASES)
def test_what_telnyx_cant_do_is_refused_beforehand(
    account: Telnyx, kind: str, call: Call, task: object, where: str
) -> None:
    assert [each.where for each in account.objections(kind, call, task)] == [where]  # type: ignore[arg-type]


def test_what_telnyx_can_do_is_not() -> None:
    fine = [
        (TELNYX, "sms", ONE, Sms("x", sender="+2")),
        (replace(TELNYX, options={"messaging_profile_id": ID}), "sms", ONE, Sms("x", sender="Shop")),
        (TELNYX, "fax", ONE, LETTER),
        (TELNYX, "call", replace(ONE, script=Script(play_url="https://x.example/a", longest=60)), None),
        (BY_TEXML, "call", replace(ONE, script=Script(connect="+3")), None),
        (BY_TEXML, "conference", ONE, Conference(room="r")),
        (TELNYX, "number", Call(), NumberOrder("buy", "+13125550177")),
        (TELNYX, "number", Call(), NumberOrder("configure", NUMBER, (("forward_to", "+1"),))),
    ]

    found = [list(account.objections(kind, call, task)) for account, kind, call, task in fine]

    assert found == [[]] * len(fine)


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"public_key": "no key"}, ["public_key"]),
        ({"public_key": "AAAA"}, ["public_key"]),
        ({"texml_application": "1"}, ["texml_account"]),
        ({"texml_account": "1"}, ["texml_application"]),
        ({"public_key": 43 * "A" + "=", "texml_account": "1", "texml_application": "2"}, []),
    ],
)
def test_options_that_cant_be_right_are_told(options: dict[str, str], where: list[str]) -> None:
    assert [each.where for each in Telnyx.against_options(options)] == where
