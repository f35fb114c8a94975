"""Handing rows to the engine's desk: in chunks that share a commit, waiting while it takes no more."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, Protocol

from dialerd.core.errors import Overloaded
from dialerd.core.signals import Submission
from dialerd.intake.dropbox_files import DropSettings
from dialerd.intake.dropbox_reading import Item
from dialerd.log import get_logger

log = get_logger(__name__)

_SHORTEST_WAIT_S = 0.1
_GLANCE_S = 0.25


class Desk(Protocol):
    """What the drop folder needs of the engine."""

    def submit(self, submissions: list[Submission], /) -> Future[list[Any]]:
        """One answer per submission, all on disk when the future resolves. Raises Overloaded at once at a
        bound."""


class Stopped(Exception):
    """The drop folder is being stopped; what was not answered stays claimed."""


class Counter:
    """Our place at the desk."""

    def __init__(self, desk: Desk, settings: DropSettings, stopping: threading.Event) -> None:
        self._desk, self._settings, self._stopping = desk, settings, stopping

    def answer(self, items: Sequence[Item]) -> None:
        """Gets every item its answers. Raises Stopped, TimeoutError, and what the desk fails with."""
        wanted = [(item, submission) for item in items for submission in item.submissions]
        for start in range(0, len(wanted), self._settings.chunk):
            chunk = wanted[start : start + self._settings.chunk]
            answers = self._submit([submission for _, submission in chunk])
            for (item, _), answer in zip(chunk, answers, strict=True):
                item.answers.append(answer)

    def _submit(self, submissions: list[Submission]) -> list[Any]:
        """The answers, none of which is Overloaded: those are asked for again until they are others."""
        answers: list[Any] = [None] * len(submissions)
        left = list(range(len(submissions)))
        wait = _SHORTEST_WAIT_S
        while left:
            for place, answer in zip(left, self._ask([submissions[place] for place in left]), strict=True):
                answers[place] = answer
            left = [place for place in left if isinstance(answers[place], Overloaded)]
            if left:
                self._rest(answers[left[0]], wait)
                wait *= 2
        return answers

    def _ask(self, submissions: list[Submission]) -> list[Any]:
        try:
            future = self._desk.submit(submissions)
        except Overloaded as error:
            return [error] * len(submissions)
        until = time.monotonic() + self._settings.answer_seconds
        while not future.done():
            if self._stopping.is_set():
                raise Stopped
            if time.monotonic() > until:
                raise TimeoutError(f"the engine gave no answer in {self._settings.answer_seconds:g} s")
            _settle(future)
        return future.result()

    def _rest(self, error: Overloaded, wait: float) -> None:
        seconds = min(max(error.retry_after, wait), self._settings.longest_wait_seconds)
        log.warning("drop_folder_waits", reason=str(error), seconds=seconds)
        if self._stopping.wait(seconds):
            raise Stopped


def _settle(future: Future[list[Any]]) -> None:
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    done.wait(_GLANCE_S)
