"""What an operator may do with a job, and what is refused with what to do instead."""

from dataclasses import replace

import pytest

from dialerd.core.errors import NoSuchJob, NotAllowed
from dialerd.core.model import Disposition
from dialerd.core.signals import AsteriskUp, Place
from dialerd.core.states import State
from dialerd.engine.inbox import Command
from tests.engine.world import at

UP = AsteriskUp(run="2026-11-21 08:00:00", version="22", max_calls=None, calls=0)


@pytest.mark.parametrize("verb", ["cancel", "hold"])
def test_a_waiting_job_is_cancelled_or_held_at_once(world, verb):
    job = world.submit(not_before=at(100)).job
    assert world.command(job, verb).state is {"cancel": State.CANCELLED, "hold": State.HELD}[verb]


def test_a_held_job_waits_until_it_is_released(world):
    job = world.submit(not_before=at(10)).job
    world.command(job, "hold")
    world.wait(20)
    held = world.job(job).state
    world.command(job, "release")
    world.settle_down()
    assert (held, world.job(job).state) == (State.HELD, State.SUBMITTED)


def test_a_job_that_is_cancelled_while_its_file_is_staged_is_never_handed_over(world):
    message = world.submit().job
    staged = world.engine.inbox.take(0)
    world.command(message, "cancel")
    world.tell(*staged)
    assert world.job(message).state is State.CANCELLED
    assert world.spool.look(world.name(message)).place is Place.GONE


def test_cancelling_an_unstarted_call_takes_its_file_back_first(world):
    job = world.called()
    asked = world.command(job, "cancel")
    world.wait(3.5)
    assert (asked.state, asked.reason) == (State.SUBMITTED, "cancel requested")
    assert world.job(job).state is State.CANCELLED
    assert world.attempt(job).result.disposition is Disposition.CANCELLED


def test_cancelling_a_started_call_hangs_it_up_and_waits_for_its_end(ami_world):
    world = ami_world
    world.tell(UP)
    job = world.called()
    world.see(job, dialled=True)
    asked = world.command(job, "cancel")
    world.engine._caller.start()
    world.engine._caller.flush()
    world.see(job, dialled=True, ended=5.0)
    world.archive(job, "Expired")
    assert asked.state is State.SUBMITTED
    assert world.line.hung_up == ["Local/100@sim-1;1"]
    assert world.job(job).state is State.CANCELLED
    assert world.attempt(job).result.disposition is Disposition.CANCELLED


def test_a_call_that_was_answered_before_it_was_hung_up_says_so(ami_world):
    world = ami_world
    world.tell(UP)
    job = world.called()
    world.see(job, dialled=True, answered=2.0, dial_status="ANSWER", acted=True)
    world.command(job, "cancel")
    world.see(job, dialled=True, answered=2.0, dial_status="ANSWER", acted=True, ended=5.0)
    world.archive(job, "Completed")
    assert world.job(job).state is State.CANCELLED
    assert world.attempt(job).result.disposition is Disposition.ANSWERED


def test_a_started_call_can_not_be_cancelled_without_ami(world):
    job = world.called()
    world.begin(job)
    with pytest.raises(NotAllowed, match="without AMI"):
        world.command(job, "cancel")


def test_a_started_call_can_not_be_held(world):
    job = world.called()
    world.begin(job)
    with pytest.raises(NotAllowed, match="has begun"):
        world.command(job, "hold")


def test_holding_an_unstarted_call_takes_its_file_back(world):
    job = world.called()
    world.command(job, "hold")
    world.wait(3.5)
    assert world.job(job).state is State.HELD
    assert world.command(job, "release").state is State.QUEUED


def in_doubt(world):
    job = world.called()
    world.begin(job)
    world.spool.where.pop(world.name(job))
    world.wait(10)
    return job


def test_a_job_in_doubt_can_not_just_be_released(world):
    job = in_doubt(world)
    with pytest.raises(NotAllowed, match="resolve"):
        world.command(job, "release")


@pytest.mark.parametrize(
    ("as_", "state"), [("completed", State.COMPLETED), ("failed", State.FAILED), ("requeue", State.QUEUED)]
)
def test_a_doubt_is_resolved_as_a_person_says(world, as_, state):
    job = in_doubt(world)
    resolved = world.command(job, "resolve", as_)
    assert resolved.state is state
    assert world.store.last_attempt(job.id).number >= 1


def test_who_resolved_a_doubt_is_kept_with_the_attempt(world):
    job = in_doubt(world)
    world.command(job, "resolve", "completed")
    assert world.attempt(job).evidence["resolved_as"] == "completed"


def test_a_failed_job_is_requeued_with_a_new_attempt(world):
    job = world.called()
    world.archive(job, "Expired")
    world.command(job, "requeue")
    world.settle_down()
    assert world.spool.look(world.name(job, 2)).place is Place.OUTGOING


@pytest.mark.parametrize("verb", ["cancel", "hold", "release", "requeue", "resolve"])
def test_a_completed_job_takes_no_more_orders(world, verb):
    job = world.called()
    world.archive(job, "Completed")
    with pytest.raises(NotAllowed):
        world.command(job, verb, "completed")


def test_an_unknown_job_is_named(world):
    message = Command("0000000000000", "cancel", 0)
    world.tell(message)
    with pytest.raises(NoSuchJob, match="0000000000000"):
        message.answer.result(0)


def test_an_unknown_word_to_resolve_as_names_the_known_ones(world):
    job = replace(in_doubt(world))
    with pytest.raises(NotAllowed, match="completed, failed, requeue"):
        world.command(job, "resolve", "done")
