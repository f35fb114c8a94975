"""Scenarios of a service that runs: restarts, crashes, a frozen process, its configuration read again."""

import json
import signal
import time
from typing import Any

from scripts.lib.host.machine import until
from scripts.lib.host.scenario import scenario
from scripts.lib.host.stage import CLERK, CONFIG, HERE, SHORT, SOCKET, Stage

STOP = "/tmp/enough"
SUBMITTER = "/usr/local/lib/hand-in.py"
FREEZE_LIMIT_S = 60.0
WATCHDOG_S = 15
SPIN_S, MOST_STARTS = 8, 6
DROP_IN = "/run/systemd/system/dialerd.service.d/zz-watchdog.conf"


@scenario("restart", "no submit is refused while systemctl restarts dialerd")
def _restart(stage: Stage) -> None:
    host = stage.host
    host.copy_in(HERE / "inside.py", SUBMITTER)
    host.run(["rm", "-f", STOP])
    submitter = host.start(["python3", SUBMITTER, SOCKET, "restart", STOP], CLERK)
    try:
        until(lambda: len(stage.jobs("restart")) >= 20, 30.0, "the first are in")
        before = stage.main_pid()
        for _ in range(2):
            host.run(["systemctl", "restart", "dialerd.service"])
        stage.up()
        until(lambda: len(stage.jobs("restart")) >= 60, 60.0, "it goes on afterwards")
    finally:
        host.run(["touch", STOP])
        printed, _ = submitter.communicate(timeout=90)
    answers: list[dict[str, Any]] = json.loads(printed)
    stage.note(f"{len(answers)} submits, the longest answered after {max(a['took'] for a in answers):.1f} s")
    refused = [answer for answer in answers if answer["status"] != 201]
    assert not refused, f"{len(refused)} of {len(answers)} submits were refused: {refused[:3]}"
    assert stage.main_pid() != before, "dialerd was not restarted"
    accepted, there = [answer["id"] for answer in answers], [job["id"] for job in stage.jobs("restart")]
    assert sorted(accepted) == sorted(there), "what was accepted is not what is there"
    stage.all_ended("restart")
    stage.all_called_once("restart", len(answers))


def _killed(stage: Stage, name: str, number: signal.Signals, seconds: float) -> None:
    """Sends dialerd a signal in the midst of 200 calls; systemd brings it back, and no call is lost or made
    twice."""
    stage.submit(name, 200, trunk="brisk")
    stage.some_done(name, 20)
    before = stage.main_pid()
    stage.host.run(["kill", f"-{number.name.removeprefix('SIG')}", str(before)])
    until(lambda: stage.main_pid() not in (0, before), seconds, "systemd has started it again")
    stage.up()
    there = len(stage.jobs(name))
    assert there == 200, f"{there} of 200 jobs are there"
    states = stage.all_ended(name)
    assert states["completed"] == 200, f"not all 200 are completed: {dict(states)}"
    stage.all_called_once(name, 200)


@scenario("kill", "after kill -9 systemd restarts dialerd, with its queue whole, and nobody is called twice")
def _kill(stage: Stage) -> None:
    _killed(stage, "kill", signal.SIGKILL, 60.0)


@scenario("freeze", "a frozen dialerd is killed by systemd's watchdog and started again, and loses nothing")
def _freeze(stage: Stage) -> None:
    patience, host = stage.show("WatchdogUSec"), stage.host
    assert patience not in ("0", "infinity"), "the unit has no watchdog"
    stage.note(f"WatchdogSec is {patience}; here it is {WATCHDOG_S} s, to be done sooner")
    host.write(DROP_IN, f"[Service]\nWatchdogSec={WATCHDOG_S}\n")
    try:
        host.run(["systemctl", "daemon-reload"])
        host.run(["systemctl", "restart", "dialerd.service"])
        stage.up()
        _killed(stage, "freeze", signal.SIGSTOP, FREEZE_LIMIT_S)
    finally:
        host.path(DROP_IN).unlink()
        host.run(["systemctl", "daemon-reload"])
    # Only the journal tells what ended it; the start after it sets the unit's Result back.
    told = host.run(
        ["journalctl", "--no-pager", "-u", "dialerd.service", "--grep", "Watchdog timeout"], check=False
    )
    assert told.returncode == 0, "it was not the watchdog that ended it"
    stage.note(told.stdout)
    host.run(["systemctl", "restart", "dialerd.service"])
    stage.up()


