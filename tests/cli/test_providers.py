"""dialerctl's commands that ask providers, before a real Api on a real socket."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dialerd.core.errors import AccountRefused, Rejected, Unavailable, Unconfirmed
from dialerd.core.model import Attempt
from dialerd.core.operations import OPERATIONS, Effect
from dialerd.core.receipts import Receipt
from dialerd.core.roles import Right
from tests.cli.running import ctl, jobs, lines, rows
from tests.intake.asking import AT, HOIIO, OURS, FakeAccounts, ProvidersServed

BERLIN = "+4930123456"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ProvidersServed]:
    with ProvidersServed(tmp_path / "s") as running:
        yield running


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The user's zone is an hour ahead of UTC."""
    monkeypatch.setenv("TZ", "UTC-1")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def job_at(served: ProvidersServed, **attempt: Any) -> str:
    """A job whose only attempt is this one, by a provider."""
    job_id = str(served.ask("POST", "/v1/jobs", {"kind": "sms", "to": BERLIN, "body": "x"}).json["id"])
    made = Attempt(job_id, 1, attempt.pop("provider", "hoiio"), "", AT, **attempt)
    served.desk._attempts[job_id] = [made]
    return job_id


@pytest.mark.parametrize(
    "operation",
    [each for each in OPERATIONS.values() if each.effect is not Effect.JOB],
    ids=lambda each: each.name,
)
def test_every_operation_has_a_command_with_its_parameters(tmp_path: Path, operation: Any) -> None:
    written = {
        "text": "x", "number": BERLIN, "owned": "n-1", "dest": BERLIN, "time": "2026-11-20T09:30:00Z",
        "integer": "3",
    }  # fmt: skip
    meant = {**written, "time": AT, "integer": 3, "flag": True}
    words, given = [], {}
    for each in operation.parameters:
        given[each.name] = meant[each.kind]
        option = [] if each.argument else [f"--{each.name.replace('_', '-')}"]
        words += [*option, written[each.kind]] if each.kind != "flag" else option
    noun, _, verb = operation.name.partition(".")

    accounts = FakeAccounts(one={operation.name: ()}, two={operation.name: ()})
    with ProvidersServed(tmp_path / "s", accounts) as served:
        result = ctl(served, noun, verb, *words, "--provider", "two")

    assert result.exit_code == 0
    assert accounts.asked == [("two", operation.name, given)]


def test_the_help_of_a_command_says_what_its_arguments_are(served: ProvidersServed) -> None:
    shown = " ".join(ctl(served, "ivr", "transfer", "--help").stdout.split())

    assert "SESSION: The session, or a job's id. DEST: The number, or room:NAME." in shown


def test_a_history_of_all_providers_is_one_table_newest_first(served: ProvidersServed, zone: None) -> None:
    result = ctl(served, "sms", "history")

    head, first, second, third = rows(result)
    assert head == ["PROVIDER", "AT", "TO", "FROM", "STATE", "PARTS", "PRICE", "REF", "TEXT"]
    assert first[:7] == ["hoiio", "2026-11-20", "10:30:00", BERLIN, "+6591234567", "delivered", "(sent)"]
    assert first[7:] == ["1", "0.05", "SGD", "s-1", "Hello"]
    assert second[5:9] == ["with", "the", "carrier", "(sending)"]
    assert (third[0], third[2]) == ("flowroute", "09:30:00")


def test_a_history_of_one_provider_needs_no_names(served: ProvidersServed) -> None:
    result = ctl(served, "sms", "history", "--provider", "flowroute", "--incoming")

    assert rows(result)[0][0] == "AT"
    assert served.accounts.asked == [("flowroute", "sms.history", {"incoming": True})]


def test_json_is_one_value_for_each_thing_with_its_provider(served: ProvidersServed) -> None:
    found = lines(ctl(served, "numbers", "list", "--json"))
    (balance,) = lines(ctl(served, "account", "balance", "--json"))

    assert [(each["provider"], each["number"]) for each in found] == [
        ("hoiio", "+6531234567"), ("flowroute", "+12065550100"),
    ]  # fmt: skip
    assert balance == {
        "provider": "hoiio", "balance": "12.50", "currency": "SGD",
        "details": {"points": "10.00", "bonus": "2.50"},
    }  # fmt: skip


def test_the_providers_own_record_is_shown_where_it_is_wanted(served: ProvidersServed) -> None:
    plain = ctl(served, "sms", "status", "s-1", "--provider", "hoiio")
    (raw,) = lines(ctl(served, "sms", "status", "s-1", "--provider", "hoiio", "--raw", "--json"))

    assert "debit" not in plain.stdout
    assert raw["raw"] == {"txn_ref": "s-1", "debit": "0.05"}


