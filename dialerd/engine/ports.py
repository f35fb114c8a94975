"""What the engine asks of the ways out. pbx/ has the real ones; the engine is handed them and imports
none."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from dialerd.core.budget import Budget
from dialerd.core.charges import Rate, RateTable
from dialerd.core.errors import DialerError, Unavailable
from dialerd.core.model import Call
from dialerd.core.policy import Rules
from dialerd.core.receipts import Errand
from dialerd.core.signals import Place, ProviderAnswered, ProviderAsked, Sighting
from dialerd.core.tasks import Step


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
        """Free space on the spool's file system. Safe from any thread."""


class HangUps(Protocol):
    """The line to a running Asterisk (pbx/ami.py)."""

    def hangup(self, channel: str) -> None:
        """Hangs a channel up. Raises DeliveryError where Asterisk could not be told."""


class Providers(Protocol):
    """The accounts with cloud providers (providers/accounts.py), by their names. All are quick and safe from
    any thread; what is `done` is called back from another one."""

    def room(self, name: str, now: float) -> int:
        """How many requests may begin now (monotonic)."""

    def next(self, name: str, now: float) -> float | None:
        """When that changes because time passes."""

    def is_blocked(self, name: str, now: float) -> bool:
        """Whether the provider asked us to wait, and that is not over."""

    def send(
        self, name: str, operation: str, errand: Errand, done: Callable[[ProviderAnswered], None]
    ) -> None:
        """Hands an errand over, in a thread of its own. Never raises; `done` is called once."""

    def has(self, name: str, operation: str) -> bool:
        """Whether it has an operation (core/operations.py)."""

    def can_look(self, name: str, kind: str, ref: bool) -> bool:
        """Whether it can be asked about a job of this kind, by its own id (`ref`) or without one."""

    def gets_receipts(self, name: str) -> bool:
        """Whether it is told where to send receipts."""

    def look(
        self,
        name: str,
        kind: str,
        errand: Errand,
        ref: str | None,
        done: Callable[[ProviderAsked], None],
    ) -> None:
        """Asks what became of an errand. Never raises; `done` is called once."""

    def ask(self, name: str, operation: str, parameters: Mapping[str, Any]) -> "Future[Any]":
        """Does an act, or reads. The future raises DeliveryError."""


class NoProviders:
    """Where no account is configured."""

    def room(self, name: str, now: float) -> int:
        return 0

    def next(self, name: str, now: float) -> float | None:
        return None

    def is_blocked(self, name: str, now: float) -> bool:
        return True

    def send(
        self, name: str, operation: str, errand: Errand, done: Callable[[ProviderAnswered], None]
    ) -> None:
        done(ProviderAnswered(name, {errand.reference: Unavailable(f"There is no provider {name}.")}, 0.0))

    def has(self, name: str, operation: str) -> bool:
        return False

    def can_look(self, name: str, kind: str, ref: bool) -> bool:
        return False

    def gets_receipts(self, name: str) -> bool:
        return False

    def look(
        self,
        name: str,
        kind: str,
        errand: Errand,
        ref: str | None,
        done: Callable[[ProviderAsked], None],
    ) -> None:
        done(ProviderAsked(name, errand.reference, None, f"There is no provider {name}."))

    def ask(self, name: str, operation: str, parameters: Mapping[str, Any]) -> "Future[Any]":
        future: Future[Any] = Future()
        future.set_exception(Unavailable(f"There is no provider {name}."))
        return future


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
    reason. `answers`: the steps that answer calls to the numbers that we have, by provider and number."""

    rules: Rules
    budget: Budget = field(default_factory=Budget)
    rates: Rates = field(default_factory=RateTable)
    opt_out: Callable[[str, str], None] | None = None
    answers: Mapping[tuple[str, str], tuple[Step, ...]] = field(default_factory=dict)


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
