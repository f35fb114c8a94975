"""dialerctl batch, pause, resume, drain and trunks."""

import csv
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dialerd.core.model import Disposition
from dialerd.core.signals import Submission
from dialerd.core.states import State
from dialerd.intake import document
from tests.cli.running import ctl, lines
from tests.intake.serving import JOB, RULES, Served
from tests.waiting import until

ME, OTHER = os.getuid(), 4242


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path / "s") as running:
        yield running


def batch_of(served: Served, owner: int = ME, name: str = "spring", count: int = 1) -> list[str]:
    """Ids of accepted jobs."""
    ids = []
    for number in range(count):
        (draft,) = document.parse(
            {**JOB, "batch": name, "key": f"={number}", "tags": ["a", "b"]}, RULES, datetime.now(UTC)
        )
        (accepted,) = served.desk.submit([Submission(owner, draft)]).result(60)
        ids.append(accepted.job.id)
    return ids


def campaign(served: Served) -> list[str]:
    """A batch of six: answered, busy twice, not answered, held, waiting."""
    ids = batch_of(served, count=6)
    served.desk.end(ids[0], Disposition.ANSWERED)
    for job_id in ids[1:3]:
        served.desk.end(job_id, Disposition.BUSY)
    served.desk.end(ids[3], Disposition.NOANSWER)
    served.desk.put(ids[4], State.HELD)
    return ids


def test_batches_are_listed(served: Served) -> None:
    campaign(served)
    batch_of(served, OTHER, "autumn")
    listed = ctl(served, "batch", "list").stdout.splitlines()
    of_other = lines(ctl(served, "batch", "list", "--owner", str(OTHER), "--json"))
    assert [line.split()[0] for line in listed] == ["BATCH", "autumn", "spring"]
    assert listed[2].split()[2:7] == ["66", "%", "6", "1", "1"]
    assert [each["batch"] for each in of_other] == ["autumn"]


def test_a_batch_shows_its_progress_its_rate_and_its_counts(served: Served) -> None:
    campaign(served)
    title, bar, states, calls = ctl(served, "batch", "show", "spring").stdout.splitlines()
    assert title.startswith("Batch spring of ")
    assert bar.startswith("[####################..........] 66 % (4 of 6), 4 a minute, done about ")
    assert states == "1 queued  1 held  1 completed  3 failed"
    assert sorted(calls.removeprefix("Calls: ").split(", ")) == ["1 answered", "1 no answer", "2 busy"]


def test_a_batch_is_watched_until_nothing_more_happens_by_itself(served: Served) -> None:
    ids = campaign(served)
    ender = threading.Timer(0.7, served.desk.end, [ids[5], Disposition.BUSY])
    ender.start()
    told = ctl(served, "batch", "show", "spring", "--watch").stdout.splitlines()
    ender.join()
    assert told[0].startswith("66 % (4 of 6)")
    assert told[-1] == "83 % (5 of 6)"


def test_a_batch_that_is_not_there_is_said(served: Served) -> None:
    result = ctl(served, "batch", "show", "nowhere")
    assert (result.exit_code, "There is no batch 'nowhere'" in result.stderr) == (1, True)


def test_a_batch_is_paused_and_resumed_and_shows_it(served: Served) -> None:
    campaign(served)
    paused = ctl(served, "batch", "pause", "spring", "--reason", "wrong list")
    shown = ctl(served, "batch", "show", "spring").stdout
    resumed = ctl(served, "batch", "resume", "spring")
    assert [paused.exit_code, resumed.exit_code] == [0, 0]
    assert "(4 of 6), paused" in shown
    assert served.desk.standing == {}


def test_a_batch_is_cancelled(served: Served) -> None:
    batch_of(served, OTHER)
    result = ctl(served, "batch", "cancel", "spring", "--reason", "wrong list", "--yes")
    assert result.exit_code == 0
    assert result.stdout == f"Batch spring of {OTHER} is being cancelled.\n"
    assert served.desk.standing[f"batch:{OTHER}:spring"].word == "cancelled"


def test_a_report_counts_each_job_once(served: Served) -> None:
    campaign(served)
    result = ctl(served, "batch", "report", "spring")
    table = [line.split() for line in result.stdout.splitlines()]
    assert ["busy", "2", "33.3", "%"] in table
    assert ["no", "answer", "1", "16.7", "%"] in table
    assert ["total", "6"] in table
    assert "Answer rate: 25.0 % (1 of 4 that were dialled and have ended)" in result.stdout
    assert result.stdout.endswith("6 jobs: 2 busy, 1 waiting, 1 held, 1 no answer, 1 answered.\n")


def test_a_report_as_json_has_the_figures_and_the_results(served: Served) -> None:
    campaign(served)
    (told,) = lines(ctl(served, "batch", "report", "spring", "--json"))
    assert (told["batch"], told["jobs"], told["calls"], told["answer_rate"]) == ("spring", 6, 4, 0.25)
    assert told["results"] == {"answered": 1, "busy": 2, "no answer": 1, "held": 1, "waiting": 1}


