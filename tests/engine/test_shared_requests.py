"""Messages that share a request: each is still bound by all that holds for it alone."""

from dialerd.core.budget import Budget
from dialerd.core.policy import Caps
from dialerd.core.receipts import Receipt
from tests.engine.cloud import Clouded, MemoryCloud


def test_a_shared_request_keeps_to_the_caps(tmp_path):
    cloud = MemoryCloud(places=0)
    world = Clouded(tmp_path, cloud, budget=Budget(owner=Caps(calls_per_day=2)))
    for number in range(5):
        world.send(number=f"+493012345{number}", bulk=True, batch="monday")
    cloud.places = 10

    world.settle_down()
    world.close()

    assert [len(errand.to) for _, _, errand in cloud.sent] == [2]


def test_a_shared_request_takes_nobody_along_who_may_not_go_that_way(clouded, cloud):
    cloud.places = 0
    first = clouded.send("one", "two", number="+4930123451", bulk=True, batch="monday")
    clouded.send("one", number="+4930123452", bulk=True, batch="monday")
    cloud.blocked.add("one")
    cloud.room = lambda name, now: 10 if name == "two" else 0

    clouded.settle_down()

    assert [(name, errand.to) for name, _, errand in cloud.sent] == [("two", first.call.to)]


def test_an_id_that_messages_share_is_not_asked_about_for_each_of_them(clouded, cloud):
    cloud.places = 0
    jobs = [clouded.send(number=f"+493012345{n}", bulk=True, batch="monday") for n in range(3)]
    cloud.places = 10
    clouded.settle_down()
    clouded.reply(Receipt(ref="BULK1"))
    clouded.wait(600, step=10)
    before = len(cloud.looked)

    clouded.told(Receipt(ref="TX1", to=jobs[0].call.to[0], shared_ref="BULK1", word="sent"), surely=False)

    assert (before, [ref for _, _, ref in cloud.looked]) == (0, ["TX1"])
