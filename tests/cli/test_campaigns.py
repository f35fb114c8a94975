"""submit --template and --dry-run, and the report that accounts for every row."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result

from dialerd.cli.seen import Seen
from dialerd.core.model import Draft
from dialerd.core.signals import Preview
from tests.cli.running import ctl, jobs, lines
from tests.intake.serving import JOB, Served

RUN = [sys.executable, "-c", "from dialerd.cli import main; main()"]
NINE = datetime(2036, 12, 1, 9, tzinfo=UTC)
TEMPLATE = 'to = "{phone}"\nplay = "hello-world"\ncaller_id = \'"{city}" <100>\'\n'
LEADS = "Phone;City;last contact;priority\n" + "".join(
    f"030123456{number};Berlin;x;\n" for number in (10, 11, 12, 13, 14)
)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path / "s") as running:
        yield running


@pytest.fixture
def leads(tmp_path: Path) -> Path:
    (tmp_path / "job.toml").write_text(TEMPLATE)
    (tmp_path / "leads.csv").write_text(LEADS)
    return tmp_path


def submit(served: Served, leads: Path, *words: str) -> Result:
    return ctl(served, "submit", str(leads / "leads.csv"), "--template", str(leads / "job.toml"), *words)


def test_rows_become_jobs_by_the_template_in_the_batch_of_the_files_name(served: Served, leads: Path) -> None:
    result = submit(served, leads)
    assert (result.exit_code, result.stdout) == (0, "5 accepted.\n")
    assert {job["batch"] for job in jobs(served)} == {"leads"}
    assert jobs(served)[-1]["to"] == "+493012345610"
    assert jobs(served)[-1]["caller_id"] == {"name": "Berlin", "number": "100"}


def test_the_same_file_again_calls_nobody_twice_even_in_another_order(served: Served, leads: Path) -> None:
    submit(served, leads)
    header, *rows = LEADS.splitlines()
    (leads / "leads.csv").write_text("\n".join([header, *reversed(rows), "03012345699;Bonn;x;"]))
    result = submit(served, leads)
    assert (result.exit_code, result.stdout) == (0, "1 accepted, 5 there already.\n")


def test_a_changed_template_does_not_call_the_same_rows_again_but_a_new_batch_does(
    served: Served, leads: Path
) -> None:
    submit(served, leads)
    (leads / "job.toml").write_text(TEMPLATE + "priority = 3\n")
    again, anew = submit(served, leads), submit(served, leads, "--batch", "second")
    assert (again.exit_code, again.stdout) == (65, "0 accepted, 5 refused.\n")
    assert (anew.exit_code, anew.stdout) == (0, "5 accepted.\n")


def test_a_template_with_mistakes_is_told_with_all_of_them_and_nothing_is_accepted(
    served: Served, leads: Path
) -> None:
    (leads / "job.toml").write_text('to = "{fone}"\nplya = "x"\n')
    result = submit(served, leads)
    assert result.exit_code == 65
    assert "job.toml, to: There is no column 'fone'. Did you mean \"phone\"?" in result.stderr
    assert 'job.toml, plya: This name is not known here. Did you mean "play"?' in result.stderr
    assert "job.toml, play: Say what happens on answer" in result.stderr
    assert jobs(served) == []


def test_a_column_like_a_field_is_warned_of(served: Served, leads: Path) -> None:
    (leads / "leads.csv").write_text("phone;city;wait_tme\n03012345610;Bonn;30\n")
    result = submit(served, leads)
    assert result.exit_code == 0
    assert 'The column "wait_tme" is not used. Did you mean "wait_time"?' in result.stderr


def test_rows_with_mistakes_are_told_by_number_and_logged(served: Served, leads: Path) -> None:
    (leads / "leads.csv").write_text(LEADS + "nobody;Bonn;x;\n030;a;b;c;d\n")
    result = submit(served, leads, "--log", str(leads / "log"))
    told = [json.loads(line) for line in (leads / "log").read_text().splitlines()]
    assert (result.exit_code, result.stdout) == (65, "5 accepted, 2 refused.\n")
    assert sorted({line.split()[1] for line in result.stderr.splitlines() if line.startswith("row")}) == [
        "7:",
        "8:",
    ]
    assert sorted((each["line"], each["status"]) for each in told) == [
        *((row, 201) for row in range(2, 7)),
        (7, 422),
        (8, 422),
    ]


def test_a_key_for_each_row_may_come_from_the_command_or_the_template(served: Served, leads: Path) -> None:
    submit(served, leads, "--key", "may")
    (leads / "job.toml").write_text(TEMPLATE + 'key = "row {phone}"')
    submit(served, leads)
    keys = [job["key"] for job in reversed(jobs(served))]
    assert keys[:2] == ["may/2", "may/3"]
    assert keys[5:7] == ["row 03012345610", "row 03012345611"]


@pytest.mark.parametrize("words", [["-", "--format", "csv"], ["leads.ndjson"]])
def test_what_a_template_does_not_go_with_is_wrong_usage(
    served: Served, leads: Path, words: list[str]
) -> None:
    (leads / "leads.ndjson").write_text("{}\n")
    file, *options = words
    path = file if file == "-" else str(leads / file)
    result = ctl(served, "submit", path, *options, "--template", str(leads / "job.toml"), stdin=LEADS)
    assert result.exit_code == 2


def judge(draft: Draft) -> Preview:
    last = draft.call.to[0][-1]
    if last == "1":
        return Preview("refused", "do_not_call", "It is on the list customers.")
    if last == "2":
        return Preview("later", "hours", "It is outside business hours.", NINE)
    return Preview("now", call_file=b"Channel: PJSIP/x\n")


def dry(served: Served, leads: Path, *words: str, rows: str = "") -> Result:
    served.desk.judge = judge
    (leads / "leads.csv").write_text(LEADS + rows)
    return submit(served, leads, "--dry-run", *words)


def test_a_dry_run_counts_rows_by_reason_and_accepts_none(served: Served, leads: Path) -> None:
    result = dry(served, leads, rows="nobody;Bonn;x;\n0301234561;Bonn;y;\n")
    nine = NINE.astimezone().strftime("%Y-%m-%d %H:%M")
    first, *rest = result.stdout.splitlines()
    assert first == (f"7 rows: 3 now, 1 outside hours until {nine}, 2 on do-not-call, 1 invalid: row 7")
    assert rest == ["", "The first call would be row 2:", "Channel: PJSIP/x"]
    assert result.stderr.startswith("row 7: ")
    assert (result.exit_code, jobs(served), served.desk.commits) == (65, [], [])


def test_a_dry_run_in_which_all_would_be_taken_is_done(served: Served, leads: Path) -> None:
    served.desk.judge = lambda draft: Preview("later", "hours", "Too early.", NINE)
    result = submit(served, leads, "--dry-run")
    assert result.exit_code == 0
    assert result.stdout.startswith("5 rows: 5 outside hours until ")


def test_a_dry_run_warns_of_numbers_that_come_twice(served: Served, leads: Path) -> None:
    result = dry(served, leads, rows="+49 30 12345613;Bonn;y;\n+493012345614;Bonn;y;\n")
    assert "2 repeat the number of a row above: rows 7, 8\n" in result.stdout


def test_a_dry_run_as_json_is_one_object(served: Served, leads: Path) -> None:
    (told,) = lines(dry(served, leads, "--json", rows="nobody;Bonn;x;\n"))
    assert (told["rows"], told["taken"]) == (6, 4)
    assert told["first"] == {"row": 2, "call_file": "Channel: PJSIP/x\n"}
    assert [(each["verdict"], each["rule"], each["count"], each["rows"]) for each in told["counts"]] == [
        ("now", "", 3, [2, 5, 6]),
        ("later", "hours", 1, [4]),
        ("refused", "do_not_call", 1, [3]),
        ("refused", "", 1, [7]),
    ]
    assert told["duplicates"] == {"count": 0, "rows": []}


def test_a_dry_run_goes_without_a_template_too(served: Served, tmp_path: Path) -> None:
    (tmp_path / "x.ndjson").write_text(f"{json.dumps(JOB)}\n{{nonsense\n")
    result = ctl(served, "submit", str(tmp_path / "x.ndjson"), "--dry-run")
    assert result.stdout.startswith("2 rows: 1 now, 1 invalid: row 2\n")
    assert result.exit_code == 65


def test_texts_seen_before_are_known_however_many() -> None:
    with Seen() as seen:
        new = [seen.add(str(number % 5000)) for number in range(10_000)]
        assert (new.count(True), new[:5000].count(True), len(seen)) == (5000, 5000, 5000)
        assert "4999" in seen
        assert "5000" not in seen


def test_a_report_with_the_log_accounts_for_every_row(served: Served, leads: Path) -> None:
    (leads / "leads.csv").write_text(LEADS + "nobody;Bonn;x;\n" + LEADS.splitlines()[1])
    submit(served, leads, "--log", str(leads / "log"))
    result = ctl(served, "batch", "report", "leads", "--log", str(leads / "log"))
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == (
        "7 rows: 5 jobs accepted, 1 there already, 1 invalid. 5 jobs: 5 waiting."
    )


def test_a_report_tells_of_jobs_of_the_log_that_are_not_there(served: Served, leads: Path) -> None:
    submit(served, leads, "--log", str(leads / "log"))
    submit(served, leads, "--batch", "second")
    result = ctl(served, "batch", "report", "second", "--log", str(leads / "log"))
    assert result.exit_code == 1
    assert "5 jobs of the log are not in this batch" in result.stdout


def peak_memory(served: Served, leads: Path, rows: int) -> int:
    """The most memory (KiB) that submitting so many rows took (getrusage(2): ru_maxrss)."""
    numbers = "".join(f"+4930{10_000_000 + row};Some Name;x;\n" for row in range(rows))
    (leads / "leads.csv").write_text(LEADS.splitlines()[0] + "\n" + numbers)
    words = ["--socket", str(served.path), "submit", str(leads / "leads.csv")]
    words += ["--template", str(leads / "job.toml"), "--batch", str(rows)]
    with subprocess.Popen([*RUN, *words], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        told = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert (process.returncode, told) == (0, f"{rows} accepted.\n".encode())
    return used.ru_maxrss


def test_memory_does_not_grow_with_the_rows(served: Served, leads: Path) -> None:
    short, long = peak_memory(served, leads, 1000), peak_memory(served, leads, 8000)
    assert long - short < 4096
