"""Pacing, channels, routes and the breaker: which trunk takes how many calls, and when."""

from dataclasses import replace

import pytest

from dialerd.core.destinations import Destinations
from dialerd.core.disposition import Result
from dialerd.core.errors import NotAllowed
from dialerd.core.model import Disposition
from dialerd.core.policy import Route, Trunk
from dialerd.core.signals import AsteriskUp
from dialerd.core.states import State
from dialerd.engine.inbox import GiveOrder
from dialerd.engine.ports import Policy
from tests.engine.world import ANYTHING, World

UP = AsteriskUp(run="2026-11-21 08:00:00", version="22", max_calls=None, calls=0)
OTHER_OWNER = 2000


@pytest.fixture
def make_world(tmp_path):
    made = []

    def make(ami=False, budget=None, **trunks):
        rules = replace(ANYTHING, trunks={name: Trunk(name, "x", **more) for name, more in trunks.items()})
        policy = Policy(rules) if budget is None else Policy(rules, budget)
        made.append(World(tmp_path, ami=ami, policy=policy))
        return made[-1]

    yield make
    for world in made:
        world.close()


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


def test_jobs_of_a_full_trunk_hold_up_no_other_trunks(make_world):
    world = make_world(main={"max_channels": 1}, other={"max_channels": 1})
    world.accept(300)
    job = world.called(ways=("other",))
    assert job.id in world.out()


def test_a_full_trunk_leaves_calls_to_the_next_one(make_world):
    world = make_world(main={"max_channels": 1}, other={})
    from dialerd.core.destinations import Destinations
    from dialerd.core.policy import Route

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


def test_a_result_without_ami_says_nothing_of_the_trunk(make_world):
    world = make_world(main={})
    for job in [world.called() for _ in range(8)]:
        world.archive(job, "Expired")
    assert world.attempt(job).result == Result(
        Disposition.FAILED, detail="not answered; why is unknown without AMI"
    )
    assert world.engine.trunks.line("main").breaker.state(world.clock.mono()) == "closed"


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
