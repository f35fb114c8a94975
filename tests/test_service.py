"""systemd's files: they keep what the code relies on, and systemd finds nothing wrong with them."""

import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from dialerd.cloud import STOP_S
from dialerd.config import DEFAULT_PATH, from_text
from dialerd.daemon import EXIT_CONFIG, RELOAD_LIMIT_S, STILL_S
from dialerd.intake.api.settings import ApiSettings
from dialerd.intake.dropbox_files import DropSettings

SYSTEMD = Path(__file__).resolve().parent.parent / "systemd"
MOST_EXPOSED = 1.8
NEW_ENOUGH = 262
"""An older one does not know all settings, and says so."""


def unit(name: str, section: str) -> dict[str, list[str]]:
    """The settings of one section, each with all its values."""
    found: dict[str, list[str]] = {}
    inside = ""
    for line in (SYSTEMD / name).read_text().splitlines():
        if line.startswith("["):
            inside = line.strip("[]")
        elif inside == section and "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


SERVICE = unit("dialerd.service", "Service")


def version() -> int:
    """Of the machine's systemd-analyze; 0 where there is none."""
    if shutil.which("systemd-analyze") is None:
        return 0
    done = subprocess.run(["systemd-analyze", "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"systemd (\d+)", done.stdout)
    return int(found[1]) if found else 0


needs_systemd = pytest.mark.skipif(version() < NEW_ENOUGH, reason=f"there is no systemd-analyze {NEW_ENOUGH}")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root folder with the units, and with all that they name."""
    units = tmp_path / "usr/lib/systemd/system"
    units.mkdir(parents=True)
    for name in ("dialerd.service", "dialerd.socket"):
        shutil.copy(SYSTEMD / name, units)
    program = tmp_path / "usr/bin/dialerd"
    program.parent.mkdir(parents=True)
    program.touch(0o755)
    for target in ("sysinit.target", "multi-user.target"):
        (units / target).write_text("[Unit]\n")
    return tmp_path


def test_the_spool_is_one_writable_mount() -> None:
    spool = from_text("", {"STATE_DIRECTORY": "/var/lib/dialerd"}).asterisk.spool

    assert f"-{spool}" in SERVICE["ReadWritePaths"]
    assert not any(path.startswith(f"-{spool}/") for path in SERVICE["ReadWritePaths"])


def test_what_dialerd_writes_to_by_default_is_writable() -> None:
    config = from_text("", {"STATE_DIRECTORY": "/var/lib/dialerd"})

    assert SERVICE["StateDirectory"] == [config.state_dir.name]
    assert SERVICE["RuntimeDirectory"] == [config.socket.path.parent.name]
    assert f"-{config.drop_folder.path}" in SERVICE["ReadWritePaths"]


def test_the_socket_is_the_configured_one_and_outlives_the_service() -> None:
    config, socket = from_text("", {"STATE_DIRECTORY": "/var/lib/dialerd"}), unit("dialerd.socket", "Socket")

    assert socket["ListenStream"] == [str(config.socket.path)]
    assert socket["SocketMode"] == [f"{ApiSettings(config.socket.path).mode:04o}"]
    assert SERVICE["RuntimeDirectoryPreserve"] == ["yes"]
    assert "Accept" not in socket


def test_dialerd_has_the_one_capability_that_call_files_take_and_the_calls_for_it() -> None:
    assert SERVICE["AmbientCapabilities"] == SERVICE["CapabilityBoundingSet"] == ["CAP_CHOWN"]
    assert SERVICE["SystemCallFilter"][-1].split() == ["@chown", "capset"]  # capset: reports/confine.py


def test_time_limits_leave_room_for_what_they_limit() -> None:
    seconds = int(SERVICE["WatchdogSec"][0])

    assert int(SERVICE["TimeoutStopSec"][0]) > 2 * STOP_S
    assert seconds > max(2 * STILL_S, RELOAD_LIMIT_S)


def test_a_configuration_with_mistakes_is_not_tried_again() -> None:
    assert SERVICE["RestartPreventExitStatus"] == [str(EXIT_CONFIG)]
    assert SERVICE["Restart"] == ["always"]
    assert unit("dialerd.service", "Unit")["StartLimitIntervalSec"] == ["0"]


@pytest.mark.parametrize("name", ["dialerd.service", "dialerd.socket"])
def test_without_a_configuration_the_unit_waits_quietly(name: str) -> None:
    assert unit(name, "Unit")["ConditionPathExists"] == [str(DEFAULT_PATH)]


def test_the_drop_folder_is_made_as_dialerd_itself_would() -> None:
    modes = {
        line.split()[1]: line.split()[2]
        for line in (SYSTEMD / "dialerd.tmpfiles").read_text().splitlines()
        if line and not line.startswith("#")
    }

    drop = Path("/var/spool/dialerd")
    assert int(modes[str(drop / "drop")], 8) == DropSettings(drop).drop_mode
    assert modes[str(drop / "claimed")] == "0700"
    assert modes["/etc/dialerd/credentials"] == "0700"
    assert SERVICE["LoadCredential"] == ["dialerd:/etc/dialerd/credentials"]


def test_the_guard_of_asterisks_spool_never_keeps_asterisk_from_starting() -> None:
    drop_in = unit("asterisk.service.d/dialerd.conf", "Service")

    [start], [stop] = drop_in["ExecStartPre"], drop_in["ExecStopPost"]
    assert start.startswith("-+/usr/bin/timeout 20 /usr/bin/setpriv --reuid=dialerd ")
    assert start.replace(" before ", " after ") == stop
    assert "-m dialerd.pbx.guard before /var/spool/asterisk" in start


def test_no_file_is_executable() -> None:
    files = [path for path in SYSTEMD.rglob("*") if path.is_file()]

    assert [path.name for path in files if path.stat().st_mode & stat.S_IXUSR] == []


@needs_systemd
def test_systemd_finds_nothing_wrong(root: Path) -> None:
    command = ["systemd-analyze", "verify", "--man=no", f"--root={root}", "dialerd.service", "dialerd.socket"]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_little_is_exposed(root: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={round(MOST_EXPOSED * 10)}"]

    done = subprocess.run(
        [*command, f"--root={root}", "--no-pager", "dialerd.service"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Overall exposure level" in done.stdout, done.stderr
    assert done.returncode == 0, done.stdout
