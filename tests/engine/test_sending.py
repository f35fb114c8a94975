"""Jobs on their way to a provider: what each answer makes of them, and that none is sent twice."""

import pytest

from dialerd.core.errors import AccountRefused, NotServed, Rejected, Unavailable, Unconfirmed
from dialerd.core.model import Call, Disposition, OnDoubt
from dialerd.core.receipts import Receipt
from dialerd.core.signals import AsteriskDown, AsteriskUp
from dialerd.core.states import State
from dialerd.core.tasks import NumberOrder, Script, Sms
from dialerd.store.reader import SqliteReader
from tests.engine.cloud import NUMBER, Clouded, MemoryCloud

TAKEN = Receipt(ref="SM1")
UP = AsteriskUp(run="2026-11-21 08:00:00", version="22", max_calls=None, calls=0)


def test_the_lease_is_on_disk_before_the_request_goes_out(clouded, cloud):
    on_disk = []

    def look(name, operation, errand, done):
        reader = SqliteReader(clouded.folder)
        job, attempts = reader.job(errand.reference.partition(".")[0])
        on_disk.append((job.state, len(attempts)))
        reader.close()

    cloud.send = look

    clouded.send()

    assert on_disk == [(State.ACTIVE, 1)]


def test_a_request_has_our_reference_the_number_and_what_is_asked(clouded, cloud):
    job = clouded.send()
    clouded.settle_down()

    (way, operation, errand) = cloud.sent[0]

    assert (way, operation, errand.reference) == ("one", "sms.send", f"{job.id}.1")
    assert (errand.to, errand.task) == ((NUMBER,), Sms("hello"))


def test_what_the_provider_took_is_submitted_with_its_id(clouded):
    job = clouded.send()
    clouded.settle_down()

    clouded.reply(TAKEN)

    assert clouded.job(job).state is State.SUBMITTED
    assert (clouded.attempt(job).ref, clouded.attempt(job).handed_over) == ("SM1", clouded.clock.now())


@pytest.mark.parametrize(
    ("body", "parts", "encoding"), [("a" * 161, 2, "GSM-7"), ("ш" * 70, 1, "UCS-2"), ("€" * 81, 2, "GSM-7")]
)
def test_it_is_told_into_how_many_parts_a_message_is_cut(clouded, body, parts, encoding):
    job = clouded.send(body=body)
    clouded.settle_down()

    clouded.reply(TAKEN)

    told = next(event.data for event in clouded.events(job) if event.type == "submitted")
    assert (told["parts"], told["encoding"]) == (parts, encoding)


def test_an_order_that_is_done_at_once_is_completed(clouded):
    job = clouded.send(task=NumberOrder("buy", "+6512345678"), call=Call())
    clouded.settle_down()

    clouded.reply(Receipt(ref="+6512345678", disposition=Disposition.DONE))

    assert (clouded.job(job).state, clouded.job(job).disposition) == (State.COMPLETED, Disposition.DONE)


def test_what_nothing_more_will_be_heard_of_is_completed_as_sent(clouded, cloud):
    cloud.looks = cloud.receipts = False
    job = clouded.send()
    clouded.settle_down()

    clouded.reply(TAKEN)

    assert (clouded.job(job).state, clouded.job(job).disposition) == (State.COMPLETED, Disposition.SENT)


def test_what_is_rejected_fails_and_goes_nowhere_else(clouded, cloud):
    job = clouded.send("one", "two")
    clouded.settle_down()

    clouded.reply(Rejected("one refuses the message: the number is on its block list."))
    clouded.wait(3600, step=60)

    assert clouded.job(job).state is State.FAILED
    assert "block list" in clouded.job(job).reason
    assert len(cloud.sent) == 1


@pytest.mark.parametrize("answer", [Unavailable("one is down."), NotServed("one does not serve it.")])
def test_the_next_way_is_tried_at_once_where_certainly_nothing_was_done(clouded, cloud, answer):
    job = clouded.send("one", "two")
    clouded.settle_down()

    clouded.reply(answer)

    assert [name for name, _, _ in cloud.sent] == ["one", "two"]
    assert cloud.sent[1][2].reference == f"{job.id}.2"


