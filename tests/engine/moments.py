"""Bad moments, made by hand: between two messages, between two commits."""

from contextlib import contextmanager

from dialerd.core.errors import Broken
from dialerd.core.signals import AsteriskDown, AsteriskUp, Place
from dialerd.engine.inbox import Command, HandedOver
from tests.engine.world import STARTED

UP = AsteriskUp(run="2026-11-21 08:00:00", version="22", max_calls=None, calls=0)
RESTARTED = AsteriskUp(run="2026-11-21 09:05:00", version="22", max_calls=None, calls=0)
DOWN = AsteriskDown("it went away")


def order(world, job, verb):
    """Asks for something without letting anything else happen."""
    message = Command(job.id, verb, 0)
    world.engine.turn([message])
    return message.answer.result(0)


def leased(world, **draft):
    """A job whose lease is on disk and whose file lies in `outgoing`, but the engine does not know it yet."""
    job = world.submit(**draft).job
    world.engine.turn([])
    for _ in range(2):
        messages = world.engine.inbox.take(0)
        if any(isinstance(message, HandedOver) for message in messages):
            return job, messages
        world.engine.turn(messages)
    raise AssertionError("nothing was handed over")


def archived(world, job, status, number=1):
    """Asterisk's call is over, and nobody has looked yet."""
    name = world.name(job, number)
    world.spool.where[name] = {Place.DONE}
    world.spool.lines[name], world.spool.status[name] = STARTED, status


def break_store(world, times, before=0):
    """The next `times` commits fail (disk full), and after them `before` transactions can't even begin."""
    working = world.store.transaction
    left = [times, before]

    @contextmanager
    def transaction():
        if left[0] > 0:
            left[0] -= 1
            with working():
                yield
                raise Broken("The disk is full.")
        elif left[1] > 0:
            left[1] -= 1
            raise Broken("The disk is full.")
        else:
            with working():
                yield

    world.store.transaction = transaction
