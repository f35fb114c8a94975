"""Bad moments: what comes late, twice, or between two steps makes no second call and ends nothing."""

from dataclasses import replace

import pytest

from dialerd.core.errors import Rejected, Unavailable
from dialerd.core.signals import Place, SpoolStirred
from dialerd.core.states import State
from dialerd.engine.inbox import Command, HandedOver, Staged
from tests.engine.moments import DOWN, RESTARTED, UP, archived, break_store, leased, order
from tests.engine.world import STARTED, OnDoubt, at

# ---- expiry


def test_a_file_that_was_taken_out_to_be_poked_is_not_put_back_after_not_after(world):
    first = world.called(not_after=at(7))
    second = world.called(number="200")
    world.begin(second)
    world.wait(6)
    taken = world.spool.look(world.name(first)).place
    put_back_at = []
    put_back = world.spool.put_back
    world.spool.put_back = lambda name: put_back_at.append(world.clock.now()) or put_back(name)
    world.wait(10)
    assert taken is Place.TAKEN
    assert [moment for moment in put_back_at if moment >= at(7)] == []
    assert world.job(first).state is State.EXPIRED


def test_a_job_whose_time_passes_while_its_file_is_handed_over_expires(world):
    job = world.submit(not_after=at(5)).job
    world.engine.turn([])
    staged = world.engine.inbox.take(0)
    world.clock.time = at(6)
    world.tell(*staged)
    world.wait(10)
    assert world.job(job).state is State.EXPIRED


def test_a_cancel_wins_over_an_expiry_under_way(world):
    job = world.called(not_after=at(2))
    world.wait(2.5)
    order(world, job, "cancel")
    world.wait(5)
    assert world.job(job).state is State.CANCELLED


# ---- evidence that comes late


def test_a_late_answer_ends_a_job_that_waits_for_its_retry_after_a_doubt(world):
    job = world.called(on_doubt=OnDoubt.RETRY, retry_time=600)
    world.begin(job)
    world.spool.where[world.name(job)] = set()
    world.wait(10)
    deferred = world.job(job).state
    archived(world, job, "Completed")
    world.wait(5)
    assert (deferred, world.job(job).state) == (State.DEFERRED, State.COMPLETED)


def test_a_late_answer_to_a_cancelled_doubt_is_kept_with_the_attempt(world):
    job = world.called()
    world.begin(job)
    world.spool.where[world.name(job)] = set()
    world.wait(10)
    world.command(job, "cancel")
    archived(world, job, "Completed")
    world.wait(5)
    assert world.attempt(job).result is not None


def test_late_words_of_a_forgotten_call_change_nothing(ami_world):
    world = ami_world
    world.tell(UP)
    job = world.called()
    world.see(job, dialled=True)
    world.archive(job, "Expired")
    world.wait(2)
    before = world.job(job)
    world.see(job, dialled=True, answered=3.0, ended=9.0)
    world.tell(Staged([world.name(job)], {}), HandedOver([world.name(job)], {}, 0.0))
    assert world.job(job) == before


# ---- stale words of the spool's thread


def test_a_hand_over_that_is_told_after_a_recovery_from_a_broken_store_does_no_harm(world):
    job, handed_over = leased(world)
    break_store(world, 1)
    world.engine.turn([])
    world.tell(*handed_over)
    assert world.job(job).state is State.SUBMITTED


def test_a_result_survives_a_store_that_breaks_twice(world):
    job = world.called()
    archived(world, job, "Completed")
    break_store(world, 1, before=1)
    world.engine.turn([SpoolStirred(frozenset([world.name(job)]))])
    world.wait(10)
    assert world.job(job).state is State.COMPLETED


# ---- AMI comes and goes


def test_a_hang_up_that_failed_with_ami_is_asked_for_again_when_ami_is_back(ami_world):
    world = ami_world
    world.tell(UP)
    job = world.called()
    world.see(job, dialled=True)
    world.line.dead = True
    order(world, job, "cancel")
    world.engine._caller.start()
    world.engine._caller.flush()
    world.tell(DOWN)
    world.line.dead = False
    world.tell(UP)
    world.wait(2)
    world.engine._caller.flush()
    assert world.line.hung_up == ["Local/100@sim-1;1"]


def test_ami_down_and_up_during_a_take_back_leaves_one_call(ami_world):
    world = ami_world
    world.tell(UP)
    job = world.called()
    world.tell(DOWN)
    world.wait(1.5)
    world.tell(UP)
    world.wait(10)
    assert world.spool.look(world.name(job)).place is Place.GONE
    assert world.spool.look(world.name(job, 2)).place is Place.OUTGOING


def test_a_call_that_a_restarted_asterisk_began_is_not_given_up(ami_world):
    world = ami_world
    world.tell(UP)
    job = world.called()
    world.tell(DOWN)
    world.spool.lines[world.name(job)] = ("StartRetry: 9999 1 (1826745600)",)
    world.tell(RESTARTED)
    world.see(job, dialled=True)
    archived(world, job, "Completed")
    world.see(job, dialled=True, answered=2.0, acted=True, ended=3.0)
    world.wait(3)
    assert world.job(job).state is State.COMPLETED


# ---- what must not end the engine


def test_a_job_whose_trunk_is_gone_fails_alone(world):
    def dial(call, way, rules):
        if call.to == ("666",):
            raise Rejected("There is no trunk 'main'.")
        return f"Local/{call.to[0]}@sim", ()

    world.engine.dispatcher.dial = dial
    gone, other = world.submit(number="666").job, world.submit(number="100").job
    world.settle_down()
    assert (world.job(gone).state, world.job(other).state) == (State.FAILED, State.SUBMITTED)


@pytest.mark.parametrize("verb", ["cancel", "hold", "release", "requeue", "resolve"])
def test_an_id_beyond_the_stores_integers_is_no_job(world, verb):
    message = Command("zzzzzzzzzzzzz", verb, 0)
    world.tell(message)
    assert "zzzzzzzzzzzzz" in str(message.answer.exception(0))


@pytest.mark.parametrize("place", [Place.DONE, Place.STAGED, Place.TAKEN, Place.OUTGOING])
def test_a_file_with_an_id_beyond_the_stores_integers_is_left_alone(world, place):
    world.spool.put("zzzzzzzzzzzzz.1.call", place, STARTED, "Completed")
    world.wait(3)
    world.crash()
    assert world.submit().job.state is State.QUEUED


def test_a_passing_trouble_of_the_spool_is_no_bug(world):
    job = world.called()
    look = world.spool.look

    def too_many(name):
        raise Unavailable("dialerd could not look into outgoing: too many open files.")

    world.spool.look = too_many
    world.tell(SpoolStirred(frozenset([world.name(job)])))
    world.spool.look = look
    world.archive(job, "Completed")
    assert world.job(job).state is State.COMPLETED


def test_a_passing_trouble_after_the_commit_is_no_bug(world):
    job = world.called()

    def too_many(names):
        raise Unavailable("dialerd could not remove files from outgoing_done: too many open files.")

    world.spool.remove = too_many
    world.archive(job, "Completed")
    assert world.job(replace(job)).state is State.COMPLETED
