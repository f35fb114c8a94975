"""What the parts tell the engine, and what the engine answers. The ways in and out and the engine share only
these."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dialerd.core.errors import DeliveryError
from dialerd.core.model import Draft, Job, Trace
from dialerd.core.receipts import Receipt, Told


@dataclass(frozen=True, slots=True)
class AsteriskUp:
    """AMI is logged in. `run` is Asterisk's start time: another value means that it was restarted.

    `max_calls` is Asterisk's call limit (None: no limit), `calls` how many count against it now.
    """

    run: str
    version: str
    max_calls: int | None
    calls: int


@dataclass(frozen=True, slots=True)
class AsteriskDown:
    """AMI can't be used. `refused`: Asterisk answers but won't let us in, so calls go on without AMI."""

    reason: str
    refused: bool = False


@dataclass(frozen=True, slots=True)
class AsteriskLoad:
    """How full Asterisk is now; None says nothing new.

    `calls`: how many count against its limit. `on_trunks`: whose calls are on each trunk that was asked for,
    and with how many channels: by the name of our attempt, or "" for calls that are not ours
    (core/channels.py).
    """

    calls: int | None = None
    on_trunks: Mapping[str, Mapping[str, int]] | None = None


@dataclass(frozen=True, slots=True)
class UnitSeen:
    """What systemd says of Asterisk's unit: its `state`, such as active.

    `down`: it certainly does not run. `run`: another value means that it was started again; None where it is
    not known. `problem`: why nothing can be said, a whole sentence.
    """

    unit: str
    state: str
    down: bool = False
    run: str | None = None
    problem: str = ""


AsteriskTold = AsteriskUp | AsteriskDown | AsteriskLoad | UnitSeen
"""What is said of Asterisk as a whole."""


@dataclass(frozen=True, slots=True)
class CallSeen:
    """AMI showed something new of the attempt that `name` (its call file's) stands for."""

    name: str
    trace: Trace


@dataclass(frozen=True, slots=True)
class SpoolStirred:
    """Something happened to these names in the spool's folders; a hint to look, and no more than that."""

    names: frozenset[str]


class Place(StrEnum):
    """Where a call file of ours lies."""

    STAGED = "staging"
    OUTGOING = "outgoing"
    TAKEN = "taken"
    DONE = "outgoing_done"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Sighting:
    """One look at a call file. `status` is Completed, Expired, Failed, or None where it was not written
    (yet).

    `started`: it holds a StartRetry line. `ended` is the archive's mtime (seconds since the epoch). `lines`
    are the lines that Asterisk added, kept as evidence. A file that lies in two places is told of as it lies
    in the one that says most: outgoing_done, then outgoing, taken, staging; `also` names the others.
    """

    name: str
    place: Place
    started: bool = False
    status: str | None = None
    ended: float | None = None
    lines: tuple[str, ...] = ()
    also: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Submission:
    """One draft and who hands it in (a uid)."""

    owner: int
    draft: Draft


@dataclass(frozen=True, slots=True)
class Accepted:
    """The job is on disk. `repeated`: it was there before, under the same key."""

    job: Job
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list; None means any. `before` is a job id: only older ones, newest first (the page's
    cursor)."""

    states: tuple[str, ...] = ()
    owner: int | None = None
    batch: str | None = None
    tag: str | None = None
    key: str | None = None
    to: str | None = None
    kind: str | None = None
    before: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Order:
    """A standing order: what is not to go on until another word is given.

    `scope` is "all", "trunk:NAME" or "batch:OWNER:NAME", `word` "paused" or "cancelled", `owner` the uid that
    gave it.
    """

    scope: str
    word: str
    owner: int
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of a draft if it was accepted now.

    `verdict` is "now", "later" or "refused". `rule` is the code of the rule that says so (as Mistake.rule),
    `why` its sentence. `at` is when the call could be made at the earliest, where that is known. `call_file`
    is what Asterisk would get.
    """

    verdict: str
    rule: str = ""
    why: str = ""
    at: datetime | None = None
    call_file: bytes | None = None


@dataclass(frozen=True, slots=True)
class ProviderAnswered:
    """A provider answered to an attempt, known by its reference, or did not: what came of the hand-over.

    Seconds of the monotonic clock.
    """

    provider: str
    answers: Mapping[str, Receipt | DeliveryError]
    at: float


@dataclass(frozen=True, slots=True)
class ProviderTold:
    """What a provider says of an attempt, a message or a session, by a callback or when it was asked.

    `surely`: it was looked up or signed, so that one may act on it; else it is a hint to look.
    """

    provider: str
    told: Told
    surely: bool = False


@dataclass(frozen=True, slots=True)
class ProviderAsked:
    """A provider was asked what became of an attempt; `receipt` None: it does not know of it, or could not
    be asked (`why`)."""

    provider: str
    reference: str
    receipt: Receipt | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class AccountBlocked:
    """A provider asked us to wait: nothing is sent to it before `until`, over a restart too."""

    provider: str
    until: datetime
