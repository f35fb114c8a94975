"""The log: who gets JSON, what is masked, and that a stream that went away does no harm."""

import io
import json
import logging
import os
import subprocess
import sys
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


@pytest.mark.parametrize("form", ["json", "text"])
def test_numbers_in_lists_and_exceptions_are_masked(form: str) -> None:
    stream = io.StringIO()
    setup("info", form, stream)

    try:
        raise RuntimeError("no way to +4930123456")
    except RuntimeError:
        log.exception("worker_failed", mistakes=["to: +4930123457 is refused."])

    assert "…3456" in stream.getvalue()
    assert "…3457" in stream.getvalue()
    assert "+4930" not in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize(
    "evil", ["\x1b]0;x\x07", "a\n2026-11-21 job_ended", "\x9b2J", "\x00", "a\u2028b", "\u202ex"]
)
def test_what_a_terminal_would_obey_is_written_out(form: str, evil: str) -> None:
    stream = io.StringIO()
    setup("info", form, stream)

    try:
        raise RuntimeError(evil.replace("\n", ""))
    except RuntimeError:
        log.exception("worker_failed", name=evil, names=[evil])

    text = stream.getvalue().replace("\n", "")
    assert text.isprintable()
    assert "\n2026-11-21" not in stream.getvalue()


def test_a_number_within_a_sentence_is_masked() -> None:
    stream = io.StringIO()
    setup("info", "json", stream)

    log.info("row_refused", reason="'+49 30 1234567' and 015112345678 are no numbers")

    assert "1234567" not in stream.getvalue()
    assert "5112345" not in stream.getvalue()
