"""Accepting drafts: keys, times, bounds."""

from concurrent.futures import Future
from datetime import timedelta

import pytest

from dialerd.core.errors import InvalidJob, KeyConflict, Overloaded
from dialerd.core.model import Call, Draft
from dialerd.core.signals import Submission
from dialerd.core.states import State
from dialerd.engine.desk import Desk
from dialerd.engine.inbox import Submit
from dialerd.store.reader import SqliteReader
from tests.engine.world import OWNER, START, World


def test_the_same_key_and_body_bring_the_same_job_in_its_present_state(world):
    first = world.submit(key="k")
    world.settle_down()
    again = world.submit(key="k")
    assert (first.repeated, again.repeated) == (False, True)
    assert (again.job.id, again.job.state) == (first.job.id, State.SUBMITTED)


def test_the_same_key_twice_in_one_commit_makes_one_job(world):
    draft = Draft(Call(to=("100",), trunk="main", play="x"), b"d", key="k")
    message = Submit([Submission(OWNER, draft), Submission(OWNER, draft)])
    world.engine.turn([message])
    first, second = message.answer.result(0)
    assert (second.job.id, second.repeated) == (first.job.id, True)


def test_the_same_key_with_another_body_is_a_conflict(world):
    first = world.submit(key="k")
    message = Submit([Submission(OWNER, Draft(first.job.call, b"other", key="k"))])
    world.engine.turn([message])
    answer = message.answer.result(0)[0]
    assert isinstance(answer, KeyConflict)
    assert first.job.id in str(answer)


def test_a_key_belongs_to_its_owner(world):
    first = world.submit(key="k")
    message = Submit([Submission(OWNER + 1, Draft(first.job.call, b"other", key="k"))])
    world.engine.turn([message])
    assert message.answer.result(0)[0].repeated is False


@pytest.mark.parametrize(("field", "ago"), [("not_before", timedelta(days=2)), ("not_after", timedelta(0))])
def test_times_in_the_past_are_refused(world, field, ago):
    answer = world.submit(**{field: START - ago})
    assert isinstance(answer, InvalidJob)
    assert [mistake.where for mistake in answer.mistakes] == [field]


def test_a_not_before_that_passed_while_we_were_away_means_now(world):
    answer = world.submit(not_before=START - timedelta(hours=3))
    world.settle_down()
    assert world.job(answer.job).state is State.SUBMITTED


def test_a_repeated_key_is_answered_although_its_time_has_passed(world):
    first = world.submit(key="k", not_after=START + timedelta(seconds=5))
    world.wait(10)
    again = world.submit(key="k", not_after=START + timedelta(seconds=5))
    assert (again.repeated, again.job.id) == (True, first.job.id)


@pytest.fixture
def full(tmp_path):
    world = World(tmp_path, max_jobs=1)
    reader = SqliteReader(tmp_path)
    yield Desk(world.engine, reader), world
    reader.close()
    world.close()


def test_a_full_queue_refuses_before_accepting(full):
    desk, world = full
    world.submit(not_before=START + timedelta(hours=1))
    with pytest.raises(Overloaded, match="queue is full"):
        desk.submit([])


def test_a_stopping_daemon_refuses(full):
    desk, _ = full
    desk.stopping = True
    with pytest.raises(Overloaded, match="stopping"):
        desk.submit([])


def test_a_queue_whose_disk_hangs_refuses_and_says_so(full):
    desk, world = full
    world.engine.turn([])
    before = desk.status()["problems"]
    world.clock.time += timedelta(seconds=16)
    told = desk.status()["problems"]
    with pytest.raises(Overloaded, match="disk of the state folder does not answer"):
        desk.submit([])
    world.engine.turn([])
    desk.submit([])
    assert before == desk.status()["problems"] == []
    assert [problem for problem in told if "stood still" in problem] == told != []


def test_what_recovery_takes_is_no_standstill(full):
    desk, world = full
    survey = world.spool.survey

    def slow():
        world.clock.time += timedelta(seconds=60)
        return survey()

    world.spool.survey = slow
    world.engine.recover()
    assert desk.status()["problems"] == []


def test_a_store_that_breaks_refuses_and_accepts_again_when_it_is_mended(full):
    desk, world = full
    world.store._db.execute("PRAGMA max_page_count = 1")
    world.store._db.execute("PRAGMA wal_checkpoint")
    answers: list[Future] = []
    while not world.engine.broken and len(answers) < 2000:
        answers.append(
            desk.submit([Submission(OWNER, Draft(Call(play="x" * 100_000), b"d", not_before=START))])
        )
        answers[-1].add_done_callback(lambda done: done.exception())
        world.engine.turn(world.engine.inbox.take(0))
    with pytest.raises(Overloaded):
        answers[-1].result(0)
    world.store._db.execute("PRAGMA max_page_count = 1000000")
    world.engine.turn([])
    assert world.engine.broken == ""
