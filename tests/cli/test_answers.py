"""What providers answer, as dialerctl shows it to people, before a real Api on a real socket."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dialerd.core.model import Disposition
from dialerd.core.receipts import Receipt
from tests.cli.running import ctl, rows
from tests.intake.asking import AT, OURS, SENT, FakeAccounts, ProvidersServed

BERLIN = "+4930123456"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ProvidersServed]:
    with ProvidersServed(tmp_path / "s") as running:
        yield running


def test_a_long_text_is_cut_and_kept_on_its_line(tmp_path: Path) -> None:
    message = replace(SENT, body="Hello\nthere, " + "and on " * 40)
    with ProvidersServed(tmp_path / "s", FakeAccounts(one={"sms.history": (message,)})) as served:
        result = ctl(served, "sms", "history")

    assert len(result.stdout.splitlines()) == 2
    assert "Hello there, and on" in result.stdout
    assert result.stdout.endswith("…\n")


def test_a_history_without_anything_in_it_says_so(served: ProvidersServed) -> None:
    shown, as_json = ctl(served, "fax", "history"), ctl(served, "fax", "history", "--json")

    assert (shown.stdout, as_json.stdout) == ("None.\n", "")


def test_what_came_in_is_received_and_not_under_way(tmp_path: Path) -> None:
    came = (
        Receipt("m-1", word="received", at=AT, to=BERLIN, incoming=True),
        Receipt("m-2", word="new", at=AT, to=BERLIN, incoming=True),
        Receipt("m-3", disposition=Disposition.FAILED, at=AT, to=BERLIN, incoming=True),
    )
    with ProvidersServed(tmp_path / "s", FakeAccounts(one={"sms.history": came})) as served:
        _, *found = rows(ctl(served, "sms", "history", "--incoming"))

    assert [each[3:-1] for each in found] == [["received"], ["received", "(new)"], ["failed"]]


def test_a_call_under_way_is_told(tmp_path: Path) -> None:
    calls = (
        Receipt("c-1", at=AT, to=BERLIN),
        Receipt("c-2", disposition=Disposition.BUSY, word="busy", at=AT, to=BERLIN),
    )
    with ProvidersServed(tmp_path / "s", FakeAccounts(one={"voice.history": calls})) as served:
        _, first, second = rows(ctl(served, "voice", "history"))

    assert (first[-3:-1], second[-2]) == (["under", "way"], "busy")


def test_rates_and_countries_and_routes_are_tables(served: ProvidersServed) -> None:
    rate = rows(ctl(served, "sms", "rate", BERLIN, "Hello"))
    countries = rows(ctl(served, "numbers", "countries"))
    routes = rows(ctl(served, "routes", "list"))
    numbers = ctl(served, "numbers", "list")

    assert rate[1] == ["0.05", "SGD", "message", "2", "0.10", "SGD"]
    assert countries[1] == ["US", "United", "States", "1", "CA"]
    assert routes[1] == ["98396", "host", "pbx.example.com", "office"]
    assert "2026-12-01 ends" in numbers.stdout


def test_what_we_know_of_a_number_is_shown(tmp_path: Path) -> None:
    def inventory(_name: str, items: Any) -> Any:
        return [replace(each, context="office", missing=True) for each in items]

    accounts = FakeAccounts(one={"numbers.list": (OURS,)})
    with ProvidersServed(tmp_path / "s", accounts, inventory=inventory) as served:
        result = ctl(served, "numbers", "list")

    head, number = result.stdout.splitlines()
    assert head.split()[-2:] == ["CONTEXT", "NOTE"]
    assert number.endswith("office   the provider does not list it")


def test_the_word_that_answers_an_act_is_no_state(tmp_path: Path) -> None:
    has = {
        "fax.cancel": Receipt(ref="f-1", word="ok"),
        "voice.hangup": Receipt(disposition=Disposition.CANCELLED),
    }
    with ProvidersServed(tmp_path / "s", FakeAccounts(one=has)) as served:
        cancelled, hung_up = ctl(served, "fax", "cancel", "f-1"), ctl(served, "voice", "hangup", "c-1")

    assert cancelled.stdout == "done\nref  f-1\n"
    assert hung_up.stdout == "done\nstate  cancelled\n"
