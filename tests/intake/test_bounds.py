"""What a hostile document may cost: texts are measured before they are looked at, and what comes of them is
bounded."""

import json
import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from dialerd.core.errors import InvalidJob
from dialerd.core.texts import STEERING
from dialerd.intake.document import parse
from dialerd.intake.drafts import MOST_BYTES
from tests.intake.documents import EXAMPLES, NOW, RULES, SIMPLE, mistakes_in, one, with_field

NUMBERS = [f"+4930123{number:04}" for number in range(1000)]


def calls_in(act: Callable[[], object]) -> Counter[str]:
    """How often each Python function was called, by its name."""
    found: Counter[str] = Counter()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            found[frame.f_code.co_name] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(before)
    return found


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("caller_id", "a" + " " * 5000 + '"'),
        ("caller_id", "'" * 5000),
        ("caller_id", "<" + "1" * 5000 + ">"),
        ("tags", "a " * 5000),
        ("codecs", "," * 5000),
    ],
)
def test_a_text_that_stands_for_several_things_is_measured_first(field: str, text: str) -> None:
    (sentence,) = mistakes_in({**SIMPLE, field: text}).values()

    assert sentence.startswith("It is too long: ")


@pytest.mark.parametrize(
    ("text", "name", "number"),
    [
        ('"Test  User"   <1>', "Test  User", "1"),
        ("Test  User   <1>", "Test  User", "1"),
        ("'Test User' <1>", "Test User", "1"),
        ("'n Sync <1>", "'n Sync", "1"),
        ("  Test User  ", "Test User", None),
        (" +49 30 1 ", None, "+49301"),
        ("<1>", None, "1"),
    ],
)
def test_a_caller_id_is_taken_apart(text: str, name: str | None, number: str | None) -> None:
    call = one({**SIMPLE, "caller_id": text}).call

    assert (call.caller_id_name, call.caller_id_number) == (name, number)


def test_a_caller_ids_number_has_a_length_with_its_blanks_too() -> None:
    found = mistakes_in({**SIMPLE, "caller_id": {"number": "1" + " " * 1000}})

    assert "1 to 40 digits" in found["caller_id.number"]


@pytest.mark.parametrize("field", ["variables", "caller_id"])
def test_an_object_with_too_many_names_is_one_mistake(field: str) -> None:
    found = mistakes_in({**SIMPLE, field: {f"name{number}": 1 for number in range(5000)}})

    assert found == {field: "There are 5000: 100 are the most."}


@pytest.mark.parametrize("field", ["to", "channel", "tags", "codecs"])
def test_a_list_that_is_too_long_is_one_mistake(field: str) -> None:
    found = mistakes_in(with_field(field, [1] * 5000))

    assert list(found) == [field]
    assert found[field].startswith("There are 5000: ")


def test_a_number_within_many_blanks_is_refused() -> None:
    found = mistakes_in({**SIMPLE, "to": " " * 5000 + "+4930123456"})

    assert "40 characters at most" in found["to"]


def test_no_more_sentences_are_made_than_are_told() -> None:
    document = {f"field{number}": 1 for number in range(5000)}

    calls = calls_in(lambda: mistakes_in(document))

    assert 0 < calls["get_close_matches"] <= 100


def test_the_names_of_time_zones_are_gathered_once() -> None:
    documents = [{**SIMPLE, "not_before": f"2026-12-01 01:00 Europe/Berln{number}"} for number in range(3)]

    calls = calls_in(lambda: [mistakes_in(document) for document in documents])

    assert calls["available_timezones"] <= 1


def sharing(size: int, numbers: list[str], field: str = "to") -> dict[str, Any]:
    """A document that is of so many bytes but for its numbers."""
    variables = {f"v{number:02}": "x" * 900 for number in range((size - 200) // 908)}
    document: dict[str, Any] = {"play": "hello-world", "variables": variables}
    missing = size - len(json.dumps(document, separators=(",", ":")))
    variables["rest"] = "x" * (missing - len(',"rest":""'))
    assert len(json.dumps(document, separators=(",", ":"))) == size
    return {**document, field: numbers}


def test_the_jobs_of_one_document_are_bounded_in_bytes() -> None:
    most = MOST_BYTES // len(NUMBERS)

    assert len(parse(sharing(most, NUMBERS), RULES, NOW)) == len(NUMBERS)
    assert mistakes_in(sharing(most + 1, NUMBERS)) == {
        "to": f"These are 1000 jobs of {most + 1} bytes each: {MOST_BYTES} bytes are the most from one"
        f" document. Split it into several, with {MOST_BYTES // (most + 1)} numbers each at most."
    }


def test_channels_are_bounded_as_numbers_are() -> None:
    channels = [f"PJSIP/{number}" for number in range(1000)]

    found = mistakes_in(sharing(90_000, channels, "channel"))

    assert "with 46 numbers each at most" in found["channel"]


def test_one_number_may_have_a_document_of_any_size() -> None:
    assert one(sharing(90_000, NUMBERS[:1]))


@pytest.mark.parametrize(
    "name", ["MONITOR_EXEC", "__MONITOR_EXEC_ARGS", "_monitor_exec", "GLOBAL(MONITOR_EXEC)"]
)
def test_a_variable_that_asterisk_obeys_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(InvalidJob) as caught:
        parse({**SIMPLE, "variables": {name: "touch /tmp/x"}}, RULES, NOW)

    (first, *_) = caught.value.mistakes
    assert first.where == f"variables.{name}"
    assert "steer Asterisk itself" in first.what
    assert "choose another" in first.what


@pytest.mark.parametrize("start", STEERING)
def test_the_manual_tells_of_every_name_that_steers_asterisk(start: str) -> None:
    manual = (EXAMPLES.parents[1] / "docs/jobs.md").read_text()

    assert f"`{start}`" in manual
    assert STEERING[start] in manual
