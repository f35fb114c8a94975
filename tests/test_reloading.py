"""Reading the configuration again: large files take their time, and that is no standstill."""

from pathlib import Path
from threading import Event

import pytest

from dialerd import reloading
from dialerd.config import Config, load
from dialerd.reloading import Reloading
from dialerd.rulebook import Rulebook

TEXT = '[calls]\ndestinations = ["{}"]\n'


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setattr(reloading, "SIGN_EVERY_S", 0.01)
    path = tmp_path / "dialerd.toml"
    path.write_text(TEXT.format("DE"))
    return path


def reloaded(rules: Reloading) -> list[Rulebook]:
    """The rules that others were handed."""
    told: list[Rulebook] = []
    rules.reload(lambda book: None, told.append)
    return told


def slow(monkeypatch: pytest.MonkeyPatch) -> Event:
    """From now on the configuration can be read only once this event is set."""
    readable = Event()

    def read(path: Path | None) -> Config:
        readable.wait(30)
        return load(path)

    monkeypatch.setattr(reloading, "load", read)
    return readable


def test_signs_of_life_are_given_while_the_files_are_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readable, signs = slow(monkeypatch), []

    def sign() -> None:
        signs.append(1)
        if len(signs) == 3:
            readable.set()

    rules = Reloading(load(path), path, sign)
    path.write_text(TEXT.format("AT"))
    (book,) = reloaded(rules)
    assert len(signs) >= 3
    assert (list(book.config.calls.destinations), rules.trouble) == (["AT"], [])


def test_files_that_hang_are_told_and_the_old_rules_count(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reloading, "READ_LIMIT_S", 0.05)
    readable, rules = slow(monkeypatch), Reloading(load(path), path)
    before, told = rules.book, reloaded(rules)
    readable.set()
    assert (told, rules.book, rules.refused) == ([], before, True)
    assert "could not be read within" in rules.trouble[0]


def test_mistakes_are_told_and_the_old_rules_count(path: Path) -> None:
    rules = Reloading(load(path), path)
    before = rules.book
    path.write_text("[nonsense\n")
    assert reloaded(rules) == []
    assert rules.book is before
    assert "it has mistakes" in rules.trouble[0]
