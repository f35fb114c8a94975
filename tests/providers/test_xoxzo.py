"""Xoxzo: every request as it goes out (by hand from docs.xoxzo.com), and what its refusals mean."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from dialerd.core.errors import NotServed, Rejected, Unavailable
from dialerd.core.model import Call
from dialerd.core.receipts import Errand
from dialerd.core.tasks import Conference, NumberOrder, Script, Sms, Task
from dialerd.providers.base import Secret
from dialerd.providers.registry import TYPES
from dialerd.providers.wire import Reply, Request
from dialerd.providers.xoxzo import Xoxzo
from tests.providers.rendered import rendered, table

XOXZO = Xoxzo(account="sid", secret=Secret("t0ken"))
REFERENCE = "3f9k2m8qx1abc.1"
CALLBACK = f"https://dialer.example.org/in/xo/k3y?ref={REFERENCE}"
REF = f"https%3A%2F%2Fdialer.example.org%2Fin%2Fxo%2Fk3y%3Fref%3D{REFERENCE}"
MP3 = "http://example.com/sample.mp3"
BEGUN = datetime(2019, 3, 15, 8, 29, tzinfo=UTC)
TEXT = Sms("Hello from Xoxzo", sender="818011112222")


def errand(
    task: Task | None = None,
    *,
    script: Script | None = None,
    to: tuple[str, ...] = ("+818012345678",),
    callback: str | None = CALLBACK,
) -> Errand:
    call = Call(to=to, caller_id_number="818011112222", script=script)
    return Errand(REFERENCE, call, task, callback, begun=BEGUN)


def order(verb: str, *details: tuple[str, str]) -> Errand:
    return errand(NumberOrder(verb, "JPafr34rafic76tf", details), to=())


REQUESTS: dict[str, tuple[Callable[[Xoxzo], Request], str]] = {
    "sms.send": (
        lambda x: x.sms_send(errand(TEXT)),
        f"""POST /sms/messages/
        form
        message=Hello+from+Xoxzo&recipient=%2B818012345678&sender=818011112222&callbackurl={REF}&
        tags={REFERENCE}""",
    ),
    "sms.send in Japanese, with a + before the sender, tags and fields of Xoxzo's own": (
        lambda x: x.sms_send(
            errand(
                Sms(
                    "おはよう",
                    sender="+818011112222",
                    extra=(("tags", "spring,shop"), ("track_link", "true")),
                ),
                callback=None,
            )
        ),
        f"""POST /sms/messages/
        form
        message=%E3%81%8A%E3%81%AF%E3%82%88%E3%81%86&recipient=%2B818012345678&sender=818011112222&
        tags={REFERENCE}%2Cspring%2Cshop&track_link=true""",
    ),
    "sms.send of a template": (
        lambda x: x.sms_send(
            errand(
                Sms("", sender="Acme", template="t/42", extra=(("name", "Alice"), ("track_link", "true"))),
                callback=None,
            )
        ),
        f"""POST /sms/templates/t%2F42/messages/
        json
        {{"sender": "Acme", "recipient": "+818012345678", "variables": {{"name": "Alice"}}, \
"tags": "{REFERENCE}", "track_link": "true"}}""",
    ),
    "sms.status": (lambda x: x.sms_status("7sBZ"), "GET /sms/messages/7sBZ/"),
    "sms.history": (lambda x: x.sms_history(), "GET /sms/messages/"),
    "sms.history since a time, whose day is one of UTC": (
        lambda x: x.sms_history(since=datetime(2016, 5, 19, 8, 59, tzinfo=timezone(timedelta(hours=9)))),
        "GET /sms/messages/?sent_date%3E=2016-05-18",
    ),
    "sms.history until a time": (
        lambda x: x.sms_history(until=datetime(2016, 5, 20, tzinfo=UTC)),
        "GET /sms/messages/?sent_date%3C=2016-05-20",
    ),
    "sms.history of some days": (
        lambda x: x.sms_history(
            since=datetime(2016, 5, 18, tzinfo=UTC), until=datetime(2016, 5, 20, tzinfo=UTC)
        ),
        "GET /sms/messages/?sent_date%3E=2016-05-18&sent_date%3C=2016-05-20",
    ),
    "sms.history of one day": (
        lambda x: x.sms_history(
            since=datetime(2017, 10, 31, tzinfo=UTC), until=datetime(2017, 10, 31, 23, 59, tzinfo=UTC)
        ),
        "GET /sms/messages/?sent_date=2017-10-31",
    ),
    "to find an SMS": (
        lambda x: x.sms_find(errand(TEXT)),
        "GET /sms/messages/?sent_date%3E=2019-03-14&sent_date%3C=2019-03-16",
    ),
    "voice.play": (
        lambda x: x.voice_play(errand(script=Script(play_url=MP3))),
        f"""POST /voice/simple/playbacks/
        form
        caller=818011112222&recipient=%2B818012345678&recording_url=http%3A%2F%2Fexample.com%2Fsample.mp3&
        callbackurl={REF}&tags={REFERENCE}""",
    ),
    "voice.say": (
        lambda x: x.voice_say(errand(script=Script(say="Your code is 1, 2, 3.", language="en"))),
        f"""POST /voice/simple/playbacks/
        form
        caller=818011112222&recipient=%2B818012345678&tts_message=Your+code+is+1%2C+2%2C+3.&tts_lang=en&
        callbackurl={REF}&tags={REFERENCE}""",
    ),
    "voice.conference": (
        lambda x: x.voice_conference(errand(Conference(), to=("+818012345678", "+819012345678"))),
        f"""POST /voice/simple/conferences/
        form
        caller=818011112222&participants=%2B818012345678%2C%2B819012345678&callbackurl={REF}""",
    ),
    "voice.status": (lambda x: x.voice_status("7142d264"), "GET /voice/calls/7142d264/"),
    "voice.status of a conference": (
        lambda x: x.voice_status("conferences/b600722b"),
        "GET /voice/simple/conferences/b600722b/",
    ),
    "numbers.search": (lambda x: x.numbers_search(), "GET /voice/dins/"),
    "numbers.search in a country": (lambda x: x.numbers_search(country="jp"), "GET /voice/dins/?country=JP"),
    "numbers.search by first digits": (
        lambda x: x.numbers_search(starts_with="+813"),
        "GET /voice/dins/?prefix=813",
    ),
    "numbers.list": (lambda x: x.numbers_list(), "GET /voice/dins/subscriptions/"),
    "numbers.buy": (
        lambda x: x.numbers_buy(order("buy")),
        """POST /voice/dins/subscriptions/
        form
        din_uid=JPafr34rafic76tf""",
    ),
    "numbers.configure": (
        lambda x: x.numbers_configure(order("configure", ("action_url", "http://example.com/dummy_action"))),
        """POST /voice/dins/subscriptions/JPafr34rafic76tf/
        form
        action_url=http%3A%2F%2Fexample.com%2Fdummy_action""",
    ),
    "numbers.release": (
        lambda x: x.numbers_release(order("release")),
        "DELETE /voice/dins/subscriptions/JPafr34rafic76tf/",
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_each_request_goes_out_as_xoxzo_documents_it(name: str) -> None:
    make, expected = REQUESTS[name]

    assert rendered(make(XOXZO)) == table(expected)


def test_xoxzo_has_these_operations_and_no_other() -> None:
    assert TYPES["xoxzo"] is Xoxzo
    assert Xoxzo.operations() == {
        "numbers.buy",
        "numbers.configure",
        "numbers.list",
        "numbers.release",
        "numbers.search",
        "sms.history",
        "sms.send",
        "sms.status",
        "voice.conference",
        "voice.play",
        "voice.say",
        "voice.status",
    }
    assert Xoxzo.finders() == {"sms"}


def test_sid_and_token_prove_the_account() -> None:
    assert XOXZO.authorization == "Basic c2lkOnQwa2Vu"
    assert "t0ken" not in repr(XOXZO)


def test_what_the_section_sets_stands_in_for_what_the_job_leaves_out() -> None:
    xoxzo = replace(XOXZO, options={"sender": "Acme", "caller_id": "8131234567", "language": "ja"})
    bare = Errand(REFERENCE, Call(to=("+818012345678",), script=Script(say="おはよう")))

    spoken = dict(xoxzo.voice_say(bare).form or ())

    assert dict(xoxzo.sms_send(errand(Sms("Hi"))).form or ())["sender"] == "Acme"
    assert (spoken["caller"], spoken["tts_lang"]) == ("8131234567", "ja")


def test_what_came_in_can_not_be_asked_for_any_more() -> None:
    with pytest.raises(Rejected, match="incoming"):
        XOXZO.sms_history(incoming=True)


@pytest.mark.parametrize(
    "question", [{"contains": "77"}, {"area": "3"}, {"country": "JP", "starts_with": "813"}]
)
def test_a_search_that_xoxzo_can_not_make_is_not_asked(question: dict[str, str]) -> None:
    with pytest.raises(Rejected, match="--country"):
        XOXZO.numbers_search(**question)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({}, b'{"detail":"Request was throttled. Expected available in 7 seconds."}', 7.0),
        ({"retry-after": "3"}, b'{"detail":"Request was throttled. Expected available in 7 seconds."}', 3.0),
        ({}, b"", None),
    ],
)
def test_a_throttled_request_is_made_again_when_xoxzo_says(
    headers: dict[str, str], body: bytes, seconds: float | None
) -> None:
    refusal = XOXZO.refusal(Reply(429, headers, body))

    assert isinstance(refusal, Unavailable)
    assert refusal.retry_after == seconds


def test_a_number_that_alone_is_refused_may_go_another_way() -> None:
    refusal = XOXZO.refusal(Reply(400, {}, b'{"recipient": ["Not supported."]}'))

    assert isinstance(refusal, NotServed)


@pytest.mark.parametrize(
    "body", [b'{"sender": ["Bad."]}', b'{"recipient": ["Bad."], "sender": ["Bad."]}', b"", b'{"detail": "?"}']
)
def test_other_refusals_are_for_good(body: bytes) -> None:
    assert XOXZO.refusal(Reply(400, {}, body)) is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"detail": "Invalid username/password."}', "Invalid username/password."),
        (b'{"message": ["This field is required."]}', "message: This field is required."),
        (b'{"a": ["One."], "b": ["Two."]}', "a: One.; b: Two."),
        (b"<html>502</html>", ""),
    ],
)
def test_their_complaint_names_the_field(body: bytes, said: str) -> None:
    assert XOXZO.complaint(Reply(400, {}, body)) == said
