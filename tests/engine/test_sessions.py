"""Sessions: each step goes out when the one before is over, and what was pressed decides on the next."""

import pytest

from dialerd.core.errors import Rejected, Unconfirmed
from dialerd.core.model import Call, Disposition
from dialerd.core.receipts import Message, Notice, Receipt
from dialerd.core.states import State
from dialerd.core.tasks import Ivr, Step
from dialerd.engine.sessions import next_path, step_at
from tests.engine.cloud import NUMBER

SALES, SUPPORT = (
    Step("transfer", dest="+6561234567"),
    Step("transfer", dest="+6561234568", on_failure=(Step("play", "busy"),)),
)
MENU = (
    Step("play", "welcome"),
    Step(
        "gather",
        "press",
        max_digits=1,
        on_digits=(("1", (SALES,)), ("2", (SUPPORT,)), ("", (Step("record"),))),
    ),
    Step("hangup", "bye"),
)


@pytest.fixture
def session(clouded):
    job = clouded.send(task=Ivr(MENU), call=Call(to=(NUMBER,)))
    clouded.settle_down()
    clouded.reply(Receipt(ref="TX1", session="S1"))
    return job


def happened(clouded, block, **more):
    clouded.told(Notice("S1", ref="TX1", block=block, **more))


def steps(cloud):
    return [
        (operation, parameters.get("message") or parameters.get("dest"))
        for _, operation, parameters, _ in cloud.acts
    ]


def test_the_first_step_waits_until_the_call_is_picked_up(clouded, cloud, session):
    before = list(cloud.acts)

    happened(clouded, "dial", word="answered")

    assert (before, steps(cloud)) == ([], [("ivr.play", "welcome")])


def test_a_step_goes_out_with_the_session_and_our_reference(clouded, cloud, session):
    happened(clouded, "dial")

    (provider, _, parameters, _) = cloud.acts[0]
    assert provider == "one"
    assert parameters == {"session": "S1", "tag": f"{session.id}.1", "message": "welcome"}


@pytest.mark.parametrize(
    ("digits", "following"),
    [
        ("1", ("ivr.transfer", "+6561234567")),
        ("2", ("ivr.transfer", "+6561234568")),
        ("9", ("ivr.record", None)),
    ],
)
def test_what_is_pressed_decides(clouded, cloud, session, digits, following):
    happened(clouded, "dial")
    happened(clouded, "play")

    happened(clouded, "gather", digits=digits)

    assert steps(cloud)[-1] == following


def test_a_transfer_that_fails_goes_on_with_what_is_meant_for_that(clouded, cloud, session):
    for block, digits in (("dial", None), ("play", None), ("gather", "2")):
        happened(clouded, block, digits=digits)

    happened(clouded, "transfer", failed=True)
    happened(clouded, "play")

    assert steps(cloud)[-2:] == [("ivr.play", "busy"), ("ivr.hangup", "bye")]


def test_a_repeated_notice_sends_nothing_twice(clouded, cloud, session):
    for _ in range(3):
        happened(clouded, "dial")

    assert len(cloud.acts) == 1


def test_a_call_that_nobody_picks_up_ends_the_job(clouded, cloud, session):
    happened(clouded, "dial", failed=True, word="busy")

    assert (clouded.job(session).state, clouded.job(session).disposition) == (State.FAILED, Disposition.BUSY)
    assert cloud.acts == []


def test_the_end_of_the_call_completes_the_job_with_what_it_brought(clouded, session):
    happened(clouded, "dial")
    happened(clouded, "play")
    happened(clouded, "gather", digits="1")

    happened(clouded, "", over=True, seconds=60, price="0.05", currency="SGD")

    attempt = clouded.attempt(session)
    assert clouded.job(session).state is State.COMPLETED
    assert (attempt.result.price, attempt.result.talk_seconds) == ("0.05", 60)
    assert {"block": "gather", "digits": "1"} in attempt.evidence["told"]


def test_after_a_restart_the_session_goes_on_where_it_stood(clouded, cloud, session):
    happened(clouded, "dial")
    clouded.crash()

    happened(clouded, "play")

    assert steps(cloud) == [("ivr.play", "welcome"), ("ivr.gather", "press")]


def test_a_step_that_is_refused_ends_the_call(clouded, cloud, session):
    happened(clouded, "dial")

    cloud.acts[0][3].set_exception(Rejected("one refuses the message."))
    clouded.settle_down()

    assert steps(cloud)[-1] == ("ivr.hangup", None)


def test_a_step_that_may_have_been_taken_is_waited_for(clouded, cloud, session):
    happened(clouded, "dial")

    cloud.acts[0][3].set_exception(Unconfirmed("one did not answer."))
    clouded.settle_down()

    assert len(cloud.acts) == 1


