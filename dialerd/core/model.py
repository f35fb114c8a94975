"""The values that everything else speaks of: Call, Job, Attempt, Result, Event. All frozen."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from dialerd.core.states import State
from dialerd.core.tasks import Script, Task, kind_of_task


class Disposition(StrEnum):
    """How one attempt ended: a dialled call in Asterisk's words, then what else providers do.

    SENT: the provider took a message, and never told more. DONE: an order or a session was carried out.
    """

    ANSWERED = "ANSWERED"
    BUSY = "BUSY"
    NOANSWER = "NOANSWER"
    CONGESTION = "CONGESTION"
    CHANUNAVAIL = "CHANUNAVAIL"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    DELIVERED = "DELIVERED"
    SENT = "SENT"
    UNDELIVERED = "UNDELIVERED"
    DONE = "DONE"


GOOD = frozenset({Disposition.ANSWERED, Disposition.DELIVERED, Disposition.SENT, Disposition.DONE})
"""The dispositions that complete a job."""


class OnDoubt(StrEnum):
    """What becomes of a job when nobody can know whether its call was made."""

    HOLD = "hold"
    RETRY = "retry"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Call:
    """What to dial and what to do on answer. Texts are already checked; numbers are E.164 or an extension of
    the trunk.

    Either `channel` is set (a literal dial string, or several with & between), or `to` and `trunk` are; more
    than one of either rings all at once and the first answer wins. Of the actions exactly one is set:
    `application`, `context` or `play`.
    """

    to: tuple[str, ...] = ()
    trunk: str | None = None
    channel: str | None = None
    application: str | None = None
    data: str | None = None
    context: str | None = None
    extension: str | None = None
    dialplan_priority: int = 1
    play: str | None = None
    caller_id_name: str | None = None
    caller_id_number: str | None = None
    variables: tuple[tuple[str, str], ...] = ()
    account: str | None = None
    wait_time: int = 45
    codecs: tuple[str, ...] = ()
    early_media: bool = False
    script: Script | None = None

    @property
    def numbers(self) -> tuple[str, ...]:
        """All numbers that it concerns."""
        second = self.script.connect if self.script is not None else None
        return self.to if second is None else (*self.to, second)

    @property
    def phones(self) -> int:
        """How many phones it rings at once: each counts for every bound."""
        return len(self.to) or (self.channel or "").count("&") + 1


@dataclass(frozen=True, slots=True)
class Terms:
    """What a job wishes beyond its call, where it wishes anything.

    `hours` names an hours policy of the configuration, `windows` are the job's own calling windows; both
    must be open. `zone` is the callee's time zone. `retry` names a retry policy; `max_dials` and `kill_after`
    (seconds) ask for less than the policy grants. `patience`: how many seconds it may wait once it might be
    dialled, where the job named no not_after itself.
    """

    hours: str | None = None
    windows: tuple[str, ...] = ()
    zone: str | None = None
    retry: str | None = None
    max_dials: int | None = None
    kill_after: int | None = None
    report_url: str | None = None
    patience: int | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A checked document that is not yet a job. Times are aware UTC; `digest` tells one body from another.

    `max_retries` and `retry_time` (seconds) are None where the document leaves them to a retry policy.
    """

    call: Call
    digest: bytes
    key: str | None = None
    batch: str | None = None
    tags: tuple[str, ...] = ()
    priority: int = 5
    not_before: datetime | None = None
    not_after: datetime | None = None
    max_retries: int | None = None
    retry_time: int | None = None
    on_doubt: OnDoubt = OnDoubt.HOLD
    notes: tuple[str, ...] = ()
    terms: Terms = field(default_factory=Terms)
    ways: tuple[str, ...] = ()
    task: Task | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A request that was accepted. `retries` counts failed tries against `max_retries`; `attempts` counts
    all.

    `requested` is "cancel" or "hold" while that was asked of a call that is under way and is not certain yet.
    `ways` are the trunks and providers that may take it, in order, and `way` the one whose turn it is ("" for
    a literal channel). `task` is what it asks beside its call. `look_at` is when the provider that has it is
    asked what became of it; None for what no provider has. `turn` is its place among the jobs of one priority
    (core/fairness.py). `disposition` is its last attempt's. `redacted`: numbers and bodies were taken out,
    long after its end.
    """

    id: str
    owner: int
    state: State
    call: Call
    created: datetime
    updated: datetime
    key: str | None = None
    batch: str | None = None
    tags: tuple[str, ...] = ()
    priority: int = 5
    not_before: datetime | None = None
    not_after: datetime | None = None
    max_retries: int | None = None
    retry_time: int | None = None
    on_doubt: OnDoubt = OnDoubt.HOLD
    attempts: int = 0
    retries: int = 0
    reason: str = ""
    requested: str | None = None
    terms: Terms = field(default_factory=Terms)
    ways: tuple[str, ...] = ()
    way: str = ""
    turn: int = 0
    disposition: Disposition | None = None
    redacted: bool = False
    task: Task | None = None
    look_at: datetime | None = None

    @property
    def kind(self) -> str:
        """The kind of job."""
        return kind_of_task(self.task)


@dataclass(frozen=True, slots=True)
class Result:
    """What one attempt came to. Seconds are measured by AMI and None where it could not see them.

    `opt_out`: why the callee must not be called again, where the dialplan said so. Of a provider: `word` is
    its own for the state, `price` as it writes it, `parts` are segments or pages, `recording` an address.
    """

    disposition: Disposition
    permanent: bool = False
    hangup_cause: int | None = None
    ring_seconds: float | None = None
    talk_seconds: float | None = None
    action_failed: bool = False
    detail: str = ""
    warning: str = ""
    opt_out: str = ""
    word: str = ""
    price: str | None = None
    currency: str | None = None
    parts: int | None = None
    recording: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a job, from 1. `trunk` is its way out, a trunk or a provider; `ref` is the provider's id of
    it. `asterisk` names the run of Asterisk that it was handed to (AMI's start
    time), `boot` the run of the machine in which it began."""

    job: str
    number: int
    trunk: str | None
    channel: str
    begun: datetime
    handed_over: datetime | None = None
    ended: datetime | None = None
    asterisk: str | None = None
    result: Result | None = None
    evidence: dict[str, Any] = field(default_factory=dict)
    boot: str | None = None
    ref: str | None = None

    @property
    def reference(self) -> str:
        """What stands for it elsewhere, and for no other attempt ever."""
        return f"{self.job}.{self.number}"

    @property
    def name(self) -> str:
        """The name of its call file."""
        return f"{self.reference}.call"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a job. Ids grow and are never used twice."""

    id: int
    at: datetime
    job: str
    type: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Trace:
    """What AMI showed of one attempt so far. Times are seconds since the epoch.

    `ended` is set once nothing more is to come. "Near" is the channel that Asterisk made for the call file;
    "far" is what the dialplan behind a Local channel dialled; a Dial by the near channel is the call's
    action, and not told here.
    """

    started: float | None = None
    channel: str | None = None
    dialled: bool = False
    rang: float | None = None
    answered: float | None = None
    ended: float | None = None
    dial_status: str | None = None
    far_status: str | None = None
    far_answered: float | None = None
    near_cause: int | None = None
    far_cause: int | None = None
    acted: bool = False
    agi_failed: bool = False
    complete: bool = True
    hung_up: float | None = None
    no_way: bool = False
    steps_shown: bool = False
    last_application: str | None = None
    opt_out: str = ""
    """`hung_up`: the near channel's end. `no_way`: the dialplan found no channel to dial. `steps_shown`: AMI
    shows this call's dialplan steps, so that `acted` False means that none ran. `last_application`: from
    Asterisk's call record. `complete`: AMI was there all the time. `opt_out`: why the callee must not be
    called again, in the dialplan's words."""