@scenario("reload", "systemctl reload takes a new configuration, and a broken one changes nothing")
def _reload(stage: Stage) -> None:
    host, good = stage.host, stage.host.read(CONFIG)
    before = stage.main_pid()
    try:
        host.path(CONFIG).write_text(f'{good}\n[trunks.added]\nchannel = "Local/{{digits}}@sim"\n')
        host.run(["systemctl", "reload", "dialerd.service"])
        until(lambda: "added" in stage.ctl("trunks"), 30.0, "the new trunk is there")
        host.path(CONFIG).write_text(f"{good}\n[trunks.added]\nchannel = 17\n[nonsense\n")
        done = host.run(["systemctl", "reload", "dialerd.service"], check=False)
        stage.note(f"systemctl reload of a broken file ended with {done.returncode}")
        until(lambda: _told_of_mistakes(stage), 30.0, "the status tells of the mistakes")
        assert "added" in stage.ctl("trunks"), "the broken file took effect"
        assert stage.show("ActiveState") == "active", "dialerd is not active after a broken reload"
        assert stage.main_pid() == before, "it was restarted"
    finally:
        host.path(CONFIG).write_text(good)
        host.run(["systemctl", "reload", "dialerd.service"], check=False)
    until(lambda: not _told_of_mistakes(stage), 30.0, "all is well again")


def _told_of_mistakes(stage: Stage) -> bool:
    problems = stage.status().get("problems", [])
    return any("mistake" in problem for problem in problems)


@scenario(
    "broken", "with a broken configuration dialerd tells so to all who ask, and is not started over and over"
)
def _broken(stage: Stage) -> None:
    host, good = stage.host, stage.host.read(CONFIG)
    document = json.dumps({"to": SHORT, "play": "hello-world", "trunk": "sim", "batch": "broken"})
    submit = ["dialerctl", "submit", "--format", "json", "-"]
    host.path(CONFIG).write_text(f"{good}\n[nonsense\n")
    try:
        done = host.run(["systemctl", "restart", "dialerd.service"], check=False)
        assert done.returncode != 0, "it started with a broken configuration"
        since = host.out("date", "+%s.%N")
        asked = host.run(submit, CLERK, document, check=False)
        stage.note(f"who submits is told: {asked.stdout}{asked.stderr}")
        assert asked.returncode != 0, "a job was accepted by nobody"
        assert "journalctl" in asked.stdout + asked.stderr, "who submits is not told where to look"
        time.sleep(SPIN_S)
        journal = ["journalctl", "--no-pager", "-u", "dialerd.service", "-o", "cat", f"--since=@{since}"]
        starts = host.out(*journal).count("Main process exited")
        stage.note(f"{starts} starts until {SPIN_S} s after somebody asked")
        assert starts <= MOST_STARTS, f"it was started {starts} times in {SPIN_S} s"
    finally:
        host.path(CONFIG).write_text(good)
        host.run(["systemctl", "start", "dialerd.service"], check=False)
    stage.up()
    host.run(submit, CLERK, document)
    stage.all_ended("broken")


@scenario("two", "a second dialerd on the same host is refused, with the reason")
def _two(stage: Stage) -> None:
    before = stage.main_pid()
    unit = ["systemd-run", "--quiet", "--wait", "--pipe", "--collect", "-p", "User=dialerd"]
    unit += ["-p", "LoadCredential=dialerd:/etc/dialerd/credentials", "-p", "AmbientCapabilities=CAP_CHOWN"]
    done = stage.host.run([*unit, "-p", "RuntimeDirectory=second", "/usr/bin/dialerd"], check=False)
    stage.note(f"the second one said: {(done.stdout + done.stderr).strip()[-300:]}")
    assert done.returncode not in (0, None), "a second one ran"
    assert "dialerd" in done.stdout + done.stderr, "it did not say why"
    assert stage.main_pid() == before, "the first one was disturbed"
    assert stage.up(), "the first one does not answer any more"
