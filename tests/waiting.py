"""Waiting on conditions: the tests never sleep for a fixed time."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_SHORTEST_S, _LONGEST_S = 0.005, 0.05
_OF_THE_WAIT = 0.05
"""A look comes after so much of the time that was waited by now: who waits long asks more seldom, since
whoever is asked works for it."""

_pause = threading.Event()  # never set


def until(predicate: Callable[[], T], seconds: float = 30.0) -> T:
    """The first true answer of `predicate`. Raises AssertionError when there was none for so many seconds."""
    begun = time.monotonic()
    while True:
        answer = predicate()
        if answer:
            return answer
        waited = time.monotonic() - begun
        assert waited < seconds, f"{seconds:g} seconds went by, and still not: {_told(predicate)}"
        _pause.wait(min(_LONGEST_S, max(_SHORTEST_S, _OF_THE_WAIT * waited)))


def _told(predicate: Callable[[], object]) -> str:
    code = getattr(predicate, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno} {code.co_name}" if code else repr(predicate)
