"""The table "After a restore" of docs/INTERNALS.md: what the spool has of attempts that the queue forgot."""

from datetime import UTC, datetime

import pytest

from dialerd.core.attempts import count
from dialerd.core.errors import NotAllowed
from dialerd.core.model import OnDoubt
from dialerd.core.signals import Place
from dialerd.core.states import State
from dialerd.keeping.holding import hold_all
from tests.engine.world import START, STARTED, World

RESTORED = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def restored(world: World) -> None:
    """What a restore does to the queue that the world has, and a start of dialerd after it."""
    with world.store.transaction():
        world.store.mark_restored(RESTORED)
    hold_all(world.store, RESTORED, START)
    world.crash()


def test_a_call_under_way_at_the_backup_is_settled_by_its_file(world: World) -> None:
    job = world.called()
    restored(world)
    held = world.job(job).state

    world.archive(job, "Completed")
    world.wait(3)

    assert (held, world.job(job).state) == (State.HELD, State.COMPLETED)
    assert world.spool.look(world.name(job)).place is Place.GONE


def test_a_call_under_way_at_the_backup_is_not_repeated_though_the_job_says_so(world: World) -> None:
    job = world.called(on_doubt=OnDoubt.RETRY, max_retries=3, retry_time=1)
    world.spool.where.clear()
    restored(world)

    world.wait(30)

    assert world.job(job).state is State.HELD
    assert world.out() == []


def test_a_call_that_was_made_since_the_backup_settles_its_job(world: World) -> None:
    job = world.submit(not_before=None).job
    world.spool.where.clear()
    world.engine.inbox.take(0)
    world.spool.put(world.name(job, 1), Place.DONE, lines=STARTED, status="Completed")
    restored(world)
    world.wait(3)

    assert world.job(job).state is State.COMPLETED
    assert world.attempt(job).number == 1
    assert world.spool.look(world.name(job, 1)).place is Place.GONE


def test_a_call_that_failed_since_the_backup_is_not_tried_again_by_itself(world: World) -> None:
    job = world.called(max_retries=5)
    world.spool.where.clear()
    world.spool.put(world.name(job, 2), Place.DONE, lines=STARTED, status="Expired")
    restored(world)
    world.wait(30)

    assert world.job(job).state is State.FAILED
    assert world.out() == []


def test_the_file_of_a_call_that_goes_on_is_left_to_asterisk(world: World) -> None:
    job = world.called()
    world.spool.where.clear()
    world.spool.put(world.name(job, 2), Place.OUTGOING, lines=STARTED)
    restored(world)
    world.wait(5)
    going_on = world.spool.look(world.name(job, 2)).place

    world.archive(job, "Completed", number=2)
    world.wait(3)

    assert going_on is Place.OUTGOING
    assert world.job(job).state is State.COMPLETED


def test_a_file_that_was_only_staged_is_discarded_and_its_job_stays_held(world: World) -> None:
    job = world.called()
    world.spool.where.clear()
    world.spool.put(world.name(job, 2), Place.STAGED)
    restored(world)
    world.wait(3)

    assert world.spool.look(world.name(job, 2)).place is Place.GONE
    assert world.job(job).state is State.HELD


def test_an_archived_file_that_is_not_written_to_its_end_is_waited_for(world: World) -> None:
    job = world.called()
    world.spool.where.clear()
    world.spool.put(world.name(job, 2), Place.DONE, lines=STARTED)
    restored(world)
    world.wait(3)
    before = world.job(job).state

    world.spool.status[world.name(job, 2)] = "Completed"
    world.wait(3)

    assert (before, world.job(job).state) == (State.HELD, State.COMPLETED)


def test_what_is_released_is_called_under_a_name_that_no_file_had(world: World) -> None:
    job = world.submit(not_before=None).job
    world.spool.where.clear()
    world.engine.inbox.take(0)
    restored(world)

    world.command(job, "release")
    world.settle_down()

    (name,) = [name for name, places in world.spool.where.items() if Place.OUTGOING in places]
    number = int(name.split(".")[1])
    assert number > 1000
    assert count(number) == 1
    assert world.job(job).attempts == number


def test_what_was_under_way_can_only_be_resolved(world: World) -> None:
    job = world.called()
    world.spool.where.clear()
    restored(world)

    with pytest.raises(NotAllowed, match="resolve"):
        world.command(job, "release")

    assert world.command(job, "resolve", "completed").state is State.COMPLETED


@pytest.mark.parametrize("number", ["9" * 30, "x", "", "-1"])
def test_a_file_whose_name_is_no_attempts_is_left_alone(world: World, number: str) -> None:
    job = world.called()
    name = f"{job.id}.{number}.call"
    world.spool.put(name, Place.DONE, lines=STARTED, status="Completed")
    world.wait(3)

    assert world.job(job).state is State.SUBMITTED
    assert world.job(job).attempts == 1
