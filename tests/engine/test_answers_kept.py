"""A store that fails for a moment loses no answer of a provider."""

import pytest

from dialerd.core.errors import Broken, Unavailable
from dialerd.core.model import OnDoubt
from dialerd.core.receipts import Receipt
from dialerd.core.states import State


def fails(*args):
    raise Broken("The disk is full.")


@pytest.fixture
def failing(clouded, monkeypatch):
    """A job that is being sent, and a store that can't be written."""
    job = clouded.send(on_doubt=OnDoubt.RETRY)
    clouded.settle_down()
    monkeypatch.setattr(clouded.store, "add_event", fails)
    monkeypatch.setattr(clouded.engine.clock, "rest", lambda seconds: monkeypatch.undo())
    return job


def test_what_a_provider_took_while_the_disk_was_full_is_not_in_doubt(clouded, cloud, failing):
    clouded.reply(Receipt(ref="SM1"))

    clouded.wait(3600, step=60)

    assert (clouded.job(failing).state, clouded.attempt(failing).ref) == (State.SUBMITTED, "SM1")
    assert len(cloud.sent) == 1


def test_what_was_certainly_not_done_while_the_disk_was_full_is_tried_again(clouded, cloud, failing):
    clouded.reply(Unavailable("one is down."))

    clouded.wait(11)

    assert (clouded.job(failing).state, len(cloud.sent)) == (State.ACTIVE, 2)
    assert "doubt" not in clouded.job(failing).reason
