"""Scenarios of change and end: backup and restore, the next release and back, removal."""

from scripts.lib.host.lifecycle import APT, PACKAGE
from scripts.lib.host.machine import until
from scripts.lib.host.packages import VERSION, next_release
from scripts.lib.host.scenario import scenario
from scripts.lib.host.stage import ENDED, Stage

BACKUP = "/root/dialerd.backup"
OF_THE_TEST = ("/root", "/home", "/usr/local", "/tmp", "/var/tmp")
LOGS = ("/var/log", "/run/log", "/var/lib/dpkg", "/var/cache")
"""What tells that there was a dialerd, and is not its own."""

CALL_FILE = """Channel: Local/12025550106@sim
Application: Playback
Data: hello-world
Account: byhand-1
"""


@scenario(
    "backup", "a backup made while calls are under way is restored, and nobody is called twice because of it"
)
def _backup(stage: Stage) -> None:
    name, host = "kept", stage.host
    ids = sorted(stage.submit(name, 60, trunk="slow"))
    stage.some_done(name, 5)
    stage.note(host.out("dialerctl", "backup", BACKUP))
    stage.submit("later", 10, trunk="slow")
    stage.some_done(name, stage.states(name)["completed"] + 5)
    host.run(["systemctl", "stop", "dialerd.socket", "dialerd.service"])
    called = set(stage.calls(name))
    stage.note(host.out("dialerctl", "restore", BACKUP, "--replace"))
    host.run(["systemctl", "start", "dialerd.socket", "dialerd.service"])
    stage.up()
    stage.note(f"after the restore: {dict(stage.states(name))}")
    assert sorted(job["id"] for job in stage.jobs(name)) == ids, "not all jobs of the backup are there"
    stage.never_twice(name)
    again = [job for job in stage.jobs(name) if job["state"] not in (*ENDED, "held") and job["key"] in called]
    assert not again, f"{len(again)} jobs would be called again that were called since the backup"
    held = [job["id"] for job in stage.jobs(name) if job["state"] == "held" and job["key"] not in called]
    assert held, "nothing waits for a person, though the backup was made while calls were under way"
    stage.ctl("release", *held[:5])
    until(lambda: stage.states(name)["completed"] >= 5 + 5, 60.0, "what was released is called")
    stage.never_twice(name)
    stage.clear(name)
    # Files of jobs that came after the backup: nobody knows them now, so dialerd leaves them to a person.
    host.run(["sh", "-c", "rm -f /var/spool/asterisk/outgoing_done/*.call"])


@scenario(
    "upgrade",
    "an upgrade keeps and migrates the queue; going back is refused and told why; another one goes on",
)
def _upgrade(stage: Stage) -> None:
    name, host, newer = "upgraded", stage.host, next_release(stage.host, PACKAGE)
    ids = sorted(stage.submit(name, 100, trunk="brisk"))
    stage.some_done(name, 10)
    stage.ctl("batch", "pause", name)
    stage.submit("meanwhile", 60, trunk="brisk")
    stage.note(host.out(*APT, "install", newer))
    assert stage.up(120.0)["version"] == VERSION, "the old version still runs"
    _kept(stage, name, ids, "after the upgrade")
    assert stage.all_ended("meanwhile")["completed"] == 60, "calls under way in the upgrade were lost"
    stage.all_called_once("meanwhile", 60)
    stage.note(host.run([*APT, "install", "--allow-downgrades", PACKAGE], check=False).stdout)
    until(
        lambda: "newer" in stage.dialerd_log(100), 90.0, "the journal says why the older one does not start"
    )
    stage.note(stage.dialerd_log(20))
    assert stage.show("ActiveState") != "active", "the older version runs"
    stage.note(host.out(*APT, "install", newer))
    stage.up(120.0)
    _kept(stage, name, ids, "after going back and forth")
    stage.ctl("batch", "resume", name)
    states = stage.all_ended(name)
    assert states["completed"] == 100, f"not all 100 are completed: {dict(states)}"
    stage.all_called_once(name, 100)


def _kept(stage: Stage, name: str, ids: list[str], when: str) -> None:
    states = stage.states(name)
    stage.note(f"{when}: {dict(states)}")
    assert sorted(job["id"] for job in stage.jobs(name)) == ids, f"{when} jobs are missing"
    assert set(states) - {"completed"}, "all were called before the upgrade was done"


@scenario("purge", "removed, dialerd leaves its queue; purged, it leaves nothing, and Asterisk goes on")
def _purge(stage: Stage) -> None:
    host = stage.host
    stage.note(host.out(*APT, "remove", "dialerd"))
    for gone in ("/usr/bin/dialerd", "/usr/lib/systemd/system/dialerd.service", "/opt/dialerd"):
        assert not host.path(gone).exists(), f"{gone} is there after the removal"
    assert host.path("/etc/dialerd/dialerd.toml").exists(), "a removal took the configuration"
    assert list(host.path("/var/lib/dialerd").glob("dialerd.sqlite3")), "a removal took the queue"
    assert host.run(["pgrep", "-u", "dialerd"], check=False).returncode == 1, (
        "a process of dialerd's is there"
    )
    stage.note(host.out(*APT, "purge", "dialerd"))
    left = _left(stage)
    stage.note(f"left after the purge: {left or 'nothing'}")
    assert not left, f"left behind: {left}"
    assert stage.show("ActiveState", "asterisk.service") == "active", "Asterisk does not run any more"
    host.run(["systemctl", "restart", "asterisk.service"])
    host.write("/var/spool/asterisk/tmp/byhand.call", CALL_FILE)
    host.run(["chown", "asterisk:asterisk", "/var/spool/asterisk/tmp/byhand.call"])
    host.run(["mv", "/var/spool/asterisk/tmp/byhand.call", "/var/spool/asterisk/outgoing/"])
    until(lambda: stage.calls("byhand"), 30.0, "Asterisk makes a call of its own")


def _left(stage: Stage) -> list[str]:
    """What is on the host of dialerd's: files by name and by owner, words in the configuration, access to the
    spool. Its user may stay, locked: his number must not go to another."""
    host, found = stage.host, []
    for what in (["-iname", "*dialerd*"], ["-user", "dialerd"], ["-group", "dialerd"]):
        done = host.run(["find", "/", "-xdev", *what], check=False)
        found += [path for path in done.stdout.split() if not path.startswith((*OF_THE_TEST, *LOGS))]
    texts = host.run(
        ["grep", "-rl", "dialerd", "/etc", "/var/lib/systemd", "/run/systemd/system"], check=False
    )
    own = (
        "/etc/passwd",
        "/etc/group",
        "/etc/shadow",
        "/etc/gshadow",
        "/etc/sub",
        "/etc/hostname",
        "/etc/hosts",
    )
    found += [path for path in texts.stdout.split() if not path.startswith(own)]
    access = host.run(
        ["getfacl", "--recursive", "--absolute-names", "--skip-base", "/var/spool/asterisk"], check=False
    )
    found += [
        line
        for line in access.stdout.splitlines()
        if line.startswith(("user:", "default:user:")) and "::" not in line
    ]
    return sorted(set(found))
