"""dialerctl submit: files of every kind, with good and bad rows."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialerd.core.model import Disposition
from tests.cli.running import ctl, jobs, lines
from tests.intake.serving import JOB, Served
from tests.waiting import until


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path / "s") as running:
        yield running


CSV = "\ufeffto;play\r\n+493012345671;hello-world\r\nnobody;hello-world\r\n+493012345673;hello-world\r\n"
FILES = {
    "a.csv": (CSV.encode(), 2, [3]),
    "b.json": (json.dumps([JOB, {"to": 1}, JOB]).encode(), 2, [2]),
    "c.json": (json.dumps(JOB).encode(), 1, []),
    "d.ndjson": (json.dumps(JOB).encode() + b"\n\n{nonsense\n[1]\n" + json.dumps(JOB).encode(), 2, [3, 4]),
    "e.jsonl": (json.dumps(JOB).encode(), 1, []),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_submitted_and_bad_rows_are_told_by_number(
    served: Served, tmp_path: Path, name: str
) -> None:
    data, good, bad = FILES[name]
    (tmp_path / name).write_bytes(data)
    result = ctl(served, "submit", str(tmp_path / name))
    assert result.stdout == f"{good} accepted{f', {len(bad)} refused' if bad else ''}.\n"
    assert sorted({int(line.split()[1].rstrip(":")) for line in result.stderr.splitlines()}) == bad
    assert result.exit_code == (65 if bad else 0)
    assert len(jobs(served)) == good


def test_a_call_file_is_submitted(served: Served, tmp_path: Path) -> None:
    (tmp_path / "x.call").write_text("Channel: PJSIP/100@main\nApplication: Echo\n")
    result = ctl(served, "submit", str(tmp_path / "x.call"))
    assert "[calls]: channels" in result.stderr.replace("\n", " ")
    assert result.exit_code == 65


def test_standard_input_is_submitted(served: Served) -> None:
    result = ctl(served, "submit", "-", "--format", "csv", stdin=CSV.encode())
    assert (result.exit_code, result.stdout) == (65, "2 accepted, 1 refused.\n")


def test_a_file_under_one_key_may_be_submitted_again(served: Served, tmp_path: Path) -> None:
    (tmp_path / "x.ndjson").write_text(json.dumps(JOB) + "\n" + json.dumps(JOB) + "\n")
    ctl(served, "submit", str(tmp_path / "x.ndjson"), "--key", "march")
    result = ctl(served, "submit", str(tmp_path / "x.ndjson"), "--key", "march")
    assert (result.exit_code, result.stdout) == (0, "0 accepted, 2 there already.\n")


def test_a_file_that_is_none_as_a_whole_is_refused(served: Served, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('[{"to": "1"}')
    result = ctl(served, "submit", str(tmp_path / "x.json"))
    assert result.exit_code == 65
    assert jobs(served) == []


@pytest.mark.parametrize(("columns", "told"), [("name;phone", True), ("to;to", True), ("to;play", False)])
def test_a_spreadsheet_with_columns_of_its_own_is_told_of_templates(
    served: Served, tmp_path: Path, columns: str, told: bool
) -> None:
    (tmp_path / "x.csv").write_text(f"{columns}\nnobody;hello-world\n")
    result = ctl(served, "submit", str(tmp_path / "x.csv"))
    assert result.exit_code == 65
    assert ("dialerctl submit FILE --template job.toml" in result.stderr.replace("\n", " ")) is told


def test_submit_as_json_has_a_line_for_each_row(served: Served, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(CSV)
    result = ctl(served, "submit", str(tmp_path / "x.csv"), "--json")
    assert sorted((each["line"], each["status"]) for each in lines(result)) == [(2, 201), (3, 422), (4, 201)]


def test_submit_waits_for_all(served: Served, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps([JOB, JOB]))

    def end() -> None:
        until(lambda: len(jobs(served)) == 2)
        for job, outcome in zip(jobs(served), (Disposition.BUSY, Disposition.ANSWERED), strict=True):
            served.desk.end(job["id"], outcome)

    threading.Thread(target=end).start()
    result = ctl(served, "submit", str(tmp_path / "x.json"), "--wait", "--timeout", "10")
    assert result.exit_code == 1
    assert "2 jobs: 1 busy, 1 completed" in result.stdout


@pytest.mark.parametrize("name", ["missing.csv", "what.txt"])
def test_a_file_that_can_not_be_read_is_wrong_usage(served: Served, tmp_path: Path, name: str) -> None:
    assert ctl(served, "submit", str(tmp_path / name)).exit_code == 2
