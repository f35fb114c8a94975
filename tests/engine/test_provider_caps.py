"""Calls that providers carry count for caps as long as they are under way."""

import pytest

from dialerd.core.budget import Budget
from dialerd.core.errors import Unconfirmed
from dialerd.core.model import Call, Disposition
from dialerd.core.policy import Caps
from dialerd.core.receipts import Receipt
from dialerd.core.tasks import Script
from tests.engine.cloud import NUMBER, Clouded, MemoryCloud

SAY = Call(to=(NUMBER,), script=Script(say="Hello"))


@pytest.fixture
def world(tmp_path):
    def make(**caps):
        world.append(Clouded(tmp_path, MemoryCloud(), budget=Budget(owner=Caps(**caps), reserve_s=120)))
        return world[0]

    world = []
    yield make
    world[0].close()


def send(world, answer=None):
    """A call, and what its provider answers if it is sent."""
    before = len(world.cloud.sent)
    job = world.send(call=SAY, task=None)
    world.settle_down()
    if len(world.cloud.sent) > before:
        world.reply(answer or Receipt(ref=f"C{before}"))
    return job


@pytest.mark.parametrize("caps", [{"concurrent": 1}, {"minutes_per_day": 2}])
def test_a_call_that_a_provider_has_counts_until_it_is_over(world, caps):
    made = world(**caps)
    send(made)
    send(made)
    under_way = len(made.cloud.sent)

    made.told(Receipt(ref="C0", disposition=Disposition.NOANSWER))
    made.wait(86400 if "minutes_per_day" in caps else 10, step=600 if "minutes_per_day" in caps else 1)

    assert (under_way, len(made.cloud.sent)) == (1, 2)


@pytest.mark.parametrize("caps", [{"concurrent": 1}, {"minutes_per_day": 2}])
def test_it_counts_over_a_restart_too(world, caps):
    made = world(**caps)
    send(made)

    made.crash()
    send(made)

    assert len(made.cloud.sent) == 1


def test_a_doubt_takes_what_was_set_aside_and_no_place(world):
    made = world(concurrent=1, minutes_per_day=4)
    send(made, Unconfirmed("one did not answer."))

    send(made)
    send(made)

    assert len(made.cloud.sent) == 2


def test_messages_have_no_place_among_calls(world):
    made = world(concurrent=1)
    send(made)

    made.send(number="+4930999999")
    made.settle_down()

    assert [operation for _, operation, _ in made.cloud.sent] == ["voice.say"]
