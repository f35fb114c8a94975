"""What systemd tells of Asterisk's unit: calls wait while it is down, and are looked after when it runs."""

import pytest

from dialerd.core.errors import Broken
from dialerd.core.signals import AsteriskDown, AsteriskUp, Place, UnitSeen
from dialerd.core.states import State
from dialerd.engine.desk import Desk
from dialerd.store.reader import SqliteReader

FIRST, SECOND = (UnitSeen("asterisk.service", "active", run=run) for run in ("a" * 32, "b" * 32))
INACTIVE = UnitSeen("asterisk.service", "inactive", down=True)
MISSING = UnitSeen("asterisk.service", "not-found", problem="There is no unit asterisk.service.")
UP = AsteriskUp(run="2026-11-21 08:00:00", version="22", max_calls=None, calls=0)


def status(world):
    """The daemon's status."""
    reader = SqliteReader(world.folder)
    try:
        return Desk(world.engine, reader).status()
    finally:
        reader.close()


def test_nothing_is_handed_over_while_the_unit_is_down(world):
    world.tell(INACTIVE)
    job = world.called()
    before = world.job(job).state
    problems = status(world)["problems"]
    world.tell(FIRST)
    assert (before, world.job(job).state) == (State.QUEUED, State.SUBMITTED)
    assert problems == [
        "asterisk.service is inactive: calls wait until it runs (systemctl start asterisk.service)."
    ]
    assert status(world)["problems"] == []
    assert status(world)["asterisk"]["service_state"] == "active"


def test_a_unit_that_is_not_there_is_told_and_holds_nothing_up(world):
    world.tell(MISSING)
    job = world.called()
    assert world.job(job).state is State.SUBMITTED
    assert status(world)["problems"] == ["There is no unit asterisk.service."]


def test_what_ami_says_wins(ami_world):
    world = ami_world
    world.tell(UP, INACTIVE)
    job = world.called()
    assert world.job(job).state is State.SUBMITTED
    assert status(world)["problems"] == []


def test_the_status_says_that_everything_is_paused_and_why(world):
    world.order("all", "paused", "the carrier works on it")
    problems = status(world)["problems"]
    assert len(problems) == 1
    assert problems[0].startswith("Everything is paused by uid ")
    assert problems[0].endswith(": the carrier works on it.")


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [("nothing listens: is it running?", "AMI: nothing listens: is it running?"), ("no", "AMI: no.")],
)
def test_what_ami_lacks_is_one_sentence(ami_world, reason, sentence):
    ami_world.tell(AsteriskDown(reason))
    assert status(ami_world)["problems"] == [sentence]


def test_a_running_unit_does_not_stand_for_ami(ami_world):
    ami_world.tell(FIRST)
    job = ami_world.called()
    assert ami_world.job(job).state is State.QUEUED


def test_where_ami_is_gone_the_units_state_is_the_reason(ami_world):
    world = ami_world
    world.tell(UP)
    job = world.called()
    world.tell(AsteriskDown("connection refused"), INACTIVE)
    world.wait(6)
    assert world.job(job).state is State.DEFERRED
    assert world.job(job).reason == "taken back: asterisk.service is inactive"


def test_unstarted_files_are_taken_back_when_the_unit_goes_down(world):
    world.tell(FIRST)
    job = world.called()
    world.tell(INACTIVE)
    world.wait(6)
    assert world.job(job).state is State.DEFERRED
    assert world.spool.look(world.name(job)).place is Place.GONE


def test_calls_of_a_run_before_are_in_doubt_at_once(world):
    world.tell(FIRST)
    job = world.called()
    world.begin(job)
    world.tell(INACTIVE, SECOND)
    assert world.job(job).state is State.HELD
    assert world.spool.doubt == {world.name(job)}


def test_they_are_also_after_a_restart_of_dialerd(world):
    world.tell(FIRST)
    job = world.called()
    world.begin(job)
    world.crash()
    world.tell(SECOND)
    assert world.job(job).state is State.HELD


@pytest.mark.parametrize("between", [(), (UnitSeen("asterisk.service", "unknown", problem="No bus."),)])
def test_calls_of_the_same_run_go_on(world, between):
    world.tell(FIRST)
    job = world.called()
    world.begin(job)
    world.tell(*between, UnitSeen("asterisk.service", "reloading", run=FIRST.run), FIRST)
    assert world.job(job).state is State.SUBMITTED


def test_what_was_missed_is_looked_for_when_the_unit_is_back(world):
    world.tell(FIRST)
    job = world.called()
    world.spool.put(world.name(job), Place.DONE, (), "Completed")
    world.tell(INACTIVE, FIRST)
    assert world.job(job).state is State.COMPLETED


def test_a_turn_that_the_disk_refuses_is_a_sign_of_life(world, monkeypatch):
    def full():
        raise Broken("The disk is full.")

    monkeypatch.setattr(world.store, "transaction", full)
    world.wait(60)
    world.engine.turn([])
    assert world.engine.broken == "The disk is full."
    assert world.engine.turned_within(20)


def test_a_turn_that_does_not_end_is_none(world):
    world.engine.turn([])
    world.clock.time += 21 * (world.clock.time.resolution * 1_000_000)
    assert not world.engine.turned_within(20)
