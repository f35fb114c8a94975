"""Jobs that providers have, or are being sent, as their batch is cancelled or their answer is overtaken."""

from dialerd.core.errors import Unavailable
from dialerd.core.model import Call, Disposition
from dialerd.core.receipts import Receipt
from dialerd.core.states import State
from dialerd.core.tasks import Script
from tests.engine.cloud import NUMBER

MONDAY = "batch:1000:monday"


def test_what_is_being_sent_as_its_batch_is_cancelled_is_not_sent_again(clouded, cloud):
    job = clouded.send("one", "two", batch="monday")
    clouded.settle_down()
    clouded.order(MONDAY, "cancelled")

    clouded.reply(Unavailable("one is down."))
    clouded.wait(100, step=1)

    assert (clouded.job(job).state, len(cloud.sent)) == (State.CANCELLED, 1)


def test_a_call_that_a_provider_has_as_its_batch_is_cancelled_is_hung_up_and_not_made_again(clouded, cloud):
    call = Call(to=(NUMBER,), script=Script(say="Hello"))
    job = clouded.send(call=call, task=None, batch="monday", max_retries=3, retry_time=10)
    clouded.settle_down()
    clouded.reply(Receipt(ref="CA1"))

    clouded.order(MONDAY, "cancelled")
    clouded.told(Receipt(ref="CA1", disposition=Disposition.BUSY))
    clouded.wait(100, step=1)

    assert [act[:3] for act in cloud.acts] == [("one", "voice.hangup", {"ref": "CA1"})]
    assert (clouded.job(job).state, len(cloud.sent)) == (State.CANCELLED, 1)


def test_an_answer_that_comes_when_the_job_is_on_its_next_attempt_changes_nothing(clouded, cloud):
    cloud.looks = False
    call = Call(to=(NUMBER,), script=Script(say="Hello"))
    job = clouded.send(call=call, task=None, max_retries=2, retry_time=1)
    clouded.settle_down()
    clouded.told(Receipt(ref="CA1", reference=f"{job.id}.1", disposition=Disposition.BUSY))
    clouded.wait(3)

    clouded.reply(Unavailable("one is down."), 0)

    assert (clouded.job(job).state, clouded.attempt(job).number) == (State.ACTIVE, 2)