def test_where_every_way_was_unavailable_all_are_tried_again_after_a_while(clouded, cloud):
    job = clouded.send("one", "two")
    clouded.settle_down()
    clouded.reply(Unavailable("one is down."))
    clouded.reply(Unavailable("two is down."))

    waiting = clouded.job(job)
    clouded.wait(11)

    assert (waiting.state, waiting.way) == (State.DEFERRED, "one")
    assert [name for name, _, _ in cloud.sent] == ["one", "two", "one"]


def test_a_provider_that_asks_to_wait_is_not_asked_sooner(clouded, cloud):
    clouded.send()
    clouded.settle_down()

    clouded.reply(Unavailable("one asks to wait.", retry_after=120))
    clouded.wait(119, step=1)
    before = len(cloud.sent)
    clouded.wait(3)

    assert (before, len(cloud.sent)) == (1, 2)


def test_a_doubt_is_held_and_never_sent_again_by_itself(clouded, cloud):
    cloud.finds = False
    job = clouded.send("one", "two")
    clouded.settle_down()

    clouded.reply(Unconfirmed("one did not answer within 30 seconds."))
    clouded.wait(86400, step=600)

    assert clouded.job(job).state is State.HELD
    assert len(cloud.sent) == 1


def test_a_doubt_is_sent_again_where_the_job_says_so(clouded, cloud):
    job = clouded.send(on_doubt=OnDoubt.RETRY, max_retries=1, retry_time=60)
    clouded.settle_down()

    clouded.reply(Unconfirmed("one did not answer."))
    clouded.wait(61, step=1)

    assert [errand.reference for _, _, errand in cloud.sent] == [f"{job.id}.1", f"{job.id}.2"]


def test_a_request_that_was_on_its_way_when_we_stopped_is_in_doubt(clouded, cloud):
    job = clouded.send()
    clouded.settle_down()

    clouded.crash()
    clouded.wait(3600, step=60)

    assert clouded.job(job).state is State.HELD
    assert len(cloud.sent) == 1


def test_a_job_that_a_provider_has_is_followed_on_after_a_restart(clouded, cloud):
    job = clouded.send()
    clouded.settle_down()
    clouded.reply(TAKEN)

    clouded.crash()
    clouded.wait(20)

    assert clouded.job(job).state is State.SUBMITTED
    assert cloud.looked[0][2] == "SM1"


def test_an_account_that_is_refused_is_skipped_from_then_on(clouded, cloud):
    clouded.send("one", "two")
    clouded.settle_down()
    clouded.reply(AccountRefused("one refuses the account: pay the bill."))
    clouded.send("one", "two", number="+4930123457")

    clouded.settle_down()

    assert [name for name, _, _ in cloud.sent] == ["one", "two", "two"]


def test_a_provider_that_was_refused_is_tried_again_with_one_request(clouded, cloud):
    cloud.places = 1
    for number in range(3):
        clouded.send(number=f"+493012345{number}")
    clouded.reply(AccountRefused("one refuses the account."))
    while_open = len(cloud.sent)

    cloud.places = 10
    clouded.wait(31)

    assert (while_open, len(cloud.sent)) == (1, 2)


def test_no_more_is_sent_than_there_is_room_for(clouded, cloud):
    cloud.places = 1
    for number in range(3):
        clouded.send(number=f"+493012345{number}")
    clouded.settle_down()
    first = len(cloud.sent)

    clouded.reply(TAKEN)

    assert (first, len(cloud.sent)) == (1, 2)


def test_a_busy_provider_is_waited_for_although_the_next_one_is_free(clouded, cloud):
    cloud.room = lambda name, now: 0 if name == "one" else 10
    clouded.send("one", "two")

    clouded.wait(5)

    assert cloud.sent == []


