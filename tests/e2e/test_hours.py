"""Calling hours: what waits says until when and why, and what lies unstarted as they close is taken back."""

import os
import struct
from datetime import UTC, datetime

import pytest

from tests.e2e.lines import FAR_AWAY, day_of_now, dialled, line, with_lines
from tests.waiting import until

CALL = {"context": "job", "extension": "s"}
CLOSES_IN_S = 6


def zone_where_it_is(hour, minute, second):
    """A file of the time zone database (RFC 9636, version 1) of the one zone where it is this time now."""
    now = datetime.now(UTC)
    offset = (hour - now.hour) * 3600 + (minute - now.minute) * 60 + second - now.second
    head = struct.pack(">4s16x6l", b"TZif", 0, 0, 0, 0, 1, 4)
    return head + struct.pack(">lbB4s", offset, 0, 0, b"NOW\0")


@pytest.fixture
def start(make_daemon):
    """Starts a daemon with a trunk and opening hours on this Asterisk."""

    def start(asterisk, ami=True, **environment):
        settings = {"trunks.provider": line("line-a"), "hours.day": {"windows": day_of_now()}}
        daemon = make_daemon(with_lines(asterisk), settings, ami=ami)
        daemon.extra_environment = environment
        return daemon.start()

    return start


def test_a_job_outside_its_hours_says_until_when_and_why_it_waits(start, asterisk):
    daemon = start(asterisk)
    to = "+49307100006"
    job = daemon.submit(to=to, trunk="provider", hours="day", recipient_timezone=FAR_AWAY, **CALL)
    shown = daemon.ctl("show", job["id"]).stdout
    listed = daemon.ctl("list", "--json").stdout
    daemon.ended(daemon.submit(to="+49307100106", trunk="provider", hours="day", **CALL)["id"])
    assert "outside calling hours (day) of Pacific/Auckland until" in shown
    assert "not_before" in shown
    assert job["id"] in listed
    assert daemon.job(job["id"])["state"] == "queued"
    assert dialled(asterisk)[to] == 0


def test_hours_that_never_open_in_time_are_refused(start, asterisk):
    daemon = start(asterisk)
    job = {"to": "+49307100206", "hours": "day", "recipient_timezone": FAR_AWAY, "not_after": "in 1h"}
    status, answer = daemon.request("POST", "/v1/jobs", {**job, "trunk": "provider", **CALL})
    assert status == 422
    assert "hours" in {each.get("rule") for each in answer["mistakes"]}


def test_a_call_that_asterisk_did_not_begin_is_taken_back_when_its_hours_close(
    start, own_asterisk, open_folder
):
    daemon = start(own_asterisk, ami=False, PYTHONTZPATH=f"{open_folder}:/usr/share/zoneinfo")
    own_asterisk.freeze()
    (open_folder / "Edge").write_bytes(zone_where_it_is(11, 59, 60 - CLOSES_IN_S))
    to, hours = "+49307200006", ["00:00-12:00"]
    job = daemon.submit(to=to, trunk="provider", hours=hours, recipient_timezone="Edge", **CALL)
    until(lambda: daemon.job(job["id"])["state"] == "submitted")
    until(lambda: daemon.job(job["id"])["state"] == "deferred", 20)
    waiting = daemon.job(job["id"])
    left = os.listdir(own_asterisk.outgoing)
    own_asterisk.thaw()
    daemon.ended(daemon.submit(to="+49307200106", trunk="provider", **CALL)["id"])
    assert "calling hours" in waiting["reason"]
    assert left == []
    assert daemon.job(job["id"])["state"] == "deferred"
    assert dialled(own_asterisk)[to] == 0
