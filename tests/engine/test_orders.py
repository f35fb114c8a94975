"""An order to cancel or hold is kept, whatever overtakes it: the call, a crash, a full disk."""

from dialerd.core.errors import Unavailable
from dialerd.core.model import Trace
from dialerd.core.signals import CallSeen, Place, SpoolStirred
from dialerd.core.states import State
from tests.engine.moments import DOWN, RESTARTED, UP, archived, break_store, leased, order
from tests.engine.world import STARTED, OnDoubt

# ---- orders that are overtaken by the call


def test_cancel_while_leased_is_kept_when_the_call_is_seen_before_the_hand_over_is_noted(ami_world):
    world = ami_world
    world.tell(UP)
    job, handed_over = leased(world)
    order(world, job, "cancel")
    trace = Trace(started=1.0, channel="Local/100@sim-1;1", dialled=True)
    world.tell(CallSeen(world.name(job), trace), *handed_over)
    world.engine._caller.start()
    world.engine._caller.flush()
    assert world.line.hung_up == ["Local/100@sim-1;1"]


def test_cancel_during_a_take_back_is_kept_when_the_call_ends_busy_within_the_pause(world):
    job = world.called(max_retries=3)
    order(world, job, "cancel")
    archived(world, job, "Expired")
    world.tell(SpoolStirred(frozenset([world.name(job)])))
    world.wait(5)
    assert world.job(job).state is State.CANCELLED


def test_a_hold_during_the_hand_over_is_kept_when_the_hand_over_fails(world):
    world.spool.fail_hand_over = Unavailable("too many open files")
    job, failed = leased(world)
    order(world, job, "hold")
    world.tell(*failed)
    assert world.job(job).state is State.HELD


def test_a_cancelled_call_in_which_asterisk_crashes_is_not_called_again(ami_world):
    world = ami_world
    world.tell(UP)
    job = world.called(on_doubt=OnDoubt.RETRY, retry_time=1)
    world.see(job, dialled=True)
    order(world, job, "cancel")
    world.spool.lines[world.name(job)] = STARTED
    world.tell(DOWN)
    world.tell(RESTARTED)
    world.wait(10)
    assert world.spool.look(world.name(job, 2)).place is Place.GONE


def test_a_started_but_unnoticed_call_that_is_cancelled_does_not_end_in_doubt(ami_world):
    world = ami_world
    world.tell(UP)
    job = world.called()
    world.spool.lines[world.name(job)] = STARTED
    order(world, job, "cancel")
    world.see(job, dialled=True)
    world.wait(4)
    if Place.OUTGOING in world.spool.where[world.name(job)]:
        archived(world, job, "Expired")
    world.see(job, dialled=True, ended=9.0)
    world.wait(10)
    assert world.job(job).state is State.CANCELLED


# ---- orders that are overtaken by a restart of dialerd


def test_a_cancel_under_way_is_kept_over_a_restart_of_dialerd(world):
    job = world.called()
    order(world, job, "cancel")
    world.crash()
    world.wait(30)
    assert world.job(job).state is State.CANCELLED
    assert world.spool.look(world.name(job, 2)).place is Place.GONE


def test_a_hold_under_way_is_kept_over_a_restart_of_dialerd(world):
    job = world.called()
    order(world, job, "hold")
    world.crash()
    world.wait(30)
    assert world.job(job).state is State.HELD


def test_a_call_being_hung_up_is_not_retried_after_a_restart_of_dialerd(ami_world):
    world = ami_world
    world.tell(UP)
    job = world.called(max_retries=3, retry_time=1)
    world.see(job, dialled=True)
    order(world, job, "cancel")
    archived(world, job, "Expired")
    world.crash()
    world.tell(UP)
    world.wait(10)
    assert world.job(job).state is State.CANCELLED


def test_a_cancel_is_kept_when_the_store_breaks_for_a_moment(world):
    job = world.called()
    order(world, job, "cancel")
    break_store(world, 1)
    world.engine.turn([])
    world.wait(30)
    assert world.job(job).state is State.CANCELLED
