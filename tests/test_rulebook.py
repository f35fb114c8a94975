"""What the rulebook makes of the configuration and its files, for the parts."""

from pathlib import Path

import pytest

from dialerd.config import from_text
from dialerd.core.errors import ConfigError
from dialerd.providers.registry import TYPES
from dialerd.rulebook import Rulebook, looked_through
from tests.config.accounts import Parrot, Pigeon, secret_file


@pytest.fixture(autouse=True)
def types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TYPES, "pigeon", Pigeon)
    monkeypatch.setitem(TYPES, "parrot", Parrot)


def rulebook_of(folder: Path, text: str = "", secret: str = "s3cret") -> Rulebook:
    """A rulebook with the provider exo, whose own options begin `text`."""
    account = f'account = "key"\nsecret_file = "{secret_file(folder, secret)}"'
    exo = f'[providers.exo]\ntype = "pigeon"\ncoop = "de"\n{account}\n{text}'
    return Rulebook(from_text(exo, {"STATE_DIRECTORY": str(folder / "state")}))


def test_the_rulebook_hands_out_accounts_and_rules_that_know_them(tmp_path: Path) -> None:
    rulebook = rulebook_of(tmp_path, "connections = 7")

    (account,) = rulebook.accounts
    assert (account.name, account.provider.secret.value, account.connections) == ("exo", "s3cret", 7)
    assert rulebook.rules().providers["exo"].operations == account.provider.available()
    assert rulebook.policy().rules.lines()["exo"].max_channels == 7


def test_a_rulebook_that_is_made_anew_has_the_secret_of_now(tmp_path: Path) -> None:
    before = rulebook_of(tmp_path)

    after = rulebook_of(tmp_path, secret="another")

    secrets = [each.accounts[0].provider.secret.value for each in (before, after)]
    assert secrets == ["s3cret", "another"]


def test_the_rulebook_hands_out_our_numbers(tmp_path: Path) -> None:
    rulebook = rulebook_of(tmp_path, '[dids."+4930123456"]\ncontext = "from-pstn"')

    assert rulebook.dids["+4930123456"].context == "from-pstn"


def test_prices_may_be_those_of_a_provider(tmp_path: Path) -> None:
    rates = tmp_path / "rates.csv"
    rates.write_text("prefix,per_minute,trunk\n+49,0.02,exo\n")

    rulebook = rulebook_of(tmp_path, f'[caps]\nrates = "{rates}"')

    assert len(rulebook.rates.table) == 1


def test_prices_of_a_way_out_that_is_not_there_are_a_mistake(tmp_path: Path) -> None:
    rates = tmp_path / "rates.csv"
    rates.write_text("prefix,per_minute,trunk\n+49,0.02,exa\n")

    with pytest.raises(ConfigError, match='Did you mean "exo"'):
        rulebook_of(tmp_path, f'[caps]\nrates = "{rates}"')


def test_a_configuration_without_mistakes_is_told_by_its_name_and_nothing_is_made(tmp_path: Path) -> None:
    path = tmp_path / "some.toml"
    path.write_text(f'state_dir = "{tmp_path}/state"\n')

    said = looked_through(path)

    assert said == f"{path} is fine."
    assert list(tmp_path.iterdir()) == [path]
