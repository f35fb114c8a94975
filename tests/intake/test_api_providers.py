"""The routes that ask providers, on a real socket."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dialerd.core.errors import (
    AccountRefused,
    DeliveryError,
    NotServed,
    Rejected,
    Unavailable,
    Unconfirmed,
)
from dialerd.core.operations import OPERATIONS, Effect
from dialerd.core.roles import Right
from dialerd.intake.api.openapi import openapi
from tests.intake.asking import AT, FLOWROUTE, HOIIO, OURS, FakeAccounts, ProvidersServed
from tests.intake.serving import Heard, Served

BERLIN = "+4930123456"
READS = [each for each in OPERATIONS.values() if each.effect is Effect.READ]
ACTS = [each for each in OPERATIONS.values() if each.effect is Effect.ACT]
JOBS = [each for each in OPERATIONS.values() if each.effect is Effect.JOB]
VALUES: dict[str, Any] = {
    "ref": "x-1", "session": "S-1", "dest": "room:R1", "first": BERLIN, "number": BERLIN, "country": "SG",
}  # fmt: skip


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ProvidersServed]:
    with ProvidersServed(tmp_path / "s") as running:
        yield running


def as_described(heard: Heard, path: str, method: str = "post") -> Any:
    """An answer's document, which fits its description."""
    described = openapi()
    content = described["paths"][path][method]["responses"][str(heard.status)]["content"]
    (schema,) = (each["schema"] for each in content.values())
    whole = {**schema, "components": described["components"]}
    jsonschema.Draft202012Validator(whole).validate(heard.json)
    return heard.json


def required(operation: Any) -> dict[str, Any]:
    return {each.name: VALUES[each.name] for each in operation.parameters if each.required}


def test_providers_are_listed_with_what_they_can_and_how_they_stand(served: ProvidersServed) -> None:
    served.desk.lines.append({"name": "hoiio", "paused": True, "why": "fire alarm", "in_use": 1})

    found = as_described(served.ask("GET", "/v1/providers"), "/v1/providers", "get")

    one, two = found["providers"]
    assert one == {
        "name": "hoiio", "type": "hoiio", "state": "paused", "why": "fire alarm", "paused": True, "in_use": 1,
        "per_minute": 60.0, "connections": 4, "busy": 0, "refused": False, "operations": sorted(HOIIO),
    }  # fmt: skip
    assert (two["name"], two["state"], two["operations"]) == ("flowroute", "up", sorted(FLOWROUTE))


@pytest.mark.parametrize(
    ("told", "way", "state", "why"),
    [
        ({"refused": True, "last_error": "Who are you?"}, {}, "refused", "Who are you?"),
        (
            {"blocked_until": AT, "blocked_why": "The provider asked us to wait."},
            {},
            "waits",
            "The provider asked us to wait.",
        ),
        (
            {},
            {"breaker": "open", "trouble": "it refuses every call"},
            "out of order",
            "it refuses every call",
        ),
        ({}, {"breaker": "half-open"}, "on trial", None),
        ({}, {"cap": "it has made 9 calls today"}, "capped", "it has made 9 calls today"),
        ({"last_error": "long ago"}, {"breaker": "closed"}, "up", None),
    ],
)
def test_what_an_operator_has_to_know_first_is_the_state(
    served: ProvidersServed, told: dict[str, Any], way: dict[str, Any], state: str, why: str | None
) -> None:
    served.accounts.told["hoiio"] = told
    served.desk.lines.append({"name": "hoiio", **way})

    found = as_described(served.ask("GET", "/v1/providers"), "/v1/providers", "get")["providers"][0]

    assert (found["state"], found.get("why")) == (state, why)
    assert found.get("blocked_until") == ("2026-11-20T09:30:00.000Z" if state == "waits" else None)


def test_a_value_is_json_without_what_says_nothing(served: ProvidersServed) -> None:
    heard = served.ask("GET", "/v1/providers/hoiio/sms.status?ref=s-1")

    assert as_described(heard, "/v1/providers/{name}/sms.status", "get") == {
        "provider": "hoiio",
        "value": {
            "ref": "s-1", "reference": "3f9k2m8qx1abc.1", "disposition": "DELIVERED", "word": "sent",
            "to": BERLIN, "sender": "+6591234567", "body": "Hello", "at": "2026-11-20T09:30:00.000Z",
            "parts": 1, "price": "0.05", "currency": "SGD",
        },
    }  # fmt: skip
    assert served.accounts.asked == [("hoiio", "sms.status", {"ref": "s-1"})]


