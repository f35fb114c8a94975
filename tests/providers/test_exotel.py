"""Exotel: every request as it goes out (by hand from developer.exotel.com), and what it can't do."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dialerd.core.model import Call
from dialerd.core.receipts import Errand
from dialerd.core.tasks import Script, Sms, Task
from dialerd.providers.base import Secret
from dialerd.providers.exotel import Exotel
from dialerd.providers.registry import TYPES
from dialerd.providers.wire import Request
from tests.providers.rendered import rendered, table

EXOTEL = Exotel(account="key", secret=Secret("t0ken"), options={"sid": "acme1"})
BASE = "/v1/Accounts/acme1"
REFERENCE = "3f9k2m8qx1abc.1"
CALLBACK = f"https://dialer.example.org/in/exo/k3y?ref={REFERENCE}"
REF = f"https%3A%2F%2Fdialer.example.org%2Fin%2Fexo%2Fk3y%3Fref%3D{REFERENCE}"
HEARD = (
    f"StatusCallback={REF}&StatusCallbackEvents%5B%5D=terminal&StatusCallbackContentType=application%2Fjson"
)
TEXT = Sms("Hello from Exotel!", sender="8088919888")


def errand(task: Task | None = None, script: Script | None = None, callback: str | None = CALLBACK) -> Errand:
    call = Call(to=("+919876543210",), caller_id_number="08088919888", wait_time=30, script=script)
    return Errand(REFERENCE, call, task, callback)


REQUESTS: dict[str, tuple[Callable[[Exotel], Request], str]] = {
    "sms.send": (
        lambda e: e.sms_send(errand(TEXT)),
        f"""POST {BASE}/Sms/send.json
        form
        From=8088919888&To=%2B919876543210&Body=Hello+from+Exotel%21&StatusCallback={REF}&
        CustomField={REFERENCE}""",
    ),
    "sms.send, urgent, in Hindi, with fields of Exotel's own": (
        lambda e: e.sms_send(
            errand(
                Sms(
                    "नमस्ते",
                    sender="EXOTEL",
                    urgent=True,
                    extra=(("DltEntityId", "1101"), ("DltTemplateId", "1107"), ("SmsType", "transactional")),
                ),
                callback=None,
            )
        ),
        f"""POST {BASE}/Sms/send.json
        form
        From=EXOTEL&To=%2B919876543210&Body=%E0%A4%A8%E0%A4%AE%E0%A4%B8%E0%A5%8D%E0%A4%A4%E0%A5%87&
        EncodingType=unicode&Priority=high&CustomField={REFERENCE}&
        DltEntityId=1101&DltTemplateId=1107&SmsType=transactional""",
    ),
    "sms.send, with what the job says in place of dialerd's": (
        lambda e: e.sms_send(
            errand(replace(TEXT, body="£5", extra=(("EncodingType", "plain"),)), callback=None)
        ),
        f"""POST {BASE}/Sms/send.json
        form
        From=8088919888&To=%2B919876543210&Body=%C2%A35&CustomField={REFERENCE}&EncodingType=plain""",
    ),
    "sms.status": (lambda e: e.sms_status("5a7b"), f"GET {BASE}/Sms/Messages/5a7b.json"),
    "an id that is none of theirs stays one step of the path": (
        lambda e: e.sms_status("../x?y"),
        f"GET {BASE}/Sms/Messages/..%2Fx%3Fy.json",
    ),
    "voice.connect": (
        lambda e: e.voice_connect(errand(script=Script(connect="+919988776655"))),
        f"""POST {BASE}/Calls/connect.json
        form
        From=%2B919876543210&To=%2B919988776655&CallerId=08088919888&CallType=trans&TimeOut=30&
        {HEARD}&CustomField={REFERENCE}""",
    ),
    "voice.connect, bounded, recorded, with fields of Exotel's own": (
        lambda e: e.voice_connect(
            errand(
                script=Script(
                    connect="+919988776655", longest=300, record=True, extra=(("RecordingChannels", "dual"),)
                ),
                callback=None,
            )
        ),
        f"""POST {BASE}/Calls/connect.json
        form
        From=%2B919876543210&To=%2B919988776655&CallerId=08088919888&CallType=trans&TimeLimit=300&TimeOut=30&
        Record=true&CustomField={REFERENCE}&RecordingChannels=dual""",
    ),
    "voice.flow by its id": (
        lambda e: e.voice_flow(errand(script=Script(flow="12345"), callback=None)),
        f"""POST {BASE}/Calls/connect.json
        form
        From=%2B919876543210&Url=http%3A%2F%2Fmy.exotel.com%2Facme1%2Fexoml%2Fstart_voice%2F12345&
        CallerId=08088919888&CallType=trans&TimeOut=30&CustomField={REFERENCE}""",
    ),
    "voice.flow by its address, which goes out untouched": (
        lambda e: e.voice_flow(
            errand(script=Script(flow="http://my.exotel.in/exoml/start/12345"), callback=None)
        ),
        f"""POST {BASE}/Calls/connect.json
        form
        From=%2B919876543210&Url=http%3A%2F%2Fmy.exotel.in%2Fexoml%2Fstart%2F12345&
        CallerId=08088919888&CallType=trans&TimeOut=30&CustomField={REFERENCE}""",
    ),
    "voice.status": (lambda e: e.voice_status("b6cf"), f"GET {BASE}/Calls/b6cf.json"),
    "voice.history": (lambda e: e.voice_history(), f"GET {BASE}/Calls.json?PageSize=100"),
    "voice.history of a period, in Indian time": (
        lambda e: e.voice_history(
            since=datetime(2026, 3, 1, 18, 30, tzinfo=UTC), until=datetime(2026, 3, 2, 18, 29, 59, tzinfo=UTC)
        ),
        f"""GET {BASE}/Calls.json?
        DateCreated=gte%3A2026-03-02+00%3A00%3A00%3Blte%3A2026-03-02+23%3A59%3A59&PageSize=100""",
    ),
    "voice.history, next page": (
        lambda e: e.voice_history(until=datetime(2026, 3, 2, tzinfo=UTC), cursor="MTIz=="),
        f"""GET {BASE}/Calls.json?
        DateCreated=lte%3A2026-03-02+05%3A30%3A00&PageSize=100&After=MTIz%3D%3D""",
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_each_request_goes_out_as_exotel_documents_it(name: str) -> None:
    make, expected = REQUESTS[name]

    assert rendered(make(EXOTEL)) == table(expected)


def test_exotel_has_these_operations_and_no_other() -> None:
    assert TYPES["exotel"] is Exotel
    assert Exotel.operations() == {
        "sms.send",
        "sms.status",
        "voice.connect",
        "voice.flow",
        "voice.history",
        "voice.status",
    }
    assert Exotel.finders() == frozenset()


def test_key_and_token_prove_the_account_and_its_sid_stands_in_the_path_alone() -> None:
    assert EXOTEL.authorization == "Basic a2V5OnQwa2Vu"
    assert "t0ken" not in repr(EXOTEL)


def test_what_the_section_sets_stands_in_for_what_the_job_leaves_out() -> None:
    options = {"sid": "acme1", "sender": "ACMEIN", "caller_id": "0804000", "dlt_entity_id": "1101"}
    exotel = replace(EXOTEL, options=options)
    bare = replace(
        errand(), call=replace(errand().call, caller_id_number=None, script=Script(connect="+9199"))
    )

    sms = dict(exotel.sms_send(errand(Sms("Hi"))).form or ())
    abroad = exotel.sms_send(replace(errand(Sms("Hi")), call=Call(to=("+6591234567",)))).form or ()

    assert (sms["From"], sms["DltEntityId"]) == ("ACMEIN", "1101")
    assert "DltEntityId" not in dict(abroad)
    assert dict(exotel.voice_connect(bare).form or ())["CallerId"] == "0804000"


def test_a_message_that_exotel_takes_meets_no_objection() -> None:
    assert not list(EXOTEL.objections("sms", errand().call, replace(TEXT, body="x" * 2000)))


def test_every_mistake_in_a_message_is_told_at_once() -> None:
    bad = Sms("x" * 2001, media=("https://x.example/a.png",), template="7", extra=(("CustomField", "mine"),))

    found = list(EXOTEL.objections("sms", errand().call, bad))

    assert [each.where for each in found] == ["media", "template", "body", "sender", "extra"]


CALLS: dict[str, tuple[Call, list[str]]] = {
    "connected": (errand(script=Script(connect="+919988776655", longest=14400)).call, []),
    "into a flow": (errand(script=Script(flow="12345")).call, []),
    "spoken": (errand(script=Script(say="Hello", language="en")).call, ["say"]),
    "played": (errand(script=Script(play_url="https://x.example/a.mp3")).call, ["play_url"]),
    "without a script": (errand().call, ["connect"]),
    "too long": (errand(script=Script(connect="+919988776655", longest=14401)).call, ["longest"]),
    "to two at once, by nobody": (
        Call(to=("+919876543210", "+919988776655"), script=Script(flow="1", extra=(("CallerId", "1"),))),
        ["to", "caller_id", "extra"],
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_a_call_can_not_be_is_said_before(name: str) -> None:
    call, mistakes = CALLS[name]

    assert [each.where for each in EXOTEL.objections("call", call, None)] == mistakes
