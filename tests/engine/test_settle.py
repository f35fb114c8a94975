"""Results, retries, doubts, and taking call files back."""

from datetime import timedelta

import pytest

from dialerd.core.errors import Broken, Unavailable, Unconfirmed
from dialerd.core.model import Call, Disposition, OnDoubt, Trace
from dialerd.core.signals import AsteriskDown, AsteriskUp, CallSeen, Place, SpoolStirred
from dialerd.core.states import State
from tests.engine.world import START, STARTED, World, at

UP = AsteriskUp(run="2026-11-21 08:00:00", version="22", max_calls=None, calls=0)


def test_an_answered_call_completes_its_job_and_removes_the_evidence(world):
    job = world.called()
    world.archive(job, "Completed")
    assert world.job(job).state is State.COMPLETED
    assert world.attempt(job).result.disposition is Disposition.ANSWERED
    assert world.spool.look(world.name(job)).place is Place.GONE


def test_an_unanswered_call_is_tried_again_after_its_retry_time_and_then_fails(world):
    job = world.called(max_retries=1, retry_time=60)
    world.archive(job, "Expired")
    deferred = world.job(job)
    world.wait(59)
    before = world.spool.look(world.name(job, 2)).place
    world.wait(2)
    world.archive(job, "Expired", number=2)
    assert (deferred.state, deferred.not_before) == (State.DEFERRED, at(60))
    assert before is Place.GONE
    assert world.job(job).state is State.FAILED


def test_with_ami_the_archive_waits_for_the_end_of_the_story(ami_world):
    world = ami_world
    world.tell(UP)
    job = world.called()
    world.see(job, dialled=True)
    world.archive(job, "Expired")
    waiting = world.job(job).state
    world.see(job, dialled=True, dial_status="BUSY", near_cause=17, ended=5.0)
    assert waiting is State.SUBMITTED
    assert world.attempt(job).result.disposition is Disposition.BUSY


def test_with_ami_and_no_trace_the_channel_could_not_be_made(ami_world):
    world = ami_world
    world.tell(UP)
    job = world.called()
    world.archive(job, "Expired")
    world.wait(2)
    assert world.attempt(job).result.disposition is Disposition.CHANUNAVAIL


def test_when_ami_goes_away_the_archive_alone_is_believed(ami_world):
    world = ami_world
    world.tell(UP)
    job = world.called()
    world.see(job, dialled=True)
    world.tell(AsteriskDown("gone"))
    world.archive(job, "Expired")
    assert world.job(job).state is State.FAILED
    assert "unknown without AMI" in world.attempt(job).result.detail


def test_nothing_is_handed_over_before_ami_answers(ami_world):
    job = ami_world.called()
    before = ami_world.job(job).state
    ami_world.tell(UP)
    assert (before, ami_world.job(job).state) == (State.QUEUED, State.SUBMITTED)


def test_without_a_login_calls_go_on_without_ami(ami_world):
    ami_world.tell(AsteriskDown("wrong password", refused=True))
    job = ami_world.called()
    assert ami_world.job(job).state is State.SUBMITTED


def test_unstarted_files_are_taken_back_when_asterisk_goes_down(ami_world):
    world = ami_world
    world.tell(UP)
    job = world.called()
    world.tell(AsteriskDown("connection refused"))
    world.wait(6)
    assert world.job(job).state is State.DEFERRED
    assert world.spool.look(world.name(job)).place is Place.GONE


def test_a_restart_of_asterisk_leaves_started_calls_in_doubt_and_moves_their_files(ami_world):
    world = ami_world
    world.tell(UP)
    job = world.called()
    world.begin(job)
    world.tell(AsteriskDown("gone"), AsteriskUp("2026-11-21 09:00:05", "22", None, 0))
    assert world.job(job).state is State.HELD
    assert world.attempt(job).evidence["lines"] == list(STARTED)
    assert world.spool.doubt == {world.name(job)}


@pytest.mark.parametrize(
    ("on_doubt", "state"),
    [(OnDoubt.HOLD, State.HELD), (OnDoubt.RETRY, State.DEFERRED), (OnDoubt.DROP, State.FAILED)],
)
def test_a_file_that_vanishes_leaves_the_job_in_doubt_as_it_says(world, on_doubt, state):
    job = world.called(on_doubt=on_doubt)
    world.begin(job)
    world.spool.where.pop(world.name(job))
    world.wait(10)
    assert world.job(job).state is state
    assert "gone from outgoing" in world.job(job).reason


def test_a_deadline_that_passes_leaves_the_job_in_doubt(tmp_path):
    world = World(tmp_path, longest_call_s=60)
    job = world.called()
    world.begin(job)
    world.wait(60 + 45 + 1)
    found = world.job(job)
    world.close()
    assert found.state is State.HELD
    assert "longest call" in found.reason


def test_not_after_takes_an_unstarted_file_back_and_expires_the_job(world):
    job = world.called(not_after=START + timedelta(seconds=10))
    world.wait(14)
    assert world.job(job).state is State.EXPIRED
    assert world.spool.look(world.name(job)).place is Place.GONE


