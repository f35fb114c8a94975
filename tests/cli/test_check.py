"""dialerctl check: the worst first, what to do, and an exit code by the worst."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dialerd import __version__
from dialerd.cli import checking, main
from dialerd.cli.check import _print_wide, of_findings
from dialerd.client import Client, TryLater, Unreachable
from dialerd.core.findings import Finding, error, note, ok, skipped, warning
from dialerd.core.roles import Roles
from dialerd.intake.api import Api, Extras
from tests.cli.running import ctl, lines
from tests.intake.serving import RULES, Served

CAN_T_START = TryLater(
    {"status": 503, "detail": "dialerd can't start; its log says why. Nothing was accepted."}
)


class Looked(Served):
    """A daemon that found this."""

    def __init__(self, path: Path, *found: Finding) -> None:
        super().__init__(path)
        extras = Extras(book=None, reporter=None, look=lambda whole: found)  # type: ignore[arg-type]
        everybody = Roles(admins=frozenset(range(1 << 16)))
        self.api = Api(self.settings, self.desk, RULES, everybody, extras)


@pytest.fixture
def good(tmp_path: Path) -> str:
    """A configuration without mistakes."""
    (tmp_path / "good.toml").write_text("")
    return str(tmp_path / "good.toml")


@pytest.fixture
def older(tmp_path: Path) -> Iterator[Served]:
    """A daemon that does not know the question."""
    with Served(tmp_path / "s") as served:
        yield served


def by_check(result: Result) -> dict[str, dict[str, str]]:
    return {each["check"]: each for each in lines(result)}


def checked(path: Path, good: str, *found: Finding, flags: Sequence[str] = ("--json",)) -> Result:
    with Looked(path, *found) as served:
        return ctl(served, "check", "--config", good, *flags)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([ok("a", "A."), note("b", "B."), skipped("c", "C.")], 0),
        ([ok("a", "A."), warning("b", "B.")], 3),
        ([warning("b", "B."), error("c", "C.")], 1),
    ],
)
def test_the_exit_code_is_by_the_worst(found: list[Finding], code: int) -> None:
    assert of_findings(found) == code


def test_the_daemons_findings_are_shown_with_what_to_do(tmp_path: Path, good: str) -> None:
    result = checked(tmp_path / "s", good, error("ami", "Nothing listens.", "Start Asterisk."), flags=())

    first = result.stdout.splitlines()[1].split()
    assert result.exit_code == 1
    assert first[:2] == ["ERROR", "ami"]
    assert "Start Asterisk." in result.stdout


def test_json_is_one_finding_a_line_the_worst_first(tmp_path: Path, good: str) -> None:
    result = checked(tmp_path / "s", good, ok("disk", "Room."), error("ami", "Nothing listens.", "Start it."))

    assert lines(result)[0] == {
        "check": "ami",
        "verdict": "error",
        "ok": False,
        "found": "Nothing listens.",
        "todo": "Start it.",
    }
    assert by_check(result)["version"]["ok"] is True
    assert by_check(result)["configuration"]["ok"] is True


def test_only_problems_are_shown_where_they_are_asked_for(tmp_path: Path, good: str) -> None:
    result = checked(
        tmp_path / "s", good, ok("disk", "Room."), error("ami", "No."), flags=("--json", "--problems")
    )

    assert "ami" in by_check(result)
    assert all(each["verdict"] in ("error", "warning") for each in lines(result))


def test_mistakes_in_the_configuration_are_errors(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[sockt]\n")
    result = checked(tmp_path / "s", str(tmp_path / "bad.toml"))

    assert result.exit_code == 1
    assert "sockt" in by_check(result)["configuration"]["found"]


def test_a_secret_that_is_the_daemons_own_is_not_judged(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text('[ami]\nusername = "dialerd"\nsecret_file = "/nonexistent/secret"\n')
    result = checked(tmp_path / "s", str(tmp_path / "x.toml"))

    assert by_check(result)["configuration"]["verdict"] == "not looked at"


def test_what_the_daemon_could_not_see_is_looked_at_from_here(tmp_path: Path, good: str) -> None:
    result = checked(
        tmp_path / "s", good, skipped("inotify", "It is hidden."), ok("asterisk files", "Enough.")
    )

    assert by_check(result)["inotify"]["found"] != "It is hidden."
    assert by_check(result)["asterisk files"]["found"] == "Enough."


def test_a_daemon_of_another_version_is_a_warning(older: Served, good: str) -> None:
    found = by_check(ctl(older, "check", "--config", good, "--json"))["version"]

    assert found["verdict"] == "warning"
    assert __version__ in found["found"]
    assert "systemctl restart dialerd" in found["todo"]


def test_an_older_daemons_problems_are_shown_all_the_same(older: Served, good: str) -> None:
    older.desk.problems = ["The disk is nearly full."]

    found = by_check(ctl(older, "check", "--config", good, "--json"))

    assert found["daemon"]["found"] == "The disk is nearly full."


def test_where_no_daemon_answers_it_is_said_how_to_start_it(tmp_path: Path, good: str) -> None:
    words = ["check", "--json", "--socket", str(tmp_path / "none" / "s"), "--config", good]
    result = CliRunner().invoke(main, words)

    found = by_check(result)
    assert result.exit_code == 69
    assert "systemctl start dialerd" in found["daemon"]["todo"]
    assert "journalctl -u dialerd" in found["daemon"]["todo"]
    assert "There is no folder" in found["socket"]["found"]
    assert found["disk"]["verdict"]


def test_a_file_in_the_sockets_place_is_named(tmp_path: Path, good: str) -> None:
    (tmp_path / "s").touch()
    result = CliRunner().invoke(main, ["check", "--json", "--socket", str(tmp_path / "s"), "--config", good])

    assert "is no socket" in by_check(result)["socket"]["found"]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (
            {"LoadState": "loaded", "ActiveState": "failed", "Result": "exit-code", "ExecMainStatus": "78"},
            "exit code 78",
        ),
        ({"LoadState": "loaded", "ActiveState": "inactive", "ConditionResult": "no"}, "dialerctl setup"),
        ({"LoadState": "loaded", "ActiveState": "activating", "SubState": "auto-restart"}, "auto-restart"),
    ],
)
def test_what_systemd_knows_of_a_service_that_is_away_is_told(state: dict[str, str], words: str) -> None:
    (found,) = checking._unit(state)

    assert words in f"{found.found} {found.todo}"


def test_nothing_is_told_of_a_service_that_systemd_does_not_have() -> None:
    assert list(checking._unit({"LoadState": "not-found"})) == []


def test_findings_can_be_read_by_programs(tmp_path: Path, good: str) -> None:
    result = checked(tmp_path / "s", good, note("held jobs", "2 jobs wait.", "dialerctl list --state held"))

    assert all(
        {"check", "verdict", "ok", "found"} <= json.loads(line).keys() for line in result.stdout.splitlines()
    )


def test_on_a_terminal_what_to_do_stands_below_what_was_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    _print_wide(
        [
            ("ERROR", "ami", "Nothing listens at 127.0.0.1:5038.", "Start Asterisk."),
            ("ok", "disk", "Room.", ""),
        ]
    )

    assert capsys.readouterr().out.splitlines() == [
        "ERROR  ami   Nothing listens at 127.0.0.1:5038.",
        "             Start Asterisk.",
        "ok     disk  Room.",
    ]


def test_a_missing_file_says_nothing_where_a_daemon_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "DEFAULT_PATH", tmp_path / "none.toml")
    with Looked(tmp_path / "s", ok("disk", "Room.")) as served:
        found = by_check(ctl(served, "check", "--json"))

    assert "configuration" not in found


def test_a_configuration_that_one_may_not_look_for_is_not_called_missing(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")

    there = [checking._is_there(tmp_path / name) for name in ("loop/dialerd.toml", "none/dialerd.toml")]

    assert there == [True, False]


def journal(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program in journalctl's place, and no systemctl."""
    for name, text in (("journalctl", script), ("systemctl", "exit 1")):
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def of_one_that_can_t_start(tmp_path: Path) -> Finding:
    with Client(tmp_path / "s") as client:
        return next(checking._away(client, CAN_T_START))


