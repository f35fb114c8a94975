"""Hours, stop lists, caps and the fuse, as the engine keeps to them at the hand-over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dialerd.core.budget import Budget, Fuse
from dialerd.core.charges import Rate, RateTable
from dialerd.core.destinations import Destinations
from dialerd.core.model import Terms
from dialerd.core.policy import Caps, Trunk
from dialerd.core.retry import RetryPolicy, Rule
from dialerd.core.signals import AsteriskUp, SpoolStirred
from dialerd.core.states import State
from dialerd.core.windows import Hours, parse_windows
from dialerd.engine.inbox import Reconfigure
from dialerd.engine.ports import Policy
from tests.engine.world import ANYTHING, START, World

UP = AsteriskUp(run="2026-11-21 08:00:00", version="22", max_calls=None, calls=0)
RATES = RateTable([Rate("+49", per_minute=10_000)])
"""One unit of the currency a minute."""


@pytest.fixture
def make_world(tmp_path):
    made = []

    def make(ami=False, budget=None, opt_out=None, trunk=None, **rules):
        given = replace(ANYTHING, **{"trunks": {"main": trunk or Trunk("main", "x/{digits}")}, **rules})
        policy = Policy(given, budget or Budget(), RATES, opt_out)
        made.append(World(tmp_path, ami=ami, policy=policy))
        return made[-1]

    yield make
    for world in made:
        world.close()


def office(text="sat 10:00-12:00"):
    return {
        "hours": {"office": Hours("office", parse_windows([text]), zone="UTC")},
        "default_hours": "office",
    }


def answered(world, job, number=1, seconds=30.0):
    """An answered call of so many seconds, as AMI shows it."""
    times = {"answered": 10.0, "hung_up": 10.0 + seconds, "ended": 10.0 + seconds, "acted": True}
    world.see(job, number, dialled=True, rang=1.0, **times)
    world.archive(job, "Completed", number)


def test_outside_its_hours_a_job_waits_for_them_and_says_so(make_world):
    world = make_world(**office())
    job = world.called()
    waiting = world.job(job)
    world.clock.time = START.replace(hour=10, minute=1)
    world.wait(1)
    assert waiting.state is State.QUEUED
    assert waiting.not_before == datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
    assert waiting.reason.startswith("outside calling hours (office) of UTC until Sat 10:00")
    assert world.out() == [job.id]


def test_it_is_said_once_that_a_job_waits(make_world):
    world = make_world(**office())
    job = world.called()
    world.wait(5)
    assert [event.type for event in world.events(job)] == ["accepted", "waits"]


def test_what_asterisk_has_not_begun_when_the_window_closes_is_taken_back(make_world):
    world = make_world(**office())
    world.clock.time = START.replace(hour=11, minute=59, second=50)
    job = world.called()
    there = world.out()
    world.wait(20)
    waiting = world.job(job)
    assert there == [job.id]
    assert (world.out(), waiting.state) == ([], State.DEFERRED)
    assert waiting.not_before == datetime(2026, 11, 28, 10, 0, tzinfo=UTC)


def test_a_call_that_has_begun_goes_on_when_the_window_closes(make_world):
    world = make_world(**office())
    world.clock.time = START.replace(hour=11, minute=59, second=50)
    job = world.called()
    world.begin(job)
    world.wait(60)
    assert world.job(job).state is State.SUBMITTED


def test_a_clock_that_is_put_back_calls_nobody_early(make_world):
    world = make_world()
    job = world.submit(not_before=START + timedelta(hours=1)).job
    world.order("all", "paused")
    world.clock.time = START + timedelta(hours=2)
    world.settle_down()
    world.clock.time = START
    world.order("all", None)
    world.wait(2)
    assert world.out() == []
    assert world.job(job).not_before == START + timedelta(hours=1)


def test_a_number_that_was_stopped_after_the_job_was_accepted_is_not_called(make_world):
    stopped = set()
    why = "+4930123456 is on the do-not-call list customers"
    world = make_world(stopped=lambda number: why if number in stopped else None)
    world.order("all", "paused")
    job = world.submit(number="+4930123456").job
    stopped.add("+4930123456")
    world.order("all", None)
    failed = world.job(job)
    assert (failed.state, failed.reason, world.out()) == (State.FAILED, why, [])


def test_a_number_that_is_stopped_while_its_file_is_staged_is_not_called(make_world):
    stopped = set()
    world = make_world(stopped=lambda number: "stopped" if number in stopped else None)
    staged = world.spool.stage

    def stage(files):
        stopped.add("+4930123456")
        return staged(files)

    world.spool.stage = stage
    job = world.submit(number="+4930123456").job
    world.settle_down()
    assert (world.out(), world.job(job).state) == ([], State.FAILED)


def test_a_destination_that_is_no_longer_allowed_is_not_called(make_world):
    world = make_world()
    world.order("all", "paused")
    job = world.submit(number="+4930123456").job
    narrower = replace(world.policy.rules, destinations=Destinations.parse(("AT",)))
    world.tell(Reconfigure(replace(world.policy, rules=narrower)))
    world.order("all", None)
    assert world.job(job).state is State.FAILED
    assert 'destinations = ["DE"]' in world.job(job).reason


def test_an_owner_makes_no_more_calls_a_day_than_the_cap(make_world):
    world = make_world(budget=Budget(owner=Caps(calls_per_day=2)))
    jobs = world.accept(3)
    world.settle_down()
    out, last = world.out(), world.job(jobs[2])
    world.clock.time = datetime(2026, 11, 22, 0, 0, 1, tzinfo=UTC)
    world.wait(1)
    assert len(out) == 2
    assert last.not_before == datetime(2026, 11, 22, tzinfo=UTC)
    assert last.reason == "owner 1000 has made 2 calls today, of 2 at most"
    assert jobs[2].id in world.out()


def test_another_owner_is_not_held_up_by_a_cap(make_world):
    world = make_world(budget=Budget(owner=Caps(calls_per_day=2)))
    world.accept(300)
    world.settle_down()
    other = world.submit(owner=2000).job
    world.settle_down()
    assert other.id in world.out()


def test_what_was_used_is_remembered_over_a_restart(make_world):
    world = make_world(budget=Budget(owner=Caps(calls_per_day=1)))
    world.called()
    world.crash()
    world.called()
    assert len(world.out()) == 1


def test_an_owner_has_no_more_calls_at_once_than_the_cap(make_world):
    world = make_world(budget=Budget(owner=Caps(concurrent=2)))
    world.accept(4)
    world.settle_down()
    first = world.out()
    world.answer(first[:1])
    world.wait(6)
    assert (len(first), len(world.out())) == (2, 2)


def test_running_calls_are_reserved_and_ended_ones_charged(make_world):
    budget = Budget(total=Caps(spend_per_day=40_000), reserve_s=180)
    world = make_world(ami=True, budget=budget)
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


def test_a_call_in_doubt_is_charged_with_what_was_set_aside_and_only_once(make_world):
    world = make_world(ami=True, budget=Budget(total=Caps(spend_per_day=100_000), reserve_s=120))
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


def test_without_a_rate_nothing_is_called_where_money_is_capped(make_world):
    world = make_world(budget=Budget(total=Caps(spend_per_day=40_000)))
    job = world.called(number="+33123456789")
    assert world.out() == []
    assert "there is no rate for +33123456789" in world.job(job).reason


def test_the_fuse_pauses_a_trunk_that_spends_too_fast(make_world):
    world = make_world(ami=True, budget=Budget(fuse=Fuse(spend=15_000, spend_s=600)))
    world.tell(UP)
    for number in ("+4930123456", "+4930123457"):
        answered(world, world.called(number=number), seconds=50.0)
    world.called(number="+4930123458")
    order = world.engine.orders.all()[0]
    assert (order.scope, order.word) == ("trunk:main", "paused")
    assert order.reason == "the fuse has blown: 2.00 were spent within 10 minutes, of 1.50 at most"
    assert world.out() == []


def test_the_fuse_pauses_a_trunk_that_calls_many_new_areas(make_world):
    world = make_world(budget=Budget(fuse=Fuse(areas=2, areas_s=600)))
    for number in ("+4930123456", "+4940123456", "+4989123456"):
        world.called(number=number)
    world.called(number="+4930123459")
    assert len(world.out()) == 3
    assert "3 areas were called that never were before" in world.engine.orders.all()[0].reason


def test_a_callee_who_opts_out_is_put_on_the_list_before_the_result_is_written(make_world):
    listed = []
    world = make_world(ami=True, opt_out=lambda number, reason: listed.append((number, reason)))
    world.tell(UP)
    job = world.called(number="+4930123456")
    world.see(job, dialled=True, answered=2.0, ended=9.0, hung_up=9.0, acted=True, opt_out="pressed 9")
    world.archive(job, "Completed")
    assert listed == [("+4930123456", "pressed 9")]
    assert "opted_out" in [event.type for event in world.events(job)]


def test_each_disposition_is_tried_again_by_its_own_rule(make_world):
    policy = RetryPolicy("p", busy=Rule(60, count=1), noanswer=Rule(600, count=1))
    world = make_world(ami=True, retry={"p": policy}, default_retry="p")
    world.tell(UP)
    job = world.called()
    world.see(job, dialled=True, dial_status="BUSY", near_cause=17, ended=5.0)
    world.archive(job, "Expired")
    after_busy = world.job(job).not_before
    world.wait(61)
    world.see(job, 2, dialled=True, rang=2.0, ended=5.0)
    world.archive(job, "Expired", 2)
    ended = world.clock.time
    deferred = world.job(job)
    assert after_busy - START <= timedelta(seconds=62)
    assert deferred.not_before - ended == timedelta(seconds=600)


def test_a_jobs_cap_on_dials_holds_whatever_the_policy_says(make_world):
    policy = RetryPolicy("p", busy=Rule(1, count=5))
    world = make_world(ami=True, retry={"p": policy})
    world.tell(UP)
    job = world.called(terms=Terms(retry="p", max_dials=2))
    for number in (1, 2):
        world.see(job, number, dialled=True, dial_status="BUSY", near_cause=17, ended=5.0)
        world.archive(job, "Expired", number)
        world.wait(3)
    assert world.job(job).state is State.FAILED
    assert world.job(job).reason == "BUSY, not tried again: 2 dials are the most"


def test_a_stirred_file_of_no_attempt_changes_nothing(make_world):
    world = make_world()
    world.tell(SpoolStirred(frozenset(["0123456789abc.1.call"])))
    assert world.out() == []


def test_a_job_that_falls_due_while_asterisk_is_away_does_not_keep_the_engine_busy(make_world):
    world = make_world(ami=True)
    world.submit(not_before=START + timedelta(seconds=5))
    world.wait(10)
    assert world.engine._patience() == 1.0


def test_a_call_that_asterisk_never_began_does_not_count(make_world):
    world = make_world(ami=True, budget=Budget(total=Caps(calls_per_day=3)))
    world.tell(UP)
    world.called()
    world.wait(600)
    assert world.engine.gate.spending.today("all").calls <= 1
    assert len(world.out()) == 1


def test_without_a_fuse_on_money_no_call_is_remembered_in_memory(make_world):
    world = make_world(ami=True)
    world.tell(UP)
    job = world.called(number="+4930123456")
    answered(world, job)
    assert world.engine.gate.spending.today("all").cost == 10_000
    assert world.engine.gate.spending._spent == {}


def test_an_owner_at_his_cap_waits_although_another_trunk_has_no_room_just_now(make_world):
    trunks = {"main": Trunk("main", "x/{digits}"), "other": Trunk("other", "x/{digits}")}
    world = make_world(budget=Budget(owner=Caps(calls_per_day=1)), trunks=trunks)
    world.order("trunk:other", "paused")
    world.called(ways=("main", "other"))
    capped = world.called(ways=("main", "other"))
    assert world.job(capped).not_before == datetime(2026, 11, 22, tzinfo=UTC)


def test_the_jobs_of_an_owner_with_enough_calls_come_back_one_behind_the_other(make_world):
    world = make_world(budget=Budget(owner=Caps(concurrent=1)))
    jobs = world.accept(1000)
    world.settle_down()
    while world.engine._patience() == 0.0:
        world.settle_down()
    back = [waiting for job in jobs if (waiting := world.job(job).not_before) is not None]
    assert len(set(back)) == 999
    assert max(back) - min(back) >= timedelta(seconds=1.9)
