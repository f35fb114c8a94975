"""Numbers over a real socket: those of providers, and those that only Asterisk has."""

from pathlib import Path
from typing import Any

from dialerd.core.receipts import Number
from tests.intake.asking import FakeAccounts, ProvidersServed

THEIRS, LOCAL = Number("+4930111"), Number("+4930222", context="from-pstn")


def test_numbers_of_ours_that_are_at_no_provider_are_listed_beside_theirs(tmp_path: Path) -> None:
    def inventory(name: str, items: Any) -> Any:
        return items if name else (LOCAL,)

    accounts = FakeAccounts(one={"numbers.list": (THEIRS,)})
    with ProvidersServed(tmp_path / "s", accounts, inventory=inventory) as served:
        everything = served.ask("GET", "/v1/ask/numbers.list").json["answers"]
        one = served.ask("GET", "/v1/ask/numbers.list?provider=one").json["answers"]

    assert [each["provider"] for each in everything] == ["one", ""]
    assert everything[1]["items"][0] == {"number": "+4930222", "context": "from-pstn"}
    assert [each["provider"] for each in one] == ["one"]
