"""What the engine asks of the ways out. pbx/ has the real ones; the engine is handed them and imports
none."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from dialerd.core.budget import Budget
from dialerd.core.charges import Rate, RateTable
from dialerd.core.errors import DialerError
from dialerd.core.model import Call
from dialerd.core.policy import Rules
from dialerd.core.signals import Place, Sighting


class CallFiles(Protocol):
    """Call files on their way through Asterisk's spool (pbx/spool.py). Names are those of Attempt.name.

    stage() and hand_over() sync to disk and are called from the spool's own thread; the others are quick.
    Where a mapping is returned it holds the failures only.
    """

    def stage(self, files: Mapping[str, bytes]) -> dict[str, DialerError]:
        """Writes the files beside `outgoing`, synced, owned by Asterisk's user."""

    def hand_over(self, names: Sequence[str]) -> dict[str, DialerError]:
        """Moves staged files into `outgoing`: from here on Asterisk may call."""

    def discard(self, names: Sequence[str]) -> None:
        """Removes staged files that were never handed over."""

    def take_out(self, name: str) -> bool:
        """Moves a file out of `outgoing`; False where it was not there."""

    def put_back(self, name: str) -> bool:
        """Moves a taken file into `outgoing` again; False where that was not possible."""

    def drop_taken(self, name: str) -> None:
        """Removes a file that was taken out."""

    def keep_evidence(self, name: str) -> bool:
        """Moves a file out of `outgoing` for good, so that no Asterisk dials it again."""

    def remove(self, names: Sequence[str]) -> None:
        """Removes archived files, once their result is on disk."""

    def look(self, name: str) -> Sighting:
        """Where the file is and what Asterisk wrote into it."""

    def survey(self) -> list[Sighting]:
        """Every file of ours, wherever it lies."""

    def listing(self) -> Mapping[Place, frozenset[str]]:
        """The names of our files by place, without reading them."""

    def free_bytes(self) -> int:
        """Free space on the spool's file system."""


class HangUps(Protocol):
    """The line to a running Asterisk (pbx/ami.py)."""

    def hangup(self, channel: str) -> None:
        """Hangs a channel up. Raises DeliveryError where Asterisk could not be told."""


Render = Callable[[Call, str, str, Sequence[tuple[str, str]]], bytes]
"""pbx/callfile.py's render: call, dial string, `<job>.<attempt>`, further variables → the file. Raises
Rejected."""

Dial = Callable[[Call, str, Rules], tuple[str, tuple[tuple[str, str], ...]]]
"""core/routing.py's channel_for: call, trunk, rules → dial string and further variables."""


class Rates(Protocol):
    """What calls cost (lists/rates.py)."""

    def find(self, e164: str, trunk: str | None = None) -> Rate | None:
        """The rate of a number on a trunk, or None."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Whom one may call, when, how fast and how often. `opt_out` puts a number on the opt-out list, with the
    reason."""

    rules: Rules
    budget: Budget = field(default_factory=Budget)
    rates: Rates = field(default_factory=RateTable)
    opt_out: Callable[[str, str], None] | None = None


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Bounds and times of the engine. Seconds, unless the name says otherwise. `boot` names this run of the
    machine."""

    version: str = ""
    boot: str | None = None
    max_jobs: int = 2_000_000
    min_free_bytes: int = 200 * 1024 * 1024
    max_calls: int = 200
    longest_call_s: int = 4 * 3600
    ami: bool = False
    take_back_pause_s: float = 3.0
    unstarted_s: float = 5.0
    idle_unstarted_s: float = 30.0
    missing_s: float = 5.0
    grace_s: float = 1.0
    sweep_s: float = 2.0
    keep_s: int | None = 90 * 86400
    redact_after_s: int | None = None
    held_limit_s: int = 86400
    due_limit_s: int = 3600


class Clock(Protocol):
    """Time as the engine reads it."""

    def now(self) -> datetime:
        """Aware UTC, to the millisecond."""

    def mono(self) -> float:
        """Seconds that never jump."""

    def rest(self, seconds: float) -> None:
        """Does nothing for a while."""
