"""Scenarios of a package's life: installed, set up, the first calls."""

import json
from typing import Any

from scripts.lib.host.machine import until
from scripts.lib.host.scenario import scenario
from scripts.lib.host.stage import ANSWERS, BUSY, CLERK, CONFIG, HERE, SHORT, SILENT, SOCKET, Stage

PACKAGE = "/root/dialerd.deb"
DROP = "/var/spool/dialerd/drop"
APT = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "--no-install-recommends"]
APT += ["-o", "Dpkg::Options::=--force-unsafe-io", "-o", "Dpkg::Use-Pty=0"]
"""There is no network on the host: what the package needs must be there already. Its disk is thrown away, so
that dpkg need not wait for it."""

SETUP = ["--trunk", "sim=Local/{digits}@sim", "--country", "US", "--yes", "--apply"]

WARNED = 3
"""What `dialerctl check` ends with where it only warns. Here nothing keeps the clock right, and it says
so."""

TRUNKS = """
[trunks.brisk]
channel = "Local/{digits}@sim"
calls_per_second = 25
max_channels = 100

[trunks.slow]
channel = "Local/{digits}@sim"
calls_per_second = 4
"""


@scenario(
    "install",
    "the package installs without a network, and its service waits quietly to be set up",
    always=True,
)
def _install(stage: Stage) -> None:
    host = stage.host
    host.run(["useradd", "--create-home", CLERK])
    host.copy_in(stage.package, PACKAGE)
    stage.note(host.out(*APT, "install", PACKAGE))
    version = stage.ctl("--version").strip()
    stage.note(version)
    assert host.out("systemctl", "is-enabled", "dialerd.service") == "enabled"
    assert stage.show("ActiveState") == "inactive", "it runs without a configuration"
    assert stage.show("ConditionResult") == "no", "it was not its condition that kept it from running"
    failed = host.out("systemctl", "list-units", "--failed", "--no-legend", "--plain")
    assert not failed, f"units have failed: {failed}"
    verified = host.run(["systemd-analyze", "verify", "--man=no", "dialerd.service"], check=False)
    stage.note(f"systemd-analyze verify: {(verified.stdout + verified.stderr).strip() or 'no complaint'}")
    assert verified.returncode == 0, verified.stderr


@scenario(
    "setup",
    "dialerctl setup makes it work with a stock Asterisk, and dialerctl check finds nothing wrong",
    always=True,
)
def _setup(stage: Stage) -> None:
    host = stage.host
    _furnish(stage)
    done = host.run(["dialerctl", "setup", *SETUP], check=False)
    stage.note(f"{done.stdout}{done.stderr}")
    assert done.returncode == 0, f"dialerctl setup ended with {done.returncode}: {done.stdout}{done.stderr}"
    with host.path(CONFIG).open("a") as file:
        file.write(TRUNKS)
    host.run(["systemctl", "restart", "asterisk.service"])
    host.run(["systemctl", "restart", "dialerd.service"])
    until(lambda: host.path(SOCKET).is_socket(), 60.0, "its socket is there")
    host.run(["usermod", "--append", "--groups", host.out("stat", "-c", "%G", SOCKET), CLERK])
    stage.up()
    checked = host.run(["dialerctl", "--json", "check", "--problems"], check=False)
    stage.note(host.run(["dialerctl", "check"], check=False).stdout)
    assert checked.returncode in (0, WARNED), f"dialerctl check: {checked.stdout}{checked.stderr}"
    warnings = [json.loads(line) for line in checked.stdout.splitlines()]
    others = [each for each in warnings if each.get("check", each.get("part")) != "clock"]
    assert not others, f"dialerctl check warns of {others}"


def _furnish(stage: Stage) -> None:
    """What an administrator of Asterisk has: a way to call people, and records of all calls."""
    host = stage.host
    with host.path("/etc/asterisk/extensions.conf").open("a") as file:
        file.write("\n#include extensions.sim.conf\n")
    host.write("/etc/systemd/system/asterisk.service.d/files.conf", "[Service]\nLimitNOFILE=65536\n")
    host.run(["systemctl", "daemon-reload"])
    host.run(["systemctl", "restart", "asterisk.service"])
    host.write("/etc/asterisk/extensions.sim.conf", (HERE / "sim.conf").read_text())
    host.write(
        "/etc/asterisk/cdr.conf",
        "[general]\nenable = yes\nunanswered = yes\ncongestion = yes\n[csv]\nusegmtime = yes\n",
    )


@scenario(
    "call",
    "a plain user's calls by socket and drop folder end as they should, by Asterisk's own records too",
    always=True,
)
def _call(stage: Stage) -> None:
    host = stage.host
    wanted = {"answered": (SHORT, "ANSWERED"), "busy": (BUSY, "BUSY"), "noanswer": (SILENT, "NOANSWER")}
    for name, (to, _) in wanted.items():
        document: dict[str, Any] = {
            "to": to,
            "play": "hello-world",
            "trunk": "sim",
            "wait_time": 2,
            "max_retries": 0,
        }
        stage.submit(f"socket-{name}", 1, **document)
        dropped = {**document, "batch": f"file-{name}", "account": f"file-{name}-1"}
        text = json.dumps(dropped)
        host.run(["sh", "-c", f"cat >{DROP}/.{name} && mv {DROP}/.{name} {DROP}/{name}.json"], CLERK, text)
    for name, (_, disposition) in wanted.items():
        for batch in (f"socket-{name}", f"file-{name}"):
            until(lambda: stage.jobs(batch), 30.0, f"a job of {batch} is there")  # noqa: B023
            stage.all_ended(batch)
            attempt = _attempts(stage, batch)[-1]
            stage.note(f"{batch}: {attempt}")
            assert attempt["disposition"] == disposition, f"{batch} ended {attempt['disposition']}"
            stage.all_called_once(batch, 1)
    owners = {job["owner"] for batch in ("socket-busy", "file-busy") for job in stage.jobs(batch)}
    assert owners == {int(host.out("id", "-u", CLERK))}, f"the jobs belong to {owners}"
    assert ANSWERS


def _attempts(stage: Stage, batch: str) -> list[dict[str, Any]]:
    job = stage.jobs(batch)[0]
    return list(stage.ctl_json("show", job["id"])["attempts"])
