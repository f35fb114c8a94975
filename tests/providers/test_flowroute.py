"""What goes out to Flowroute, request for request: written by hand from developer.flowroute.com."""

from datetime import UTC, datetime
from typing import Any

import pytest

from dialerd.core.errors import Rejected
from dialerd.core.model import Call
from dialerd.core.operations import OPERATIONS
from dialerd.core.receipts import Errand
from dialerd.core.tasks import NumberOrder, Sms, Task
from dialerd.providers.base import Secret
from dialerd.providers.flowroute import Flowroute
from dialerd.providers.wire import Request

JSON_API = "application/vnd.api+json"
FLOWROUTE = Flowroute(account="access", secret=Secret("secret-9"))
NEWER = Flowroute(account="access", secret=Secret("secret-9"), options={"messages": "2.2"})
WRAPPED = Flowroute(account="access", secret=Secret("secret-9"), options={"message_body": "wrapped"})
TO, OURS = "+12067392634", "+12012673227"
HEARD = "https://calls.example.org/p/u7/flowroute?ref=3f9k2m8qx1abc.1"
SINCE = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)
UNTIL = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def errand(task: Task, *to: str) -> Errand:
    return Errand("3f9k2m8qx1abc.1", Call(to=to), task, callback=HEARD, begun=SINCE)


def order(verb: str, subject: str = OURS, **details: str) -> Errand:
    return errand(NumberOrder(verb, subject, tuple(details.items())))


def get(path: str, *query: tuple[str, str]) -> Request:
    return Request("GET", path, query=query, accept=JSON_API)


def send(method: str, path: str, body: Any = None) -> Request:
    return Request(method, path, json=body, media_type=JSON_API, accept=JSON_API)


SMS = {"to": "12067392634", "from": "12012673227", "body": "Hello", "dlr_callback": HEARD}
MEDIA = ("https://example.org/a.png", "https://example.org/b.png")

JOBS: list[tuple[str, Errand, Request]] = [
    ("sms.send", errand(Sms("Hello", sender=OURS), TO), send("POST", "/v2.1/messages", SMS)),
    (
        "sms.send",
        errand(Sms("Hello", sender=OURS, media=MEDIA), TO),
        send("POST", "/v2.1/messages", SMS | {"media_urls": list(MEDIA), "is_mms": True}),
    ),
    (
        "sms.send",
        errand(Sms("", sender=OURS, media=MEDIA[:1]), TO),
        send(
            "POST",
            "/v2.1/messages",
            {
                "to": "12067392634",
                "from": "12012673227",
                "media_urls": ["https://example.org/a.png"],
                "is_mms": True,
                "dlr_callback": HEARD,
            },
        ),
    ),
    (
        "sms.send",
        errand(Sms("Hello", sender=OURS, extra=(("is_mms", "true"),)), TO),
        send("POST", "/v2.1/messages", SMS | {"is_mms": True}),
    ),
    ("numbers.buy", order("buy", "+16463439507"), send("POST", "/v2/numbers/16463439507")),
    (
        "numbers.buy",
        order("buy", "16463439507", messaging_enabled="true"),
        send("POST", "/v2/numbers/16463439507", {"messaging_enabled": True}),
    ),
    (
        "numbers.configure",
        order("configure", alias="NYC", cnam_lookups_enabled="false"),
        send(
            "PATCH",
            "/v2/numbers/12012673227",
            {"type": "number", "alias": "NYC", "cnam_lookups_enabled": False},
        ),
    ),
    ("numbers.release", order("release"), Request("DELETE", "/v2/numbers/12012673227", accept=JSON_API)),
    (
        "routes.create",
        order("create-route", "www.example.com", type="host", alias="new_route_id"),
        send(
            "POST",
            "/v2/routes",
            {
                "data": {
                    "type": "route",
                    "attributes": {"route_type": "host", "value": "www.example.com", "alias": "new_route_id"},
                }
            },
        ),
    ),
    (
        "routes.create",
        order("create-route", "sip:alice@atlanta.example", type="uri", edge_strategy="1"),
        send(
            "POST",
            "/v2/routes",
            {
                "data": {
                    "type": "route",
                    "attributes": {
                        "route_type": "uri",
                        "value": "sip:alice@atlanta.example",
                        "alias": "3f9k2m8qx1abc.1",
                        "edge_strategy": "1",
                    },
                }
            },
        ),
    ),
    (
        "routes.set_primary",
        order("set-primary", route="83834"),
        send(
            "PATCH",
            "/v2/numbers/12012673227/relationships/primary_route",
            {"data": {"type": "route", "id": "83834"}},
        ),
    ),
    (
        "routes.set_failover",
        order("set-failover", route="0"),
        send(
            "PATCH",
            "/v2/numbers/12012673227/relationships/failover_route",
            {"data": {"type": "route", "id": "0"}},
        ),
    ),
]