def test_a_status_says_first_how_it_stands(served: ProvidersServed, zone: None) -> None:
    result = ctl(served, "sms", "status", "s-1", "--provider", "hoiio")

    found = {line.split(None, 1)[0]: line.split(None, 1)[1] for line in result.stdout.splitlines()}
    assert result.stdout.startswith("state      delivered (sent)\n")
    assert (found["at"], found["price"], found["body"]) == ("2026-11-20 10:30:00", "0.05", "Hello")


def test_who_does_not_know_a_message_that_another_has_is_no_error(served: ProvidersServed) -> None:
    result = ctl(served, "sms", "status", "s-1")

    assert (result.exit_code, result.stderr) == (0, "")
    assert "provider   hoiio" in result.stdout


def test_a_message_that_nobody_knows_is_told_by_each(tmp_path: Path) -> None:
    unknown = {"sms.status": Rejected("there is no such message")}
    with ProvidersServed(tmp_path / "s", FakeAccounts(one=unknown, two=unknown)) as served:
        result = ctl(served, "sms", "status", "s-1")

    assert (result.exit_code, result.stdout) == (65, "")
    assert [line.split()[3] for line in result.stderr.splitlines()] == ["one", "two"]


def test_a_list_that_one_provider_did_not_give_is_told_and_not_complete(tmp_path: Path) -> None:
    accounts = FakeAccounts(one={"numbers.list": (OURS,)}, two={"numbers.list": Unavailable("it is down")})
    with ProvidersServed(tmp_path / "s", accounts) as served:
        result = ctl(served, "numbers", "list")
        (number, error) = lines(ctl(served, "numbers", "list", "--json"))

    assert result.exit_code == 1
    assert rows(result)[1][:2] == ["one", "+6531234567"]
    assert result.stderr == "dialerctl: The provider two did not do it: it is down\n"
    assert (number["provider"], error["provider"], error["status"]) == ("one", "two", 503)


@pytest.mark.parametrize(
    ("error", "code"),
    [(Rejected("no"), 65), (AccountRefused("no"), 1), (Unavailable("no"), 75), (Unconfirmed("no"), 1)],
)
def test_a_providers_no_has_its_exit_code(tmp_path: Path, error: Exception, code: int) -> None:
    with ProvidersServed(tmp_path / "s", FakeAccounts(one={"voice.hangup": error})) as served:
        result = ctl(served, "voice", "hangup", "c-1")

    assert (result.exit_code, result.stdout) == (code, "")
    assert "The provider one" in result.stderr


def test_a_jobs_id_stands_for_what_its_provider_has_of_it(served: ProvidersServed) -> None:
    job_id = job_at(served, ref="s-1")

    result = ctl(served, "sms", "status", job_id)
    (found,) = lines(ctl(served, "sms", "status", job_id, "--json"))

    assert result.stdout.startswith(f"job {job_id} to {BERLIN}: queued\nstate")
    assert found["ref"] == "s-1"
    assert served.accounts.asked == [("hoiio", "sms.status", {"ref": "s-1"})] * 2


def test_a_jobs_id_stands_for_its_session(served: ProvidersServed) -> None:
    job_id = job_at(served, ref="t-1", evidence={"session": "S-1"})

    result = ctl(served, "ivr", "play", job_id, "--message", "Hello.")

    assert result.exit_code == 0
    assert served.accounts.asked == [("hoiio", "ivr.play", {"session": "S-1", "message": "Hello."})]


def test_a_job_that_no_provider_has_is_shown_as_it_stands(served: ProvidersServed) -> None:
    served.ask("POST", "/v1/jobs", {"kind": "sms", "to": BERLIN, "body": "x"})
    job_id = jobs(served)[0]["id"]

    status = ctl(served, "sms", "status", job_id)
    hangup = ctl(served, "voice", "hangup", job_id)

    assert (status.exit_code, status.stdout) == (0, f"job {job_id} to {BERLIN}: queued\n")
    assert (hangup.exit_code, served.accounts.asked) == (1, [])
    assert f"No provider has job {job_id}" in hangup.stderr


def test_what_looks_like_a_jobs_id_and_is_none_is_the_providers(served: ProvidersServed) -> None:
    ctl(served, "sms", "status", "0123456789abc", "--provider", "hoiio")

    assert served.accounts.asked == [("hoiio", "sms.status", {"ref": "0123456789abc"})]


