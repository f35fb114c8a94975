"""Scenarios of the world around dialerd: Asterisk stops and starts, the machine is turned off."""

from collections import Counter
from typing import Any

from scripts.lib.host.machine import until
from scripts.lib.host.scenario import scenario
from scripts.lib.host.stage import ENDED, SILENT, Stage

FULL = 5000
GUARD = "/etc/systemd/system/asterisk.service.d/dialerd.conf"
SPOOL = "/var/spool/asterisk"


@scenario(
    "asterisk-restart",
    "restarting Asterisk under load loses no job, and repeats none but what it holds in doubt",
)
def _asterisk_restart(stage: Stage) -> None:
    name, count = "load", 300
    stage.submit(name, count, trunk="brisk")
    stage.some_done(name, 50)
    stage.host.run(["systemctl", "restart", "asterisk.service"])
    stage.up(90.0)
    states = stage.all_ended(name, 300.0)
    stage.note("JOURNAL " + stage.host.run(["journalctl", "-o", "short-precise", "--no-pager"]).stdout)
    stage.note(f"after the restart of Asterisk: {dict(states)}")
    stage.note(f"reasons: {dict(Counter(job.get('reason') for job in stage.jobs(name)))}")
    assert sum(states.values()) == count, f"of {count} jobs {sum(states.values())} are there"
    held = [job for job in stage.jobs(name) if job["state"] == "held"]
    assert all(job.get("reason") for job in held), "a job is held without a word"
    stage.never_twice(name)
    called, completed = stage.calls(name), _accounts(stage, name, ("completed",))
    assert completed - set(called) == set(), f"said to be called, and were not: {completed - set(called)}"
    told = _accounts(stage, name, (*ENDED, "held"))
    assert set(called) <= told, "Asterisk called somebody of whom nothing is told"
    stage.resolve(name)
    stage.clear(name)


def _accounts(stage: Stage, batch: str, states: tuple[str, ...]) -> set[str]:
    """The accounts of the batch's jobs in these states; an account is the job's key too."""
    return {job["key"] for job in stage.jobs(batch) if job["state"] in states}


@scenario(
    "asterisk-away",
    "while Asterisk is stopped calls wait, the status says why, and they go on when it is back",
)
def _asterisk_away(stage: Stage) -> None:
    name = "away"
    stage.host.run(["systemctl", "stop", "asterisk.service"])
    problems = until(lambda: stage.status().get("problems"), 30.0, "the status tells of it")
    stage.note(f"while Asterisk is stopped: {problems}")
    stage.submit(name, 10)
    waiting = stage.states(name)
    assert set(waiting) <= {"queued", "deferred"}, f"something was done: {dict(waiting)}"
    outgoing = stage.host.out("ls", "/var/spool/asterisk/outgoing")
    assert not outgoing, f"call files were handed over: {outgoing}"
    stage.host.run(["systemctl", "start", "asterisk.service"])
    stage.up()
    states = stage.all_ended(name)
    assert states["completed"] == 10, f"not all are completed: {dict(states)}"
    stage.all_called_once(name, 10)


@scenario(
    "guard",
    "after the plug was pulled the spool guard sets begun calls aside, and they are held and not made again",
)
def _guard(stage: Stage) -> None:
    name, count, host = "guarded", 3, stage.host
    host.run(["cp", "/usr/share/doc/dialerd/etc/asterisk.service.d/dialerd.conf", GUARD])
    host.run(["systemctl", "daemon-reload"])
    host.run(["systemctl", "restart", "asterisk.service"])
    stage.up(90.0)
    ids = stage.submit(name, count, to=SILENT, wait_time=60)
    until(lambda: _begun(stage) == count, 60.0, f"{count} calls have begun")
    host.cut()
    host.boot()
    stage.up()
    until(lambda: stage.states(name)["held"] == count, 60.0, f"{count} jobs are held")
    said = host.out("journalctl", "-b", "-t", "dialerd-guard", "-o", "cat", "--no-pager")
    stage.note(f"the guard: {said}")
    assert all(each in said for each in ids), f"the guard named other files than those of {ids}"
    assert not host.out("ls", f"{SPOOL}/outgoing"), "a begun call was left to be made again"
    stage.never_twice(name)
    stage.resolve(name)
    host.run(["rm", GUARD])
    host.run(["systemctl", "daemon-reload"])


def _begun(stage: Stage) -> int:
    """How many call files Asterisk has begun with."""
    files = stage.host.path(f"{SPOOL}/outgoing").glob("*.call")
    return sum("StartRetry:" in file.read_text() for file in files)


@scenario(
    "reboot",
    f"a queue of {FULL} jobs is all there after a reboot, and after the plug was pulled, and goes on",
)
def _reboot(stage: Stage) -> None:
    name, host = "full", stage.host
    ids = sorted(stage.submit(name, FULL, trunk="slow"))
    stage.some_done(name, 5)
    host.poweroff()
    host.boot()
    stage.up()
    _whole(stage, name, ids, "after a reboot")
    stage.some_done(name, stage.states(name)["completed"] + 10)
    host.cut()
    host.boot()
    stage.up()
    _whole(stage, name, ids, "after the plug was pulled")
    stage.some_done(name, stage.states(name)["completed"] + 10)
    stage.never_twice(name)
    stage.resolve(name)
    stage.clear(name)


def _whole(stage: Stage, name: str, ids: list[str], when: str) -> None:
    jobs: list[dict[str, Any]] = stage.jobs(name)
    there = sorted(job["id"] for job in jobs)
    stage.note(f"{when}: {dict(Counter(job['state'] for job in jobs))}")
    assert there == ids, f"{when} {len(there)} of {len(ids)} jobs are there"
