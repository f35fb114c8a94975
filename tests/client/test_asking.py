"""The client's questions to providers, before a real Api on a real socket."""

import inspect
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dialerd.client import AccountRefused, Client, ClientError, NoSuchJob, Refused, TryLater, Unconfirmed
from dialerd.client import errors as client_errors
from dialerd.client.providers import ACTS
from dialerd.core import errors
from dialerd.core.operations import OPERATIONS, Effect
from tests.intake.asking import AT, FakeAccounts, ProvidersServed

ASKED = [each for each in OPERATIONS.values() if each.effect is not Effect.JOB]
VALUES: dict[str, Any] = {
    "text": "x", "number": "+4930123456", "owned": "n-1", "dest": "room:R1", "time": AT, "integer": 3,
    "flag": True,
}  # fmt: skip


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ProvidersServed]:
    with ProvidersServed(tmp_path / "s") as running:
        yield running


@pytest.fixture
def client(served: ProvidersServed) -> Iterator[Client]:
    with Client(served.path) as connected:
        yield connected


@pytest.mark.parametrize("operation", ASKED, ids=lambda each: each.name)
def test_every_operation_has_a_method_with_its_parameters(tmp_path: Path, operation: Any) -> None:
    given = {each.name: VALUES[each.kind] for each in operation.parameters}
    accounts = FakeAccounts(one={operation.name: ()}, two={operation.name: ()})
    with ProvidersServed(tmp_path / "s", accounts) as served, Client(served.path) as client:
        found = getattr(client, operation.method)(**given, provider="two")

    assert found == []
    assert accounts.asked == [("two", operation.name, given)]


@pytest.mark.parametrize("operation", ASKED, ids=lambda each: each.name)
def test_a_method_takes_first_what_stands_without_a_name(operation: Any) -> None:
    method = inspect.signature(getattr(Client, operation.method))

    *names, last = list(method.parameters)[1:]
    arguments = [each.name for each in operation.parameters if each.argument]
    assert (sorted(names), last) == (sorted(each.name for each in operation.parameters), "provider")
    assert names[: len(arguments)] == arguments


def test_the_clients_acts_are_those_of_the_table() -> None:
    assert {each.name for each in ASKED if each.effect is Effect.ACT} == ACTS


def test_all_are_asked_where_none_is_named(client: Client) -> None:
    one, two = client.sms_status("s-1")

    assert (one["provider"], one["value"]["disposition"]) == ("hoiio", "DELIVERED")
    assert (two["provider"], two["error"]["status"]) == ("flowroute", 422)


def test_one_that_is_named_answers_with_the_value_itself(client: Client) -> None:
    assert client.sms_status("s-1", provider="hoiio")["ref"] == "s-1"
    assert [each["ref"] for each in client.sms_history(provider="hoiio")] == ["s-1", "s-2"]


def test_the_providers_own_record_is_there_where_it_is_wanted(client: Client) -> None:
    found = client.ask("sms.status", "hoiio", raw=True, ref="s-1")

    assert found["raw"]["txn_ref"] == "s-1"


def test_an_act_goes_to_the_only_provider_that_can_do_it(served: ProvidersServed, client: Client) -> None:
    client.voice_hangup("c-1")

    assert served.accounts.asked == [("hoiio", "voice.hangup", {"ref": "c-1"})]


def test_an_act_that_several_can_do_names_one(tmp_path: Path) -> None:
    accounts = FakeAccounts(one={"voice.hangup": ()}, two={"voice.hangup": ()}, three={})
    with ProvidersServed(tmp_path / "s", accounts) as served, Client(served.path) as client:
        with pytest.raises(ClientError, match=r"Say which provider is to do voice\.hangup: one, two\."):
            client.voice_hangup("c-1")
        with pytest.raises(ClientError, match=r"No provider that is configured can do fax\.cancel\."):
            client.fax_cancel("f-1")

    assert accounts.asked == []


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.Rejected("no"), Refused),
        (errors.AccountRefused("no"), AccountRefused),
        (errors.Unavailable("no", 7), TryLater),
        (errors.Unconfirmed("no"), Unconfirmed),
    ],
)
def test_a_providers_no_is_an_error_of_its_kind(
    tmp_path: Path, error: errors.DeliveryError, kind: type[client_errors.Problem]
) -> None:
    accounts = FakeAccounts(one={"voice.hangup": error})
    with (
        ProvidersServed(tmp_path / "s", accounts) as served,
        Client(served.path) as client,
        pytest.raises(kind) as caught,
    ):
        client.voice_hangup("c-1", provider="one")

    assert caught.value.document["provider"] == "one"


def test_wrong_parameters_are_refused_with_every_mistake(client: Client) -> None:
    with pytest.raises(Refused) as caught:
        client.ask("ivr.gather", "hoiio", timeout=-1, tga="x")

    assert {each["where"] for each in caught.value.mistakes} == {"session", "timeout", "tga"}


def test_a_provider_that_there_is_not_is_said(client: Client) -> None:
    with pytest.raises(NoSuchJob, match="no provider 'hoio'"):
        client.account_balance(provider="hoio")


def test_times_may_be_moments_or_texts(served: ProvidersServed, client: Client) -> None:
    client.voice_history(datetime(2026, 11, 20, tzinfo=UTC), "2026-11-21T00:00:00+01:00", provider="hoiio")

    assert served.accounts.asked[0][2] == {
        "since": datetime(2026, 11, 20, tzinfo=UTC),
        "until": datetime(2026, 11, 20, 23, tzinfo=UTC),
    }


def test_providers_and_their_checks_are_listed(client: Client) -> None:
    assert [each["name"] for each in client.providers()] == ["hoiio", "flowroute"]
    assert [each["state"] for each in client.providers_check()] == ["reachable", "reachable"]
    assert [each["provider"] for each in client.providers_check("flowroute")] == ["flowroute"]
