"""What operations are asked with: parameters by their kinds, over the routes on a real socket."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.intake.asking import AT, ProvidersServed

BERLIN = "+4930123456"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ProvidersServed]:
    with ProvidersServed(tmp_path / "s") as running:
        yield running


def test_every_mistake_in_the_parameters_is_told_at_once(served: ProvidersServed) -> None:
    asked = {"max_digit": "1", "timeout": "soon", "attempts": -1, "message": "a\x00b", "tag": 7}
    heard = served.ask("POST", "/v1/providers/hoiio/ivr.gather", asked)

    found = {each["where"]: each["what"] for each in heard.json["mistakes"]}
    assert heard.status == 422
    assert set(found) == {"max_digit", "session", "timeout", "attempts", "message", "tag"}
    assert 'Did you mean "max_digits"?' in found["max_digit"]
    assert "This is needed: The session." in found["session"]
    assert served.accounts.asked == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("030 123456", BERLIN),
        ("%2B4930123456", BERLIN),
        ("+4930123456", BERLIN),
    ],
)
def test_a_number_is_read_as_people_write_it(served: ProvidersServed, written: str, meant: str) -> None:
    served.ask("GET", f"/v1/ask/fax.rate?to={written.replace(' ', '%20')}")

    assert served.accounts.asked == [("hoiio", "fax.rate", {"to": meant})]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("%2B49%2030%20123456", BERLIN),
        ("+4930123456", BERLIN),
        ("PN5e1d", "PN5e1d"),
        ("16502390214", "16502390214"),
        ("030123456", "030123456"),
    ],
)
def test_a_number_of_the_account_is_named_by_itself_or_by_an_id(
    served: ProvidersServed, written: str, meant: str
) -> None:
    served.ask("GET", f"/v1/providers/hoiio/numbers.show?number={written}")

    assert served.accounts.asked == [("hoiio", "numbers.show", {"number": meant})]


def test_a_number_of_the_account_that_begins_with_a_plus_must_be_one(served: ProvidersServed) -> None:
    heard = served.ask("POST", "/v1/providers/hoiio/numbers.show", {"number": "+1"})

    assert (heard.status, heard.json["mistakes"][0]["where"]) == (422, "number")
    assert served.accounts.asked == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-20T10:30:00%2B01:00", AT),
        ("2026-11-20T10:30:00+01:00", AT),
        ("2026-11-20%2010:30%20Europe/Berlin", AT),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
    ],
)
def test_a_time_is_an_aware_moment(served: ProvidersServed, written: str, meant: datetime) -> None:
    served.ask("GET", f"/v1/providers/hoiio/voice.history?since={written}")

    assert served.accounts.asked == [("hoiio", "voice.history", {"since": meant})]
    assert served.accounts.asked[0][2]["since"].utcoffset() == timedelta(0)


def test_a_time_may_be_so_long_ago(served: ProvidersServed) -> None:
    served.ask("GET", "/v1/providers/hoiio/voice.history?since=2d%20ago&until=1h")

    asked = served.accounts.asked[0][2]
    assert timedelta(hours=46, minutes=59) < asked["until"] - asked["since"] < timedelta(hours=47, minutes=1)
    assert asked["until"] < datetime.now(UTC)


@pytest.mark.parametrize("written", ["yesterday", "2026-13-01", "2026-11-20 10:30"])
def test_what_is_no_time_is_told_how_to_write_one(served: ProvidersServed, written: str) -> None:
    heard = served.ask("POST", "/v1/providers/hoiio/voice.history", {"since": written})

    assert (heard.status, heard.json["mistakes"][0]["where"]) == (422, "since")


def test_flags_and_whole_numbers_are_read(served: ProvidersServed) -> None:
    served.ask("GET", "/v1/providers/hoiio/sms.history?incoming=yes")
    served.ask("POST", "/v1/providers/hoiio/sms.history", {"incoming": False, "since": None})
    served.ask("POST", "/v1/providers/hoiio/ivr.gather", {"session": "S", "max_digits": "0", "timeout": 15})

    assert [each[2] for each in served.accounts.asked] == [
        {"incoming": True}, {"incoming": False}, {"session": "S", "max_digits": 0, "timeout": 15},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("dest", "rule"),
    [("+499001234567", "premium"), ("+8816123456789", "satellite"), ("112", "emergency")],
)
def test_a_call_is_not_connected_with_a_number_that_may_not_be_called(
    served: ProvidersServed, dest: str, rule: str
) -> None:
    heard = served.ask("POST", "/v1/providers/hoiio/ivr.transfer", {"session": "S-1", "dest": dest})

    assert (heard.status, heard.json["mistakes"][0].get("rule")) == (422, rule)
    assert served.accounts.asked == []


def test_a_room_reaches_the_provider_as_it_is(served: ProvidersServed) -> None:
    good = served.ask("POST", "/v1/providers/hoiio/ivr.transfer", {"session": "S-1", "dest": "room:R1"})
    bad = served.ask("POST", "/v1/providers/hoiio/ivr.transfer", {"session": "S-1", "dest": "room:a b"})

    assert served.accounts.asked == [("hoiio", "ivr.transfer", {"session": "S-1", "dest": "room:R1"})]
    assert (good.json["value"]["room"], bad.status) == ("R1", 422)