def test_a_report_as_csv_has_a_line_for_each_job_without_formulas(served: Served, tmp_path: Path) -> None:
    ids = campaign(served)
    result = ctl(served, "batch", "report", "spring", "--csv", str(tmp_path / "r.csv"))
    with (tmp_path / "r.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert result.exit_code == 0
    assert set(rows) == set(ids)
    busy = rows[ids[1]]
    assert (busy["number"], busy["state"], busy["disposition"]) == ("+493012345678", "failed", "BUSY")
    assert (busy["cause"], busy["attempts"], busy["ring"], busy["trunk"]) == ("16", "1", "1.5", "main")
    assert (busy["key"], busy["tags"]) == ("'=1", "a b")


def test_a_report_as_csv_on_standard_output_has_nothing_else_there(served: Served) -> None:
    campaign(served)
    result = ctl(served, "batch", "report", "spring", "--csv", "-")
    assert len(list(csv.reader(result.stdout.splitlines()))) == 7
    assert "6 jobs: " in result.stderr


def test_pause_finds_out_what_is_meant(served: Served) -> None:
    batch_of(served, OTHER)
    told = [ctl(served, "pause", what).stdout for what in ("main", "spring", "all", "trunk:main")]
    assert told == [
        "Trunk main is paused.\n",
        f"Batch spring of {OTHER} is paused.\n",
        "Everything is paused.\n",
        "Trunk main is paused.\n",
    ]
    assert sorted(served.desk.standing) == ["all", f"batch:{OTHER}:spring", "trunk:main"]


@pytest.mark.parametrize("what", ["tw", "provider:tw", "trunk:tw"])
def test_a_provider_that_is_paused_is_called_one(served: Served, what: str) -> None:
    served.desk.lines.append({"name": "tw", "paused": False, "in_use": 0, "provider": True})
    paused = ctl(served, "pause", what).stdout
    ctl(served, "pause", "all")
    resumed = ctl(served, "resume", "all")
    assert paused == "Provider tw is paused.\n"
    assert "Provider tw" in resumed.stderr
    assert ctl(served, "resume", what).stdout == "Provider tw goes on.\n"


def test_a_name_that_a_trunk_and_a_batch_have_must_be_said_in_full(served: Served) -> None:
    batch_of(served, name="main")
    refused = ctl(served, "pause", "main")
    named = ctl(served, "pause", "batch:main")
    assert (refused.exit_code, named.exit_code) == (2, 0)
    assert "write trunk:main or batch:main" in " ".join(refused.stderr.split())
    assert list(served.desk.standing) == [f"batch:{ME}:main"]


def test_what_is_neither_trunk_nor_batch_is_said_with_the_nearest(served: Served) -> None:
    result = ctl(served, "pause", "mian")
    assert result.exit_code == 2
    assert 'Did you mean "main"?' in result.stderr


def test_resume_tells_what_is_still_paused(served: Served) -> None:
    served.desk.order("trunk:main", "paused", -1, "the fuse has blown").result(60)
    ctl(served, "pause", "all")
    result = ctl(served, "resume", "all")
    assert result.stdout == "Everything goes on.\n"
    assert result.stderr == "Still paused by dialerd itself: Trunk main: the fuse has blown\n"


def under_way(served: Served) -> str:
    (job_id,) = batch_of(served)
    served.desk.put(job_id, State.SUBMITTED)
    return job_id


def test_drain_pauses_all_and_waits_until_no_call_is_under_way(served: Served) -> None:
    job_id = under_way(served)
    ended: list[Any] = []

    def end() -> None:
        until(lambda: "all" in served.desk.standing)
        ended.append(served.desk.put(job_id, State.COMPLETED))

    thread = threading.Thread(target=end)
    thread.start()
    result = ctl(served, "drain", "--timeout", "20")
    thread.join()
    assert (result.exit_code, len(ended)) == (0, 1)
    assert "dialerctl resume all" in result.stdout


def test_drain_says_what_is_left_when_its_time_is_over(served: Served) -> None:
    job_id = under_way(served)
    result = ctl(served, "drain", "--timeout", "0")
    assert result.exit_code == 17
    assert job_id in result.stderr
    assert "all" in served.desk.standing


def test_trunks_are_shown_as_they_stand(served: Served) -> None:
    served.desk.lines = [
        {"name": "main", "paused": True, "why": "repairs", "in_use": 3, "max_channels": 10, "calls_today": 7},
        {
            "name": "spare",
            "paused": False,
            "breaker": "open",
            "in_use": 0,
            "others": 2,
            "calls_per_second": 2.5,
        },
        {
            "name": "third",
            "paused": False,
            "breaker": "closed",
            "in_use": 0,
            "cap": "it has made 9 calls today",
        },
    ]
    _, main, spare, third = ctl(served, "trunks").stdout.splitlines()
    told = lines(ctl(served, "trunks", "--json"))
    assert main.split() == ["main", "paused", "3", "of", "10", "7", "calls", "repairs"]
    assert spare.split() == ["spare", "out", "of", "order", "0", "and", "2", "not", "ours", "2.5"]
    assert third.split() == ["third", "capped", "0", "it", "has", "made", "9", "calls", "today"]
    assert [each["name"] for each in told] == ["main", "spare", "third"]
