"""dialerctl setup on a terminal, and the commands that it runs."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from dialerd.cli import setup_steps
from tests.cli.setting_up import load_toml
from tests.setup.machines import STOCK, Layout


@pytest.fixture
def stock(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "root", STOCK)


def test_on_a_terminal_it_asks_and_asks_again(stock: Layout) -> None:
    said = ["", "", "", "main", "PJSIP/100", "main", "", "-", "XX", "", "", "survey", "y"]

    shown, code = on_a_terminal(stock, said)

    assert code == 0, shown
    config = load_toml(stock)
    assert config.trunks["main"].channel == "PJSIP/{digits}@mytrunk"
    assert (config.calls.default_country, config.calls.destinations, config.calls.contexts) == (
        "DE",
        ("DE",),
        ("survey",),
    )
    assert ("Without a placeholder" in shown, "no country" in shown) == (True, True)


def test_on_a_terminal_no_is_an_answer(stock: Layout) -> None:
    before = stock.state()

    shown, code = on_a_terminal(stock, ["", "", "", "-", "-", "-", "-", "n"])

    assert (code, stock.state()) == (1, before)
    assert shown.rstrip().endswith("Nothing was written.")


def on_a_terminal(machine: Layout, said: list[str]) -> tuple[str, int]:
    """What setup shows to who types this, line by line, and its exit code."""
    ours, theirs = pty.openpty()
    command = [
        sys.executable,
        "-c",
        "from dialerd.cli import main; main()",
        "setup",
        "--root",
        str(machine.root),
    ]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True) as process:
        os.close(theirs)
        os.write(ours, "".join(f"{line}\n" for line in said).encode())
        shown = b""
        while True:
            try:
                shown += os.read(ours, 4096)
            except OSError:  # EIO: nobody holds the other end any more (pty(7))
                break
        code = process.wait(30)
    os.close(ours)
    return shown.decode(), code


def test_a_command_that_fails_does_not_keep_the_others_back(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    steps = [["false"], ["/nowhere/command"], ["touch", str(tmp_path / "done")]]

    went_well = setup_steps.run(steps, quiet=False)

    assert (went_well, (tmp_path / "done").exists()) == (False, True)
    shown = capfd.readouterr()
    assert shown.out.splitlines()[:2] == ["$ false", "$ /nowhere/command"]
    assert "false failed (exit code 1)" in shown.err
    assert "/nowhere/command: No such file" in shown.err


def test_with_json_the_commands_words_are_not_among_it(capfd: pytest.CaptureFixture[str]) -> None:
    went_well = setup_steps.run([["echo", "reloaded"]], quiet=True)

    shown = capfd.readouterr()
    assert (went_well, shown.out, "reloaded" in shown.err) == (True, "", True)


@pytest.mark.parametrize(("code", "went_well"), [(0, True), (3, True), (1, False)])
def test_what_a_check_only_warns_of_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, went_well: bool
) -> None:
    script = tmp_path / "dialerctl"
    script.write_text(f"#!/bin/sh\nexit {code}\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    assert setup_steps.run([["dialerctl", "check"]], quiet=True) is went_well
