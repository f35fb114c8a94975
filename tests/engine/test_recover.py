"""The crash table of docs/INTERNALS.md, row by row: where the file lies says how far the attempt had come."""

from dataclasses import replace

from dialerd.core.model import Attempt, Disposition
from dialerd.core.signals import Place
from dialerd.core.states import State
from tests.engine.world import STARTED, World


def crashed(world: World, state: State, place: Place | None, **seen):
    """A job whose first attempt was in this state, with its file at this place, when dialerd went down."""
    job = world.called()
    name = world.name(job)
    world.spool.where.pop(name)
    with world.store.transaction():
        world.store.save_job(replace(world.job(job), state=state))
    if place is not None:
        world.spool.put(name, place, **seen)
    world.crash()
    return job


def test_a_staged_file_without_a_lease_is_discarded_and_its_job_called(world):
    job = world.submit(not_before=None).job
    world.engine.inbox.take(0)
    world.crash()
    staged = world.spool.look(world.name(job)).place
    world.settle_down()
    assert staged is Place.GONE
    assert world.job(job).state is State.SUBMITTED


def test_an_active_attempt_whose_file_is_still_staged_is_tried_again(world):
    job = crashed(world, State.ACTIVE, Place.STAGED)
    world.settle_down()
    assert world.spool.look(world.name(job)).place is Place.GONE
    assert world.spool.look(world.name(job, 2)).place is Place.OUTGOING


def test_a_staged_file_after_a_power_cut_is_in_doubt(world):
    job = world.called()
    world.spool.where[world.name(job)] = {Place.STAGED}
    with world.store.transaction():
        world.store.save_job(replace(world.job(job), state=State.ACTIVE))
    world.settings = replace(world.settings, boot="another run of the machine")
    world.crash()
    assert world.job(job).state is State.HELD
    assert world.spool.look(world.name(job)).place is Place.GONE


def test_an_active_attempt_whose_file_is_in_outgoing_is_followed(world):
    job = crashed(world, State.ACTIVE, Place.OUTGOING)
    found = world.job(job).state
    world.archive(job, "Completed")
    assert (found, world.job(job).state) == (State.SUBMITTED, State.COMPLETED)


def test_an_active_attempt_whose_file_is_archived_is_settled(world):
    job = crashed(world, State.ACTIVE, Place.DONE, lines=STARTED, status="Completed")
    assert world.job(job).state is State.COMPLETED


def test_an_active_attempt_whose_file_is_nowhere_is_held(world):
    job = crashed(world, State.ACTIVE, None)
    assert world.job(job).state is State.HELD
    assert "in doubt" in world.job(job).reason


def test_a_submitted_attempt_is_followed_on(world):
    job = crashed(world, State.SUBMITTED, Place.OUTGOING, lines=STARTED)
    world.archive(job, "Expired")
    assert world.job(job).state is State.FAILED
    assert world.attempt(job).result.disposition is Disposition.FAILED


def test_a_submitted_attempt_whose_file_is_archived_is_settled(world):
    job = crashed(world, State.SUBMITTED, Place.DONE, lines=STARTED, status="Completed")
    assert world.job(job).state is State.COMPLETED


def test_a_submitted_attempt_whose_file_is_nowhere_is_held(world):
    job = crashed(world, State.SUBMITTED, None)
    assert world.job(job).state is State.HELD


def test_an_archived_file_without_its_status_line_is_waited_for(world):
    job = crashed(world, State.SUBMITTED, Place.DONE, lines=STARTED)
    before = world.job(job).state
    world.archive(job, "Completed")
    assert (before, world.job(job).state) == (State.SUBMITTED, State.COMPLETED)


def test_a_taken_file_that_asterisk_never_began_is_deferred(world):
    job = crashed(world, State.SUBMITTED, Place.TAKEN)
    world.wait(3.5)
    assert world.job(job).state is State.DEFERRED
    assert world.spool.look(world.name(job)).place is Place.GONE


def test_a_taken_file_that_asterisk_had_begun_is_followed(world):
    job = crashed(world, State.SUBMITTED, Place.TAKEN)
    world.spool.put(world.name(job), Place.OUTGOING, lines=STARTED)
    world.wait(3.5)
    assert world.job(job).state is State.SUBMITTED
    world.archive(job, "Completed")
    assert world.job(job).state is State.COMPLETED


def test_an_archived_file_of_an_ended_job_is_removed(world):
    job = crashed(world, State.COMPLETED, Place.DONE, lines=STARTED, status="Completed")
    assert world.spool.look(world.name(job)).place is Place.GONE


def test_a_taken_file_of_an_ended_attempt_is_removed(world):
    job = crashed(world, State.CANCELLED, Place.TAKEN)
    assert world.spool.look(world.name(job)).place is Place.GONE


def test_a_file_of_an_unknown_job_is_left_alone(world):
    stranger = "0123456789abc.1.call"
    world.spool.put(stranger, Place.DONE, lines=STARTED, status="Completed")
    world.crash()
    assert world.spool.look(stranger).place is Place.DONE


def test_a_late_answer_settles_a_doubt(world):
    job = crashed(world, State.SUBMITTED, None)
    world.spool.put(world.name(job), Place.DONE, lines=STARTED, status="Completed")
    world.wait(3)
    assert world.job(job).state is State.COMPLETED
    assert isinstance(world.attempt(job), Attempt)
