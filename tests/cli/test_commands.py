"""dialerctl's commands, before a real Api on a real socket."""

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from dialerd.cli import main
from dialerd.cli.waiting import wait
from dialerd.client import Client, Job
from dialerd.core.errors import Overloaded
from dialerd.core.model import Disposition
from dialerd.core.states import State
from dialerd.core.tasks import Received
from tests.cli.running import TO, accepted, ctl, ended_soon, jobs, lines
from tests.intake.serving import Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path / "s") as running:
        yield running


def test_a_call_is_accepted(served: Served) -> None:
    result = ctl(served, "call", TO, "--play", "hello-world")
    assert result.exit_code == 0
    assert result.stdout == f"accepted: job {jobs(served)[0]['id']} to {TO}: queued\n"


FIELDS = {
    "--application": "Echo", "--data": "x", "--caller-id": '"Office" <100>', "--account": "sales",
    "--wait-time": "20", "--codecs": "ulaw,alaw", "--max-retries": "2", "--retry-time": "60", "--at": "in 1h",
    "--not-after": "in 2h", "--priority": "7", "--key": "k", "--batch": "spring", "--trunk": "main",
    "--on-doubt": "drop", "--recipient-timezone": "Europe/Berlin", "--retry": "patient", "--max-dials": "6",
    "--kill-after": "3h", "--report-url": "https://crm.example.com/calls",
}  # fmt: skip
MADE = {
    "application": "Echo", "data": "x", "caller_id": {"name": "Office", "number": "100"}, "account": "sales",
    "wait_time": 20, "codecs": ["ulaw", "alaw"], "max_retries": 2, "retry_time": 60, "priority": 7,
    "key": "k", "batch": "spring", "trunk": "main", "on_doubt": "drop", "early_media": True,
    "recipient_timezone": "Europe/Berlin", "retry": "patient", "max_dials": 6, "kill_after": 10800,
    "report_url": "https://crm.example.com/calls", "hours": ["always"],
    "tags": ["x", "y"], "variables": {"A": "1=2", "_B": ""},
}  # fmt: skip


def test_every_field_has_its_option(served: Served) -> None:
    words = [word for option in FIELDS.items() for word in option]
    several = ["--variable", "A=1=2", "--variable", "_B=", "--tag", "x", "--tag", "y", "--early-media"]
    several += ["--hours", "always"]
    result = ctl(served, "call", TO, *words, *several, "--json")
    assert result.exit_code == 0
    (job,) = lines(result)
    assert {name: job[name] for name in MADE} == MADE
    assert {"not_before", "not_after"} <= set(job)


def test_an_option_of_zero_is_not_left_out(served: Served) -> None:
    result = ctl(served, "call", TO, "--play", "hello-world", "--priority", "0")
    assert result.exit_code == 0
    assert jobs(served)[0]["priority"] == 0


def test_a_refused_call_says_every_mistake_and_exits_65(served: Served) -> None:
    result = ctl(served, "call", "nobody", "--play", "a b", "--priority", "77")
    assert result.exit_code == 65
    assert {line.split(":")[1].strip() for line in result.stderr.splitlines()} == {"to", "play", "priority"}


def test_a_refusal_as_json_is_the_problem_document(served: Served) -> None:
    result = ctl(served, "call", "nobody", "--play", "x", "--json")
    assert result.exit_code == 65
    assert lines(result)[0]["mistakes"][0]["where"] == "to"


def test_a_repeated_key_is_said(served: Served) -> None:
    ctl(served, "call", TO, "--play", "hello-world", "--key", "k")
    result = ctl(served, "call", TO, "--play", "hello-world", "--key", "k")
    assert result.stdout.startswith("there already under this key: job ")
    assert ctl(served, "call", TO, "--play", "other", "--key", "k").exit_code == 65


def test_at_a_bound_it_exits_75(served: Served) -> None:
    served.desk.refuse = Overloaded("The queue is full.", 60)
    result = ctl(served, "call", TO, "--play", "hello-world")
    assert (result.exit_code, result.stderr) == (75, "dialerctl: The queue is full.\n")


