"""When an entry of the drop folder is taken: when its writer closed it, or when it was still for a while."""

from typing import Any

import pytest

from tests.intake.dropping import JOB, Place


@pytest.mark.parametrize("name", [".hidden.json", "a.json.tmp", "a.json.part", "a.json~"])
def test_files_that_somebody_still_works_on_are_left_alone(place: Place, name: str) -> None:
    place.put(name, JOB)

    place.look()

    assert place.names() == {"drop": [name]}


def test_a_file_is_taken_when_it_was_still_for_a_while(place: Place) -> None:
    place.new(still_seconds=2.0)
    place.put("one.json", JOB)

    place.look()
    early = place.names()
    place.now += 2.1
    place.look(2)

    assert early == {"drop": ["one.json"]}
    assert place.names() == {}


def test_a_file_whose_writer_closed_it_is_taken_at_once(place: Place) -> None:
    place.new(still_seconds=1000.0)
    place.put("one.json", JOB)
    place.put("two.json", JOB)

    place.box.wake("one.json", closed=True)
    place.box.wake("two.json", closed=False)
    place.look()

    assert place.names() == {"drop": ["two.json"]}


def test_a_file_from_before_the_clock_was_put_back_is_still(place: Place) -> None:
    place.new(still_seconds=2.0)
    place.put("one.json", JOB)
    place.now -= 3600

    place.look(2)

    assert place.desk.accepted


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", "to;play\n+4930123456;beep\n+49301"),
        ("a.ndjson", JOB + b"\n" + JOB[:20]),
        ("a.json", '[{"to": "+49301"},'),
        ("a.call", "Channel: Local/1"),
        ("a.json", ""),
    ],
)
def test_a_file_that_looks_cut_off_is_given_more_time(place: Place, name: str, data: Any) -> None:
    place.new(still_seconds=2.0)
    place.put(name, data)
    place.now += 3

    place.look()
    early = place.names()
    place.now += 20
    place.look()

    assert early == {"drop": [name]}
    assert "drop" not in place.names()
