"""The engine's inbox: the one door to job state. Everything else only puts messages into it."""

import queue
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from dialerd.core.errors import DialerError
from dialerd.core.meters import NOBODY, Meters
from dialerd.core.model import Job
from dialerd.core.signals import ProviderTold, Submission
from dialerd.engine.ports import Policy

BATCH = 1000
"""Messages taken at a time: what one commit covers at most."""


@dataclass(frozen=True, slots=True)
class Submit:
    """Some drafts to accept. The future gets one answer for each."""

    submissions: Sequence[Submission]
    answer: Future[list[Any]] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class Command:
    """What an operator (a uid) wants done with a job."""

    job: str
    verb: str
    actor: int
    resolve_as: str | None = None
    answer: Future[Job] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class GiveOrder:
    """An operator (a uid) gives a standing order, or ends one (`word` None)."""

    scope: str
    word: str | None
    actor: int
    reason: str
    answer: Future[None] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class Reconfigure:
    """New rules, which count from the next turn on."""

    policy: Policy
    answer: Future[None] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class Staged:
    """The spool's thread has staged these files, but for the failures."""

    names: Sequence[str]
    failures: Mapping[str, DialerError]


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The spool's thread has moved these files into `outgoing`, but for the failures; `at` (monotonic) is
    when."""

    names: Sequence[str]
    failures: Mapping[str, DialerError]
    at: float


@dataclass(frozen=True, slots=True)
class HangupFailed:
    """Asterisk could not be told to hang up the call of this file."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Recalled:
    """A provider was told to stop an attempt; `why` it was not, or nothing."""

    reference: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class StepAnswered:
    """A provider was sent a step of a session: `error` says why it did not take it."""

    reference: str
    verb: str
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Tell:
    """What a provider told us; the answer comes when it is on disk."""

    told: ProviderTold
    answer: Future[None] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class Finish:
    """Hand nothing more to providers; what is under way comes to its end."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End the engine's thread."""


class Inbox:
    """A queue that hands out what has come together."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.meters: Meters = NOBODY
        self._handed_out, self._since = 0, 0.0

    def put(self, message: Any) -> None:
        """Adds a message; never waits."""
        self._queue.put(message)

    def take(self, timeout: float) -> list[Any]:
        """The messages that are there, after waiting for the first up to `timeout` seconds.

        From one call to the next is a turn of the engine.
        """
        if self._since:
            self.meters.turned(self._handed_out, monotonic() - self._since)
        messages = self._taken(timeout)
        self._handed_out, self._since = len(messages), monotonic()
        return messages

    def _taken(self, timeout: float) -> list[Any]:
        messages: list[Any] = []
        try:
            messages.append(self._queue.get(timeout=timeout) if timeout > 0 else self._queue.get_nowait())
            while len(messages) < BATCH:
                messages.append(self._queue.get_nowait())
        except queue.Empty:
            pass
        return messages

    def __len__(self) -> int:
        return self._queue.qsize()
