"""A campaign of 500 numbers over two trunks: the pre-flight, the report, and the reconciliation of both with
Asterisk's own call records."""

import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asterisk import Asterisk
from tests.daemon import Daemon
from tests.e2e import campaign as a_campaign
from tests.e2e.campaign import CHANNELS, ROWS, Campaign
from tests.e2e.lines import dialled, with_lines
from tests.users import DIALERD_GID, DIALERD_UID, give

ACCEPTED = ("answers", "busy", "silent", "unknown", "asleep")
DIALS = {"answers": 1, "busy": 2, "silent": 1, "unknown": 1}
"""Calls to each number of a kind: who is busy is tried once more, by the policy; all others are not."""


@pytest.fixture(scope="module")
def line() -> Iterator[Asterisk]:
    """An Asterisk that nobody else calls through."""
    instance = Asterisk(22)
    try:
        yield with_lines(instance.start())
    finally:
        instance.remove()


@pytest.fixture(scope="module")
def campaign(line: Asterisk) -> Iterator[Campaign]:
    """The campaign, as far as it came today."""
    with tempfile.TemporaryDirectory(prefix="open-", dir="/tmp") as path:
        folder = give(Path(path), DIALERD_UID, DIALERD_GID, 0o755)
        a_campaign.prepare(folder)
        daemon = Daemon(line, a_campaign.settings(folder))
        try:
            yield a_campaign.run(daemon.start(), folder)
        finally:
            daemon.remove()


def test_the_preflight_counts_every_row_by_what_would_become_of_it(campaign):
    told = json.loads(campaign.said["dry run, json"].stdout)
    counts = {(each["verdict"], each["rule"]): each["count"] for each in told["counts"]}
    assert (told["rows"], told["taken"]) == (500, sum(ROWS[kind] for kind in ACCEPTED))
    assert counts == {
        ("now", ""): sum(ROWS[kind] for kind in DIALS),
        ("later", "hours"): ROWS["asleep"],
        ("refused", "do_not_call"): ROWS["stopped"],
        ("refused", "destination"): ROWS["abroad"],
        ("refused", "premium"): ROWS["premium"],
        ("refused", "emergency"): ROWS["emergency"],
        ("refused", ""): ROWS["invalid"],
    }


def test_the_preflight_says_it_in_a_sentence_and_shows_the_first_call_file(campaign):
    told = campaign.said["dry run"]
    first = told.stdout.splitlines()[0]
    assert told.returncode == 65
    assert first.startswith("500 rows: 390 now, 30 outside hours until ")
    assert "40 on do-not-call" in first
    assert "Channel: Local/4930" in told.stdout
    assert "on the do-not-call list customers: wrote to us" in told.stderr


def test_the_preflight_and_the_submit_agree(campaign):
    foreseen = json.loads(campaign.said["dry run, json"].stdout)
    accepted = sum(each["status"] == 201 for each in campaign.log)
    assert accepted == foreseen["taken"]
    assert campaign.said["submit"].stdout.startswith(f"{accepted} accepted, {500 - accepted} refused.")


def test_every_row_of_the_file_is_accounted_for_once(campaign):
    jobs = [job["id"] for each in campaign.log if each["status"] == 201 for job in each["jobs"]]
    reported = [row["id"] for row in campaign.report]
    assert sorted(each["line"] for each in campaign.log) == sorted({each["line"] for each in campaign.log})
    assert len(campaign.log) == 500
    assert len(jobs) == len(set(jobs)) == sum(ROWS[kind] for kind in ACCEPTED)
    assert sorted(reported) == sorted(jobs)


def test_the_report_has_each_jobs_true_end(campaign):
    ends = Counter(
        (campaign.numbers[row["number"]], row["state"], row["disposition"]) for row in campaign.report
    )
    assert ends == {
        ("answers", "completed", "ANSWERED"): ROWS["answers"],
        ("busy", "failed", "BUSY"): ROWS["busy"],
        ("silent", "failed", "NOANSWER"): ROWS["silent"],
        ("unknown", "failed", "FAILED"): ROWS["unknown"],
        ("asleep", "queued", ""): ROWS["asleep"],
    }


def test_the_report_reconciles_rows_and_jobs_in_one_sentence(campaign):
    said = campaign.said["report"]
    last = said.stdout.splitlines()[-1]
    assert said.returncode == 0, said.stderr
    assert last.startswith("500 rows: 420 jobs accepted, 40 on do-not-call")
    assert "420 jobs: 300 answered, 50 busy" in last
    assert "30 waiting" in last


def test_asterisks_own_records_agree_with_the_attempts_of_every_number(campaign, line):
    attempts = {row["number"]: int(row["attempts"]) for row in campaign.report if row["attempts"] != "0"}
    assert dict(dialled(line)) == attempts


def test_each_number_was_called_as_often_as_the_retry_policy_says(campaign, line):
    calls = dialled(line)
    often = {kind: {calls[number] for number in campaign.of(kind)} for kind in DIALS}
    assert often == {kind: {count} for kind, count in DIALS.items()}


def test_nobody_was_called_who_is_stopped_refused_or_asleep(campaign, line):
    spared = campaign.of(*(kind for kind in ROWS if kind not in DIALS))
    assert len(spared) == 110
    assert spared & set(dialled(line)) == set()


def test_both_trunks_carried_calls_and_the_small_one_never_more_than_it_may(campaign, line):
    at_once = [int(row["userfield"]) for row in line.cdr_rows() if row["userfield"]]
    narrow, wide = (sum(dialled(line, context).values()) for context in ("line-a", "line-b"))
    assert narrow > CHANNELS
    assert wide > 0
    assert max(at_once) <= CHANNELS


def test_the_same_file_again_calls_nobody(campaign):
    assert campaign.said["again"].stdout.startswith("0 accepted, 420 there already, 80 refused.")


def test_the_batch_shows_how_far_it_is_and_does_not_promise_an_end_before_the_last_is_due(campaign):
    shown = json.loads(campaign.said["show, json"].stdout)
    assert "92 % (390 of 420)" in campaign.said["show"].stdout
    assert "30 queued  300 completed  90 failed" in campaign.said["show"].stdout
    assert shown["eta_seconds"] is None or shown["eta_seconds"] > 3600