def test_a_call_that_came_in_is_answered_by_the_steps_of_its_number(clouded, cloud):
    clouded.engine.sessions.answers = {("one", "+6599"): MENU}

    clouded.told(Message("call", "TX9", "+6511", "+6599", session="S9"))
    clouded.told(Message("call", "TX9", "+6511", "+6599", session="S9"))

    assert steps(cloud) == [("ivr.play", "welcome")]
    assert cloud.acts[0][2]["session"] == "S9"


def test_a_call_to_another_number_is_left_alone(clouded, cloud):
    clouded.told(Message("call", "TX9", "+6511", "+6598", session="S9"))

    assert cloud.acts == []


OVER = {"over": True, "word": "busy"}


def test_a_notice_of_another_provider_is_none_of_this_session(clouded, session):
    clouded.told(Notice("S1", reference=f"{session.id}.1", **OVER), provider="two")

    assert clouded.job(session).state is State.SUBMITTED


def test_a_notice_of_another_session_is_none_of_this_job(clouded, session):
    clouded.told(Notice("S2", reference=f"{session.id}.1", **OVER))

    assert clouded.job(session).state is State.SUBMITTED


@pytest.fixture
def busy(clouded):
    """A session that nobody picked up, which is to be tried again."""
    job = clouded.send(task=Ivr(MENU), call=Call(to=(NUMBER,)), max_retries=3, retry_time=10)
    clouded.settle_down()
    clouded.reply(Receipt(ref="TX1", session="S1"))
    clouded.told(Notice("S1", reference=f"{job.id}.1", **OVER))
    return job


def test_the_end_of_a_session_that_is_told_twice_counts_once(clouded, busy):
    clouded.told(Notice("S1", reference=f"{busy.id}.1", **OVER))

    assert (clouded.job(busy).state, clouded.job(busy).retries) == (State.DEFERRED, 1)


@pytest.mark.parametrize("answered", [True, False])
def test_the_end_of_an_old_session_does_not_end_the_next_one(clouded, busy, answered):
    clouded.wait(12)
    if answered:
        clouded.reply(Receipt(ref="TX2", session="S2"))

    clouded.told(Notice("S1", reference=f"{busy.id}.1", **OVER))

    assert clouded.job(busy).state is (State.SUBMITTED if answered else State.ACTIVE)


def test_a_notice_finds_a_job_that_a_person_requeued_meanwhile(clouded, cloud):
    job = clouded.send(task=Ivr(MENU), call=Call(to=(NUMBER,)))
    clouded.settle_down()
    clouded.reply(Unconfirmed("one did not answer."))
    cloud.places = 0
    clouded.command(job, "resolve", "requeue")

    clouded.told(Notice("S1", reference=f"{job.id}.1", block="dial"))

    assert (clouded.job(job).state, cloud.acts) == (State.QUEUED, [])


def test_a_session_that_goes_silent_after_a_doubt_has_an_end(clouded, cloud):
    cloud.looks = cloud.finds = False
    job = clouded.send(task=Ivr(MENU), call=Call(to=(NUMBER,)))
    clouded.settle_down()
    clouded.reply(Unconfirmed("one did not answer."))
    clouded.told(Notice("S1", reference=f"{job.id}.1", block="dial"))

    clouded.crash()
    after_the_crash = clouded.job(job).state
    clouded.wait(7 * 3600, step=300)

    assert (after_the_crash, clouded.job(job).state) == (State.SUBMITTED, State.HELD)


@pytest.mark.parametrize(
    ("path", "digits", "failed", "following"),
    [
        ((), None, False, (0,)),
        ((0,), None, False, (1,)),
        ((1,), "1", False, (1, "1", 0)),
        ((1,), "7", False, (1, "", 0)),
        ((1, "1", 0), None, False, (2,)),
        ((1, "2", 0), None, True, (1, "2", 0, "failed", 0)),
        ((1, "2", 0, "failed", 0), None, False, (2,)),
        ((2,), None, False, (3,)),
    ],
)
def test_the_path_to_the_next_step(path, digits, failed, following):
    assert next_path(MENU, path, digits, failed) == following


def test_past_the_last_step_there_is_none():
    assert step_at(MENU, (3,)) is None


def test_a_session_without_steps_waits_for_those_that_somebody_gives_by_hand(clouded, cloud):
    clouded.send(task=Ivr(()), call=Call(to=(NUMBER,)))
    clouded.settle_down()
    clouded.reply(Receipt(ref="TX1", session="S1"))

    happened(clouded, "dial")
    happened(clouded, "gather", digits="1")

    assert cloud.acts == []


def test_a_session_that_was_led_by_hand_took_place(clouded, cloud):
    job = clouded.send(task=Ivr(()), call=Call(to=(NUMBER,)))
    clouded.settle_down()
    clouded.reply(Receipt(ref="TX1", session="S1"))
    happened(clouded, "dial", word="answered")

    happened(clouded, "", over=True, word="ended")

    assert (clouded.job(job).state, clouded.job(job).disposition) == (State.COMPLETED, Disposition.ANSWERED)