def test_an_act_says_that_it_was_done(served: ProvidersServed) -> None:
    kicked = ctl(served, "voice", "kick", "c-1")
    moved = ctl(served, "ivr", "transfer", "S-1", "room:R1", "--on-failure", "continue")

    assert kicked.stdout == "done\nref  c-1\n"
    assert moved.stdout == "done\nsession  S-1\nroom     R1\n"
    assert served.accounts.asked == [
        ("hoiio", "voice.hangup", {"ref": "c-1"}),
        ("hoiio", "ivr.transfer", {"session": "S-1", "dest": "room:R1", "on_failure": "continue"}),
    ]


def test_an_act_that_several_could_do_names_its_provider(tmp_path: Path) -> None:
    accounts = FakeAccounts(one={"voice.hangup": Receipt()}, two={"voice.hangup": Receipt()})
    with ProvidersServed(tmp_path / "s", accounts) as served:
        result = ctl(served, "voice", "hangup", "c-1")

    assert (result.exit_code, accounts.asked) == (1, [])
    assert "Say which provider is to do voice.hangup: one, two." in result.stderr


def test_a_time_without_a_zone_is_the_users(served: ProvidersServed, zone: None) -> None:
    words = ["--since", "2026-11-20 10:30", "--until", "2026-11-21", "--provider", "hoiio"]

    ctl(served, "voice", "history", *words)

    assert served.accounts.asked[0][2] == {"since": AT, "until": datetime(2026, 11, 20, 23, tzinfo=UTC)}


def test_a_time_may_be_so_long_ago(served: ProvidersServed) -> None:
    ctl(served, "voice", "history", "--since", "2d ago", "--until", "1d", "--provider", "hoiio")

    asked = served.accounts.asked[0][2]
    assert timedelta(hours=23, minutes=59) < asked["until"] - asked["since"] < timedelta(hours=24, minutes=1)


@pytest.mark.parametrize("when", [">=2026-13-01", "soon"])
def test_what_is_no_time_is_wrong_use(served: ProvidersServed, when: str) -> None:
    result = ctl(served, "voice", "history", "--since", when)

    assert (result.exit_code, served.accounts.asked) == (2, [])
    assert "--since" in result.stderr
    assert "how long ago: 90m, 24h, 30d" in " ".join(result.stderr.split())
    assert "in 1h30m" not in result.stderr


def test_a_day_that_is_not_in_the_calendar_is_wrong_use(served: ProvidersServed) -> None:
    result = ctl(served, "voice", "history", "--since", "2026-13-01")

    assert (result.exit_code, served.accounts.asked) == (2, [])
    assert "There is no 2026-13-01 in the calendar." in " ".join(result.stderr.split())


def test_providers_are_listed(served: ProvidersServed) -> None:
    served.desk.lines.append({"name": "hoiio", "paused": True, "why": "fire alarm"})

    head, hoiio, flowroute = rows(ctl(served, "providers", "list"))
    one, _ = lines(ctl(served, "providers", "list", "--json"))

    assert head[:3] == ["NAME", "TYPE", "STATE"]
    assert (hoiio[:3], hoiio[-2:]) == (["hoiio", "hoiio", "paused"], ["fire", "alarm"])
    assert flowroute[2:] == ["up", "fax", "numbers", "routes", "sms"]
    assert "sms.send" in one["operations"]


def test_no_provider_at_all_is_told(tmp_path: Path) -> None:
    with ProvidersServed(tmp_path / "s", FakeAccounts()) as served:
        listed = ctl(served, "providers", "list")
        asked = ctl(served, "account", "balance")

    assert (listed.exit_code, asked.exit_code) == (0, 1)
    assert "add a section [providers.NAME]" in listed.stderr
    assert "add a section [providers.NAME]" in asked.stderr


def test_a_check_exits_1_where_one_does_not_answer(tmp_path: Path) -> None:
    accounts = FakeAccounts(
        good={"account.balance": HOIIO["account.balance"]},
        wrong={"account.info": AccountRefused("the key is wrong")},
    )
    with ProvidersServed(tmp_path / "s", accounts) as served:
        all_ = ctl(served, "providers", "check")
        good = ctl(served, "providers", "check", "good")
        nobody = ctl(served, "providers", "check", "god")

    assert [each.exit_code for each in (all_, good, nobody)] == [1, 0, 1]
    assert rows(all_)[1] == ["good", "reachable", "account.balance", "12.50", "SGD", "left"]
    assert rows(all_)[2][:3] == ["wrong", "refused", "account.info"]
    assert 'Did you mean "good"?' in nobody.stderr


def test_who_may_not_ask_is_told_the_right(tmp_path: Path) -> None:
    with ProvidersServed(tmp_path / "s", right=Right.SUBMIT) as served:
        result = ctl(served, "sms", "history")

    assert result.exit_code == 77
    assert "takes the right view-all" in result.stderr