ASKED: list[tuple[str, dict[str, Any], Request]] = [
    ("sms.status", {"ref": "mdr2-ca82"}, get("/v2.1/messages/mdr2-ca82")),
    (
        "sms.history",
        {"since": SINCE, "until": UNTIL, "cursor": "200"},
        get(
            "/v2.1/messages",
            ("start_date", "2026-11-20T22:30:00Z"),
            ("end_date", "2026-11-21T10:00:00Z"),
            ("limit", "200"),
            ("offset", "200"),
        ),
    ),
    ("sms.history", {}, get("/v2.1/messages", ("start_date", "2017-01-01T00:00:00Z"), ("limit", "200"))),
    ("numbers.areas", {}, get("/v2/numbers/available/areacodes", ("limit", "400"))),
    (
        "numbers.areas",
        {"country": "US", "cursor": "400"},
        get("/v2/numbers/available/areacodes", ("limit", "400"), ("offset", "400")),
    ),
    (
        "numbers.exchanges",
        {"area": "347"},
        get("/v2/numbers/available/exchanges", ("limit", "200"), ("areacode", "347")),
    ),
    (
        "numbers.search",
        {"starts_with": "646", "contains": "3", "ends_with": "7", "limit": 3},
        get(
            "/v2/numbers/available",
            ("starts_with", "646"),
            ("contains", "3"),
            ("ends_with", "7"),
            ("limit", "3"),
        ),
    ),
    (
        "numbers.search",
        {"area": "WA", "place": "SEATTLE", "cursor": "200"},
        get(
            "/v2/numbers/available",
            ("limit", "200"),
            ("offset", "200"),
            ("rate_center", "SEATTLE"),
            ("state", "WA"),
        ),
    ),
    (
        "numbers.search",
        {"area": "206"},
        get("/v2/numbers/available", ("starts_with", "1206"), ("limit", "200")),
    ),
    ("numbers.list", {}, get("/v2/numbers", ("limit", "200"))),
    ("numbers.list", {"cursor": "200"}, get("/v2/numbers", ("limit", "200"), ("offset", "200"))),
    ("numbers.show", {"number": OURS}, get("/v2/numbers/12012673227")),
    ("routes.list", {}, get("/v2/routes", ("limit", "200"))),
]


@pytest.mark.parametrize(("operation", "job", "expected"), JOBS)
def test_a_job_is_this_request(operation: str, job: Errand, expected: Request) -> None:
    assert getattr(FLOWROUTE, OPERATIONS[operation].method)(job) == expected


@pytest.mark.parametrize(("operation", "asked", "expected"), ASKED)
def test_a_question_is_this_request(operation: str, asked: dict[str, Any], expected: Request) -> None:
    assert getattr(FLOWROUTE, OPERATIONS[operation].method)(**asked) == expected


def test_every_operation_stands_in_the_table() -> None:
    assert {row[0] for row in JOBS} | {row[0] for row in ASKED} == Flowroute.operations()


def test_the_keys_go_as_basic_authorization() -> None:
    assert FLOWROUTE.authorization == "Basic YWNjZXNzOnNlY3JldC05"


def test_version_2_2_of_messages_has_numbers_with_a_plus() -> None:
    request = NEWER.sms_send(errand(Sms("Hello", sender=OURS), TO))

    assert (request.path, request.json["to"], request.json["from"]) == ("/v2.2/messages", TO, OURS)


def test_status_and_history_keep_to_the_version_of_messages() -> None:
    assert [NEWER.sms_status("mdr2-1").path, NEWER.sms_history().path] == [
        "/v2.2/messages/mdr2-1",
        "/v2.2/messages",
    ]


def test_the_message_can_be_wrapped_as_a_json_api_object() -> None:
    request = WRAPPED.sms_send(errand(Sms("Hello", sender=OURS), TO))

    assert request.json == {"data": {"type": "message", "attributes": SMS}}


def test_a_sender_can_be_configured_for_messages_that_name_none() -> None:
    account = Flowroute(account="access", secret=Secret("x"), options={"sender": "+12012673227"})

    assert account.sms_send(errand(Sms("Hello"), TO)).json["from"] == "12012673227"


def test_without_a_listener_no_callback_is_asked_for() -> None:
    deaf = Errand("3f9k2m8qx1abc.1", Call(to=(TO,)), Sms("Hello", sender=OURS))

    assert "dlr_callback" not in FLOWROUTE.sms_send(deaf).json


def test_a_lost_message_is_looked_for_in_the_list_of_its_day() -> None:
    request = FLOWROUTE.sms_find(errand(Sms("Hello", sender=OURS), TO))

    assert request == get(
        "/v2.1/messages",
        ("start_date", "2026-11-20T22:20:00Z"),
        ("end_date", "2026-11-21T22:30:00Z"),
        ("limit", "200"),
    )


def test_an_id_can_not_lead_elsewhere() -> None:
    assert FLOWROUTE.sms_status("../../v2/numbers?x").path == "/v2.1/messages/..%2F..%2Fv2%2Fnumbers%3Fx"


def test_countries_other_than_the_united_states_are_asked_for_by_name() -> None:
    searched = [dict(FLOWROUTE.numbers_search(country=each).query) for each in ("US", "BE")]

    assert [query.get("iso_country") for query in searched] == [None, "BE"]


@pytest.mark.parametrize("number", ["PN5e1d", "+", "../routes"])
def test_what_can_not_be_a_number_is_not_shown(number: str) -> None:
    with pytest.raises(Rejected, match="by their digits"):
        FLOWROUTE.numbers_show(number)