def test_the_providers_own_record_comes_only_where_it_is_asked_for(served: ProvidersServed) -> None:
    heard = served.ask("GET", "/v1/providers/hoiio/sms.status?ref=s-1&raw=1")

    assert heard.json["value"]["raw"] == {"txn_ref": "s-1", "debit": "0.05"}


def test_a_list_has_items_and_a_no_that_was_said_stays(served: ProvidersServed) -> None:
    heard = served.ask("GET", "/v1/providers/hoiio/numbers.list")
    rate = served.ask("POST", "/v1/providers/hoiio/sms.rate", {"to": BERLIN, "body": "x"})

    (number,) = as_described(heard, "/v1/providers/{name}/numbers.list", "get")["items"]
    assert (number["expiry"], number["renews"], number["capabilities"]) == (
        "2026-12-01",
        False,
        ["voice", "sms"],
    )
    assert rate.json["value"]["unicode"] is False


@pytest.mark.parametrize("operation", READS, ids=lambda each: each.name)
def test_every_read_is_asked_of_all_and_of_one(tmp_path: Path, operation: Any) -> None:
    accounts = FakeAccounts(one={operation.name: ()}, other={}, two={operation.name: ()})
    with ProvidersServed(tmp_path / "s", accounts) as served:
        all_ = served.ask("POST", f"/v1/ask/{operation.name}", required(operation))
        one = served.ask("POST", f"/v1/providers/two/{operation.name}", required(operation))

    answers = as_described(all_, f"/v1/ask/{operation.name}")["answers"]
    assert [each["provider"] for each in answers] == ["one", "two"]
    assert as_described(one, f"/v1/providers/{{name}}/{operation.name}")["provider"] == "two"


@pytest.mark.parametrize("operation", ACTS, ids=lambda each: each.name)
def test_every_act_is_asked_of_one_only(served: ProvidersServed, operation: Any) -> None:
    name = "flowroute" if operation.name == "fax.cancel" else "hoiio"
    one = served.ask("POST", f"/v1/providers/{name}/{operation.name}", required(operation))
    all_ = served.ask("POST", f"/v1/ask/{operation.name}", required(operation))
    read = served.ask("GET", f"/v1/providers/{name}/{operation.name}")

    assert as_described(one, f"/v1/providers/{{name}}/{operation.name}")["provider"] == name
    assert (one.status, all_.status, read.status) == (200, 422, 405)
    assert "of one provider only" in all_.json["detail"]
    assert len(served.accounts.asked) == 1


@pytest.mark.parametrize("operation", JOBS, ids=lambda each: each.name)
def test_what_sends_is_not_asked_for_but_submitted(served: ProvidersServed, operation: Any) -> None:
    one = served.ask("POST", f"/v1/providers/hoiio/{operation.name}", {})
    all_ = served.ask("POST", f"/v1/ask/{operation.name}", {})

    assert (one.status, all_.status) == (422, 422)
    assert f'{{"kind": "{operation.kinds[0]}", ...}} to /v1/jobs' in one.json["detail"]
    assert served.accounts.asked == []


def test_all_are_asked_and_one_that_fails_does_not_hide_the_others(served: ProvidersServed) -> None:
    heard = served.ask("GET", "/v1/ask/sms.status?ref=s-1")

    one, two = as_described(heard, "/v1/ask/sms.status", "get")["answers"]
    assert (one["provider"], one["value"]["ref"]) == ("hoiio", "s-1")
    assert (two["provider"], two["error"]["status"]) == ("flowroute", 422)
    assert "there is no message of this id" in two["error"]["detail"]


