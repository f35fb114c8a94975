"""What becomes of a job that a provider has: receipts early, late, twice and in any order; and questions."""

from itertools import pairwise

import pytest

from dialerd.core.errors import Unconfirmed
from dialerd.core.model import Call, Disposition, OnDoubt
from dialerd.core.receipts import Message, Receipt
from dialerd.core.states import State
from dialerd.core.tasks import Conference, Script
from tests.engine.cloud import NUMBER

TAKEN = Receipt(ref="SM1", word="queued")
DELIVERED = Receipt(ref="SM1", disposition=Disposition.DELIVERED, word="delivered", price="0.05", parts=2)
UNDELIVERED = Receipt(ref="SM1", disposition=Disposition.UNDELIVERED, word="undelivered")


@pytest.fixture
def submitted(clouded):
    job = clouded.send()
    clouded.settle_down()
    clouded.reply(TAKEN)
    return job


def test_a_receipt_brings_a_message_to_its_end(clouded, submitted):
    clouded.told(DELIVERED)

    result = clouded.attempt(submitted).result
    assert clouded.job(submitted).state is State.COMPLETED
    assert (result.disposition, result.price, result.parts) == (Disposition.DELIVERED, "0.05", 2)


def test_a_message_that_was_not_delivered_has_failed_and_is_not_sent_again(clouded, cloud, submitted):
    clouded.told(UNDELIVERED)
    clouded.wait(3600, step=60)

    assert (clouded.job(submitted).state, len(cloud.sent)) == (State.FAILED, 1)


def test_receipts_out_of_order_and_twice_do_no_harm(clouded, submitted):
    for receipt in (DELIVERED, Receipt(ref="SM1", word="sent", handed_on=True), DELIVERED, UNDELIVERED):
        clouded.told(receipt)

    assert clouded.job(submitted).disposition is Disposition.DELIVERED
    assert [event.type for event in clouded.events(submitted)].count("completed") == 1


def test_a_receipt_of_another_provider_is_none_of_this_job(clouded, submitted):
    clouded.told(DELIVERED, provider="two")

    assert clouded.job(submitted).state is State.SUBMITTED


def test_a_receipt_by_our_reference_but_another_id_is_not_believed(clouded, submitted):
    clouded.told(Receipt(ref="SM666", reference=f"{submitted.id}.1", disposition=Disposition.DELIVERED))

    assert clouded.job(submitted).state is State.SUBMITTED


def test_an_unsigned_receipt_is_only_a_hint_to_ask(clouded, cloud, submitted):
    clouded.told(DELIVERED, surely=False)
    after_the_hint = clouded.job(submitted).state

    clouded.asked(DELIVERED)

    assert after_the_hint is State.SUBMITTED
    assert clouded.job(submitted).state is State.COMPLETED


def test_an_unsigned_receipt_counts_where_the_provider_cant_be_asked(clouded, cloud, submitted):
    cloud.looks = False

    clouded.told(DELIVERED, surely=False)

    assert clouded.job(submitted).state is State.COMPLETED


def test_a_receipt_before_the_answer_to_the_request_counts(clouded, cloud):
    cloud.looks = False
    job = clouded.send()
    clouded.settle_down()
    clouded.told(Receipt(ref="SM1", reference=f"{job.id}.1", disposition=Disposition.DELIVERED))

    clouded.reply(TAKEN)

    assert clouded.job(job).disposition is Disposition.DELIVERED
    assert cloud.open == 0


def test_a_word_before_the_answer_shows_that_the_provider_has_it(clouded):
    job = clouded.send()
    clouded.settle_down()
    clouded.told(Receipt(ref="SM1", reference=f"{job.id}.1", word="queued"))

    clouded.reply(Unconfirmed("one did not answer."))

    assert (clouded.job(job).state, clouded.attempt(job).ref) == (State.SUBMITTED, "SM1")


def test_a_hint_that_comes_while_the_provider_is_asked_is_followed_up(clouded, cloud, submitted):
    clouded.told(DELIVERED, surely=False)
    clouded.told(DELIVERED, surely=False)
    clouded.asked(Receipt(ref="SM1", word="sent", handed_on=True))

    clouded.wait(3)

    assert len(cloud.looked) == 2


