"""Hours, stop lists, destinations, retries and opt-outs, as the engine keeps to them at the hand-over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dialerd.core.destinations import Destinations
from dialerd.core.model import Terms
from dialerd.core.policy import Trunk
from dialerd.core.retry import RetryPolicy, Rule
from dialerd.core.routing import channel_for
from dialerd.core.signals import SpoolStirred
from dialerd.core.states import State
from dialerd.core.windows import Hours, parse_windows
from dialerd.engine.inbox import Reconfigure
from dialerd.engine.ports import Policy
from tests.engine.ruled import UP
from tests.engine.world import START


def office(text="sat 10:00-12:00"):
    return {
        "hours": {"office": Hours("office", parse_windows([text]), zone="UTC")},
        "default_hours": "office",
    }


def test_outside_its_hours_a_job_waits_for_them_and_says_so(make_ruled_world):
    world = make_ruled_world(**office())
    job = world.called()
    waiting = world.job(job)
    world.clock.time = START.replace(hour=10, minute=1)
    world.wait(1)
    assert waiting.state is State.QUEUED
    assert waiting.not_before == datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
    assert waiting.reason.startswith("outside calling hours (office) of UTC until Sat 10:00")
    assert world.out() == [job.id]


def test_it_is_said_once_that_a_job_waits(make_ruled_world):
    world = make_ruled_world(**office())
    job = world.called()
    world.wait(5)
    assert [event.type for event in world.events(job)] == ["accepted", "waits"]


def test_what_asterisk_has_not_begun_when_the_window_closes_is_taken_back(make_ruled_world):
    world = make_ruled_world(**office())
    world.clock.time = START.replace(hour=11, minute=59, second=50)
    job = world.called()
    there = world.out()
    world.wait(20)
    waiting = world.job(job)
    assert there == [job.id]
    assert (world.out(), waiting.state) == ([], State.DEFERRED)
    assert waiting.not_before == datetime(2026, 11, 28, 10, 0, tzinfo=UTC)


def test_a_call_that_has_begun_goes_on_when_the_window_closes(make_ruled_world):
    world = make_ruled_world(**office())
    world.clock.time = START.replace(hour=11, minute=59, second=50)
    job = world.called()
    world.begin(job)
    world.wait(60)
    assert world.job(job).state is State.SUBMITTED


def test_a_clock_that_is_put_back_calls_nobody_early(make_ruled_world):
    world = make_ruled_world()
    job = world.submit(not_before=START + timedelta(hours=1)).job
    world.order("all", "paused")
    world.clock.time = START + timedelta(hours=2)
    world.settle_down()
    world.clock.time = START
    world.order("all", None)
    world.wait(2)
    assert world.out() == []
    assert world.job(job).not_before == START + timedelta(hours=1)


def test_a_number_that_was_stopped_after_the_job_was_accepted_is_not_called(make_ruled_world):
    stopped = set()
    why = "+4930123456 is on the do-not-call list customers"
    world = make_ruled_world(stopped=lambda number: why if number in stopped else None)
    world.order("all", "paused")
    job = world.submit(number="+4930123456").job
    stopped.add("+4930123456")
    world.order("all", None)
    failed = world.job(job)
    assert (failed.state, failed.reason, world.out()) == (State.FAILED, why, [])


def test_a_number_that_is_stopped_while_its_file_is_staged_is_not_called(make_ruled_world):
    stopped = set()
    world = make_ruled_world(stopped=lambda number: "stopped" if number in stopped else None)
    staged = world.spool.stage

    def stage(files):
        stopped.add("+4930123456")
        return staged(files)

    world.spool.stage = stage
    job = world.submit(number="+4930123456").job
    world.settle_down()
    assert (world.out(), world.job(job).state) == ([], State.FAILED)


def test_a_destination_that_is_no_longer_allowed_is_not_called(make_ruled_world):
    world = make_ruled_world()
    world.order("all", "paused")
    job = world.submit(number="+4930123456").job
    narrower = replace(world.policy.rules, destinations=Destinations.parse(("AT",)))
    world.tell(Reconfigure(replace(world.policy, rules=narrower)))
    world.order("all", None)
    assert world.job(job).state is State.FAILED
    assert 'destinations = ["DE"]' in world.job(job).reason


def test_a_default_expiry_waits_with_a_job_for_its_hours(make_ruled_world):
    world = make_ruled_world(**office())
    patient = Terms(patience=3600)
    job = world.submit(not_after=START + timedelta(minutes=30), terms=patient).job
    bound = world.submit(not_after=START + timedelta(minutes=30)).job
    world.wait(2)
    assert world.job(job).not_after == datetime(2026, 11, 21, 11, 0, tzinfo=UTC)
    assert world.job(bound).not_after == START + timedelta(minutes=30)


def test_a_callee_who_opts_out_is_put_on_the_list_before_the_result_is_written(make_ruled_world):
    listed = []
    world = make_ruled_world(ami=True, opt_out=lambda number, reason: listed.append((number, reason)))
    world.tell(UP)
    job = world.called(number="+4930123456")
    world.see(job, dialled=True, answered=2.0, ended=9.0, hung_up=9.0, acted=True, opt_out="pressed 9")
    world.archive(job, "Completed")
    assert listed == [("+4930123456", "pressed 9")]
    assert "opted_out" in [event.type for event in world.events(job)]


def test_each_disposition_is_tried_again_by_its_own_rule(make_ruled_world):
    policy = RetryPolicy("p", busy=Rule(60, count=1), noanswer=Rule(600, count=1))
    world = make_ruled_world(ami=True, retry={"p": policy}, default_retry="p")
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


def test_a_jobs_cap_on_dials_holds_whatever_the_policy_says(make_ruled_world):
    policy = RetryPolicy("p", busy=Rule(1, count=5))
    world = make_ruled_world(ami=True, retry={"p": policy})
    world.tell(UP)
    job = world.called(terms=Terms(retry="p", max_dials=2))
    for number in (1, 2):
        world.see(job, number, dialled=True, dial_status="BUSY", near_cause=17, ended=5.0)
        world.archive(job, "Expired", number)
        world.wait(3)
    assert world.job(job).state is State.FAILED
    assert world.job(job).reason == "BUSY, not tried again: 2 dials are the most"


def test_a_stirred_file_of_no_attempt_changes_nothing(make_ruled_world):
    world = make_ruled_world()
    world.tell(SpoolStirred(frozenset(["0123456789abc.1.call"])))
    assert world.out() == []


def test_a_job_that_falls_due_while_asterisk_is_away_does_not_keep_the_engine_busy(make_ruled_world):
    world = make_ruled_world(ami=True)
    world.submit(not_before=START + timedelta(seconds=5))
    world.wait(10)
    assert world.engine._patience() == 1.0


def test_a_call_of_a_cancelled_batch_that_can_not_be_hung_up_is_not_tried_again(make_ruled_world):
    world = make_ruled_world()
    job = world.called(batch="campaign", max_retries=3, retry_time=5)
    world.begin(job)
    world.order("batch:1000:campaign", "cancelled")
    world.archive(job, "Expired")
    world.wait(30)
    assert (world.job(job).state, world.out()) == (State.CANCELLED, [])


def test_what_is_held_of_a_cancelled_batch_is_cancelled_too(make_ruled_world):
    world = make_ruled_world()
    job = world.submit(batch="campaign", not_before=START + timedelta(hours=1)).job
    world.command(job, "hold")
    world.order("batch:1000:campaign", "cancelled")
    world.wait(1)
    assert world.job(job).state is State.CANCELLED


LOST = [
    (Terms(hours="gone"), "there is no [hours.gone] in the configuration any more"),
    (Terms(zone="Mars/Olympus", windows=("00:00-24:00",)), "There is no time zone 'Mars/Olympus'"),
    (Terms(windows=("sometimes",)), "'sometimes': It has no times"),
]


@pytest.mark.parametrize(("terms", "why"), LOST)
def test_hours_that_are_not_to_be_found_any_more_are_never_open(make_ruled_world, terms, why):
    world = make_ruled_world()
    job = world.called(terms=terms)
    assert (world.out(), world.job(job).state) == ([], State.QUEUED)
    assert world.job(job).reason.startswith(why)


def test_a_trunk_that_was_taken_away_leaves_a_job_to_the_others(make_ruled_world):
    trunks = {name: Trunk(name, "x/{digits}") for name in ("main", "other")}
    world = make_ruled_world(ami=True, trunks=trunks)
    world.tell(UP)
    world.engine.dispatcher.dial = channel_for
    first = world.called(number="+4930123456", ways=("main", "other"), max_retries=1, retry_time=5)
    rules = replace(world.engine.gate.rules, trunks={"main": trunks["main"]})
    world.tell(Reconfigure(Policy(rules)))
    second = world.called(number="+4930123457", ways=("other", "main"))
    world.see(first, dialled=True, ended=5.0, near_cause=34, dial_status="CONGESTION")
    world.archive(first, "Expired")
    world.wait(10)
    assert world.attempt(second).trunk == "main"
    assert (world.job(first).attempts, world.attempt(first).trunk) == (2, "main")
