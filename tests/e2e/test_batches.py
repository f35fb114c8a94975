"""Batches and trunks are paused, resumed, drained and cancelled while calls go on, also over a kill -9."""

import json

import pytest

from tests.e2e.lines import batch, dialled, line, open_jobs, trunks, with_lines
from tests.waiting import until

CALL = {"context": "job", "extension": "s"}


@pytest.fixture
def daemon(asterisk, make_daemon):
    """A running daemon with one trunk of four channels, on the shared Asterisk."""
    settings = {"trunks.sim": {"public": False}, "trunks.four": line("line-a", max_channels=4)}
    return make_daemon(with_lines(asterisk), settings).start()


def begin(daemon, area, count):
    """A batch of so many calls that last half a second, some of which are over; its numbers."""
    to = [f"+4930{area}{place:03}06" for place in range(count)]
    lines = "".join(json.dumps({"to": each, "trunk": "four", "key": each, **CALL}) + "\n" for each in to)
    daemon.ctl("submit", "-", "--format", "ndjson", "--batch", area, text=lines)
    until(lambda: batch(daemon, area)["states"].get("completed", 0) >= 4, 30)
    return to


def none_under_way(daemon, name):
    states = batch(daemon, name)["states"]
    return not states.get("submitted") and not states.get("active")


def called(asterisk, to):
    calls = dialled(asterisk)
    return [calls[number] for number in to]


def test_a_paused_batch_rests_over_a_kill_and_goes_on_where_it_was(daemon, asterisk):
    to = begin(daemon, "61", 12)
    paused = daemon.ctl("batch", "pause", "61", "--reason", "too loud")
    until(lambda: none_under_way(daemon, "61"))
    called_by_then = sum(called(asterisk, to))
    daemon.kill()
    daemon.start()
    daemon.ended(daemon.submit(to="106", trunk="sim", **CALL)["id"])
    called_while_paused = sum(called(asterisk, to)) - called_by_then
    shown = daemon.ctl("batch", "show", "61").stdout
    daemon.ctl("batch", "resume", "61")
    until(lambda: open_jobs(daemon, "61") == 0, 60)
    assert paused.returncode == 0, paused.stderr
    assert called_while_paused == 0
    assert "paused" in shown
    assert 4 <= called_by_then < 12
    assert batch(daemon, "61")["states"] == {"completed": 12}
    assert called(asterisk, to) == [1] * 12


def test_a_kill_in_the_middle_of_a_batch_loses_nobody_and_calls_nobody_twice(daemon, asterisk):
    to = begin(daemon, "62", 12)
    daemon.kill()
    daemon.start()
    until(lambda: open_jobs(daemon, "62") == 0, 60)
    assert batch(daemon, "62")["states"] == {"completed": 12}
    assert called(asterisk, to) == [1] * 12


def test_drain_waits_until_no_call_is_under_way_and_holds_until_resume_all(daemon, asterisk):
    to = begin(daemon, "63", 12)
    drained = daemon.ctl("drain", "--timeout", "20")
    resting = none_under_way(daemon, "63")
    called_by_then = sum(called(asterisk, to))
    daemon.restart()
    still = trunks(daemon)["four"]["paused"]
    resumed = daemon.ctl("resume", "all")
    until(lambda: open_jobs(daemon, "63") == 0, 60)
    assert drained.returncode == 0, drained.stderr
    assert resting
    assert 4 <= called_by_then < 12
    assert still
    assert resumed.returncode == 0, resumed.stderr
    assert called(asterisk, to) == [1] * 12


def test_a_drain_that_takes_too_long_names_what_is_left(daemon):
    job = daemon.submit(to="100", trunk="sim", application="Wait", data="60")
    until(lambda: daemon.job(job["id"])["state"] == "submitted")
    drained = daemon.ctl("drain", "--timeout", "0.1")
    assert drained.returncode == 17
    assert job["id"] in drained.stderr


def test_a_paused_trunk_begins_no_call_until_it_is_resumed(daemon, asterisk):
    to = begin(daemon, "64", 12)
    paused = daemon.ctl("pause", "four", "--reason", "bill")
    until(lambda: none_under_way(daemon, "64"))
    called_by_then = sum(called(asterisk, to))
    shown = daemon.ctl("trunks").stdout
    daemon.ended(daemon.submit(to="106", trunk="sim", **CALL)["id"])
    called_while_paused = sum(called(asterisk, to)) - called_by_then
    daemon.ctl("resume", "four")
    until(lambda: open_jobs(daemon, "64") == 0, 60)
    assert paused.returncode == 0, paused.stderr
    assert "bill" in shown
    assert called_while_paused == 0
    assert called(asterisk, to) == [1] * 12


def test_a_cancelled_batch_hangs_up_and_calls_nobody_more(daemon, asterisk):
    to = begin(daemon, "65", 200)
    cancelled = daemon.ctl("batch", "cancel", "65", "--yes", "--reason", "wrong list")
    until(lambda: open_jobs(daemon, "65") == 0, 30)
    figures = batch(daemon, "65")
    report = daemon.ctl("batch", "report", "65", "--csv", "-").stdout.splitlines()[1:]
    attempted = sum(int(row.split(",")[4]) for row in report)
    assert cancelled.returncode == 0, cancelled.stderr
    assert set(figures["states"]) == {"completed", "cancelled"}
    assert sum(figures["states"].values()) == 200
    assert sum(called(asterisk, to)) <= attempted < 60
    assert max(called(asterisk, to)) == 1
