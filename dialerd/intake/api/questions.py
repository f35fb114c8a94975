"""Questions about many jobs, asked in a thread of the loop's pool: with a million jobs they take a while."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from typing import Any, Protocol, TypeVar

from dialerd.core.errors import Mistake, Overloaded
from dialerd.core.figures import BatchFigures, By, Shape, Stat
from dialerd.core.model import Attempt, Job
from dialerd.core.signals import JobFilter
from dialerd.core.states import State
from dialerd.core.texts import nearest
from dialerd.core.times import parse_when
from dialerd.intake.api.problems import invalid

MOST_QUESTIONS = 32
"""Questions that may wait for the store; one more is refused."""

T = TypeVar("T")


class Source(Protocol):
    """Who knows the figures (store/figures.py). Thread-safe, and not always quick. Raises Overloaded."""

    def batches(self, owner: int | None, limit: int, now: datetime) -> list[BatchFigures]:
        """The newest batches, newest first; of one owner, or of all."""

    def batch(self, owner: int, name: str, now: datetime) -> BatchFigures | None:
        """One batch, or None."""

    def owners_of_batch(self, name: str) -> list[int]:
        """Who has jobs in a batch of this name."""

    def shape(self, now: datetime, states: Sequence[State], owner: int | None = None) -> list[Shape]:
        """How old the jobs in these states are, by trunk."""

    def stats(
        self, since: datetime, until: datetime, by: By, owner: int | None = None, zone: tzinfo | None = None
    ) -> list[Stat]:
        """What the attempts of a period came to."""

    def ended(self, before: datetime, states: Sequence[State]) -> int:
        """How many jobs ended before a time."""

    def jobs_with_last(self, wanted: JobFilter) -> list[tuple[Job, Attempt | None]]:
        """One page of jobs with the newest attempt of each."""


class Questions:
    """Asks the desk's `figures`, a Source."""

    def __init__(self, desk: Any) -> None:
        self._desk = desk
        self._asked = 0

    async def ask(self, question: Callable[[Source], T]) -> T:
        """The answer. Raises Overloaded where too many ask, or where it takes too long."""
        if self._asked >= MOST_QUESTIONS:
            raise Overloaded("Too many ask for figures at once.", 5)
        source: Source = self._desk.figures
        self._asked += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(None, question, source)
        finally:
            self._asked -= 1


def states_of(named: Sequence[str], where: str, known: tuple[State, ...]) -> tuple[State, ...]:
    """The states of these names. Raises Problem for those that are not `known`."""
    wrong = [
        Mistake(where, f"{state[:40]!r} is none of {', '.join(known)}.{nearest(state, known)}")
        for state in named
        if state not in known
    ]
    if wrong:
        raise invalid(wrong)
    return tuple(dict.fromkeys(map(State, named)))


def time_of(text: str, where: str, now: datetime) -> datetime:
    """The time that is meant. Raises Problem."""
    try:
        return parse_when(text, now)
    except ValueError as error:
        raise invalid([Mistake(where, str(error))]) from None
