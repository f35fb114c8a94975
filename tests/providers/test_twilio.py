"""Twilio: every request as it goes out (by hand from the OpenAPI file of April 2026), and what is refused
before that."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote_plus

import pytest

from dialerd.core.errors import Rejected
from dialerd.core.model import Call
from dialerd.core.tasks import Conference, NumberOrder, Script, Sms
from dialerd.providers.base import Secret
from dialerd.providers.twilio import Twilio
from dialerd.providers.wire import Request
from tests.providers.rendered import rendered, table
from tests.providers.twilio_account import AC, AP, BASE, BEGUN, CA, MG, PN, SM, TWILIO, errand, order

REF = "https%3A%2F%2Fdialer.example.org%2Fin%2Ftw%2Fk3y%3Fref%3D3f9k2m8qx1abc.1"
TEXT = Sms("Hello & bye", sender="+14155550100")


def twiml(text: str) -> str:
    """A document as the form has it."""
    return quote_plus(f'<?xml version="1.0" encoding="UTF-8"?><Response>{text}</Response>')


REQUESTS: dict[str, tuple[Callable[[Twilio], Request], str]] = {
    "sms.send": (
        lambda t: t.sms_send(errand(TEXT)),
        f"""POST {BASE}/Messages.json
        form
        To=%2B14155550123&From=%2B14155550100&Body=Hello+%26+bye&StatusCallback={REF}""",
    ),
    "sms.send from a service, with media and fields of its own": (
        lambda t: t.sms_send(
            errand(
                Sms(
                    "Look",
                    sender=MG,
                    media=("https://x.example/1.png", "https://x.example/2.png"),
                    extra=(("ValidityPeriod", "300"),),
                )
            )
        ),
        f"""POST {BASE}/Messages.json
        form
        To=%2B14155550123&MessagingServiceSid={MG}&Body=Look&
        MediaUrl=https%3A%2F%2Fx.example%2F1.png&MediaUrl=https%3A%2F%2Fx.example%2F2.png&
        StatusCallback={REF}&ValidityPeriod=300""",
    ),
    "sms.send of a template": (
        lambda t: t.sms_send(
            errand(Sms("", sender=MG, template="HX" + "0" * 32, extra=(("ContentVariables", '{"1":"x"}'),)))
        ),
        f"""POST {BASE}/Messages.json
        form
        To=%2B14155550123&MessagingServiceSid={MG}&ContentSid=HX{"0" * 32}&StatusCallback={REF}&
        ContentVariables=%7B%221%22%3A%22x%22%7D""",
    ),
    "sms.status": (lambda t: t.sms_status(SM), f"GET {BASE}/Messages/{SM}.json"),
    "sms.history": (
        lambda t: t.sms_history(since=BEGUN, until=datetime(2026, 4, 15, tzinfo=UTC)),
        f"""GET {BASE}/Messages.json?
        DateSent%3E=2026-04-14T09%3A30%3A00Z&DateSent%3C=2026-04-15T00%3A00%3A00Z&PageSize=100""",
    ),
    "sms.history, next page": (
        lambda t: t.sms_history(cursor="PageSize=100&Page=1&PageToken=PASM1"),
        f"GET {BASE}/Messages.json?PageSize=100&Page=1&PageToken=PASM1",
    ),
    "to find an SMS": (
        lambda t: t.sms_find(errand(TEXT)),
        f"""GET {BASE}/Messages.json?
        To=%2B14155550123&From=%2B14155550100&DateSent%3E=2026-04-14T00%3A00%3A00Z&PageSize=100""",
    ),
    "to find an SMS of a service": (
        lambda t: t.sms_find(errand(Sms("Hi", sender=MG))),
        f"GET {BASE}/Messages.json?To=%2B14155550123&DateSent%3E=2026-04-14T00%3A00%3A00Z&PageSize=100",
    ),
    "voice.connect": (
        lambda t: t.voice_connect(errand(script=Script(connect="+442079460000", longest=600, record=True))),
        f"""POST {BASE}/Calls.json
        form
        To=%2B14155550123&From=%2B14155550100&Twiml={
            twiml('<Dial callerId="+14155550100"><Number>+442079460000</Number></Dial>')
        }&Timeout=45&TimeLimit=600&Record=true&StatusCallback={REF}""",
    ),
    "voice.play": (
        lambda t: t.voice_play(errand(script=Script(play_url="https://x.example/a.mp3?x=1&y=2"))),
        f"""POST {BASE}/Calls.json
        form
        To=%2B14155550123&From=%2B14155550100&Twiml={
            twiml("<Play>https://x.example/a.mp3?x=1&amp;y=2</Play>")
        }&Timeout=45&StatusCallback={REF}""",
    ),
    "voice.say": (
        lambda t: t.voice_say(errand(script=Script(say='5 < 6 & "7"', language='en"GB'))),
        f"""POST {BASE}/Calls.json
        form
        To=%2B14155550123&From=%2B14155550100&Twiml={
            twiml('<Say language="en&quot;GB">5 &lt; 6 &amp; "7"</Say>')
        }&Timeout=45&StatusCallback={REF}""",
    ),
    "voice.flow by address": (
        lambda t: t.voice_flow(errand(script=Script(flow="https://x.example/twiml"))),
        f"""POST {BASE}/Calls.json
        form
        To=%2B14155550123&From=%2B14155550100&Url=https%3A%2F%2Fx.example%2Ftwiml&Timeout=45&StatusCallback={REF}""",
    ),
    "voice.flow by application": (
        lambda t: t.voice_flow(errand(script=Script(flow=AP, extra=(("MachineDetection", "Enable"),)))),
        f"""POST {BASE}/Calls.json
        form
        To=%2B14155550123&From=%2B14155550100&ApplicationSid={AP}&Timeout=45&StatusCallback={REF}&
        MachineDetection=Enable""",
    ),
    "voice.conference": (
        lambda t: t.voice_conference(errand(Conference(room="R & B"))),
        f"""POST {BASE}/Calls.json
        form
        To=%2B14155550123&From=%2B14155550100&Twiml={
            twiml("<Dial><Conference>R &amp; B</Conference></Dial>")
        }&Timeout=45&StatusCallback={REF}""",
    ),
    "voice.status": (lambda t: t.voice_status(CA), f"GET {BASE}/Calls/{CA}.json"),
    "voice.history": (
        lambda t: t.voice_history(since=BEGUN),
        f"GET {BASE}/Calls.json?StartTime%3E=2026-04-14T09%3A30%3A00Z&PageSize=100",
    ),
    "voice.hangup": (
        lambda t: t.voice_hangup(CA),
        f"""POST {BASE}/Calls/{CA}.json
        form
        Status=completed""",
    ),
    "numbers.countries": (
        lambda t: t.numbers_countries(),
        f"GET {BASE}/AvailablePhoneNumbers.json?PageSize=100",
    ),
    "numbers.search": (
        lambda t: t.numbers_search(country="us", area="415", contains="555", place="San Francisco", limit=5),
        f"""GET {BASE}/AvailablePhoneNumbers/US/Local.json?
        AreaCode=415&Contains=555&InLocality=San+Francisco&PageSize=5""",
    ),
    "numbers.search by its beginning, in a state": (
        lambda t: t.numbers_search(country="US", area="CA", starts_with="1415"),
        f"GET {BASE}/AvailablePhoneNumbers/US/Local.json?InRegion=CA&Contains=%2B1415&PageSize=100",
    ),
    "numbers.search by its end": (
        lambda t: t.numbers_search(country="US", ends_with="777"),
        f"GET {BASE}/AvailablePhoneNumbers/US/Local.json?Contains=777%24&PageSize=100",
    ),
    "numbers.buy": (
        lambda t: t.numbers_buy(order("buy", "+14155550177", ("alias", "Desk"))),
        f"""POST {BASE}/IncomingPhoneNumbers.json
        form
        PhoneNumber=%2B14155550177&FriendlyName=Desk""",
    ),
    "numbers.configure": (
        lambda t: t.numbers_configure(
            order(
                "configure",
                PN,
                ("forward_to", "https://x.example/v"),
                ("forward_sms_to", AP),
                ("SmsMethod", "GET"),
            )
        ),
        f"""POST {BASE}/IncomingPhoneNumbers/{PN}.json
        form
        VoiceUrl=https%3A%2F%2Fx.example%2Fv&SmsApplicationSid={AP}&SmsMethod=GET""",
    ),
    "numbers.release": (
        lambda t: t.numbers_release(order("release", PN)),
        f"DELETE {BASE}/IncomingPhoneNumbers/{PN}.json",
    ),
    "numbers.list": (lambda t: t.numbers_list(), f"GET {BASE}/IncomingPhoneNumbers.json?PageSize=100"),
    "numbers.list of those that begin so": (
        lambda t: t.numbers_list(starts_with="1415"),
        f"GET {BASE}/IncomingPhoneNumbers.json?PhoneNumber=%2B1415&PageSize=100",
    ),
    "numbers.show": (
        lambda t: t.numbers_show("+14155550177"),
        f"GET {BASE}/IncomingPhoneNumbers.json?PhoneNumber=%2B14155550177",
    ),
    "numbers.show by its id": (
        lambda t: t.numbers_show(PN),
        f"GET {BASE}/IncomingPhoneNumbers/{PN}.json",
    ),
    "account.balance": (lambda t: t.account_balance(), f"GET {BASE}/Balance.json"),
    "account.info": (lambda t: t.account_info(), f"GET {BASE}.json"),
}  # fmt: skip


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_goes_out_as_the_table_says(name: str) -> None:
    make, expected = REQUESTS[name]

    request = make(TWILIO)

    assert rendered(request) == table(expected)


def test_every_operation_has_a_row_in_the_table() -> None:
    assert {name.partition(" ")[0].strip(",") for name in REQUESTS} - {"to"} == Twilio.operations()


def test_the_account_is_proved_with_its_token() -> None:
    assert TWILIO.authorization == "Basic " + base64.b64encode(f"{AC}:t0ken".encode()).decode()


def test_an_api_key_proves_the_account_that_the_options_name() -> None:
    key = Twilio(account="SK" + "1" * 32, secret=Secret("s"), options={"account_sid": AC})

    assert key.authorization == "Basic " + base64.b64encode(f"SK{'1' * 32}:s".encode()).decode()
    assert key.account_balance().path == f"{BASE}/Balance.json"


@pytest.mark.parametrize("ref", ["../../Accounts", "SM1?x=y", "SM1/Media"])
def test_an_id_that_is_more_than_an_id_stays_inside_its_place(ref: str) -> None:
    path = TWILIO.sms_status(ref).path

    assert path.startswith(f"{BASE}/Messages/")
    assert path.removeprefix(f"{BASE}/Messages/").count("/") == 0
    assert "?" not in path


def test_patterns_that_twilio_cant_join_are_refused() -> None:
    with pytest.raises(Rejected, match="one of starts_with, contains and ends_with"):
        TWILIO.numbers_search(country="US", starts_with="1", ends_with="2")


def test_numbers_of_the_account_are_not_listed_by_their_end() -> None:
    with pytest.raises(Rejected, match="ends_with"):
        TWILIO.numbers_list(ends_with="77")


@pytest.mark.parametrize("number", ["4155550177", "5", "PN1"])
def test_a_number_is_not_looked_for_by_some_of_its_digits(number: str) -> None:
    with pytest.raises(Rejected, match="by an id"):
        TWILIO.numbers_show(number)


def test_a_search_names_its_country() -> None:
    with pytest.raises(Rejected, match="country"):
        TWILIO.numbers_search()


ONE = Call(to=("+1",), caller_id_number="+2")
LONG = (("To", "+1900"), ("X", "y"))
CASES: list[tuple[str, Call, object, str]] = [
    ("sms", ONE, Sms("x"), "sender"),
    ("sms", ONE, Sms("x" * 1601, sender="+2"), "body"),
    ("sms", ONE, Sms("x", sender="+2", media=("https://x.example/1",) * 11), "media"),
    ("sms", ONE, Sms("x", sender="+2", extra=LONG), "extra"),
    ("conference", replace(ONE, to=("+1", "+2")), Conference(room="r"), "to"),
    ("call", replace(ONE, to=(), script=Script(connect="+2")), None, "to"),
    ("conference", ONE, Conference(), "room"),
    ("conference", ONE, Conference(room="r", extra=LONG), "extra"),
    ("call", replace(ONE, wait_time=601, script=Script(say="x")), None, "wait_time"),
    ("call", replace(ONE, caller_id_number=None, script=Script(say="x")), None, "caller_id"),
    ("call", replace(ONE, script=Script(flow="welcome")), None, "flow"),
    ("call", replace(ONE, script=Script(say="x" * 4000)), None, "say"),
    ("call", replace(ONE, script=Script(say="a\x0bb")), None, "say"),
    ("call", replace(ONE, script=Script(say="x", extra=LONG)), None, "extra"),
    ("number", Call(), NumberOrder("configure", "+14155550177", ()), "number"),
    ("number", Call(), NumberOrder("release", "+14155550177"), "number"),
    ("number", Call(), NumberOrder("configure", PN, (("forward_to", "+14155550100"),)), "details.forward_to"),
]


@pytest.mark.parametrize(("kind", "call", "task", "where"), CASES)
def test_what_twilio_cant_do_is_refused_beforehand(kind: str, call: Call, task: object, where: str) -> None:
    assert [each.where for each in TWILIO.objections(kind, call, task)] == [where]  # type: ignore[arg-type]


def test_what_twilio_can_do_is_not() -> None:
    fine = [
        ("sms", ONE, Sms("x" * 1600, sender="+2")),
        ("sms", ONE, Sms("x", extra=(("MessagingServiceSid", MG),))),
        ("conference", ONE, Conference(room="r")),
        ("call", replace(ONE, script=Script(say="x" * 500)), None),
        ("call", replace(ONE, script=Script(flow=AP)), None),
        ("number", Call(), NumberOrder("buy", "+14155550177")),
        ("number", Call(), NumberOrder("release", PN)),
    ]

    assert [list(TWILIO.objections(kind, call, task)) for kind, call, task in fine] == [[]] * len(fine)


def test_what_a_job_leaves_out_the_settings_may_say() -> None:
    account = replace(TWILIO, options={"sender": MG, "caller_id": "+14155550100"})

    message = dict(account.sms_send(errand(Sms("Hi"))).form or ())
    call = dict(account.voice_say(errand(script=Script(say="Hi"), caller_id_number=None)).form or ())

    assert (message["MessagingServiceSid"], call["From"]) == (MG, "+14155550100")
    assert list(account.objections("sms", Call(to=("+1",)), Sms("x"))) == []
    assert list(account.objections("call", Call(to=("+1",), script=Script(say="x")), None)) == []
