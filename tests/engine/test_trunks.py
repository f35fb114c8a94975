"""Pacing, channels, routes and the breaker: which trunk takes how many calls, and when."""

from dataclasses import replace

import pytest

from dialerd.core.destinations import Destinations
from dialerd.core.disposition import Result
from dialerd.core.model import Call, Disposition
from dialerd.core.policy import Route
from dialerd.core.signals import AsteriskUp
from dialerd.core.states import State

UP = AsteriskUp(run="2026-11-21 08:00:00", version="22", max_calls=None, calls=0)
OTHER_OWNER = 2000


def ended(world, job, number=1, **trace):
    """AMI shows how the call ended that nobody answered."""
    told = {"dialled": True, "ended": 5.0, "complete": True, **trace}
    world.see(job, number, **told)
    world.archive(job, "Expired", number)


def test_a_trunk_takes_no_more_calls_a_second_than_it_may(make_world):
    world = make_world(main={"calls_per_second": 10.0})
    world.accept(50)
    world.settle_down()
    at_once = len(world.out())
    world.wait(2, step=0.05)
    assert at_once <= 2
    assert 20 <= len(world.out()) <= 23


def test_a_trunk_has_no_more_calls_than_channels(make_world):
    world = make_world(main={"max_channels": 3})
    world.accept(10)
    world.settle_down()
    first = world.out()
    world.answer(first[:2])
    assert (len(first), len(world.out())) == (3, 3)


def test_reserved_channels_are_only_for_urgent_jobs(make_world):
    world = make_world(main={"max_channels": 3, "reserved_channels": 1})
    world.accept(10)
    world.settle_down()
    ordinary = len(world.out())
    urgent = world.called(priority=9)
    assert ordinary == 2
    assert urgent.id in world.out()


def test_an_urgent_job_waits_for_one_slot_whatever_waits_before_it(make_world):
    world = make_world(main={"max_channels": 2})
    world.accept(500, batch="campaign")
    world.settle_down()
    urgent = world.submit(priority=9, owner=OTHER_OWNER).job
    world.answer(world.out()[:1])
    assert urgent.id in world.out()


def test_owners_share_a_trunk_whoever_came_first(make_world):
    world = make_world(main={"max_channels": 1})
    world.accept(20)
    other = {job.id for job in world.accept(5, owner=OTHER_OWNER)}
    world.settle_down()
    seen = []
    for _ in range(9):
        seen += world.out()
        world.answer(world.out())
    assert 4 <= len(other.intersection(seen)) <= 5


def test_a_new_batch_of_an_owner_does_not_wait_behind_the_old_one(make_world):
    world = make_world(main={"max_channels": 1})
    world.accept(20, batch="old")
    new = {job.id for job in world.accept(20, batch="new")}
    world.settle_down()
    seen = []
    for _ in range(20):
        seen += world.out()
        world.answer(world.out())
    assert 6 <= len(new.intersection(seen)) <= 11


def test_jobs_of_a_full_trunk_hold_up_no_other_trunks(make_world):
    world = make_world(main={"max_channels": 1}, other={"max_channels": 1})
    world.accept(300)
    job = world.called(ways=("other",))
    assert job.id in world.out()


def test_a_full_trunk_leaves_calls_to_the_next_one(make_world):
    world = make_world(main={"max_channels": 1}, other={})

    rules = replace(world.policy.rules, routes=(Route(Destinations.parse(("*",)), ("main", "other")),))
    world.engine.gate.rules = rules
    jobs = world.accept(2, ways=("main", "other"))
    world.settle_down()
    assert sorted(world.attempt(job).trunk for job in jobs) == ["main", "other"]


@pytest.mark.parametrize(
    "trace",
    [{"dial_status": "CHANUNAVAIL", "near_cause": 0}, {"dial_status": "CONGESTION", "near_cause": 34}],
)
def test_the_next_trunk_takes_what_the_first_could_not(make_world, trace):
    world = make_world(ami=True, main={}, other={})
    world.tell(UP)
    job = world.called(ways=("main", "other"))
    ended(world, job, **trace)
    world.wait(1)
    again = world.attempt(job)
    assert (again.number, again.trunk) == (2, "other")
    assert world.job(job).retries == 0


