"""Job files dropped for the real daemon: each format ends in a real call, bad ones in rejected/ with their
reasons."""

import json
import os
import time

from tests.waiting import until


def by_account(daemon, account):
    """The job of this account, once it is there."""
    return until(lambda: next((job for job in daemon.jobs() if job.get("account") == account), None))


def test_a_json_file_is_called_and_removed(daemon):
    daemon.put(
        "one.json", json.dumps({"to": "106", "context": "job", "extension": "hangup", "account": "j1"})
    )
    job = daemon.ended(by_account(daemon, "j1")["id"])
    assert job["state"] == "completed"
    assert os.listdir(daemon.drop) == []


def test_a_spreadsheets_csv_is_called_row_by_row(daemon):
    rows = (
        "to;play;account;wait_time;variables.NAME\r\n106;hello-world;c1;;Müller\r\n101;hello-world;c2;5;\r\n"
    )
    daemon.put("calls.csv", b"\xef\xbb\xbf" + rows.encode())
    answered = daemon.ended(by_account(daemon, "c1")["id"])
    busy = daemon.ended(by_account(daemon, "c2")["id"])
    assert (answered["state"], answered["variables"]) == ("completed", {"NAME": "Müller"})
    assert busy["attempts"][0]["disposition"] == "BUSY"


def test_an_old_scripts_call_file_is_called(daemon):
    lines = (
        "Channel: Local/106@sim\nContext: job\nExtension: hangup\nAccount: f1\nMaxRetries: 1\nArchive: yes\n"
    )
    daemon.put("old.call", lines)
    assert daemon.ended(by_account(daemon, "f1")["id"])["state"] == "completed"


def test_a_call_file_of_the_future_is_not_called_before_its_time(daemon):
    path = daemon.drop / ".later.call"
    path.write_text("Channel: Local/106@sim\nContext: job\nExtension: hangup\nAccount: f2\n")
    due = int(time.time()) + 3
    os.utime(path, (due, due))
    path.rename(daemon.drop / "later.call")
    job = daemon.ended(by_account(daemon, "f2")["id"])
    begun = daemon.asterisk.cdr_rows("f2")[0]["start"]
    assert job["state"] == "completed"
    assert begun >= time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(due))


def test_of_a_file_with_good_and_bad_rows_the_good_are_called(daemon):
    good = {"to": "106", "context": "job", "extension": "hangup", "account": "g1"}
    daemon.put("mixed.ndjson", json.dumps(good) + "\n" + json.dumps({**good, "to": "nobody"}) + "\n")
    job = daemon.ended(by_account(daemon, "g1")["id"])
    reason = until(lambda: (daemon.rejected / "mixed.ndjson.reason").read_text())
    assert job["state"] == "completed"
    assert "2" in reason
    assert "nobody" in (daemon.rejected / "mixed.ndjson").read_text()


def test_a_call_file_that_names_the_spools_own_lines_is_refused(daemon):
    daemon.put("started.call", "Channel: Local/106@sim\nContext: job\nExtension: s\nStartRetry: 1 1 (1)\n")
    reason = (
        until(lambda: (daemon.rejected / "started.call.reason").exists())
        and (daemon.rejected / "started.call.reason").read_text()
    )
    assert "StartRetry" in reason
    assert daemon.jobs() == []
