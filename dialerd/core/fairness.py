"""Fairness: in which order the jobs of one priority go, so that no owner and no batch waits behind another's
hundred thousand.

Each job is given a turn when it is accepted: a point of virtual time, which is the turn of the job that was
last taken. The jobs of one lane (an owner's batch, or an owner's jobs without a batch) get turns one behind
the other, so that a lane that comes new goes next, however long the others are (start-time fair queueing:
Goyal, Vin and Cheng, SIGCOMM 1996). An owner's lanes share what is his: the more he has, the further
apart lie the turns that are given out from then on.
"""

from collections.abc import Hashable

STEP = 1000
"""The distance of two turns of an owner's only lane."""


class Turns:
    """Gives out the turns of one trunk and priority. In memory: after a restart it goes on from what the
    store has."""

    def __init__(self, now: int = 0) -> None:
        self.now = now
        self._last: dict[int, dict[Hashable, int]] = {}

    def knows(self, owner: int, lane: Hashable) -> bool:
        """Whether this lane has had a turn that lies ahead."""
        return self._last.get(owner, {}).get(lane, -1) >= self.now

    def learn(self, owner: int, lane: Hashable, last: int) -> None:
        """The last turn that the lane was given before a restart."""
        self._last.setdefault(owner, {})[lane] = last

    def give(self, owner: int, lane: Hashable) -> int:
        """The next turn of a lane: behind its own last, and in steps as large as its owner has lanes."""
        lanes = self._last.setdefault(owner, {})
        last = max(lanes.pop(lane, self.now), self.now)
        self._forget(lanes)
        lanes[lane] = last + STEP * (len(lanes) + 1)
        return lanes[lane]

    def took(self, turn: int) -> None:
        """A job of this turn was taken: virtual time goes on to it."""
        self.now = max(self.now, turn)

    def _forget(self, lanes: dict[Hashable, int]) -> None:
        """Lanes that have caught up count no more. The one that was given a turn longest ago comes first."""
        while lanes and lanes[first := next(iter(lanes))] < self.now:
            del lanes[first]