def test_only_those_that_are_named_are_asked(served: ProvidersServed) -> None:
    heard = served.ask("GET", "/v1/ask/sms.history?provider=flowroute")

    assert [each["provider"] for each in heard.json["answers"]] == ["flowroute"]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("/v1/providers/hoio/sms.status?ref=1", 'There are hoiio, flowroute. Did you mean "hoiio"?'),
        ("/v1/ask/sms.status?ref=1&provider=hoio", 'Did you mean "hoiio"?'),
        ("/v1/providers/hoiio/sms.statu?ref=1", 'Did you mean "sms.status"?'),
        ("/v1/ask/sms.statu?ref=1", 'Did you mean "sms.status"?'),
        ("/v1/providers/hoiio/routes.list", "has no routes.list. It can be asked of flowroute."),
        ("/v1/ask/routes.list?provider=hoiio", "It can be asked of flowroute."),
        ("/v1/providers/hoiio", "nothing at /v1/providers/hoiio"),
    ],
)  # fmt: skip
def test_what_there_is_not_is_said(served: ProvidersServed, target: str, words: str) -> None:
    heard = served.ask("GET", target)

    assert heard.status == 404
    assert words in heard.json["detail"]


def test_what_nobody_has_is_said(tmp_path: Path) -> None:
    with ProvidersServed(tmp_path / "s", FakeAccounts(one={})) as served:
        nobody = served.ask("GET", "/v1/ask/routes.list")
    with ProvidersServed(tmp_path / "t", FakeAccounts()) as served:
        none = served.ask("GET", "/v1/ask/routes.list")

    assert (nobody.status, none.status) == (404, 404)
    assert nobody.json["detail"] == "No provider that is configured has routes.list."
    assert "add a section [providers.NAME]" in none.json["detail"]


REFUSED = [
    (Rejected("the number is wrong"), 422, "refused-by-provider"),
    (NotServed("not this country"), 422, "refused-by-provider"),
    (AccountRefused("the key is wrong"), 502, "account-refused"),
    (Unavailable("it is down"), 503, "unavailable"),
    (Unavailable("too many requests", 41.2), 503, "unavailable"),
    (Unconfirmed("it said nothing"), 504, "unconfirmed"),
]


@pytest.mark.parametrize(("error", "status", "name"), REFUSED, ids=lambda each: str(each))
def test_a_providers_no_is_a_problem(tmp_path: Path, error: DeliveryError, status: int, name: str) -> None:
    with ProvidersServed(tmp_path / "s", FakeAccounts(one={"voice.hangup": error})) as served:
        heard = served.ask("POST", "/v1/providers/one/voice.hangup", {"ref": "c-1"})

    found = as_described(heard, "/v1/providers/{name}/voice.hangup")
    assert (heard.status, found["type"], found["provider"]) == (status, f"urn:dialerd:problem:{name}", "one")
    assert str(error) in found["detail"]


def test_a_provider_that_says_when_to_come_again_is_believed(tmp_path: Path) -> None:
    error = Unavailable("too many requests", 41.2)
    with ProvidersServed(tmp_path / "s", FakeAccounts(one={"account.balance": error})) as served:
        heard = served.ask("GET", "/v1/providers/one/account.balance")

    assert (heard.headers["Retry-After"], heard.json["retry_after"]) == ("42", 42)


def test_in_doubt_an_act_may_have_been_done_and_a_read_may_be_repeated(tmp_path: Path) -> None:
    doubt = Unconfirmed("it said nothing")
    with ProvidersServed(
        tmp_path / "s", FakeAccounts(one={"voice.hangup": doubt, "voice.status": doubt})
    ) as served:
        act = served.ask("POST", "/v1/providers/one/voice.hangup", {"ref": "c-1"})
        read = served.ask("GET", "/v1/providers/one/voice.status?ref=c-1")

    assert act.json["detail"].endswith("It may have been done: look before you ask again.")
    assert read.json["detail"].endswith("Asking changes nothing: ask again.")


def test_one_that_never_answers_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    released = threading.Event()
    accounts = FakeAccounts(one={"voice.hangup": lambda _given: released.wait(30)})
    with ProvidersServed(tmp_path / "s", accounts, provider_timeout=0.2) as served:
        heard = served.ask("POST", "/v1/providers/one/voice.hangup", {"ref": "c-1"})
        released.set()

    assert (heard.status, heard.json["type"]) == (504, "urn:dialerd:problem:unconfirmed")
    assert "did not answer within 0.2 seconds" in heard.json["detail"]
    assert "may have been done" in heard.json["detail"]