@pytest.mark.parametrize(
    ("disposition", "state", "code"),
    [
        (Disposition.ANSWERED, None, 0),
        (Disposition.BUSY, None, 10),
        (Disposition.NOANSWER, None, 11),
        (Disposition.CONGESTION, None, 12),
        (Disposition.CHANUNAVAIL, None, 12),
        (Disposition.FAILED, None, 13),
        (Disposition.NOANSWER, State.EXPIRED, 14),
        (Disposition.CANCELLED, State.CANCELLED, 15),
        (Disposition.ANSWERED, State.HELD, 16),
    ],
)
def test_waiting_shows_what_happens_and_exits_by_the_outcome(
    served: Served, disposition: Disposition, state: State | None, code: int
) -> None:
    ended_soon(served, disposition, state)
    result = ctl(served, "call", TO, "--play", "hello-world", "--wait", "--timeout", "10")
    assert result.exit_code == code
    assert [line.split()[3] for line in result.stderr.splitlines()][:3] == [
        "accepted",
        "submitted",
        "attempt_ended",
    ]
    assert jobs(served)[0]["id"] in result.stdout


def test_all_that_happened_is_shown_however_soon_a_job_ends(served: Served) -> None:
    class Late(Client):
        def job(self, job_id: str) -> Job:
            if served.desk.job(job_id)[0].state is State.QUEUED:
                served.desk.end(job_id, Disposition.BUSY)
            return super().job(job_id)

    job_id = accepted(served)
    seen: list[str] = []

    with Late(served.path) as client:
        ended = list(wait(client, [job_id], 0, 10, lambda event: seen.append(event["type"])))

    assert [job["state"] for job in ended] == ["failed"]
    assert seen == ["accepted", "submitted", "attempt_ended", "failed"]


def test_waiting_no_longer_than_the_time_out(served: Served) -> None:
    result = ctl(served, "call", TO, "--play", "hello-world", "--wait", "--timeout", "0.2", "--json")
    assert result.exit_code == 17
    assert [job["state"] for job in lines(result)] == ["queued"]


def test_waiting_for_several_sums_up(served: Served) -> None:
    ended_soon(served, Disposition.BUSY, count=2)
    result = ctl(served, "call", TO, "+493012345679", "--play", "hello-world", "--wait", "--timeout", "10")
    assert result.exit_code == 10
    assert "2 jobs: 2 busy" in result.stdout


@pytest.mark.parametrize("words", [("--variable", "A", TO), ("--ring", "some", TO), ("--wait-time", "x", TO)])
def test_wrong_usage_exits_2(served: Served, words: tuple[str, ...]) -> None:
    assert ctl(served, "call", *words).exit_code == 2


def test_an_unknown_command_names_the_nearest(served: Served) -> None:
    result = ctl(served, "cancle", "x")
    assert result.exit_code == 2
    assert '"cancel"' in result.stderr


def test_jobs_are_listed_as_a_table(served: Served) -> None:
    first, second = accepted(served), accepted(served, State.HELD)
    result = ctl(served, "list")
    rows = [line.split()[:4] for line in result.stdout.splitlines()]
    head, *jobs = rows
    assert head == ["ID", "KIND", "STATE", "TO"]
    assert jobs == [[second, "call", "held", TO], [first, "call", "queued", TO]]


def test_a_list_without_jobs_says_so(served: Served) -> None:
    assert ctl(served, "list").stdout == "None.\n"
    assert ctl(served, "list", "--json").stdout == ""


def test_what_came_in_is_listed_with_its_sender(served: Served) -> None:
    job_id = accepted(served)
    task = Received("sms", "hoiio", "m-1", "+6591234567", TO, "Hello")
    served.desk._jobs[job_id] = replace(served.desk._jobs[job_id], task=task)
    assert ctl(served, "list").stdout.splitlines()[1].endswith("sms from +6591234567")


def test_listing_is_filtered_and_bounded(served: Served) -> None:
    for _ in range(3):
        accepted(served)
    held = accepted(served, State.HELD)
    assert [job["id"] for job in lines(ctl(served, "list", "--state", "held", "--json"))] == [held]
    assert len(lines(ctl(served, "list", "--limit", "2", "--json"))) == 2
    assert len(lines(ctl(served, "list", "--limit", "0", "--owner", str(os.getuid()), "--json"))) == 4
    assert "--limit 0" in ctl(served, "list", "--limit", "2").stderr
    assert ctl(served, "list", "--owner", "no-such-user").exit_code == 2
    assert '"held"' in ctl(served, "list", "--state", "hold").stderr