def test_a_silent_provider_is_asked_ever_more_seldom(clouded, cloud, submitted):
    times = []
    for _ in range(2 * 3600):
        before = len(cloud.looked)
        clouded.wait(1, step=1)
        if len(cloud.looked) > before:
            times.append(clouded.clock.mono())
            clouded.asked(Receipt(ref="SM1", word="sent", handed_on=True))

    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert pauses == sorted(pauses)
    assert 10 <= len(times) <= 25


def test_a_message_without_any_receipt_counts_as_sent_after_three_days(clouded, cloud, submitted):
    clouded.wait(3 * 86400 + 3600, step=600)

    assert (clouded.job(submitted).state, clouded.job(submitted).disposition) == (
        State.COMPLETED,
        Disposition.SENT,
    )


def test_a_receipt_after_that_still_tells_the_truth(clouded, submitted):
    clouded.wait(3 * 86400 + 3600, step=600)

    clouded.told(DELIVERED)

    assert clouded.job(submitted).disposition is Disposition.DELIVERED


@pytest.fixture
def in_doubt(clouded):
    job = clouded.send()
    clouded.settle_down()
    clouded.reply(Unconfirmed("one did not answer."))
    return job


def test_a_doubt_is_settled_by_a_receipt(clouded, in_doubt):
    clouded.told(Receipt(ref="SM1", reference=f"{in_doubt.id}.1", disposition=Disposition.DELIVERED))

    assert clouded.job(in_doubt).state is State.COMPLETED


def test_a_provider_that_has_a_job_in_doubt_makes_it_submitted(clouded, cloud, in_doubt):
    clouded.wait(11)

    clouded.asked(Receipt(ref="SM1", reference=f"{in_doubt.id}.1", word="queued"))

    assert (clouded.job(in_doubt).state, clouded.attempt(in_doubt).ref) == (State.SUBMITTED, "SM1")


def test_what_is_another_jobs_settles_no_doubt(clouded, cloud, in_doubt):
    clouded.send()
    clouded.settle_down()
    clouded.reply(TAKEN)
    clouded.wait(11)
    index = [errand.reference for _, errand, _ in cloud.looked].index(f"{in_doubt.id}.1")

    clouded.asked(DELIVERED, index)

    assert clouded.job(in_doubt).state is State.HELD


def test_not_found_is_no_proof_that_nothing_was_sent(clouded, cloud, in_doubt):
    clouded.wait(11)

    clouded.asked(None)
    clouded.wait(3600, step=60)

    assert (clouded.job(in_doubt).state, len(cloud.sent)) == (State.HELD, 1)
    assert len(cloud.looked) >= 1


def test_a_message_that_came_in_is_a_job_that_is_over_told_once(clouded):
    message = Message("sms", "IN1", "+4930111", "+4930222", "Hello you")

    clouded.told(message)
    clouded.told(message)

    events = [event for event in clouded.engine_events() if event.type == "received"]
    (job,) = [clouded.store.find_job(event.job) for event in events]
    assert (job.kind, job.state, job.task.body) == ("received", State.COMPLETED, "Hello you")


def test_each_message_of_a_shared_request_is_known_by_its_number(clouded, cloud):
    cloud.places = 0
    jobs = [clouded.send(number=f"+493012345{n}", bulk=True, batch="monday") for n in range(3)]
    cloud.places = 10
    clouded.settle_down()
    clouded.reply(Receipt(ref="BULK1"))

    clouded.told(Receipt(ref="TX7", to="+4930123451", shared_ref="BULK1", disposition=Disposition.DELIVERED))

    states = [clouded.job(job).state for job in jobs]
    assert states == [State.SUBMITTED, State.COMPLETED, State.SUBMITTED]
    assert clouded.attempt(jobs[1]).ref == "TX7"


CROWD = ("+6561234561", "+6561234562", "+6561234563")


@pytest.fixture
def conference(clouded):
    job = clouded.send(task=Conference(), call=Call(to=CROWD))
    clouded.settle_down()
    clouded.reply(Receipt(ref="TX1"))
    return job


def test_a_conference_goes_on_although_one_of_its_parties_is_busy(clouded, conference):
    reference = f"{conference.id}.1"

    clouded.told(Receipt(ref="TX1", reference=reference, to=CROWD[0], disposition=Disposition.BUSY))

    assert clouded.job(conference).state is State.SUBMITTED


