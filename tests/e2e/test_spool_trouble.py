"""Trouble in the spool, seen by the real daemon: files that Asterisk overlooks or loses, a full disk, a
closed folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.asterisk import PROJECT
from tests.pbx.fake_asterisk import FakeAsterisk
from tests.users import DIALERD_GID, DIALERD_UID, ROOT, give
from tests.waiting import until


@pytest.fixture
def fake(open_folder):
    """A fake Asterisk on a spool of its own, as a process; options as of tests/pbx/fake_asterisk.py."""
    spool = open_folder / "spool"
    for name in ("outgoing", "outgoing_done"):
        (spool / name).mkdir(parents=True)
    running = []

    def start(*options):
        command = [
            sys.executable,
            "-m",
            "tests.pbx.fake_asterisk",
            str(spool),
            "--cdr",
            str(spool / "cdr"),
            *options,
        ]
        running.append(subprocess.Popen(command, cwd=PROJECT))
        return spool

    for path in (spool, *spool.iterdir()):
        give(path, DIALERD_UID, DIALERD_GID)
    yield start
    for process in running:
        process.kill()
        process.wait()


def calls(spool: Path, account: str) -> int:
    """How many calls the fake's own records hold for an account."""
    path = spool / "cdr"
    return path.read_text().count(account) if path.exists() else 0


def job_of(account, **more):
    return {"to": "106", "context": "job", "extension": "hangup", "account": account, **more}


def on(make_daemon, spool):
    return make_daemon(spool, {"asterisk": {"user": str(DIALERD_UID)}}).start()


def test_a_file_that_asterisk_overlooked_is_poked_and_called_once(open_folder, make_daemon):
    spool = open_folder / "spool"
    for path in (spool, spool / "outgoing", spool / "outgoing_done"):
        path.mkdir()
        give(path, DIALERD_UID, DIALERD_GID)
    fake = FakeAsterisk(spool, cdr=spool / "cdr")
    daemon = on(make_daemon, spool)
    overlooked = daemon.submit(**job_of("overlooked"))
    fake.skip = lambda name: name.startswith(overlooked["id"])
    fake.start()
    try:
        daemon.ended(daemon.submit(**job_of("later"))["id"])
        ended = daemon.ended(overlooked["id"], 30)
    finally:
        fake.crash()
    events = daemon.request("GET", f"/v1/events?job={overlooked['id']}&follow=0&after=0")[1].decode()
    assert ended["state"] == "completed"
    assert events.count('"poked"') == 1
    assert calls(spool, "overlooked") == 1


def test_a_file_that_vanishes_leaves_its_job_held_with_the_reason(fake, make_daemon):
    spool = fake("--lose", "*")
    daemon = on(make_daemon, spool)
    job = daemon.ended(daemon.submit(**job_of("lost"))["id"], 30)
    assert job["state"] == "held"
    assert "gone from outgoing" in job["reason"]


def test_what_a_dead_asterisk_does_not_take_up_is_taken_back(fake, make_daemon):
    spool = fake("--frozen")
    daemon = on(make_daemon, spool)
    job = daemon.submit(**job_of("dead", not_after="in 8s"))
    ended = daemon.ended(job["id"], 30)
    assert ended["state"] == "expired"
    assert os.listdir(spool / "outgoing") == []


@pytest.mark.skipif(not ROOT, reason="only root can mount a small disk")
@pytest.mark.parametrize("which", ["spool", "state"])
def test_a_full_disk_refuses_before_accepting_and_goes_on_when_there_is_room(open_folder, make_daemon, which):
    small = open_folder / "small"
    small.mkdir()
    at = {"spool": open_folder, "state": open_folder, which: small}
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(small)], check=True)
    try:
        for path in (small, at["spool"] / "spool", at["spool"] / "spool" / "outgoing"):
            path.mkdir(exist_ok=True)
            give(path, DIALERD_UID, DIALERD_GID)
        settings = {"asterisk": {"user": str(DIALERD_UID)}, "queue": {"min_free_mb": 8}}
        daemon = make_daemon(at["spool"] / "spool", settings, state=at["state"] / "state").start()
        filler = small / "filler"
        filler.write_bytes(b"x" * (18 << 20))
        until(lambda: daemon.request("POST", "/v1/jobs", job_of("full"))[0] == 503)
        status, problem = daemon.request("POST", "/v1/jobs", job_of("full"))
        filler.unlink()
        until(lambda: daemon.request("POST", "/v1/jobs", job_of("room"))[0] == 201)
        daemon.stop()
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)
    assert status == 503
    assert "disk" in problem["detail"]


def test_a_spool_that_closes_leaves_jobs_waiting_and_says_so(fake, make_daemon):
    spool = fake()
    daemon = on(make_daemon, spool)
    (spool / "outgoing").chmod(0o500)
    job = daemon.submit(**job_of("closed"))
    until(lambda: daemon.request("GET", "/v1/status")[1]["problems"], 15)
    until(lambda: daemon.job(job["id"])["state"] in ("queued", "deferred"))
    (spool / "outgoing").chmod(0o770)
    ended = daemon.ended(job["id"], 30)
    assert ended["state"] == "completed"
