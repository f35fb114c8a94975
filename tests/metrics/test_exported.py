"""What a real daemon exports: what it counts, that Prometheus likes it, and that nobody's number is in it."""

import os
import signal
import subprocess
from shutil import which

import pytest

from tests.metrics.scraping import CALL, CANARY, SMS, World, series_of, world
from tests.waiting import until

needs_promtool = pytest.mark.skipif(which("promtool") is None, reason="promtool is not installed")


def test_what_happened_is_counted(busy: World) -> None:
    answered = busy.value("dialerd_attempts_total", way="sim", disposition="ANSWERED")
    accepted = busy.value("dialerd_jobs_accepted_total", kind="call")
    requests = busy.value("dialerd_provider_requests_total", provider="tw", purpose="send")

    assert answered == 2
    assert busy.value("dialerd_attempts_total", way="literal", disposition="ANSWERED") == 1
    assert busy.value("dialerd_jobs_ended_total", kind="call", state="completed") == 3
    assert accepted == 5
    assert busy.value("dialerd_jobs", kind="call", state="held") == 1
    assert busy.value("dialerd_jobs", kind="sms") == 1
    assert busy.value("dialerd_refusals_total", door="socket", rule="emergency") == 2
    assert busy.value("dialerd_refusals_total", door="folder", rule="mistake") == 1
    assert requests >= 1
    assert busy.value("dialerd_provider_requests_total", outcome="done") == 0


def test_stages_commits_and_turns_are_measured(busy: World) -> None:
    stages = {name: busy.value("dialerd_stage_seconds_count", stage=name, kind="call") for name in STAGES}

    assert all(stages.values()), stages
    assert busy.value("dialerd_stage_seconds_count", stage="whole", kind="call") == 4
    assert busy.value("dialerd_commit_seconds_count") > 5
    assert busy.value("dialerd_engine_turn_seconds_count") > 5
    assert busy.value("dialerd_submit_seconds_count") >= 6
    assert 0 < busy.value("dialerd_commit_seconds_sum") < 60


STAGES = ("wait", "hand_over", "begin", "attempt", "settle", "whole")


def test_how_it_stands_is_told(busy: World) -> None:
    assert busy.value("dialerd_ami_up") == 1
    assert busy.value("dialerd_takes_calls") == 1
    assert busy.value("dialerd_way_free_channels", way="other") == 4
    assert busy.value("dialerd_way_calls_per_second", way="other") == 5
    assert busy.value("dialerd_today_calls", scope="all") >= 4
    assert busy.value("dialerd_oldest_job_age_seconds", state="held") > 0
    assert busy.value("dialerd_disk_free_bytes") > busy.value("dialerd_disk_least_bytes") > 0
    assert busy.value("process_resident_memory_bytes") > 0


def test_no_number_key_batch_or_id_is_told(busy: World) -> None:
    ids = [job["id"] for job in busy.daemon.jobs()]

    text = busy.text()

    assert CANARY not in text
    assert "canary" not in text.lower()
    assert len(ids) == 6
    assert [each for each in ids if each in text] == []


@needs_promtool
def test_promtool_finds_nothing_to_say(busy: World) -> None:
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=busy.text(), capture_output=True, text=True, check=False
    )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_more_jobs_make_no_more_series() -> None:
    with world() as running:
        running.daemon.submit(**SMS, not_before="in 1h")
        running.becomes(1, "dialerd_jobs_accepted_total", kind="sms")
        before = series_of(running.text())

        for number in range(30):
            more = {
                "to": f"+49301110{number:03}",
                "batch": f"b{number}",
                "key": f"k{number}",
                "tags": [f"t{number}"],
            }
            running.daemon.submit(**{**SMS, **more}, not_before="in 1h")

        running.becomes(31, "dialerd_jobs_accepted_total", kind="sms")
        assert series_of(running.text()) == before


def test_what_goes_wrong_is_seen() -> None:
    with world() as running:
        daemon = running.daemon
        until(lambda: running.value("dialerd_ami_up") == 1)

        daemon.request("POST", "/v1/pause", {"scope": "trunk:other"})
        daemon.request("POST", "/v1/pause", {"scope": "all", "reason": f"fire drill {CANARY}"})
        running.manager.deaf = True
        running.manager.line.cut()
        (daemon.folder / "dialerd.toml").write_text("[calls]\nretry = 'there is none'")
        os.kill(daemon.pid, signal.SIGHUP)

        running.becomes(0, "dialerd_ami_up")
        running.becomes(1, "dialerd_reload_refused")
        until(lambda: running.value("dialerd_problems") >= 2)
        assert running.value("dialerd_way_paused", way="other") == 1
        assert running.value("dialerd_way_paused", way="sim") == 0
        assert running.value("dialerd_all_paused") == 1
        assert running.value("dialerd_takes_calls") == 0
        assert CANARY not in running.text()


def test_counts_of_kinds_and_states_outlive_a_restart() -> None:
    with world() as running:
        running.daemon.submit(**SMS, not_before="in 1h")
        running.daemon.submit(**CALL, not_before="in 1h")

        running.daemon.restart()

        assert running.value("dialerd_jobs", kind="sms", state="queued") == 1
        assert running.value("dialerd_jobs", kind="call", state="queued") == 1
        assert running.value("dialerd_jobs_accepted_total") == 0


def test_the_text_is_given_to_this_machine_at_the_listener(busy: World) -> None:
    status, text = busy.from_listener()

    assert status == 200
    assert "dialerd_ami_up 1.0" in text
    assert busy.from_listener(X_Forwarded_For="192.0.2.7") == (404, "There is nothing here.\n")