def test_too_many_questions_at_once_are_refused(tmp_path: Path) -> None:
    released = threading.Event()
    accounts = FakeAccounts(
        **{f"p{number}": {"account.info": lambda _given: released.wait(30)} for number in range(33)}
    )
    with ProvidersServed(tmp_path / "s", accounts, provider_timeout=0.5) as served:
        answers = served.ask("GET", "/v1/ask/account.info").json["answers"]
        released.set()

    assert sorted(each["error"]["status"] for each in answers) == [503] + [504] * 32


def test_rights_are_those_of_the_operation(tmp_path: Path) -> None:
    with ProvidersServed(tmp_path / "s", right=Right.SUBMIT) as served:
        rate = served.ask("GET", "/v1/ask/fax.rate?to=%2B4930123456")
        history = served.ask("GET", "/v1/ask/sms.history")
        hangup = served.ask("POST", "/v1/providers/hoiio/voice.hangup", {"ref": "c-1"})
        check = served.ask("POST", "/v1/providers/check")
        listed = served.ask("GET", "/v1/providers")
    with ProvidersServed(tmp_path / "t", right=Right.VIEW_ALL) as served:
        seen = served.ask("GET", "/v1/ask/sms.history")
        act = served.ask("POST", "/v1/providers/hoiio/voice.hangup", {"ref": "c-1"})

    refused = [history, hangup, check, listed, act]
    assert [rate.status, seen.status] == [200, 200]
    assert [each.status for each in refused] == [403] * 5
    assert "takes the right operate" in hangup.json["detail"]


def test_a_check_says_who_is_reachable_and_who_refuses(tmp_path: Path) -> None:
    accounts = FakeAccounts(
        good={"account.balance": HOIIO["account.balance"], "numbers.list": None},
        wrong={"account.info": AccountRefused("the key is wrong")},
        away={"numbers.list": Unavailable("it is down")},
        dumb={"sms.send": None},
        late={"sms.history": ()},
    )
    with ProvidersServed(tmp_path / "s", accounts) as served:
        heard = served.ask("POST", "/v1/providers/check")
        one = served.ask("POST", "/v1/providers/check?provider=good")

    found = as_described(heard, "/v1/providers/check")["checks"]
    assert [(each["provider"], each["state"]) for each in found] == [
        ("good", "reachable"), ("wrong", "refused"), ("away", "unreachable"), ("dumb", "unknown"),
        ("late", "reachable"),
    ]  # fmt: skip
    assert found[0]["value"]["balance"] == "12.50"
    assert "the key is wrong" in found[1]["what"]
    assert [each["provider"] for each in one.json["checks"]] == ["good"]
    assert sorted(each[:2] for each in accounts.asked[:-1]) == [
        ("away", "numbers.list"), ("good", "account.balance"), ("late", "sms.history"),
        ("wrong", "account.info"),
    ]  # fmt: skip


def test_the_accounts_numbers_are_told_with_what_we_know_of_them(tmp_path: Path) -> None:
    def inventory(name: str, items: Any) -> Any:
        ours = [{"number": BERLIN, "context": f"from-{name}"}] if name else []
        return [replace(each, monthly="4.00") for each in items] + ours

    with ProvidersServed(
        tmp_path / "s", FakeAccounts(one={"numbers.list": (OURS,)}), inventory=inventory
    ) as served:
        one = served.ask("GET", "/v1/providers/one/numbers.list").json["items"]
        (all_,) = served.ask("GET", "/v1/ask/numbers.list").json["answers"]

    assert (one[0]["monthly"], one[1]) == ("4.00", {"number": BERLIN, "context": "from-one"})
    assert all_["items"] == one


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b"[]", 422), (b'{"ref": "a", "ref": "b"}', 400), (b"", 422)]
)
def test_a_body_that_is_no_object_is_refused(served: ProvidersServed, body: bytes, status: int) -> None:
    assert served.ask("POST", "/v1/providers/hoiio/voice.hangup", body).status == status


def test_without_accounts_there_are_no_such_routes(tmp_path: Path) -> None:
    with Served(tmp_path / "s") as served:
        assert served.ask("GET", "/v1/providers").status == 404