def test_one_text_to_many_shares_a_request_where_the_job_allows_it(clouded, cloud):
    cloud.places = 0
    jobs = [clouded.send(number=f"+493012345{n}", bulk=True, batch="monday") for n in range(3)]
    other = clouded.send(number="+4930999999", bulk=True, batch="monday", body="another")
    cloud.places = 10

    clouded.settle_down()

    sent = {operation: errand for _, operation, errand in cloud.sent}
    assert sent["sms.bulk"].references == {job.call.to[0]: f"{job.id}.1" for job in jobs}
    assert sent["sms.send"].to == other.call.to


def test_a_doubt_about_a_shared_request_holds_all_its_jobs(clouded, cloud):
    cloud.places = 0
    jobs = [clouded.send(number=f"+493012345{n}", bulk=True, batch="monday") for n in range(3)]
    cloud.places = 10
    clouded.settle_down()

    clouded.reply(Unconfirmed("one did not answer."))

    assert [clouded.job(job).state for job in jobs] == [State.HELD] * 3


def test_a_call_goes_to_a_provider_only_where_asterisk_is_away(tmp_path):
    cloud = MemoryCloud()
    world = Clouded(tmp_path, cloud, ami=True)
    call = Call(to=(NUMBER,), trunk="main", play="hello", script=Script(say="Hello"))
    world.tell(UP)
    first = world.send("main", "one", call=call, task=None)
    world.settle_down()
    while_up, out = list(cloud.sent), world.out()
    world.tell(AsteriskDown("it is gone"))
    world.wait(10)

    second = world.send("main", "one", call=call, task=None)
    world.settle_down()
    world.close()

    assert (while_up, out) == ([], [first.id])
    assert [(name, operation) for name, operation, _ in cloud.sent] == [("one", "voice.say")] * 2
    assert {errand.reference for _, _, errand in cloud.sent} == {f"{first.id}.2", f"{second.id}.1"}


def test_a_call_that_asterisk_began_never_goes_to_a_provider(tmp_path):
    cloud = MemoryCloud()
    world = Clouded(tmp_path, cloud, ami=True)
    world.tell(UP)
    call = Call(to=(NUMBER,), trunk="main", play="hello", script=Script(say="Hello"))
    job = world.send("main", "one", call=call, task=None)
    world.settle_down()
    world.begin(job)

    world.tell(AsteriskDown("it is gone"))
    world.wait(60)
    world.close()

    assert cloud.sent == []


def test_a_trunk_that_is_full_is_waited_for(tmp_path):
    cloud = MemoryCloud()
    world = Clouded(tmp_path, cloud)
    call = Call(to=(NUMBER,), trunk="main", play="hello", script=Script(say="Hello"))
    line = world.engine.trunks.line("main")
    line.concurrency.most = 1
    world.send("main", "one", call=call, task=None)
    world.settle_down()

    world.send("main", "one", call=call, task=None)
    world.wait(10)
    world.close()

    assert cloud.sent == []


def test_a_message_that_a_provider_has_cant_be_cancelled(clouded):
    job = clouded.send()
    clouded.settle_down()
    clouded.reply(TAKEN)

    with pytest.raises(Exception, match="can't be told to stop it"):
        clouded.command(job, "cancel")


@pytest.mark.parametrize("end", [Disposition.NOANSWER, Disposition.ANSWERED])
def test_a_call_that_a_provider_has_is_hung_up_and_then_cancelled(clouded, cloud, end):
    job = clouded.send(call=Call(to=(NUMBER,), script=Script(connect="+4930999")), task=None)
    clouded.settle_down()
    clouded.reply(Receipt(ref="CA1"))

    clouded.command(job, "cancel")
    cloud.acts[0][3].set_result(Receipt(ref="CA1"))
    clouded.wait(3)
    clouded.asked(Receipt(ref="CA1", disposition=end))

    assert cloud.acts[0][:3] == ("one", "voice.hangup", {"ref": "CA1"})
    assert clouded.job(job).state is State.CANCELLED


def test_two_jobs_for_one_number_never_share_a_request(clouded, cloud):
    cloud.places = 0
    jobs = [clouded.send(bulk=True, batch="monday", key=str(n)) for n in range(2)]
    cloud.places = 10

    clouded.settle_down()

    assert sorted(errand.reference for _, _, errand in cloud.sent) == sorted(f"{job.id}.1" for job in jobs)
