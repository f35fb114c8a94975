"""Caps, charges and the fuse."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dialerd.core.budget import Budget, Fuse
from dialerd.core.model import Call
from dialerd.core.policy import Caps, Trunk
from dialerd.core.signals import SpoolStirred
from dialerd.core.states import State
from dialerd.engine.foresee import describe
from dialerd.engine.inbox import Reconfigure
from tests.engine.ruled import UP, answered


def test_an_owner_makes_no_more_calls_a_day_than_the_cap(make_ruled_world):
    world = make_ruled_world(budget=Budget(owner=Caps(calls_per_day=2)))
    jobs = world.accept(3)
    world.settle_down()
    out, last = world.out(), world.job(jobs[2])
    world.clock.time = datetime(2026, 11, 22, 0, 0, 1, tzinfo=UTC)
    world.wait(1)
    assert len(out) == 2
    assert last.not_before == datetime(2026, 11, 22, tzinfo=UTC)
    assert last.reason == "cap: owner 1000 has made 2 calls today, of 2 at most"
    assert jobs[2].id in world.out()


def test_what_waits_for_a_cap_goes_on_when_the_cap_is_raised(make_ruled_world):
    world = make_ruled_world(budget=Budget(owner=Caps(calls_per_day=1)))
    world.accept(2)
    world.settle_down()
    before = len(world.out())
    world.tell(Reconfigure(replace(world.policy, budget=Budget(owner=Caps(calls_per_day=5)))))
    world.wait(1)
    assert (before, len(world.out())) == (1, 2)


def test_another_owner_is_not_held_up_by_a_cap(make_ruled_world):
    world = make_ruled_world(budget=Budget(owner=Caps(calls_per_day=2)))
    world.accept(300)
    world.settle_down()
    other = world.submit(owner=2000).job
    world.settle_down()
    assert other.id in world.out()


def test_what_was_used_is_remembered_over_a_restart(make_ruled_world):
    world = make_ruled_world(budget=Budget(owner=Caps(calls_per_day=1)))
    world.called()
    world.crash()
    world.called()
    assert len(world.out()) == 1


def test_an_owner_has_no_more_calls_at_once_than_the_cap(make_ruled_world):
    world = make_ruled_world(budget=Budget(owner=Caps(concurrent=2)))
    world.accept(4)
    world.settle_down()
    first = world.out()
    world.answer(first[:1])
    world.wait(6)
    assert (len(first), len(world.out())) == (2, 2)


def test_running_calls_are_reserved_and_ended_ones_charged(make_ruled_world):
    budget = Budget(total=Caps(spend_per_day=40_000), reserve_s=180)
    world = make_ruled_world(ami=True, budget=budget)
    world.tell(UP)
    first = world.called(number="+4930123456")
    world.called(number="+4930123457")
    reserved = world.out()
    answered(world, first, seconds=30.0)
    world.wait(1)
    world.clock.time += timedelta(days=1)
    world.wait(2)
    assert reserved == [first.id]
    assert world.engine.gate.spending.today("all").calls == 1
    assert world.store.usage("2026-11-21")["all"] == (1, 30, 10_000)


def test_a_call_in_doubt_is_charged_with_what_was_set_aside_and_only_once(make_ruled_world):
    world = make_ruled_world(ami=True, budget=Budget(total=Caps(spend_per_day=100_000), reserve_s=120))
    world.tell(UP)
    job = world.called(number="+4930123456")
    world.spool.where.clear()
    world.wait(20)
    held, used = world.job(job).state, world.engine.gate.spending.today("all")
    world.archive(job, "Completed")
    world.tell(SpoolStirred(frozenset([""])))
    assert (held, used) == (State.HELD, (1, 120, 20_000))
    assert world.job(job).state is State.COMPLETED
    assert world.engine.gate.spending.today("all") == used


def test_without_a_rate_nothing_is_called_where_money_is_capped(make_ruled_world):
    world = make_ruled_world(budget=Budget(total=Caps(spend_per_day=40_000)))
    job = world.called(number="+33123456789")
    assert world.out() == []
    assert "there is no rate for +33123456789" in world.job(job).reason


def test_the_fuse_pauses_a_trunk_that_spends_too_fast(make_ruled_world):
    world = make_ruled_world(ami=True, budget=Budget(fuse=Fuse(spend=15_000, spend_s=600)))
    world.tell(UP)
    for number in ("+4930123456", "+4930123457"):
        answered(world, world.called(number=number), seconds=50.0)
    world.called(number="+4930123458")
    order = world.engine.orders.all()[0]
    assert (order.scope, order.word) == ("trunk:main", "paused")
    assert order.reason == "the fuse has blown: 2.00 were spent within 10 minutes, of 1.50 at most"
    assert world.out() == []


def test_the_fuse_pauses_a_trunk_that_calls_many_new_areas(make_ruled_world):
    world = make_ruled_world(budget=Budget(fuse=Fuse(areas=2, areas_s=600)))
    for number in ("+4930123456", "+4940123456", "+4989123456"):
        world.called(number=number)
    world.called(number="+4930123459")
    assert len(world.out()) == 3
    assert "3 areas were called that never were before" in world.engine.orders.all()[0].reason


def test_a_call_that_asterisk_never_began_does_not_count(make_ruled_world):
    world = make_ruled_world(ami=True, budget=Budget(total=Caps(calls_per_day=3)))
    world.tell(UP)
    world.called()
    world.wait(600)
    assert world.engine.gate.spending.today("all").calls <= 1
    assert len(world.out()) == 1


def test_without_a_fuse_on_money_no_call_is_remembered_in_memory(make_ruled_world):
    world = make_ruled_world(ami=True)
    world.tell(UP)
    job = world.called(number="+4930123456")
    answered(world, job)
    assert world.engine.gate.spending.today("all").cost == 10_000
    assert world.engine.gate.spending._spent == {}


def test_an_owner_at_his_cap_waits_although_another_trunk_has_no_room_just_now(make_ruled_world):
    trunks = {"main": Trunk("main", "x/{digits}"), "other": Trunk("other", "x/{digits}")}
    world = make_ruled_world(budget=Budget(owner=Caps(calls_per_day=1)), trunks=trunks)
    world.order("trunk:other", "paused")
    world.called(ways=("main", "other"))
    capped = world.called(ways=("main", "other"))
    assert world.job(capped).not_before == datetime(2026, 11, 22, tzinfo=UTC)


def test_the_jobs_of_an_owner_with_enough_calls_come_back_one_behind_the_other(make_ruled_world):
    world = make_ruled_world(budget=Budget(owner=Caps(concurrent=1)))
    jobs = world.accept(1000)
    world.settle_down()
    while world.engine._patience() == 0.0:
        world.settle_down()
    back = [waiting for job in jobs if (waiting := world.job(job).not_before) is not None]
    assert len(set(back)) == 999
    assert max(back) - min(back) >= timedelta(seconds=1.9)


def test_a_doubt_that_is_settled_days_later_costs_what_was_set_aside_for_it(make_ruled_world):
    world = make_ruled_world()
    job = world.called(number="+4930123456")
    world.spool.where[world.name(job)] = set()
    world.wait(60, step=5)
    world.clock.time += timedelta(days=2)
    world.archive(job, "Completed")
    assert world.job(job).state is State.COMPLETED
    assert world.store.usage("2026-11-23") == {}
    assert world.store.usage("2026-11-21")["all"].seconds == 180


def test_every_phone_that_rings_counts(make_ruled_world):
    world = make_ruled_world(budget=Budget(owner=Caps(calls_per_day=5)))
    numbers = tuple(f"+493012345{number}" for number in range(3))
    group = Call(to=numbers, trunk="main", play="hello-world")
    first = world.called(call=group)
    second = world.called(call=group)
    assert world.out() == [first.id]
    assert world.job(second).reason == "cap: owner 1000 has made 3 calls today, of 5 at most"


def test_a_trunk_tells_of_the_cap_that_keeps_it_from_calls_until_the_day_is_over(make_ruled_world):
    world = make_ruled_world(budget=Budget(total=Caps(calls_per_day=2)))
    world.accept(3)
    world.settle_down()
    (capped,) = describe(world.engine)
    world.crash()
    world.wait(1)
    (after_crash,) = describe(world.engine)
    world.clock.time = datetime(2026, 11, 22, 0, 0, 1, tzinfo=UTC)
    world.engine.trunks.paused = "paused"
    world.wait(1)
    (next_day,) = describe(world.engine)
    assert capped["cap"] == after_crash["cap"] == "this server has made 2 calls today, of 2 at most"
    assert "cap" not in next_day
    assert next_day["calls_today"] == 0