def test_a_waiting_job_expires_at_its_not_after(world):
    job = world.submit(not_before=at(100), not_after=at(10)).job
    world.wait(11)
    assert world.job(job).state is State.EXPIRED


def test_a_file_that_asterisk_overlooked_is_poked_once_then_held(world):
    job, later = world.called(), world.called()
    world.begin(later)
    world.wait(9)
    poked = world.spool.look(world.name(job)).place, world.job(job).state
    newest = world.called()
    world.begin(newest)
    world.wait(12)
    assert poked == (Place.OUTGOING, State.SUBMITTED)
    assert world.job(job).state is State.HELD


def test_where_asterisk_takes_nothing_up_files_are_taken_back_and_one_probe_goes(world):
    jobs = [world.called() for _ in range(3)]
    world.wait(35)
    states = [world.job(job).state for job in jobs]
    world.wait(3)
    out = [name for name, places in world.spool.where.items() if Place.OUTGOING in places]
    assert states == [State.DEFERRED] * 3
    assert len(out) == 1


def test_a_call_that_began_while_its_file_was_taken_out_is_followed(world):
    job = world.called(not_after=START + timedelta(seconds=10))
    world.wait(10.5)
    world.spool.put(world.name(job), Place.OUTGOING, lines=STARTED)
    world.wait(4)
    followed = world.job(job).state
    world.archive(job, "Completed")
    assert (followed, world.job(job).state) == (State.SUBMITTED, State.COMPLETED)


def test_only_a_window_of_files_lies_in_outgoing(world):
    for _ in range(150):
        world.submit()
    world.settle_down()
    assert world.engine.flights.unstarted() == 100


def test_asterisks_call_limit_is_kept_by_calls_that_play_and_have_one_dialplan_each(ami_world):
    ami_world.tell(AsteriskUp("run", "22", max_calls=20, calls=4))
    for _ in range(30):
        ami_world.submit()
    ami_world.settle_down()
    assert len(ami_world.engine.flights) == 16


def test_asterisks_call_limit_is_kept_by_calls_whose_action_is_a_dialplan_too(ami_world):
    ami_world.tell(AsteriskUp("run", "22", max_calls=20, calls=4))
    for _ in range(30):
        ami_world.submit(call=Call(to=("100",), trunk="main", context="survey", extension="s"))
    ami_world.settle_down()
    assert len(ami_world.engine.flights) == 8


def test_a_spool_that_is_broken_leaves_jobs_waiting_and_says_so(world):
    world.spool.fail_stage = Broken("The disk is full.")
    job = world.called()
    waiting, trouble = world.job(job).state, world.engine.dispatcher.trouble
    world.spool.fail_stage = None
    world.wait(6)
    assert (waiting, trouble) == (State.QUEUED, "The disk is full.")
    assert world.job(job).state is State.SUBMITTED


def test_a_hand_over_that_may_have_happened_is_in_doubt(world):
    world.spool.fail_hand_over = Unconfirmed("The file was not where it was put.")
    job = world.called()
    assert world.job(job).state is State.HELD


def test_a_hand_over_that_certainly_failed_is_tried_again_with_a_new_name(world):
    world.spool.fail_hand_over = Unavailable("outgoing is gone")
    job = world.called()
    deferred = world.job(job)
    world.spool.fail_hand_over = None
    world.wait(11)
    assert (deferred.state, deferred.attempts) == (State.DEFERRED, 1)
    assert world.spool.look(world.name(job, 2)).place is Place.OUTGOING


def test_an_attempt_ends_once_when_its_archive_is_found_as_ami_tells_of_the_end(ami_world):
    world = ami_world
    world.tell(UP)
    job = world.called()
    name = world.name(job)
    world.spool.where[name], world.spool.lines[name] = {Place.DONE}, STARTED
    world.spool.status[name] = "Expired"
    world.see(job, dialled=True, dial_status="BUSY", near_cause=17, ended=5.0)
    told = [event.type for event in world.events(job)]
    assert (told.count("attempt_ended"), told.count("failed")) == (1, 1)


def test_what_happens_while_the_hand_over_is_written_is_told_after_it(ami_world):
    world = ami_world
    world.tell(UP)
    job = world.submit().job
    name = world.name(job)
    staged = world.engine.inbox.take(0)
    world.engine.turn(staged)
    handed_over = world.engine.inbox.take(0)
    world.engine.turn([CallSeen(name, Trace(started=1.0, dialled=True, rang=1.5, answered=2.0))])
    world.tell(*handed_over)
    told = [event.type for event in world.events(job)]
    assert told == ["accepted", "leased", "submitted", "started", "ringing", "answered"]


def test_a_call_that_is_over_before_its_hand_over_is_written_is_settled_at_once(world):
    job = world.submit().job
    name = world.name(job)
    world.engine.turn(world.engine.inbox.take(0))
    handed_over = world.engine.inbox.take(0)
    world.spool.where[name], world.spool.lines[name] = {Place.DONE}, STARTED
    world.spool.status[name] = "Completed"
    world.engine.turn([SpoolStirred(frozenset([name]))])
    world.tell(*handed_over)
    assert world.job(job).state is State.COMPLETED
