"""Scenarios of confinement: what systemd-analyze says of the unit, what a program in its place can do."""

import json
from typing import Any

from scripts.lib.host.machine import until
from scripts.lib.host.scenario import scenario
from scripts.lib.host.stage import HERE, Stage

WORST = 1.8
PROBE = "/usr/local/lib/probe.py"
DROP_IN = "/run/systemd/system/dialerd.service.d/zz-probe.conf"
CHOWN_ONLY = f"{1:016x}"
"""CAP_CHOWN is bit 0 of a set of capabilities (capabilities(7))."""

MEANT = ("map memory to write and run", "make written memory run")
"""What the unit allows on purpose: hooks are the administrator's commands, and interpreters compile as they
run."""

OURS = ("/var/lib/dialerd", "/var/spool/dialerd", "/run/dialerd", "/var/spool/asterisk")
"""Where dialerd may write; /tmp and the like only if they are its own."""
OWN_TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/credentials", "/run/user", "/run/lock")


@scenario("security", f"systemd-analyze security gives dialerd.service at most {WORST}")
def _security(stage: Stage) -> None:
    table = stage.host.out("systemd-analyze", "security", "--no-pager", "dialerd.service")
    stage.note(table)
    score = float(table.rpartition("dialerd.service:")[2].split()[0])
    assert score <= WORST, f"{score} is more than {WORST}"


@scenario(
    "sandbox", "a program in dialerd's place can write nowhere else, sees no home and gains no privilege"
)
def _sandbox(stage: Stage) -> None:
    told = _probed(stage)
    for what, came in told["tried"].items():
        stage.note(f"{what}: {came}")
    stage.note(f"may write to: {' '.join(told['writable'])}")
    stage.note(f"{told['status']}")
    could = {
        what: came for what, came in told["tried"].items() if not came.startswith("no:") and what not in MEANT
    }
    assert not could, f"it could {could}"
    outside = [folder for folder in told["writable"] if not folder.startswith((*OURS, *OWN_TEMPORARY))]
    assert not outside, f"it could write to {outside}"
    status = told["status"]
    assert status["CapBnd"] == CHOWN_ONLY, (
        f"its capabilities are bounded by {status['CapBnd']}, not CAP_CHOWN"
    )
    assert status["NoNewPrivs"] == "1", "it may gain privileges by running programs"
    assert status["Seccomp"] == "2", "no filter of system calls is in force"
    assert not stage.host.path("/tmp/of-the-probe").exists(), "its /tmp is everybody's"


def _probed(stage: Stage) -> dict[str, Any]:
    """What the probe says, run by dialerd's own unit in dialerd's place."""
    host = stage.host
    host.copy_in(HERE / "probe.py", PROBE)
    host.write("/home/clerk/open-to-all", "hello\n")
    host.run(["install", "-m", "4755", "/usr/bin/id", "/usr/local/bin/as-root"])
    python = host.out("readlink", "-f", "/opt/dialerd/bin/python")
    host.write(
        DROP_IN,
        "[Service]\nType=oneshot\nWatchdogSec=0\nRestart=no\nExecStartPre=\nExecReload=\nExecStartPost=\n"
        f"ExecStart=\nExecStart={python} {PROBE}\n",
    )
    try:
        host.run(["systemctl", "stop", "dialerd.socket", "dialerd.service"], check=False)
        host.run(["systemctl", "daemon-reload"])
        since = host.out("date", "+%s")
        host.run(["systemctl", "start", "dialerd.service"], check=False)
        return until(lambda: _told(stage, since), 60.0, "the probe has told")
    finally:
        host.path(DROP_IN).unlink()
        host.run(["systemctl", "daemon-reload"])
        host.run(["systemctl", "reset-failed", "dialerd.service"], check=False)
        host.run(["systemctl", "start", "dialerd.socket", "dialerd.service"])
        stage.up()


def _told(stage: Stage, since: str) -> dict[str, Any]:
    journal = ["journalctl", "--no-pager", "-u", "dialerd.service", "-o", "cat", f"--since=@{since}"]
    for line in stage.host.out(*journal).splitlines():
        if line.startswith("PROBE "):
            return dict(json.loads(line.removeprefix("PROBE ")))
    return {}