@pytest.mark.parametrize(
    "script",
    ["exit 0", "echo 'No journal files were opened.' >&2; exit 1", "exec sleep 60"],
    ids=["it is empty", "it is not for this user", "it hangs"],
)
def test_a_daemon_that_can_t_start_is_told_of_without_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr(checking, "LOG_S", 0.3)
    journal(tmp_path, script, monkeypatch)

    found = of_one_that_can_t_start(tmp_path)

    assert (found.found, found.todo) == (str(CAN_T_START), "Why it ended: journalctl -u dialerd -n 50.")


def test_without_a_journal_a_daemon_that_can_t_start_is_told_of_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert of_one_that_can_t_start(tmp_path).found == str(CAN_T_START)


def test_the_last_error_of_the_log_is_quoted_where_it_may_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    why = "dialerd: asterisk.user: there is no user asterisk."
    journal(tmp_path, f"echo an older one; printf '%s\\033[2J\\n' '{why}'", monkeypatch)

    assert of_one_that_can_t_start(tmp_path).found == f"{CAN_T_START} The last error in its log: {why}[2J"


def test_of_a_daemon_that_was_stopped_no_old_error_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal(tmp_path, "echo of last week", monkeypatch)
    with Client(tmp_path / "s") as client:
        told = [each.found for each in checking._away(client, Unreachable("Nobody listens. Start it."))]

    assert told[0] == "Nobody listens."
