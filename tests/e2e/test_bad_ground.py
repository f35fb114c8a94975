"""Bad ground under the real daemon: what a person is told, and that nothing is lost."""

import json
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from tests.asterisk import PROJECT
from tests.pbx.fake_manager import FakeManager
from tests.users import DIALERD_GID, DIALERD_UID, ROOT, give
from tests.waiting import until

EXIT_CONFIG, EXIT_BUG = 78, 70
OTHER_UID = 41009
CALL = {"to": "106", "context": "job", "extension": "hangup"}
root = pytest.mark.skipif(not ROOT, reason="only root can mount a small disk, or run as two users")


def refused(daemon, code=EXIT_CONFIG) -> str:
    """What it says on stderr when it won't start. After EXIT_CONFIG systemd does not try again: what is no
    mistake in the file itself may come back, as a disk that is mounted late."""
    done = subprocess.run(
        daemon.command(),
        env=daemon.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd="/",
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def checked(daemon, *flags):
    """What `dialerctl check` finds, by check, and its exit code."""
    done = daemon.ctl("check", "--json", "--config", str(daemon.folder / "dialerd.toml"), *flags)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {each["check"]: each for each in reversed(found)}, done.returncode


@pytest.fixture
def spool(open_folder):
    """A spool as an administrator makes it, without an Asterisk."""
    for name in ("", "outgoing", "outgoing_done"):
        (open_folder / "spool" / name).mkdir(exist_ok=True)
        give(open_folder / "spool" / name, DIALERD_UID, DIALERD_GID)
    return open_folder / "spool"


@pytest.fixture
def taken_up(spool):
    """The same with an Asterisk that takes files up, and counts its calls."""
    command = [sys.executable, "-m", "tests.pbx.fake_asterisk", str(spool), "--cdr", str(spool / "cdr")]
    process = subprocess.Popen(command, cwd=PROJECT)
    yield spool
    process.kill()
    process.wait()


@pytest.fixture
def small(open_folder):
    """A disk of 24 MB of dialerd's."""
    path = open_folder / "small"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(path)], check=True)
    give(path, DIALERD_UID, DIALERD_GID, 0o755)
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.fixture
def manager():
    """An AMI of the test's own."""
    server = FakeManager()
    yield server
    server.close()


def ours(spool):
    """Settings for a spool that is wholly dialerd's user's."""
    return {"asterisk": {"spool": str(spool), "user": str(DIALERD_UID)}}


