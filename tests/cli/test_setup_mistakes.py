"""What dialerctl setup refuses, and says of it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dialerd.cli import main
from tests.cli.setting_up import USUAL, setup
from tests.setup.machines import STOCK, Layout
from tests.users import ROOT


@pytest.fixture
def stock(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "root", STOCK)


def mistakes(result: Result) -> list[str]:
    """Of what the mistakes are."""
    assert result.exit_code == 2, result.output
    return [line.removeprefix("dialerctl: ").split(": ")[0] for line in result.stderr.splitlines()]


def test_every_mistake_is_told_at_once(stock: Layout) -> None:
    wrong = ("--spool", "/nowhere", "--asterisk-user", "nobody2", "--country", "XX", "--destinations", "Q")
    trunks = ("--trunk", "half", "--trunk", "main=PJSIP/100")
    stock.write("etc/passwd", "asterisk:x:101:101::/:/bin/false\n")
    before = stock.state()

    result = setup(stock, *wrong, *trunks, "--ami-port", "0", "--apply", "--yes")

    found = mistakes(result)
    assert {"--spool", "--asterisk-user", "--country", "--destinations"} < set(found)
    assert {"--trunk", "--trunk main", "--ami-port", "--apply"} < set(found)
    assert "There is no user and group dialerd" in result.stderr
    assert stock.state() == before


def test_mistakes_are_told_as_json_too(stock: Layout) -> None:
    result = setup(stock, *USUAL, "--country", "XX", "--json")

    assert [each["where"] for each in json.loads(result.stdout)["mistakes"]] == ["--country"]


def test_a_user_of_ami_that_there_is_already_is_not_taken_over(stock: Layout) -> None:
    stock.write("etc/asterisk/manager.d/other.conf", "[dialerd]\nsecret = theirs\n")

    assert mistakes(setup(stock, *USUAL)) == ["--ami-user"]


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("--root", "/nowhere-at-all"), "--root"),
        (("--asterisk-etc", "etc"), "--asterisk-etc"),
        (("--asterisk-etc", "/etc/other"), "--asterisk-etc"),
        (("--config-dir", "x"), "--config-dir"),
    ],
)
def test_folders_that_there_are_not_are_mistakes(stock: Layout, words: tuple[str, str], option: str) -> None:
    assert mistakes(setup(stock, *USUAL, *words)) == [option]


def test_a_folder_that_can_t_be_written_to_is_told_of(stock: Layout) -> None:
    stock.write("etc/tmpfiles.d", "a file\n")

    result = setup(stock, *USUAL)

    assert (result.exit_code, "Not all was written" in result.stderr or "can't be read" in result.stderr) in (
        (1, True),
        (2, True),
    )


@pytest.mark.skipif(ROOT, reason="root may write everywhere")
def test_it_takes_root_to_set_up_this_machine() -> None:
    result = CliRunner().invoke(main, ["setup", "--yes"])

    assert "It takes root" in result.stderr


def test_files_that_can_t_be_read_are_named_once_and_nothing_is_said_of_the_rest(stock: Layout) -> None:
    for name in ("manager.conf", "pjsip.conf"):
        path = stock.root / "etc/asterisk" / name
        path.unlink()
        path.symlink_to(path)

    said = setup(stock, "--country", "Germany").stderr

    assert said.count("\n") == 1
    assert "/etc/asterisk/manager.conf, /etc/asterisk/pjsip.conf" in said
