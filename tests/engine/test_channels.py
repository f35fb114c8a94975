"""Channels of a trunk that are not ours: they take room, our own calls never count twice."""

from dataclasses import replace

import pytest

from dialerd.core.policy import Trunk
from dialerd.core.signals import AsteriskDown, AsteriskLoad, AsteriskUp
from dialerd.engine.ports import Policy
from tests.engine.world import ANYTHING, World

UP = AsteriskUp(run="2026-11-21 08:00:00", version="22", max_calls=None, calls=0)


@pytest.fixture
def world(tmp_path):
    trunks = {"main": Trunk("main", "x", max_channels=3), "other": Trunk("other", "x", max_channels=3)}
    made = World(tmp_path, ami=True, policy=Policy(replace(ANYTHING, trunks=trunks)))
    yield made
    made.close()


def seen(world, **on_trunks):
    world.tell(AsteriskLoad(on_trunks=on_trunks))


def attempt(job):
    return f"{job.id}.1"


def others(world, name="main"):
    return world.engine.trunks.line(name).others


def test_calls_of_others_take_channels_of_the_trunk(world):
    seen(world, main={"": 2})
    world.tell(UP)
    world.accept(5)
    world.settle_down()
    assert len(world.out()) == 1


def test_room_that_others_leave_is_taken_at_once(world):
    world.tell(UP)
    seen(world, main={"": 3})
    world.accept(5)
    world.settle_down()
    full = world.out()
    seen(world, main={"": 1})
    assert (full, len(world.out())) == ([], 2)


def test_our_own_calls_are_not_others(world):
    world.tell(UP)
    jobs = [world.called() for _ in range(2)]
    seen(world, main={attempt(job): 1 for job in jobs})
    world.called()
    assert others(world) == 0
    assert len(world.out()) == 3


def test_a_call_of_ours_that_asterisk_has_not_begun_hides_nobody_elses(world):
    world.tell(UP)
    world.called()
    seen(world, main={"": 1})
    assert others(world) == 1


def test_a_call_of_ours_that_ended_since_leaves_its_channel_free(world):
    world.tell(UP)
    job = world.called()
    seen(world, main={attempt(job): 1, "": 1})
    world.archive(job, "Completed")
    world.wait(2)
    assert (others(world), world.engine.trunks.line("main").room(False, 0.0)) == (1, 2)


def test_a_call_of_ours_on_another_trunk_takes_a_channel_of_this_one_too(world):
    world.tell(UP)
    job = world.called(ways=("other",))
    seen(world, main={attempt(job): 1}, other={attempt(job): 1})
    assert (others(world, "main"), others(world, "other")) == (1, 0)


def test_phones_that_one_attempt_rings_take_a_channel_each(world):
    world.tell(UP)
    job = world.called()
    seen(world, main={attempt(job): 3})
    assert others(world) == 2


def test_a_call_that_was_given_up_as_lost_is_counted_while_it_is_there(world):
    world.tell(UP)
    seen(world, main={"0lost.1": 1})
    assert others(world) == 1


def test_without_ami_nothing_is_known_of_others(world):
    world.tell(UP)
    seen(world, main={"": 3})
    before = others(world)
    world.tell(AsteriskDown("gone"))
    assert (before, others(world)) == (3, 0)


def test_what_is_told_of_no_trunk_counts_as_none(world):
    world.tell(UP)
    seen(world, main={"": 3}, gone={"": 9})
    seen(world)
    assert others(world) == 0


def test_how_full_asterisk_is_and_who_is_on_the_trunks_are_told_apart(world):
    world.tell(replace(UP, max_calls=20, calls=4))
    seen(world, main={"": 1})
    kept = world.engine.asterisk.calls
    world.tell(AsteriskLoad(7))
    assert (kept, world.engine.asterisk.calls, others(world)) == (4, 7, 1)