def fill(path) -> None:
    """Takes all the room on a disk."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass


def calls(spool) -> int:
    path = spool / "cdr"
    return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.mark.parametrize(
    ("section", "bad", "words", "code"),
    [
        ("asterisk", {"user": "nosuchuser"}, "no user 'nosuchuser'", EXIT_BUG),
        ("socket", {"group": "nosuchgroup"}, "groupadd nosuchgroup", EXIT_BUG),
        ("socket", {"path": "/tmp/" + "long" * 30 + "/s"}, "at most 107 bytes", EXIT_CONFIG),
        ("asterisk", {"spool": "/nonexistent/spool"}, "astspooldir", EXIT_BUG),
        ("queue", {"max_jobs": "many"}, "queue.max_jobs", EXIT_CONFIG),
    ],
)
def test_a_configuration_that_can_not_be_used_is_refused_and_the_queue_waits(
    spool, make_daemon, section, bad, words, code
):
    daemon = make_daemon(spool, ours(spool)).start()
    job = daemon.submit(**CALL, not_before="in 1h")
    daemon.stop()
    before = dict(daemon.settings[section]) if section in daemon.settings else None
    daemon.settings[section] = {**(before or {}), **bad}
    daemon.write_config()
    said = refused(daemon, code)
    if before is None:
        del daemon.settings[section]
    else:
        daemon.settings[section] = before
    daemon.write_config()
    daemon.start()
    assert words in said
    assert daemon.job(job["id"])["state"] in ("queued", "deferred")


@root
def test_an_asterisk_user_who_is_the_wrong_one_is_refused_before_any_call(spool, make_daemon):
    daemon = make_daemon(spool, {"asterisk": {"user": str(OTHER_UID)}})
    for name in ("", "outgoing", "outgoing_done"):
        give(spool / name, DIALERD_UID, DIALERD_GID, 0o750)
    said = refused(daemon, EXIT_BUG)
    assert f"uid {OTHER_UID}" in said
    assert "calls would be repeated" in said
    assert "Set user under [asterisk]" in said


@root
def test_a_spool_that_closes_under_the_daemon_is_found_by_the_check_with_the_cure(spool, make_daemon):
    daemon = make_daemon(spool, ours(spool)).start()
    give(spool / "outgoing", 0, 0, 0o700)
    found, code = checked(daemon)
    give(spool / "outgoing", DIALERD_UID, DIALERD_GID, 0o755)
    mended, _ = checked(daemon)
    assert (found["spool"]["verdict"], code) == ("error", 1)
    assert "setfacl" in found["spool"]["todo"]
    assert mended["spool"]["verdict"] == "ok"


@root
@pytest.mark.parametrize("what", ["missing folder", "read-only folder", "read-only disk"])
def test_a_state_folder_that_can_not_be_written_is_refused_with_what_to_do(small, spool, make_daemon, what):
    daemon = make_daemon(spool, ours(spool), state=small / "state")
    if what == "missing folder":
        give(small, 0, 0, 0o755)
    elif what == "read-only folder":
        (small / "state").mkdir()
        give(small / "state", DIALERD_UID, DIALERD_GID, 0o500)
    else:
        (small / "state").mkdir()
        give(small / "state", DIALERD_UID, DIALERD_GID)
        subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
    said = refused(daemon, EXIT_BUG)
    assert str(small / "state") in said
    assert any(
        cure in said for cure in ("owned by dialerd's user", "dialerd's user own", "mount it read-write")
    )


@root
def test_a_full_disk_of_the_state_makes_jobs_wait_and_room_lets_them_go(small, taken_up, make_daemon):
    settings = {**ours(taken_up), "queue": {"min_free_mb": 1}}
    daemon = make_daemon(taken_up, settings, state=small / "state").start()
    job = daemon.submit(**CALL, not_before="in 3s")
    fill(small / "filler")
    found, code = checked(daemon)
    status, problem = daemon.request("POST", "/v1/jobs", CALL)
    until(lambda: "turn_failed" in daemon.log())
    (small / "filler").unlink()
    ended = daemon.ended(job["id"])
    assert (found["state folder"]["verdict"], code) == ("error", 1)
    assert "No space left" in found["state folder"]["found"]
    assert (status, ended["state"]) == (503, "completed")
    assert problem["detail"]
    assert calls(taken_up) == 1


@root
def test_a_first_start_on_a_full_disk_ends_so_that_it_is_tried_again(small, spool, make_daemon):
    daemon = make_daemon(spool, ours(spool), state=small / "state")
    fill(small / "filler")
    said = refused(daemon, EXIT_BUG)
    (small / "filler").unlink()
    daemon.start()
    assert "No space left" in said or "disk is full" in said


@root
def test_a_start_on_a_full_disk_finds_the_queue_and_accepts_nothing_until_there_is_room(
    small, spool, make_daemon
):
    settings = {**ours(spool), "queue": {"min_free_mb": 1}}
    daemon = make_daemon(spool, settings, state=small / "state").start()
    job = daemon.submit(**CALL, not_before="in 1h")
    daemon.kill()
    fill(small / "filler")
    daemon.start()
    status, _ = daemon.request("POST", "/v1/jobs", CALL)
    (small / "filler").unlink()
    until(lambda: daemon.request("POST", "/v1/jobs", CALL)[0] == 201)
    assert status == 503
    assert daemon.job(job["id"])["state"] in ("queued", "deferred")


@root
def test_a_full_disk_of_the_spool_makes_jobs_wait_and_room_lets_them_go(small, make_daemon):
    for name in ("spool", "spool/outgoing", "spool/outgoing_done"):
        (small / name).mkdir()
        give(small / name, DIALERD_UID, DIALERD_GID)
    spool = small / "spool"
    daemon = make_daemon(spool, {**ours(spool), "queue": {"min_free_mb": 1}}).start()
    job = daemon.submit(**CALL, not_before="in 3s")
    fill(small / "filler")
    found, _ = checked(daemon)
    problem = until(
        lambda: [each for each in daemon.request("GET", "/v1/status")[1]["problems"] if "disk" in each]
    )
    waits = daemon.job(job["id"])["state"]
    (small / "filler").unlink()
    begun = until(lambda: list((spool / "outgoing").iterdir()))
    assert found["disk"]["verdict"] == "error"
    assert problem
    assert waits in ("queued", "deferred", "active")
    assert [path.name.partition(".")[0] for path in begun] == [job["id"]]


def test_an_asterisk_that_is_away_is_an_error_of_the_check_until_it_is_back(own_asterisk, make_daemon):
    daemon = make_daemon(own_asterisk).start()
    own_asterisk.stop()
    away, code = checked(daemon)
    job = daemon.submit(**CALL)
    own_asterisk.start()
    ended = daemon.ended(job["id"])
    back, _ = checked(daemon)
    assert (away["ami"]["verdict"], code) == ("error", 1)
    assert "Nothing listens at" in away["ami"]["found"]
    assert "Start Asterisk" in away["ami"]["todo"]
    assert back["ami"]["verdict"] == "ok"
    assert ended["state"] == "completed"


def test_a_wrong_secret_is_an_error_of_the_check_and_is_not_shown(asterisk, make_daemon):
    daemon = make_daemon(asterisk)
    (daemon.folder / "secret").write_text("canary-word\n")
    daemon.start()
    found, code = checked(daemon)
    assert (found["ami"]["verdict"], code) == ("error", 1)
    assert "manager.conf" in found["ami"]["todo"]
    assert "canary-word" not in json.dumps(found) + daemon.log()


def test_an_asterisk_whose_clock_is_an_hour_off_is_an_error_of_the_check(manager, spool, make_daemon):
    manager.responses["Ping"] = lambda line, action: line.answer(
        action, Ping="Pong", Timestamp=f"{time.time() - 3640:.6f}"
    )
    daemon = make_daemon(spool, ours(spool))
    secret = daemon.folder / "secret"
    secret.write_text("secret\n")
    give(secret, DIALERD_UID, DIALERD_GID, 0o600)
    daemon.settings["ami"] = {"port": manager.port, "secret_file": str(secret)}
    daemon.write_config()
    daemon.start()
    found, code = checked(daemon)
    assert (found["asterisk clock"]["verdict"], code) == ("error", 1)
    assert "1.0 hours behind" in found["asterisk clock"]["found"]


def test_a_daemon_in_order_has_no_error(daemon):
    found, code = checked(daemon)
    errors = [each for each in found.values() if each["verdict"] == "error"]
    assert errors == []
    assert code in (0, 3)  # a machine of tests may have nothing that keeps its clock right
    assert found["spool"]["ok"]
    assert found["pbx_spool"]["verdict"] == "ok"


def test_a_daemon_that_does_not_run_is_told_of_with_all_that_is_seen_from_here(daemon):
    daemon.stop()
    found, code = checked(daemon)
    assert code == 69
    assert "journalctl -u dialerd" in found["daemon"]["todo"]
    assert found["asterisk files"]
