"""Worlds with rules: what the tests of policy and of spending share."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dialerd.core.budget import Budget
from dialerd.core.charges import Rate, RateTable
from dialerd.core.policy import Trunk
from dialerd.core.signals import AsteriskUp
from dialerd.engine.ports import Policy
from tests.engine.world import ANYTHING, World

UP = AsteriskUp(run="2026-11-21 08:00:00", version="22", max_calls=None, calls=0)
RATES = RateTable([Rate("+49", per_minute=10_000)])
"""One unit of the currency a minute."""


@pytest.fixture
def make_ruled_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Makes worlds from changes of the rules, a budget, and what is done with an opt-out."""
    made: list[World] = []

    def make(
        ami: bool = False, budget: Budget | None = None, opt_out: Any = None, trunk: Any = None, **rules: Any
    ) -> World:
        given = replace(ANYTHING, **{"trunks": {"main": trunk or Trunk("main", "x/{digits}")}, **rules})
        policy = Policy(given, budget or Budget(), RATES, opt_out)
        made.append(World(tmp_path, ami=ami, policy=policy))
        return made[-1]

    yield make
    for world in made:
        world.close()


def answered(world, job, number=1, seconds=30.0):
    """An answered call of so many seconds, as AMI shows it."""
    times = {"answered": 10.0, "hung_up": 10.0 + seconds, "ended": 10.0 + seconds, "acted": True}
    world.see(job, number, dialled=True, rang=1.0, **times)
    world.archive(job, "Completed", number)
