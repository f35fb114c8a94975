"""Pause, resume and cancel; and fairness between owners and batches."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dialerd.core.destinations import Destinations
from dialerd.core.errors import NotAllowed
from dialerd.core.policy import Route
from dialerd.core.signals import AsteriskUp
from dialerd.core.states import State
from dialerd.engine.inbox import GiveOrder
from tests.engine.world import START

UP = AsteriskUp(run="2026-11-21 08:00:00", version="22", max_calls=None, calls=0)
OTHER_OWNER = 2000


def called_in_turn(world, count):
    """Calls begin one after the other, each when the one before is over; the jobs in that order."""
    order = []
    for _ in range(count):
        order += world.out()
        world.answer(world.out())
        world.wait(1)
    return order


def test_fairness_outlives_a_restart(make_world):
    world = make_world(main={"max_channels": 1})
    world.accept(20, batch="old")
    world.settle_down()
    world.crash()
    other = world.submit(owner=OTHER_OWNER).job
    seen = []
    for _ in range(3):
        world.answer(world.out())
        seen += world.out()
    assert other.id in seen


def test_a_paused_trunk_takes_no_calls_until_it_is_resumed(make_world):
    world = make_world(main={})
    world.order("trunk:main", "paused", "the carrier works on it")
    job = world.called()
    paused, said = world.out(), world.engine.trunks.line("main").paused
    world.order("trunk:main", None)
    assert paused == []
    assert said.endswith("the carrier works on it")
    assert world.out() == [job.id]


def test_a_pause_outlives_a_restart(make_world):
    world = make_world(main={})
    world.order("all", "paused")
    world.crash()
    world.called()
    assert world.out() == []


def test_an_order_about_a_trunk_that_is_not_there_is_refused(make_world):
    world = make_world(main={})
    with pytest.raises(NotAllowed, match=r"no trunk 'mian', only main"):
        world.order("trunk:mian", "paused")
    assert world.engine.orders.all() == []


def test_a_paused_batch_waits_and_lets_others_pass(make_world):
    world = make_world(main={"max_channels": 1})
    world.accept(300, batch="campaign", priority=7)
    world.settle_down()
    first = world.out()
    world.order("batch:1000:campaign", "paused")
    other = world.submit(priority=1).job
    world.answer(first)
    while_paused = world.out()
    world.answer(while_paused)
    idle = world.out()
    world.order("batch:1000:campaign", None)
    world.wait(1)
    assert (while_paused, idle) == ([other.id], [])
    assert len(world.out()) == 1


def test_a_job_accepted_into_a_paused_batch_waits_too(make_world):
    world = make_world(main={})
    world.order("all", "paused")
    world.accept(2, batch="campaign")
    world.order("batch:1000:campaign", "paused")
    world.accept(1, batch="campaign")
    world.order("all", None)
    world.wait(1)
    assert world.out() == []


def test_a_cancelled_batch_loses_what_waits_and_what_asterisk_has_not_begun(make_world):
    world = make_world(main={"max_channels": 2})
    jobs = world.accept(500, batch="campaign")
    world.settle_down()
    world.order("batch:1000:campaign", "cancelled")
    world.wait(8)
    assert {world.job(job).state for job in jobs} == {State.CANCELLED}
    assert world.engine.orders.all() == []


def test_a_job_that_comes_after_its_batch_was_cancelled_is_called(make_world):
    world = make_world(main={})
    world.order("all", "paused")
    world.accept(2, batch="campaign")
    world.order("batch:1000:campaign", "cancelled")
    world.wait(2)
    world.order("all", None)
    job = world.called(batch="campaign")
    assert world.out() == [job.id]


def test_a_batch_that_was_being_resumed_in_a_crash_is_resumed_whole(make_world):
    world = make_world(main={})
    world.order("all", "paused")
    world.accept(2001, batch="campaign")
    world.order("batch:1000:campaign", "paused")
    world.engine.turn([GiveOrder("batch:1000:campaign", None, 0, "")])
    world.crash()
    world.settle_down()
    assert len(world.store.due("main", 3000)) == 2001
    assert world.store.orders() == world.engine.orders.all()


def test_jobs_bound_to_a_paused_trunk_hold_up_none_that_may_take_the_next_one(make_world):
    world = make_world(main={}, other={"max_channels": 1})
    rules = world.engine.gate.rules
    route = Route(Destinations.parse(("*",)), ("main", "other"))
    world.engine.gate.rules = replace(rules, routes=(route,))
    world.order("trunk:main", "paused")
    world.accept(300, owner=OTHER_OWNER, ways=("main",))
    job = world.submit(ways=("main", "other")).job
    world.wait(5)
    assert world.out() == [job.id]


@pytest.mark.parametrize("how", ["scheduled", "paused"])
def test_what_falls_due_together_does_not_hold_up_others(make_world, how):
    world = make_world(main={"max_channels": 1})
    later = {"not_before": START + timedelta(minutes=5)} if how == "scheduled" else {}
    if how == "paused":
        world.order("all", "paused")
    world.accept(100, batch="campaign", **later)
    world.order("batch:1000:campaign", "paused" if how == "paused" else None)
    world.order("all", None)
    world.accept(200, owner=OTHER_OWNER)
    called_in_turn(world, 120)
    world.order("batch:1000:campaign", None)
    world.wait(300 if how == "scheduled" else 1)
    job = world.submit(owner=3000).job
    assert job.id in called_in_turn(world, 8)


def test_what_leaves_by_another_trunk_does_not_move_that_trunks_line(make_world):
    world = make_world(main={}, other={"max_channels": 1})
    rules = world.engine.gate.rules
    world.engine.gate.rules = replace(rules, routes=(Route(Destinations.parse(("*",)), ("main", "other")),))
    world.order("all", "paused")
    world.accept(200, ways=("main", "other"))
    world.accept(200, owner=OTHER_OWNER, ways=("other",))
    world.order("trunk:main", "paused")
    world.order("all", None)
    called_in_turn(world, 40)
    new = world.submit(owner=3000, ways=("other",)).job
    assert new.id in called_in_turn(world, 8)


def test_a_trunks_own_jobs_share_it_with_those_that_come_over(make_world):
    world = make_world(main={}, other={"max_channels": 1})
    rules = world.engine.gate.rules
    world.engine.gate.rules = replace(rules, routes=(Route(Destinations.parse(("*",)), ("main", "other")),))
    world.order("trunk:main", "paused")
    world.accept(100, ways=("main", "other"))
    own = world.submit(owner=OTHER_OWNER, ways=("other",)).job
    assert own.id in called_in_turn(world, 6)
