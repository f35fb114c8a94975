"""The log under systemd: fields in its journal, and what becomes of them where it stands still."""

import io
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dialerd.log import get_logger, setup
from tests.test_log import lines, log_as_before

__all__ = ["log_as_before"]

log = get_logger("dialerd.some_module")


def entry_of(data: bytes) -> dict[str, str]:
    """What a datagram to the journal holds."""
    fields, rest = {}, data
    while rest:
        name, _, rest = rest.partition(b"\n")
        if b"=" in name:
            name, _, value = name.partition(b"=")
        else:
            length = int.from_bytes(rest[:8], "little")
            value, rest = rest[8 : 8 + length], rest[9 + length :]
        fields[name.decode()] = value.decode()
    return fields


@pytest.fixture
def journal() -> Iterator[tuple[str, socket.socket]]:
    """A socket that takes entries as systemd's journal does."""
    with tempfile.TemporaryDirectory(prefix="jrn-", dir="/tmp") as folder:
        path = f"{folder}/socket"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
            there.bind(path)
            there.settimeout(30)
            yield path, there


def test_no_value_makes_a_line_of_its_own_in_the_journals_message(journal: tuple[str, socket.socket]) -> None:
    path, there = journal
    setup("info", "journal", io.StringIO(), path)

    log.info("drop_entry_stuck", name="a\nPRIORITY=0\njob_ended job=1\x1b[2J")

    entry = entry_of(there.recv(1 << 16))
    message = "drop_entry_stuck module=dialerd.some_module name=a\\nPRIORITY=0\\njob_ended job=1\\u001b[2J"
    assert entry["MESSAGE"] == message
    assert entry["PRIORITY"] == "6"
    assert entry["DIALERD_NAME"] == "a\nPRIORITY=0\njob_ended job=1\x1b[2J"


def test_in_the_journal_each_field_can_be_asked_for(journal: tuple[str, socket.socket]) -> None:
    path, there = journal
    setup("info", "journal", io.StringIO(), path)

    log.warning("attempt_ended", job="0abc", attempt=2, to="+4930123456", ways=["a", "b"])

    assert entry_of(there.recv(1 << 16)) == {
        "MESSAGE": "attempt_ended attempt=2 job=0abc module=dialerd.some_module to=…3456 ways=['a', 'b']",
        "PRIORITY": "4",
        "SYSLOG_IDENTIFIER": "dialerd",
        "DIALERD_EVENT": "attempt_ended",
        "DIALERD_JOB": "0abc",
        "DIALERD_ATTEMPT": "2",
        "DIALERD_MODULE": "dialerd.some_module",
        "DIALERD_TO": "…3456",
        "DIALERD_WAYS": "a b",
    }


def test_in_the_journal_an_exception_stands_under_its_line_without_values(
    journal: tuple[str, socket.socket],
) -> None:
    path, there = journal
    setup("info", "journal", io.StringIO(), path)

    try:
        raise RuntimeError("no way to +4930123456")
    except RuntimeError:
        log.exception("worker_failed")

    entry = entry_of(there.recv(1 << 16))
    first, *lines = entry["MESSAGE"].splitlines()
    assert first == "worker_failed module=dialerd.some_module"
    assert lines[-1] == "RuntimeError: no way to …3456"
    assert entry["PRIORITY"] == "3"


def test_what_the_journal_does_not_take_is_json_on_stderr(journal: tuple[str, socket.socket]) -> None:
    path, there = journal
    stream = io.StringIO()
    setup("info", "journal", stream, path)

    log.error("refused", why="x" * 200_000)
    log.info("started")

    assert [line["event"] for line in lines(stream)] == ["refused"]
    assert entry_of(there.recv(1 << 16))["DIALERD_EVENT"] == "started"


def test_a_journal_that_stands_still_stops_nobody_and_is_told_later_what_was_lost(
    journal: tuple[str, socket.socket],
) -> None:
    path, there = journal
    stream = io.StringIO()
    setup("info", "journal", stream, path)
    begun = time.monotonic()

    for count in range(2000):
        log.info("job_accepted", count=count)

    took = time.monotonic() - begun
    kept = drained(there)
    log.info("job_ended")
    lost = entry_of(there.recv(1 << 16)), entry_of(there.recv(1 << 16))
    assert took < 15
    assert 0 < kept < 2000
    assert [each["DIALERD_EVENT"] for each in lost] == ["job_ended", "log_entries_lost"]
    assert lost[1]["DIALERD_COUNT"] == str(2000 - kept)
    assert stream.getvalue() == ""


def drained(there: socket.socket) -> int:
    """How many entries wait in a journal's socket; they are taken out."""
    count = 0
    there.setblocking(False)
    with suppress(BlockingIOError):
        while there.recv(1 << 16):
            count += 1
    there.settimeout(30)
    return count


def test_lines_that_the_journal_has_no_room_for_are_lost_and_counted() -> None:
    program = """
import sys
from dialerd.log import *
setup("info", "json")
log = get_logger("x")
for count in range(4000):
    log.info("job_accepted", count=count, why="x" * 300)
print("enough", flush=True)
sys.stdin.read()
log.info("job_ended")
"""
    there, stderr = socket.socketpair()
    here = os.fstat(stderr.fileno())
    env = {**os.environ, "JOURNAL_STREAM": f"{here.st_dev}:{here.st_ino}"}

    with (
        there,
        subprocess.Popen(
            [sys.executable, "-c", program],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
        ) as writer,
    ):
        stderr.close()
        assert writer.stdin is not None
        assert writer.stdout is not None
        writer.stdout.readline()
        said = bytearray()
        there.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                said += there.recv(1 << 16)
        there.settimeout(30)
        writer.stdin.close()
        while piece := there.recv(1 << 16):
            said += piece

    lines = said.decode().splitlines()
    assert lines[-2].startswith("<4>log_entries_lost count=")
    assert int(lines[-2].rpartition("=")[2]) + len(lines) - 2 == 4000
    assert "job_ended" in lines[-1]


def test_without_a_journal_its_lines_are_json(tmp_path: Path) -> None:
    stream = io.StringIO()

    setup("info", "journal", stream, str(tmp_path / "nothing"))
    log.info("started")

    assert [line["event"] for line in lines(stream)] == ["started"]


def test_under_systemd_the_journal_gets_the_fields(
    tmp_path: Path, journal: tuple[str, socket.socket]
) -> None:
    """systemd names the stream that leads to its journal by device and inode."""
    path, there = journal
    program = (
        f'from dialerd.log import *; setup("info", "auto", None, {path!r}); get_logger("x").error("full")'
    )

    with (tmp_path / "stderr").open("w") as stream:
        here = os.fstat(stream.fileno())
        env = {**os.environ, "JOURNAL_STREAM": f"{here.st_dev}:{here.st_ino}"}
        subprocess.run([sys.executable, "-c", program], env=env, stderr=stream, check=True)

    assert entry_of(there.recv(1 << 16))["DIALERD_EVENT"] == "full"
    assert (tmp_path / "stderr").read_text() == ""
