"""docs/operations.md quotes what dialerd really says."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
MANUAL = (PROJECT / "docs/operations.md").read_text()
LEAST = 5
"""Pieces of a sentence that are shorter say nothing."""

FILLED_IN = ("by its fuse", "by uid", "jobs have", "held", "takes no calls now")
"""What stands in place of a value; each is a text of the code, too."""


@cache
def texts_of_the_code() -> tuple[str, ...]:
    """All texts that stand in the code, pieces of f-strings each for itself."""
    found = []
    for path in sorted((PROJECT / "dialerd").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return tuple(found)


def quoted() -> list[str]:
    """Lines of the blocks that show what dialerd says."""
    blocks = re.findall(r"^```text\n(.*?)^```", MANUAL, re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()]


def pieces(line: str) -> list[str]:
    """What stands between the places of a quoted line."""
    bare = re.sub(r"^(Problem|Asterisk): +", "", line)
    bare = re.sub(r"\b(Trunk|Provider) (main|…): ", "…", bare)
    bare = re.sub(r"^AMI down, ", "", bare)
    for value in FILLED_IN:
        bare = bare.replace(value, "…")
    return [each for each in re.split("…|, with tables", bare) if len(each.strip(" .,:")) >= LEAST]


@pytest.mark.parametrize("line", quoted())
def test_each_quoted_sentence_is_one_of_dialerds(line: str) -> None:
    unknown = [
        each for each in pieces(line) if not any(each.strip(" .:,") in text for text in texts_of_the_code())
    ]

    assert pieces(line) or "AMI: …" in line
    assert all(any(value in text for text in texts_of_the_code()) for value in FILLED_IN)
    assert unknown == []


@pytest.mark.parametrize("event", sorted(set(re.findall(r"DIALERD_EVENT=(\w+)", MANUAL))))
def test_each_event_that_can_be_asked_for_is_logged(event: str) -> None:
    assert event in texts_of_the_code()


def test_each_event_named_as_logged_is_logged() -> None:
    sentences = re.findall(r"[Ii]n the log: ([^;.\n]+)|Look for ([^\n]+) in the log", MANUAL)
    named = {event for pair in sentences for text in pair for event in re.findall(r"`(\w+)`", text)}

    assert len(named) >= 8
    assert named - set(texts_of_the_code()) == set()


def test_at_least_ten_things_go_wrong_at_night() -> None:
    night = MANUAL.split("\n## What goes wrong at night\n")[1]

    numbers = [int(found) for found in re.findall(r"^### (\d+)\. ", night, re.MULTILINE)]

    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 10


def test_links_within_the_manual_lead_to_its_headings() -> None:
    headings = re.findall(r"^#+ (.+)$", MANUAL, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}

    assert [each for each in re.findall(r"\]\(#([^)]+)\)", MANUAL) if each not in anchors] == []
