"""SIGHUP: the new rules are in force at once, mistakes leave the old ones in force, and what needs a restart
is said."""

import os
import signal
import sqlite3
from contextlib import closing

import pytest

from tests.e2e.lines import dialled, line, status, trunks, with_lines
from tests.waiting import until

CALL = {"context": "job", "extension": "hangup"}


@pytest.fixture
def daemon(asterisk, make_daemon):
    """A running daemon with a trunk, on the shared Asterisk."""
    return make_daemon(with_lines(asterisk), {"trunks.provider": line("line-a", max_channels=3)}).start()


def reload(daemon, event="reloaded"):
    """Has the configuration read again, and waits until that is done."""
    before = daemon.log().count(event)
    daemon.write_config()
    os.kill(daemon.pid, signal.SIGHUP)
    until(lambda: daemon.log().count(event) > before)


def told(daemon, word):
    """The problem that the status tells with this word in it."""
    return until(lambda: next((each for each in status(daemon)["problems"] if word in each), ""))


def test_a_trunks_new_limit_counts_at_once(daemon):
    before = trunks(daemon)["provider"]["max_channels"]
    daemon.settings["trunks.provider"]["max_channels"] = 7
    daemon.settings["trunks.other"] = line("line-b")
    reload(daemon)
    assert before == 3
    assert trunks(daemon)["provider"]["max_channels"] == 7
    assert "other" in trunks(daemon)


def test_a_new_stop_list_holds_for_new_jobs_and_for_those_that_wait(daemon, asterisk, open_folder):
    to = "+49306600006"
    daemon.ctl("pause", "provider")
    waiting = daemon.submit(to=to, trunk="provider", **CALL)
    path = open_folder / "stop.txt"
    path.write_text(f"{to}\n")
    daemon.settings["stop_lists.customers"] = {"file": str(path), "reason": "wrote to us"}
    reload(daemon)
    refused = daemon.request("POST", "/v1/jobs", {"to": to, "trunk": "provider", **CALL})
    daemon.ctl("resume", "provider")
    ended = daemon.ended(waiting["id"])
    assert refused[0] == 422
    assert refused[1]["mistakes"][0]["rule"] == "do_not_call"
    assert (ended["state"], ended["reason"]) == (
        "failed",
        f"{to} is on the do-not-call list customers: wrote to us",
    )
    assert dialled(asterisk)[to] == 0


def test_a_stop_list_that_changes_counts_without_a_reload(asterisk, make_daemon, open_folder):
    path = open_folder / "stop.txt"
    path.write_text("# nobody yet\n")
    settings = {
        "trunks.provider": line("line-a"),
        "stop_lists.customers": {"file": str(path)},
    }
    daemon = make_daemon(with_lines(asterisk), settings).start()
    other = open_folder / ".stop.new"
    other.write_text("+49306600106\n")
    other.rename(path)
    job = {"to": "+49306600106", "trunk": "provider", "play": "hello-world", "not_before": "in 1h"}
    refused = until(lambda: daemon.request("POST", "/v1/jobs", job)[1].get("mistakes"), 20)
    assert refused[0]["rule"] == "do_not_call"


def test_a_configuration_with_mistakes_leaves_the_old_one_in_force_and_says_so_until_it_is_mended(daemon):
    daemon.settings["trunks.provider"]["max_chanels"] = 9
    daemon.settings["hours.office"] = {"windows": ["mon-fry 09:00-18:00"]}
    reload(daemon, "reload_refused")
    problem = told(daemon, "not read again")
    shown = daemon.ctl("status").stdout
    channels = trunks(daemon)["provider"]["max_channels"]
    job = daemon.ended(daemon.submit(to="+49306600206", trunk="provider", **CALL)["id"])
    del daemon.settings["trunks.provider"]["max_chanels"], daemon.settings["hours.office"]
    reload(daemon)
    until(lambda: status(daemon)["problems"] == [])
    assert "max_chanels" in problem
    assert 'Did you mean "fri"?' in problem
    assert "max_chanels" in shown
    assert channels == 3
    assert job["state"] == "completed"


def test_what_takes_a_restart_is_said_and_the_rest_counts_already(daemon):
    daemon.settings["queue"] = {"max_jobs": 5}
    daemon.settings["trunks.provider"]["max_channels"] = 5
    reload(daemon)
    problem = told(daemon, "[queue]")
    assert "restart" in problem
    assert trunks(daemon)["provider"]["max_channels"] == 5


def test_what_waits_for_a_cap_goes_once_the_cap_is_raised(daemon, asterisk):
    daemon.settings["caps.owner"] = {"calls_per_day": 1}
    reload(daemon)
    first, second = "+49306600406", "+49306600506"
    daemon.ended(daemon.submit(to=first, trunk="provider", **CALL)["id"])
    waiting = daemon.submit(to=second, trunk="provider", **CALL)
    until(lambda: "of 1 at most" in daemon.job(waiting["id"]).get("reason", ""))
    daemon.settings["caps.owner"] = {"calls_per_day": 5}
    reload(daemon)
    ended = daemon.ended(waiting["id"])
    assert ended["state"] == "completed"
    assert [dialled(asterisk)[number] for number in (first, second)] == [1, 1]


def test_a_trunk_that_is_taken_out_fails_its_waiting_jobs_with_a_reason(daemon):
    daemon.ctl("pause", "provider")
    job = daemon.submit(to="+49306600306", trunk="provider", **CALL)
    del daemon.settings["trunks.provider"]
    reload(daemon)
    daemon.ctl("resume", "provider")
    ended = daemon.ended(job["id"])
    assert ended["state"] == "failed"
    assert "provider" in ended["reason"]


def test_a_reload_while_the_queue_can_not_be_written_waits_and_ends_nothing(daemon):
    with closing(sqlite3.connect(daemon.state / "dialerd.sqlite3", isolation_level=None)) as store:
        store.execute("BEGIN IMMEDIATE")
        until(lambda: "turn_failed" in daemon.log(), seconds=30)
        daemon.settings["trunks.provider"]["max_channels"] = 7
        reload(daemon, "reload_waits")
        store.execute("ROLLBACK")
    until(lambda: trunks(daemon)["provider"]["max_channels"] == 7, seconds=30)
    assert daemon.running()
