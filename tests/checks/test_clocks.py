"""Clocks and zones."""

from datetime import datetime
from pathlib import Path

import pytest

from dialerd.checks import clocks
from dialerd.core.findings import Verdict


@pytest.mark.parametrize(
    ("ahead", "verdict"),
    [
        (0.0, Verdict.OK),
        (-4.9, Verdict.OK),
        (5.0, Verdict.WARNING),
        (-299.0, Verdict.WARNING),
        (300.0, Verdict.ERROR),
        (-3600.0, Verdict.ERROR),
    ],
)
def test_how_far_off_a_clock_may_be(ahead: float, verdict: Verdict) -> None:
    assert clocks.told_clock("asterisk clock", "Asterisk's clock", ahead).verdict is verdict


def test_a_provider_whose_clock_is_an_hour_off_is_named() -> None:
    (found,) = clocks.provider_clocks({"tw": 3600.0, "hoi": 0.4})

    assert (found.verdict, "of tw" in found.found) == (Verdict.ERROR, True)


def test_seconds_of_a_slow_answer_are_no_trouble() -> None:
    (found,) = clocks.provider_clocks({"tw": -6.0})

    assert found.verdict is Verdict.OK


def test_no_provider_has_told_the_time() -> None:
    assert list(clocks.provider_clocks({})) == []


def test_the_kernel_is_asked_and_nothing_is_changed() -> None:
    (found,) = clocks.synchronized()

    assert found.name == "clock"
    assert found.verdict in (Verdict.OK, Verdict.WARNING, Verdict.SKIPPED)


def test_a_zone_that_is_not_there_is_an_error() -> None:
    (found,) = clocks.zones(["Mars/Olympus", "Europe/Berlin"])

    assert (found.verdict, "Mars/Olympus" in found.found) == (Verdict.ERROR, True)


def test_old_data_of_zones_are_a_warning(tmp_path: Path) -> None:
    (tmp_path / "tzdata.zi").write_text("# version 2019c\n")

    (found,) = clocks.zones([], [tmp_path / "tzdata.zi"])

    assert (found.verdict, "2019c" in found.found) == (Verdict.WARNING, True)


def test_new_data_of_zones_are_fine(tmp_path: Path) -> None:
    (tmp_path / "tzdata.zi").write_text(f"# version {datetime.now().year}a\n")

    (found,) = clocks.zones([], [tmp_path / "none", tmp_path / "tzdata.zi"])

    assert found.verdict is Verdict.OK
