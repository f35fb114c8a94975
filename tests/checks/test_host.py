"""What the kernel tells, from a /proc of the test's own."""

import os
from pathlib import Path

import pytest

from dialerd.checks import host
from dialerd.core.findings import Verdict

LIMITS = """Limit                     Soft Limit           Hard Limit           Units
Max open files            {soft}                 1048576              files
Max locked memory         8388608              8388608              bytes
"""


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """With wide limits and no process."""
    folder = tmp_path / "sys/fs/inotify"
    folder.mkdir(parents=True)
    for name, value in (
        ("max_user_watches", 65536),
        ("max_user_instances", 128),
        ("max_queued_events", 16384),
    ):
        (folder / name).write_text(f"{value}\n")
    return tmp_path


def process(proc: Path, pid: int, command: str, files: int | str = 1024) -> None:
    folder = proc / str(pid)
    folder.mkdir()
    (folder / "cmdline").write_bytes(command.replace(" ", "\0").encode())
    (folder / "limits").write_text(LIMITS.format(soft=files))


def test_wide_limits_are_fine(proc: Path) -> None:
    assert [each.verdict for each in host.inotify(4000, proc)] == [Verdict.OK]


@pytest.mark.parametrize("name", ["max_user_watches", "max_user_instances", "max_queued_events"])
def test_a_limit_that_is_too_low_is_named_with_the_command_that_raises_it(proc: Path, name: str) -> None:
    (proc / "sys/fs/inotify" / name).write_text("8\n")

    (found,) = host.inotify(4000, proc)

    assert found.verdict is Verdict.WARNING
    assert f"sysctl fs.inotify.{name}=" in found.todo


def test_limits_that_are_hidden_are_not_judged(tmp_path: Path) -> None:
    assert [each.verdict for each in host.inotify(4000, tmp_path)] == [Verdict.SKIPPED]


def test_this_user_can_watch_a_folder() -> None:
    assert list(host.watching()) == []


@pytest.mark.parametrize(
    ("files", "calls", "verdict"),
    [
        (1024, 200, Verdict.WARNING),
        (1024, 300, Verdict.ERROR),
        (65536, 200, Verdict.OK),
        ("unlimited", 20_000, Verdict.OK),
    ],
)
def test_asterisk_with_few_open_files_loses_calls(
    proc: Path, files: int | str, calls: int, verdict: Verdict
) -> None:
    process(proc, 812, "/usr/sbin/asterisk -g -f -p -U asterisk", files)
    process(proc, 813, "/usr/bin/python3 asterisk-exporter", 64)

    (found,) = host.asterisk_files(os.geteuid(), calls, proc)

    assert found.verdict is verdict
    assert "pid 812" in found.found


def test_the_poorest_of_several_asterisks_counts(proc: Path) -> None:
    process(proc, 1, "/usr/sbin/asterisk", 65536)
    process(proc, 2, "/lib/ld-linux.so --argv0 asterisk /srv/usr/sbin/asterisk", 256)

    (found,) = host.asterisk_files(None, 200, proc)

    assert "pid 2" in found.found


def test_another_users_asterisk_is_not_ours(proc: Path) -> None:
    process(proc, 1, "/usr/sbin/asterisk", 256)

    (found,) = host.asterisk_files(os.geteuid() + 1, 200, proc)

    assert found.verdict is Verdict.SKIPPED


def status(proc: Path, capabilities: str, confined: int = 1) -> None:
    (proc / "self").mkdir()
    (proc / "self/status").write_text(f"CapEff:\t{capabilities}\nNoNewPrivs:\t{confined}\n")


WATCHED = {"NOTIFY_SOCKET": "/run/x", "INVOCATION_ID": "1", "WATCHDOG_USEC": "30000000"}


@pytest.mark.parametrize(
    ("environ", "confined", "verdict", "words"),
    [
        (WATCHED, 1, Verdict.OK, "watches"),
        (WATCHED, 0, Verdict.NOTE, "without a sandbox"),
        ({"INVOCATION_ID": "1"}, 1, Verdict.NOTE, "WatchdogSec="),
        ({}, 1, Verdict.NOTE, "does not run under systemd"),
        ({"container": "oci"}, 1, Verdict.OK, "engine"),
        ({"container": "lxc", "INVOCATION_ID": "1"}, 1, Verdict.NOTE, "WatchdogSec="),
    ],
)
def test_how_the_service_is_run(
    proc: Path, environ: dict[str, str], confined: int, verdict: Verdict, words: str
) -> None:
    status(proc, "0000000000000001", confined)

    found = {each.name: each for each in host.service(environ, proc)}["service"]

    assert found.verdict is verdict
    assert words in f"{found.found} {found.todo}"


@pytest.mark.skipif(os.geteuid() == 0, reason="root is told of something else")
def test_a_capability_too_much_is_a_warning(proc: Path) -> None:
    status(proc, "0000000000000003")

    found = {each.name: each for each in host.service(WATCHED, proc)}["privileges"]

    assert found.verdict is Verdict.WARNING


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is root")
def test_root_is_a_warning(proc: Path) -> None:
    status(proc, "000001ffffffffff")

    found = {each.name: each for each in host.service(WATCHED, proc)}["privileges"]

    assert (found.verdict, "root" in found.found) == (Verdict.WARNING, True)
