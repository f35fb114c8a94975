"""The log: who gets JSON, what is masked, and that a stream that went away does no harm."""

import io
import json
import logging
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from dialerd.log import get_logger, mask, setup

log = get_logger("dialerd.some_module")


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """setup() is for the whole process; the tests that come after must not feel it."""
    before = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:], logging.root.level = before
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("number", "shown"),
    [("+15551234567", "…4567"), ("15551234567", "…4567"), ("1000", "…00"), ("600", "…0"), ("7", "…7")],
)
def test_a_number_is_masked_by_its_last_digits(number: str, shown: str) -> None:
    assert mask(number) == shown


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_when_asked_for() -> None:
    stream = io.StringIO()
    setup("info", "json", stream)

    log.info("job_accepted", job="0abc", attempts=2)

    [line] = lines(stream)
    assert line.pop("timestamp")
    assert line == {
        "event": "job_accepted",
        "level": "info",
        "module": "dialerd.some_module",
        "job": "0abc",
        "attempts": 2,
    }


def test_readable_text_when_asked_for() -> None:
    stream = io.StringIO()
    setup("info", "text", stream)

    log.warning("asterisk_down", why="refused")

    assert "asterisk_down" in stream.getvalue()
    assert "why=refused" in stream.getvalue()


def test_a_file_gets_text_without_colours(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("w") as stream:
        setup("info", "auto", stream)
        log.info("started")

    assert "started" in path.read_text()
    assert "\x1b" not in path.read_text()


def test_what_is_below_the_level_is_not_written() -> None:
    stream = io.StringIO()
    setup("warning", "json", stream)

    log.info("asterisk_up")
    log.warning("asterisk_down")

    assert [line["event"] for line in lines(stream)] == ["asterisk_down"]


def test_numbers_in_fields_are_masked() -> None:
    stream = io.StringIO()
    setup("info", "json", stream)

    log.info("call_ended", to="15551234567", channel="PJSIP/15551234567@trunk", why="+15551234567 was busy")

    [line] = lines(stream)
    assert (line["to"], line["channel"], line["why"]) == ("…4567", "PJSIP/…4567@trunk", "…4567 was busy")


def test_ids_and_times_are_not_taken_for_numbers() -> None:
    stream = io.StringIO()
    setup("info", "json", stream)

    log.info("started", job="0123456789012", run="1795225058")

    [line] = lines(stream)
    assert (line["job"], line["run"]) == ("0123456789012", "1795225058")


def test_an_exception_is_part_of_the_line() -> None:
    stream = io.StringIO()
    setup("info", "json", stream)

    try:
        raise RuntimeError("it broke")
    except RuntimeError:
        log.exception("worker_failed")

    [line] = lines(stream)
    assert line["level"] == "error"
    assert "it broke" in json.dumps(line["exception"])


def test_what_libraries_say_is_in_the_log_too() -> None:
    stream = io.StringIO()
    setup("info", "json", stream)

    logging.getLogger("watchdog.observers").warning("Inotify queue overflowed: %d", 3)

    [line] = lines(stream)
    assert line["module"] == "watchdog.observers"
    assert line["text"] == "Inotify queue overflowed: 3"


def test_a_closed_stream_stops_nothing() -> None:
    stream = io.StringIO()
    setup("info", "json", stream)
    stream.close()

    log.error("disk_full")

    assert stream.closed


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


def test_json_under_systemd_has_each_lines_priority(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    program = 'from dialerd.log import *; setup("info", "json"); get_logger("x").error("disk_full")'

    with path.open("w") as journal:
        here = os.fstat(journal.fileno())
        env = {**os.environ, "JOURNAL_STREAM": f"{here.st_dev}:{here.st_ino}"}
        subprocess.run([sys.executable, "-c", program], env=env, stderr=journal, check=True)

    text = path.read_text()
    assert text.startswith("<3>{")
    assert json.loads(text.removeprefix("<3>"))["event"] == "disk_full"


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_traceback_shows_no_values(form: str) -> None:
    stream = io.StringIO()
    setup("info", form, stream)
    canary = "a-secret-that-no-log-may-hold"

    try:
        {}[len(canary)]
    except KeyError:
        log.exception("worker_failed")

    assert "KeyError" in stream.getvalue()
    assert canary not in stream.getvalue().replace('canary = "a-secret', "")


def test_a_number_within_a_sentence_is_masked() -> None:
    stream = io.StringIO()
    setup("info", "json", stream)

    log.info("row_refused", reason="'+49 30 1234567' and 015112345678 are no numbers")

    assert "1234567" not in stream.getvalue()
    assert "5112345" not in stream.getvalue()