@pytest.mark.parametrize(
    ("trace", "state"),
    [
        ({"dial_status": "BUSY", "near_cause": 17}, State.FAILED),
        ({"dial_status": "NOANSWER", "near_cause": 19, "rang": 2.0}, State.FAILED),
        ({"dial_status": "CONGESTION", "near_cause": 34, "rang": 2.0, "hung_up": 4.0}, State.FAILED),
        ({"dial_status": "CHANUNAVAIL", "near_cause": 21}, State.FAILED),
        ({"dial_status": "CHANUNAVAIL", "near_cause": 1}, State.FAILED),
    ],
)
def test_no_other_trunk_is_tried_after_a_phone_may_have_rung(make_world, trace, state):
    world = make_world(ami=True, main={}, other={})
    world.tell(UP)
    job = world.called(ways=("main", "other"))
    ended(world, job, **trace)
    world.wait(5)
    assert (world.job(job).state, world.attempt(job).number) == (state, 1)


def test_a_round_over_all_trunks_is_one_retry_and_begins_with_the_first_again(make_world):
    world = make_world(ami=True, main={}, other={})
    world.tell(UP)
    job = world.called(ways=("main", "other"), max_retries=1, retry_time=30)
    for number in (1, 2, 3, 4):
        ended(world, job, number, dial_status="CONGESTION", near_cause=34)
        world.wait(31)
    attempts = world.store.attempts(job.id)
    assert [each.trunk for each in attempts] == ["main", "other", "main", "other"]
    assert world.job(job).state is State.FAILED


def test_a_trunk_that_refuses_every_call_is_left_alone_and_tried_with_one(make_world):
    world = make_world(ami=True, main={})
    world.tell(UP)
    for job in [world.called() for _ in range(5)]:
        ended(world, job, dial_status="CHANUNAVAIL", near_cause=0)
    jobs = world.accept(4)
    world.settle_down()
    while_open = world.out()
    world.wait(31)
    half_open = world.out()
    found = next(job for job in jobs if job.id in half_open)
    world.see(found, dialled=True, rang=1.0)
    world.settle_down()
    world.wait(1)
    assert (while_open, len(half_open)) == ([], 1)
    assert len(world.out()) == 4


def test_a_failed_probe_doubles_the_pause(make_world):
    world = make_world(ami=True, main={})
    world.tell(UP)
    for job in [world.called() for _ in range(5)]:
        ended(world, job, dial_status="CHANUNAVAIL", near_cause=0)
    jobs = world.accept(2)
    world.wait(31)
    probe = next(job for job in jobs if job.id in world.out())
    ended(world, probe, dial_status="CHANUNAVAIL", near_cause=0)
    world.wait(45)
    still_open = world.out()
    world.wait(20)
    assert (still_open, len(world.out())) == ([], 1)


def test_congestion_halves_what_a_trunk_is_given_at_once(make_world):
    world = make_world(ami=True, main={})
    world.tell(UP)
    jobs = world.accept(20)
    world.settle_down()
    limit = world.engine.trunks.line("main").concurrency.limit()
    for job in jobs[:2]:
        ended(world, job, dial_status="CONGESTION", near_cause=34)
    assert (limit, world.engine.trunks.line("main").concurrency.limit()) == (20, 9)


def test_a_result_without_ami_says_nothing_of_the_trunk(make_world):
    world = make_world(main={})
    for job in [world.called() for _ in range(8)]:
        world.archive(job, "Expired")
    assert world.attempt(job).result == Result(
        Disposition.FAILED, detail="not answered; why is unknown without AMI"
    )
    assert world.engine.trunks.line("main").breaker.state(world.clock.mono()) == "closed"


def test_a_call_that_rings_several_phones_takes_as_many_channels(make_world):
    world = make_world(main={"max_channels": 3})
    group = Call(to=("100", "101"), trunk="main", play="hello-world")
    first, second = world.submit(call=group).job, world.submit(call=group).job
    world.settle_down()
    before = world.out()
    world.answer(before)
    assert (before, world.out()) == ([first.id], [second.id])
