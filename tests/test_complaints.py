"""What the status complains of is in the log once, with the time at which it came and went."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from dialerd import log
from dialerd.complaints import Complaints

RESTS = "Trunk main: it refused all that it was given; the next is tried in {} s."
FULL = "The disk is nearly full: nothing is accepted until there is room."


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """The log of a process whose log is set up as before afterwards."""
    before = logging.root.handlers[:], logging.root.level
    written = io.StringIO()
    log.setup("info", "json", written)
    yield written
    logging.root.handlers[:], logging.root.level = before
    structlog.reset_defaults()


def told(lines: io.StringIO) -> list[tuple[str, str, str]]:
    entries = [json.loads(line) for line in lines.getvalue().splitlines()]
    return [(each["level"], each["event"], each["what"]) for each in entries]


def test_a_problem_is_a_warning_when_it_comes_and_told_when_it_is_gone(lines: io.StringIO) -> None:
    complaints = Complaints()

    for problems in ([], [FULL], [FULL], [], []):
        complaints.told(problems)

    assert told(lines) == [("warning", "problem", FULL), ("info", "problem_gone", FULL)]


def test_a_problem_of_which_only_the_figures_change_is_told_once(lines: io.StringIO) -> None:
    complaints = Complaints()

    for seconds in (12, 9, 30):
        complaints.told([RESTS.format(seconds)])

    assert told(lines) == [("warning", "problem", RESTS.format(12))]


def test_a_problem_that_comes_again_is_told_again(lines: io.StringIO) -> None:
    complaints = Complaints()

    for problems in ([FULL], [RESTS.format(1)], [FULL]):
        complaints.told(problems)

    events = [event for _, event, _ in told(lines)]
    assert events == ["problem", "problem", "problem_gone", "problem", "problem_gone"]
