"""The manual pages: one for each command, without warnings, the same each time, and as wide as a terminal."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dialerd.cli import main
from scripts.lib.manuals import code, roff
from scripts.lib.manuals.__main__ import write
from scripts.lib.manuals.markdown import Renderer, parsed
from scripts.lib.manuals.pages import date
from tests.test_docs import PROJECT

COLUMNS = 80
COMMANDS = list(main.commands) or main.list_commands(None)  # type: ignore[arg-type]
FORMATS = {"dialerd.toml.5", "dialerd-job.5", "dialerd-template.5"}


def rendered(text: str, own: str = "") -> list[str]:
    """A document in Markdown as roff."""
    return Renderer(own).section(parsed(text))


def run(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, words)),
        env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": str(COLUMNS), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def needed(program: str) -> str:
    """Where a program is; the test is skipped where it is not installed."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


@pytest.fixture(scope="module")
def manuals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("manuals")
    write(folder)
    return folder / "man"


def test_each_command_has_a_page(manuals: Path) -> None:
    there = {path.name for path in manuals.iterdir()}

    assert there == {f"dialerctl-{name}.1" for name in COMMANDS} | {"dialerctl.1", "dialerd.8"} | FORMATS


def test_the_page_of_dialerctl_lists_each_command(manuals: Path) -> None:
    page = (manuals / "dialerctl.1").read_text()

    assert [name for name in COMMANDS if f"\n{roff.reference(f'dialerctl-{name}(1)')}\n" not in page] == []


def test_the_page_of_the_configuration_has_every_option(manuals: Path) -> None:
    document = (PROJECT / "docs" / "configuration.md").read_text(encoding="utf-8")
    options = re.findall(r"^\| `([a-z_]+)` \|", document, re.MULTILINE)

    page = (manuals / "dialerd.toml.5").read_text()

    assert len(options) > 100
    assert [name for name in options if roff.bold(name) not in page] == []


def test_man_shows_the_pages_without_a_warning(manuals: Path) -> None:
    man = needed("man")

    told = {path.name: run(man, "--warnings", "-E", "UTF-8", "-l", path).stderr for path in manuals.iterdir()}

    assert {name: text for name, text in told.items() if text} == {}


def test_the_pages_fit_a_terminal(manuals: Path) -> None:
    man, col = needed("man"), needed("col")
    wide = {}
    for path in manuals.iterdir():
        shown = subprocess.run(
            [col, "-bx"], input=run(man, "-l", path).stdout, capture_output=True, text=True
        )
        wide[path.name] = [line for line in shown.stdout.splitlines() if len(line) > COLUMNS]

    assert {name: lines for name, lines in wide.items() if lines} == {}


def test_the_pages_are_found_by_what_they_are_about(manuals: Path) -> None:
    lexgrog = needed("lexgrog")

    done = run(lexgrog, *sorted(manuals.iterdir()))

    assert done.returncode == 0, done.stdout
    assert '"dialerctl-submit - submit the jobs in a FILE, however many"' in done.stdout


def test_mandoc_finds_nothing_wrong(manuals: Path) -> None:
    mandoc = needed("mandoc")

    assert run(mandoc, "-T", "lint", "-W", "warning", *sorted(manuals.iterdir())).stdout == ""


def test_the_pages_refer_to_pages_that_there_are(manuals: Path) -> None:
    there = {path.name for path in manuals.iterdir()}
    named = {
        f"{name.replace(chr(92), '')}.{section}"
        for path in manuals.iterdir()
        for name, section in re.findall(r"\\fB(dialer[^\s()]*)\\fR\((\d)\)", path.read_text())
    }

    assert len(named) > 10
    assert named - there == set()


def test_the_same_is_written_each_time(tmp_path: Path) -> None:
    written = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        done = run(
            PROJECT / "scripts" / "manuals",
            folder,
            PYTHON=sys.executable,
            PYTHONHASHSEED=seed,
            SOURCE_DATE_EPOCH="1767225600",
        )
        assert done.returncode == 0, done.stderr
        written.append({path.relative_to(folder): path.read_text() for path in folder.rglob("*.*")})

    assert written[0] == written[1]
    assert '"2026-01-01"' in written[0][Path("man/dialerd.8")]


def test_a_python_that_there_is_not_is_named(tmp_path: Path) -> None:
    done = run(PROJECT / "scripts" / "manuals", tmp_path, PYTHON="/nonexistent/python")

    assert done.returncode == 1
    assert "there is no /nonexistent/python" in done.stderr


def test_the_date_is_that_of_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert date() == "1970-01-02"


def test_no_line_of_text_is_taken_for_a_request() -> None:
    assert rendered(".TH is\n") == [".PP", "\\&.TH is"]
    assert roff.block([".PP", "'x", "a\\b"])[3:6] == ["\\&.PP", "\\(aqx", "a\\eb"]


def test_options_keep_their_hyphens_and_code_is_bold() -> None:
    assert rendered("Give `--as` to a do-not-call --list.\n") == [
        ".PP",
        "Give \\fB\\-\\-as\\fR to a do-not-call \\-\\-list.",
    ]


def test_a_wide_table_becomes_a_list() -> None:
    about = "what is told of it, at such a length that no terminal could show it beside the others"
    rows = f"| `a` | needed | {about} |\n| `b` | `1` | {about}: x |\n"

    found = " ".join(rendered(f"| option | default | what it is |\n|---|---|---|\n{rows}"))

    begin = f"{about[0].upper()}{about[1:]}"
    assert found == f".TP \\fBa\\fR {begin}. It must be given. .TP \\fBb\\fR {begin}: x. Default: \\fB1\\fR."


def test_a_narrow_table_stays_one() -> None:
    found = rendered("| a | b | c |\n|---|---|---|\n| 1 | | 3 |\n")

    assert found[1:] == [".TS", "l l l", "l l l.", "\\fBa\\fR\t\\fBb\\fR\t\\fBc\\fR", "1\t\t3", ".TE"]


def test_documents_that_are_pages_are_referred_to_as_pages() -> None:
    (_, line) = rendered("See [jobs](jobs.md#forms), [here](#x) and [hours](hours.md).\n")

    assert line == "See jobs (see \\fBdialerd\\-job\\fR(5)), here and \\fIhours\\fR."


@pytest.mark.parametrize(
    ("language", "text", "fitted"),
    [
        ("toml", "a = 1  # one", ["a = 1  # one"]),
        ("toml", f"a = 1  # {'x' * 70}", [f"# {'x' * 70}", "a = 1"]),
        (
            "sh",
            f"dialerctl submit file.csv --batch {'x' * 30} --log rows.ndjson",
            [f"dialerctl submit file.csv --batch {'x' * 30} \\", "    --log rows.ndjson"],
        ),
        (
            "json",
            '{"a": "' + "x" * 40 + '", "b": "' + "y" * 40 + '"}',
            ['{"a": "' + "x" * 40 + '",', '    "b": "' + "y" * 40 + '"}'],
        ),
    ],
)
def test_code_that_is_too_wide_is_cut_where_it_may_be(language: str, text: str, fitted: list[str]) -> None:
    assert code.fitted(text, language) == fitted
