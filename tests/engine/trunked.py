"""Worlds with trunks: what the tests of trunks and of standing orders share."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dialerd.core.budget import Budget
from dialerd.core.policy import Trunk
from dialerd.engine.ports import Policy
from tests.engine.world import ANYTHING, World


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Makes worlds with these trunks, each from further fields of Trunk."""
    made: list[World] = []

    def make(ami: bool = False, budget: Budget | None = None, **trunks: Any) -> World:
        rules = replace(ANYTHING, trunks={name: Trunk(name, "x", **more) for name, more in trunks.items()})
        policy = Policy(rules) if budget is None else Policy(rules, budget)
        made.append(World(tmp_path, ami=ami, policy=policy))
        return made[-1]

    yield make
    for world in made:
        world.close()