def test_a_conference_took_place_if_anybody_answered(clouded, conference):
    reference = f"{conference.id}.1"
    ends = (Disposition.BUSY, Disposition.ANSWERED, Disposition.NOANSWER)

    for number, end in zip(CROWD, ends, strict=True):
        clouded.told(Receipt(ref=f"TX{number}", reference=reference, to=number, disposition=end))

    assert clouded.job(conference).disposition is Disposition.ANSWERED
    assert clouded.attempt(conference).evidence["parties"][CROWD[0]] == "BUSY"


@pytest.mark.parametrize(
    ("receipt", "state"),
    [
        (DELIVERED, State.COMPLETED),
        (UNDELIVERED, State.QUEUED),
        (Receipt(ref="SM1", word="sent"), State.QUEUED),
    ],
)
def test_a_late_word_about_a_job_that_was_requeued_only_spares_a_second_message(
    clouded, cloud, submitted, receipt, state
):
    clouded.told(UNDELIVERED)
    cloud.places = 0
    clouded.command(submitted, "requeue")

    clouded.told(receipt)

    assert clouded.job(submitted).state is state


def test_an_answer_to_a_question_finds_a_job_that_a_person_requeued_meanwhile(clouded, cloud, in_doubt):
    clouded.wait(11)
    cloud.places = 0
    clouded.command(in_doubt, "resolve", "requeue")

    clouded.asked(Receipt(ref="SM1", disposition=Disposition.DELIVERED))

    assert clouded.job(in_doubt).state is State.COMPLETED


BUSY = Receipt(ref="CA1", disposition=Disposition.BUSY, word="busy")


@pytest.fixture
def tried(clouded):
    """A call that was busy, and waits to be tried again."""
    job = clouded.send(call=Call(to=(NUMBER,), script=Script(say="Hi")), task=None, max_retries=3)
    clouded.settle_down()
    clouded.reply(Receipt(ref="CA1"))
    clouded.told(BUSY)
    return job


@pytest.mark.parametrize("receipt", [BUSY, Receipt(ref="CA1", word="ringing")])
def test_an_end_that_is_told_twice_or_too_late_takes_no_retry(clouded, tried, receipt):
    clouded.told(receipt)

    assert (clouded.job(tried).state, clouded.job(tried).retries) == (State.DEFERRED, 1)


def test_an_end_that_is_told_twice_does_not_end_what_an_operator_holds(clouded, tried):
    clouded.command(tried, "hold")

    clouded.told(BUSY)

    assert clouded.job(tried).state is State.HELD


def test_a_bad_end_of_a_doubt_that_is_to_be_tried_again_counts_as_its_end(clouded, cloud):
    job = clouded.send(on_doubt=OnDoubt.RETRY, retry_time=600)
    clouded.settle_down()
    clouded.reply(Unconfirmed("one did not answer."))

    clouded.told(Receipt(ref="SM1", reference=f"{job.id}.1", disposition=Disposition.UNDELIVERED))

    assert (clouded.job(job).state, clouded.job(job).disposition) == (State.FAILED, Disposition.UNDELIVERED)


def test_a_reference_with_more_digits_than_a_number_has_is_nobodys(clouded, submitted):
    clouded.told(Receipt(reference=f"{submitted.id}.{'9' * 5000}", disposition=Disposition.DELIVERED))

    assert clouded.job(submitted).state is State.SUBMITTED


def test_each_party_of_a_conference_is_asked_for_by_its_own_id(clouded, cloud):
    job = clouded.send(task=Conference(), call=Call(to=CROWD))
    clouded.settle_down()
    clouded.reply(Receipt(ref="TX0", refs={number: f"TX{n}" for n, number in enumerate(CROWD)}))

    for _ in CROWD:
        clouded.wait(12)
        clouded.asked(Receipt(ref=cloud.looked[-1][2], disposition=Disposition.ANSWERED))

    assert [ref for _, _, ref in cloud.looked] == ["TX0", "TX1", "TX2"]
    assert clouded.job(job).state is State.COMPLETED


def test_what_cant_be_asked_yet_is_asked_within_moments(clouded, cloud):
    for number in range(30):
        clouded.send(number=f"+4930123{number:03}")
    for index in range(30):
        clouded.reply(Receipt(ref=f"SM{index}"), index)
    clouded.wait(12)
    first = len(cloud.looked)

    for index in range(first):
        clouded.asked(None, index)
    clouded.wait(4)

    assert (first, len(cloud.looked)) == (20, 30)