def test_a_job_is_shown_with_its_attempts(served: Served) -> None:
    job_id = accepted(served)
    served.desk.end(job_id, Disposition.BUSY)
    result = ctl(served, "show", job_id)
    assert f"id         {job_id}" in result.stdout
    assert "attempt 1: busy" in result.stdout
    assert lines(ctl(served, "show", job_id, "--json"))[0]["attempts"][0]["disposition"] == "BUSY"


@pytest.mark.parametrize(
    ("end", "word"), [(Disposition.DELIVERED, "delivered"), (Disposition.NOANSWER, "no answer")]
)
def test_how_an_attempt_ended_is_said_in_small_letters(served: Served, end: Disposition, word: str) -> None:
    job_id = accepted(served)
    served.desk.end(job_id, end)
    assert f"attempt 1: {word}\n" in ctl(served, "show", job_id).stdout


@pytest.mark.parametrize(
    ("verb", "before", "after"),
    [
        (("cancel",), State.QUEUED, "cancelled"),
        (("hold",), State.QUEUED, "held"),
        (("release",), State.HELD, "queued"),
        (("requeue",), State.FAILED, "queued"),
        (("resolve", "--as", "completed"), State.HELD, "completed"),
    ],
)
def test_a_verb_is_done_to_each_job(served: Served, verb: tuple[str, ...], before: State, after: str) -> None:
    ids = [accepted(served, before) for _ in range(2)]
    result = ctl(served, *verb, *ids)
    assert result.exit_code == 0
    assert [line.rsplit(" ", 1)[1] for line in result.stdout.splitlines()] == [after, after]


def test_what_can_not_be_done_to_one_job_does_not_stop_the_others(served: Served) -> None:
    job_id = accepted(served)
    result = ctl(served, "cancel", "0000000000000", job_id, "--json")
    assert result.exit_code == 1
    assert served.desk.job(job_id)[0].state is State.CANCELLED
    assert "There is no job 0000000000000" in result.stderr


def test_resolve_needs_a_word(served: Served) -> None:
    assert ctl(served, "resolve", accepted(served, State.HELD)).exit_code == 2


def test_status_is_told_at_a_glance(served: Served) -> None:
    accepted(served)
    result = ctl(served, "status")
    assert "Asterisk: version 22.10.1, AMI up, 1 of 20 calls" in result.stdout
    assert "Jobs:     1 queued" in result.stdout
    assert lines(ctl(served, "--json", "status"))[0]["jobs"] == {"queued": 1}


def test_a_daemon_that_does_not_run_exits_69(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["list", "--socket", str(tmp_path / "s")])
    assert (result.exit_code, result.stdout) == (69, "")
    assert "dialerd does not run" in result.stderr


def test_events_are_printed(served: Served) -> None:
    job_id = accepted(served)
    served.desk.end(job_id, Disposition.ANSWERED)
    accepted(served)
    types = [line.split()[3] for line in ctl(served, "events", "--job", job_id).stdout.splitlines()]
    assert types == ["accepted", "submitted", "attempt_ended", "completed"]
    assert [event["id"] for event in lines(ctl(served, "events", "--after", "4", "--json"))] == [5]
    assert len(lines(ctl(served, "events", "--type", "accepted", "--json"))) == 2


def test_watching_jobs_ends_with_them(served: Served) -> None:
    one, other = accepted(served), accepted(served)
    served.desk.end(other, Disposition.ANSWERED)
    threading.Timer(0.2, served.desk.end, (one, Disposition.ANSWERED)).start()
    result = ctl(served, "watch", one, other, "--timeout", "10")
    assert result.exit_code == 0
    assert "2 jobs: 2 completed" in result.stdout
    assert ctl(served, "watch", "0000000000000").exit_code == 1


def test_help_lists_every_command_and_exit_code() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert all(f"\n  {name} " in result.stdout for name in ("call", "submit", "resolve", "check", "events"))
    assert "69  the daemon can't be reached" in result.stdout
    for name in (
        "call",
        "submit",
        "list",
        "show",
        "watch",
        "cancel",
        "hold",
        "release",
        "requeue",
        "resolve",
    ):
        assert CliRunner().invoke(main, [name, "--help"]).exit_code == 0
