"""Stuck: every state has a time limit, and what passes it is told of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from dialerd.core.model import Job
from dialerd.core.states import State
from dialerd.engine.ledger import Ledger

LOOK_EVERY_S = 60.0
LOOK_AT = 1000
"""Jobs of one state that one look reads."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that a job may be in a state: held; due and not called; on its way to Asterisk; with Asterisk
    (which is the longest that a call may ring and talk, and more)."""

    held: int = 86400
    due: int = 3600
    active: int = 60
    submitted: int = 6 * 3600

    def by_state(self) -> Mapping[State, int]:
        """The limit of each state that has one."""
        return {
            State.HELD: self.held,
            State.QUEUED: self.due,
            State.DEFERRED: self.due,
            State.ACTIVE: self.active,
            State.SUBMITTED: self.submitted,
        }


class Overstayed(Protocol):
    """The store's verb that is used here (store/retention.py)."""

    def overstayed(self, state: State, before: datetime, after: int, limit: int) -> tuple[list[Job], int]:
        """Jobs that have been in a state since before a time and that nothing was said of yet."""


class Watch:
    """Says once of each job that it is stuck, as an event "stuck".

    Only of those that a person must look after: a job that is due waits for its turn, and of many the status
    tells in one line (core/figures.py, stuck_sentence).
    """

    def __init__(self, ledger: Ledger, store: Overstayed, limits: Limits) -> None:
        self._ledger, self._store = ledger, store
        self._limits = {
            State.HELD: limits.held,
            State.ACTIVE: limits.active,
            State.SUBMITTED: limits.submitted,
        }
        self._places = dict.fromkeys(self._limits, 0)
        self._due = 0.0

    def look(self) -> None:
        """Once a minute, inside the engine's transaction: looks at the next jobs of each state."""
        now, mono = self._ledger.clock.now(), self._ledger.clock.mono()
        if mono < self._due:
            return
        self._due = mono + LOOK_EVERY_S
        for state, seconds in self._limits.items():
            before = now - timedelta(seconds=seconds)
            jobs, self._places[state] = self._store.overstayed(state, before, self._places[state], LOOK_AT)
            for job in jobs:
                self._ledger.note(job, "stuck", limit=seconds)
