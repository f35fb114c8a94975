"""Asterisk goes down, is killed in a call, freezes, is full, or does not let us in."""

import json
import os
from pathlib import Path

import pytest

from tests.users import ROOT
from tests.waiting import until


def in_call(daemon, account, **job):
    """A job whose call is answered and goes on."""
    made = daemon.submit(to="100", application="Wait", data="60", account=account, **job)
    until(lambda: any(event["type"] == "answered" for event in events(daemon, made["id"])), 15)
    return made


def events(daemon, job_id):
    text = daemon.request("GET", f"/v1/events?job={job_id}&follow=0&after=0")[1].decode()
    return [
        json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")
    ]


def ami_is(daemon, word):
    return lambda: daemon.request("GET", "/v1/status")[1]["asterisk"]["ami"] == word


@pytest.mark.parametrize(
    "own_pids", [False, pytest.param(True, marks=pytest.mark.skipif(not ROOT, reason="needs root"))]
)
def test_asterisk_killed_in_mid_call_does_not_redial_and_the_job_is_held(
    make_asterisk, make_daemon, own_pids
):
    asterisk = make_asterisk(own_pids=own_pids).start()
    daemon = make_daemon(asterisk).start()
    job = in_call(daemon, "crash")
    asterisk.kill()
    until(ami_is(daemon, "down"))
    asterisk.start()
    held = daemon.ended(job["id"])
    resolved = daemon.ctl("resolve", job["id"], "--as", "completed", "--json")
    assert held["state"] == "held"
    assert "restarted" in held["reason"]
    assert any("StartRetry" in line for line in held["attempts"][0]["evidence"]["lines"])
    assert os.listdir(asterisk.outgoing) == []
    assert asterisk.cli("core show channels concise").strip() == ""
    assert resolved.returncode == 0, resolved.stderr
    assert daemon.job(job["id"])["state"] == "completed"


def test_a_stop_of_asterisk_in_a_call_is_told_from_the_archive(own_asterisk, make_daemon):
    daemon = make_daemon(own_asterisk).start()
    job = in_call(daemon, "stop")
    own_asterisk.stop()
    ended = daemon.ended(job["id"])
    assert (ended["state"], ended["attempts"][0]["disposition"]) == ("completed", "ANSWERED")


def test_jobs_wait_while_asterisk_is_down_and_go_when_it_is_back(make_asterisk, make_daemon):
    asterisk = make_asterisk()
    daemon = make_daemon(asterisk).start()
    until(ami_is(daemon, "down"))
    job = daemon.submit(to="106", context="job", extension="hangup")
    waiting, outgoing = daemon.job(job["id"])["state"], os.listdir(asterisk.outgoing)
    asterisk.start()
    ended = daemon.ended(job["id"])
    assert (waiting, outgoing) == ("queued", [])
    assert ended["state"] == "completed"


def test_a_frozen_asterisk_is_noticed_and_its_unstarted_files_are_taken_back(own_asterisk, make_daemon):
    daemon = make_daemon(own_asterisk).start()
    until(ami_is(daemon, "up"))
    own_asterisk.freeze()
    job = daemon.submit(to="106", context="job", extension="hangup", account="frozen")
    until(lambda: daemon.job(job["id"])["state"] == "submitted")
    until(ami_is(daemon, "down"), 20)
    until(lambda: daemon.job(job["id"])["state"] == "deferred", 20)
    taken_back = os.listdir(own_asterisk.outgoing)
    own_asterisk.thaw()
    ended = daemon.ended(job["id"], 30)
    assert taken_back == []
    assert ended["state"] == "completed"
    assert own_asterisk.calls_made("frozen") == 1


def test_a_full_asterisk_is_kept_below_its_limit(make_asterisk, make_daemon):
    asterisk = make_asterisk(options={"maxcalls": "10"}).start()
    daemon = make_daemon(asterisk).start()
    until(ami_is(daemon, "up"))
    jobs = [daemon.submit(to="100", application="Wait", data="1") for _ in range(20)]
    states = {daemon.ended(job["id"], 60)["state"] for job in jobs}
    assert states == {"completed"}


def test_a_wrong_password_leaves_calls_going_without_ami_and_says_so(asterisk, make_daemon):
    daemon = make_daemon(asterisk)
    Path(daemon.settings["ami"]["secret_file"]).write_text("wrong\n")
    daemon.start()
    until(ami_is(daemon, "refused"))
    answered = daemon.ended(daemon.submit(to="106", context="job", extension="hangup")["id"])
    busy = daemon.ended(daemon.submit(to="101", play="hello-world")["id"])
    problems = daemon.request("GET", "/v1/status")[1]["problems"]
    assert answered["attempts"][0]["disposition"] == "ANSWERED"
    assert "unknown without AMI" in busy["attempts"][0]["detail"]
    assert any("refused" in problem for problem in problems)


def test_without_ami_the_archive_alone_is_believed(asterisk, make_daemon):
    daemon = make_daemon(asterisk, ami=False).start()
    answered = daemon.ended(daemon.submit(to="106", context="job", extension="hangup")["id"])
    busy = daemon.ended(daemon.submit(to="101", play="hello-world")["id"])
    assert (answered["state"], busy["state"]) == ("completed", "failed")
    assert busy["attempts"][0]["disposition"] == "FAILED"


def test_a_cancelled_call_is_hung_up_and_only_then_cancelled(daemon, asterisk):
    job = in_call(daemon, "cancelme")
    told = daemon.ctl("cancel", job["id"])
    ended = daemon.ended(job["id"])
    assert told.returncode == 0, told.stderr
    assert ended["state"] == "cancelled"
    assert ended["attempts"][0]["talk_seconds"] < 30


def test_a_ringing_call_that_is_cancelled_has_that_disposition(daemon):
    job = daemon.submit(to="102", play="hello-world")
    until(lambda: any(event["type"] == "ringing" for event in events(daemon, job["id"])))
    daemon.request("POST", f"/v1/jobs/{job['id']}/cancel", {})
    ended = daemon.ended(job["id"])
    assert (ended["state"], ended["attempts"][0]["disposition"]) == ("cancelled", "CANCELLED")


def test_the_first_that_answers_wins_where_several_ring_at_once(daemon):
    job = daemon.submit(to=["101", "106"], ring="any", play="hello-world")
    ended = daemon.ended(job["id"])
    assert (ended["state"], ended["attempts"][0]["disposition"]) == ("completed", "ANSWERED")
