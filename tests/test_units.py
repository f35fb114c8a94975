"""What dialerd hears of Asterisk's unit, over a bus of the test's own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bus import Bus
from tests.test_systemd import needs_pystemd
from tests.waiting import until

PROGRAM = """
import dataclasses, json, os, resource, sys
from dialerd.units import UnitWatch
if %s:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    others = [os.dup(0) for _ in range(1024)]
def post(seen):
    print(json.dumps(dataclasses.asdict(seen)), flush=True)
watch = UnitWatch("asterisk.service", post, %s)
watch.start()
sys.stdin.read()
watch.stop()
"""
RUN = "0123456789abcdef0123456789abcdef"

pytestmark = needs_pystemd


class Watching:
    """A process that watches asterisk.service, and what it has heard. pystemd holds Python's lock while it
    waits for an answer, so that the bus must be another process's."""

    def __init__(self, bus: Path, log: Path, once: float | None, busy: bool = False) -> None:
        """`busy`: it has a thousand descriptors open."""
        self._log = log
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM % (busy, once)],
                env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={bus}"},
                stdin=subprocess.PIPE,
                stdout=out,
            )

    def told(self) -> list[dict[str, Any]]:
        """All that was heard (what is logged does not begin with a unit's name)."""
        lines = self._log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith('{"unit"')]

    def hears(self, state: str) -> dict[str, Any]:
        """What was heard last, once it is this state."""
        until(lambda: (self.told() or [{}])[-1].get("state") == state)
        return self.told()[-1]

    def end(self) -> int:
        self._process.communicate(timeout=30)
        return self._process.returncode


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Bus]:
    with Bus(tmp_path / "bus") as bus:
        yield bus


@pytest.fixture
def watching(bus: Bus, tmp_path: Path) -> Iterator[Watching]:
    """With no look but those that signals ask for."""
    watching = Watching(bus.path, tmp_path / "told", None)
    yield watching
    watching.end()


def test_a_unit_that_runs_is_told_with_its_run(bus: Bus, watching: Watching) -> None:
    assert watching.hears("active") == {
        "unit": "asterisk.service",
        "state": "active",
        "down": False,
        "run": RUN,
        "problem": "",
    }


def test_systemd_is_asked_to_tell_of_changes_of_this_unit(bus: Bus, watching: Watching) -> None:
    watching.hears("active")

    assert ("org.freedesktop.systemd1.Manager", "Subscribe") in bus.asked
    assert any("asterisk_2eservice" in rule and "PropertiesChanged" in rule for rule in bus.rules)


@pytest.mark.parametrize("state", ["deactivating", "inactive", "failed"])
def test_a_unit_that_goes_down_is_told_at_its_signal(bus: Bus, watching: Watching, state: str) -> None:
    watching.hears("active")
    bus.change(ActiveState=state)

    assert watching.hears(state) == {
        "unit": "asterisk.service",
        "state": state,
        "down": True,
        "run": None,
        "problem": "",
    }


def test_a_unit_that_waits_to_be_started_again_is_down(bus: Bus, watching: Watching) -> None:
    watching.hears("active")
    bus.change(ActiveState="activating", SubState="auto-restart")

    assert watching.hears("auto-restart")["down"]


def test_a_restart_is_another_run(bus: Bus, watching: Watching) -> None:
    watching.hears("active")
    bus.change(ActiveState="activating", InvocationID=bytes(16))

    assert watching.hears("activating")["run"] == "0" * 32


def test_a_unit_that_does_not_exist_is_a_problem_and_not_down(bus: Bus, watching: Watching) -> None:
    watching.hears("active")
    bus.change(LoadState="not-found", ActiveState="inactive", SubState="dead")

    told = watching.hears("not-found")
    assert not told["down"]
    assert "There is no unit asterisk.service" in told["problem"]


def test_a_unit_is_followed_however_many_connections_are_open(bus: Bus, tmp_path: Path) -> None:
    watching = Watching(bus.path, tmp_path / "told", None, busy=True)
    watching.hears("active")
    bus.change(ActiveState="inactive")
    down = watching.hears("inactive")["down"]
    watching.end()

    assert down


def test_without_a_bus_nothing_is_down_and_it_is_tried_for_ever(tmp_path: Path) -> None:
    watching = Watching(tmp_path / "bus", tmp_path / "told", 0.05)
    first = watching.hears("unknown")
    with Bus(tmp_path / "bus") as bus:
        active = watching.hears("active")
        bus.drop()
        watching.hears("unknown")
        again = watching.hears("active")
    code = watching.end()

    assert not first["down"]
    assert "can't be asked" in first["problem"]
    assert active == again
    assert code == 0


def test_a_bus_that_does_not_answer_is_given_up_in_time(bus: Bus, tmp_path: Path) -> None:
    bus.silent = True
    watching = Watching(bus.path, tmp_path / "told", 0.05)
    told = watching.hears("unknown")
    bus.silent = False
    watching.hears("active")
    watching.end()

    assert not told["down"]
