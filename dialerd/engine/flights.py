"""Attempts under way: what the engine remembers of each between its messages. The store has all that must
last."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dialerd.core.model import Attempt, Job, Trace
from dialerd.core.signals import Sighting


class Leg(StrEnum):
    """Where an attempt is on its way."""

    STAGING = "staging"
    LEASED = "leased"
    OUT = "out"
    TAKING = "taking"


class Wish(StrEnum):
    """What is to be done with a job once its call file is certainly back."""

    CANCEL = "cancel"
    HOLD = "hold"
    EXPIRE = "expire"
    DEFER = "defer"
    POKE = "poke"
    GIVE_UP = "give_up"


@dataclass(slots=True)
class Flight:
    """One attempt under way. Times are of the monotonic clock.

    `begun` is when it was taken up, `due` when its trunk's rate allowed it. `closes` is when its calling
    hours end.
    """

    job: Job
    attempt: Attempt
    begun: float = float("-inf")
    due: float | None = None
    closes: datetime | None = None
    leg: Leg = Leg.STAGING
    wish: Wish | None = None
    serial: int = 0
    out_since: float = 0.0
    deadline: float = 0.0
    look_at: float = 0.0
    started: bool = False
    stirred: bool = False
    poked: bool = False
    ami_whole: bool = False
    hanging_up: bool = False
    trace: Trace | None = None
    archived: Sighting | None = None
    archived_since: float = 0.0
    missing_since: float | None = None
    asterisk_pid: str | None = None

    @property
    def name(self) -> str:
        """The call file's name."""
        return self.attempt.name

    @property
    def dialplans(self) -> int:
        """What it takes of Asterisk's call limit, which counts running dialplans: one behind a Local channel,
        and one where its action is a dialplan too (seen on 16 and 22). One at least."""
        local = self.attempt.channel[:6].lower() == "local/"
        return max(1, local + (self.job.call.context is not None))


class Flights:
    """All attempts under way, by call file and by job."""

    def __init__(self) -> None:
        self._by_name: dict[str, Flight] = {}
        self._by_job: dict[str, Flight] = {}
        self._unstarted: set[str] = set()
        self.dialplans = 0
        self.of_owner: Counter[int] = Counter()
        self.on_trunk: Counter[str] = Counter()

    def add(self, flight: Flight) -> None:
        """Takes up a flight."""
        self._by_name[flight.name] = flight
        self._by_job[flight.job.id] = flight
        self.dialplans += flight.dialplans
        self.of_owner[flight.job.owner] += flight.job.call.phones
        self.on_trunk[flight.attempt.trunk or ""] += flight.job.call.phones
        if not flight.started:
            self._unstarted.add(flight.name)

    def remove(self, flight: Flight) -> None:
        """Forgets a flight."""
        if self._by_name.pop(flight.name, None) is not None:
            self.dialplans -= flight.dialplans
            self.of_owner[flight.job.owner] -= flight.job.call.phones
            self.on_trunk[flight.attempt.trunk or ""] -= flight.job.call.phones
        self._by_job.pop(flight.job.id, None)
        self._unstarted.discard(flight.name)

    def start(self, flight: Flight) -> None:
        """Notes that Asterisk has begun the call."""
        flight.started = True
        self._unstarted.discard(flight.name)

    def named(self, name: str) -> Flight | None:
        """The flight of a call file."""
        return self._by_name.get(name)

    def of_job(self, job_id: str) -> Flight | None:
        """The flight of a job."""
        return self._by_job.get(job_id)

    def unstarted(self) -> int:
        """How many Asterisk has not begun, staged ones included."""
        return len(self._unstarted)

    def waiting_for_start(self) -> list[Flight]:
        """Those in the spool that Asterisk has not begun."""
        return [self._by_name[name] for name in self._unstarted if self._by_name[name].leg is Leg.OUT]

    def __len__(self) -> int:
        return len(self._by_name)

    def __iter__(self) -> Iterator[Flight]:
        return iter(list(self._by_name.values()))
