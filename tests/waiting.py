"""Waiting on conditions: the tests never sleep for a fixed time."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_LOOK_EVERY_S = 0.01
_pause = threading.Event()  # never set


def until(predicate: Callable[[], T], seconds: float = 30.0) -> T:
    """The first true answer of `predicate`. Raises AssertionError when there was none for so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        answer = predicate()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"{seconds:g} seconds went by, and still not: {_told(predicate)}"
        _pause.wait(_LOOK_EVERY_S)


def _told(predicate: Callable[[], object]) -> str:
    code = getattr(predicate, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno} {code.co_name}" if code else repr(predicate)
