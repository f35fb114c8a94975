"""What is remembered of our numbers: prices that a provider leaves out, expiry, and what should be there."""

import json
from datetime import date

import pytest

from dialerd.core.inbound import Did
from dialerd.core.receipts import Number
from dialerd.inventory import Inventory

TODAY = date(2026, 11, 21)
OURS = Number("+6512345678", monthly="4", currency="SGD", expiry=date(2026, 12, 1))


@pytest.fixture
def inventory(tmp_path):
    return Inventory(tmp_path, {})


def test_a_price_that_the_provider_told_once_is_remembered_over_a_restart(inventory, tmp_path):
    inventory.merge("hoi", [OURS])

    again = Inventory(tmp_path, {}).merge("hoi", [Number("+6512345678")])

    assert (again[0].monthly, again[0].currency) == ("4", "SGD")


def test_what_the_provider_says_now_wins(inventory):
    inventory.merge("hoi", [OURS])

    assert inventory.merge("hoi", [Number("+6512345678", monthly="5")])[0].monthly == "5"


def test_a_number_that_expires_soon_is_told_of(inventory):
    inventory.merge("hoi", [OURS])

    assert inventory.problems(TODAY) == [
        "The number +6512345678 of hoi expires on 2026-12-01: subscribe to it again."
    ]


@pytest.mark.parametrize(
    "number", [Number("+651", expiry=date(2027, 3, 1)), Number("+651", expiry=date(2026, 12, 1), renews=True)]
)
def test_one_that_lasts_or_renews_itself_is_not(inventory, number):
    inventory.merge("hoi", [number])

    assert inventory.problems(TODAY) == []


def test_a_number_that_was_given_up_is_forgotten(inventory):
    inventory.merge("hoi", [OURS])
    inventory.merge("hoi", [])

    assert inventory.problems(TODAY) == []


def test_where_asterisk_takes_its_calls_is_told(tmp_path):
    inventory = Inventory(tmp_path, {"+6512345678": Did("+6512345678", context="from-pstn", provider="hoi")})

    assert inventory.merge("hoi", [OURS])[0].context == "from-pstn"


def test_a_number_of_ours_that_the_provider_does_not_list_is_told_as_missing(tmp_path):
    inventory = Inventory(tmp_path, {"+6599": Did("+6599", provider="hoi"), "+6588": Did("+6588", "x")})

    assert [(each.number, each.missing) for each in inventory.merge("hoi", [])] == [("+6599", True)]


DAMAGED = ["", "nonsense", "[]", '{"hoi": []}', '{"hoi": {"+65": 1}}', '{"hoi": {"+65": {"expiry": "x"}}}']


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_file_is_begun_anew(tmp_path, text):
    (tmp_path / "numbers.json").write_text(text)

    Inventory(tmp_path, {}).merge("hoi", [OURS])

    assert "hoi" in json.loads((tmp_path / "numbers.json").read_text())


def test_a_number_that_is_at_no_provider_is_ours_all_the_same(tmp_path):
    inventory = Inventory(
        tmp_path, {"+6588": Did("+6588", context="from-pstn"), "+6599": Did("+6599", "x", "hoi")}
    )

    assert inventory.merge("", ()) == [Number("+6588", context="from-pstn")]
