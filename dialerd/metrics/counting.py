"""What is counted as it happens. Each count costs a microsecond or two, in the thread that tells of it."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram

from dialerd.core.errors import (
    AccountRefused,
    Broken,
    DeliveryError,
    DialerError,
    InvalidJob,
    KeyConflict,
    NotPermitted,
    NotServed,
    Overloaded,
    Rejected,
    Unavailable,
    Unconfirmed,
)
from dialerd.core.meters import Door, Loss, Meters, Outcome
from dialerd.core.model import Attempt, Disposition, Job, Result
from dialerd.core.states import ENDED
from dialerd.core.tasks import KINDS

LITERAL, OTHER, IN_DOUBT = "literal", "other", "IN_DOUBT"
"""Labels: a call without a trunk, by a literal channel; what is no name of the configuration; an attempt of
which nobody knows what became of it."""

QUICK_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LONG_S = (0.01, 0.05, 0.25, 1, 5, 15, 60, 300, 900, 3600, 14400, 86400)
REQUEST_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""Bounds of histograms: what a disk or a turn takes, a job's stages, a request to a provider."""

EVENTS = frozenset(
    (
        *("accepted", "attempt_ended", "answered", "cancel_failed", "cancel_requested", "cancelled"),
        *("completed", "deferred", "expired", "failed", "held", "hold_requested", "leased", "opted_out"),
        *("poked", "receipt", "received", "released", "requeued", "ringing", "session", "started"),
        *("step_failed", "stuck", "submitted", "taken_back", "waits"),
    )
)
RULES = frozenset(
    (
        *("do_not_call", "destination", "premium", "satellite", "emergency", "caller_id"),
        *("trunk", "provider", "role", "hours", "duplicate"),
    )
)
REFUSALS = (*sorted(RULES), "mistake", "key", "overloaded", "broken", OTHER)
OUTCOMES = ("done", "rejected", "not_served", "unavailable", "account_refused", "unconfirmed")

_SINCE_LAST = {"submitted": "hand_over", "started": "begin", "ringing": "ring", "answered": "answer"}
"""Stages that an event ends, which begin with the job's last change of state."""

_VERDICTS: tuple[tuple[type[DeliveryError], str], ...] = (
    (NotServed, "not_served"),
    (Rejected, "rejected"),
    (AccountRefused, "account_refused"),
    (Unavailable, "unavailable"),
    (Unconfirmed, "unconfirmed"),
)


class Counts(Meters):
    """The one that counts. `know` says which names are labels."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"dialerd_{name}", what, labels, registry=registry)

        def histogram(name: str, what: str, *labels: str, bounds: tuple[float, ...] = QUICK_S) -> Histogram:
            return Histogram(f"dialerd_{name}_seconds", what, labels, registry=registry, buckets=bounds)

        self._accepted = counter("jobs_accepted", "Jobs that were accepted, and are on disk.", "kind")
        self._ended = counter("jobs_ended", "Jobs that ended, by the state they ended in.", "kind", "state")
        self._events = counter("job_events", "Events of jobs.", "event")
        self._attempts = counter("attempts", "Attempts that are over.", "way", "disposition")
        self._talked = counter("talk_seconds", "Seconds talked, as far as they were measured.", "way")
        self._refused = counter("refusals", "Jobs and requests refused at the door.", "door", "rule")
        self._requests = counter(
            "provider_requests", "Requests to providers.", "provider", "purpose", "outcome"
        )
        self._reports = counter("report_tries", "Tries to deliver a report.", "sink", "outcome")
        self._losses = counter("watch_losses", "Times that a folder watch may have lost events.", "cause")
        self._messages = counter("engine_messages", "Messages that the engine's thread has handled.")
        self._stages = histogram("stage", "How long jobs were in a stage.", "stage", "kind", bounds=LONG_S)
        self._taken = histogram("submit", "Time from a submit's arrival until its jobs are on disk.")
        self._turns = histogram("engine_turn", "Time that a turn of the engine's thread took.")
        self._commits = histogram("commit", "Time that a commit of the store took, with its sync to disk.")
        self._answers = histogram(
            "provider_request", "Time until a provider's answer.", "provider", "purpose", bounds=REQUEST_S
        )
        self._ways = frozenset[str]()
        self._stage_of, self._event_of = cache(self._stages.labels), cache(self._events.labels)
        self._begin_at_zero()

    def know(self, ways: Iterable[str], providers: Iterable[str]) -> None:
        """The names of the configuration, which may be labels from now on; their counters begin at 0."""
        self._ways = frozenset(ways)
        for way in (*self._ways, LITERAL):
            self._talked.labels(way)
            for word in (*Disposition, IN_DOUBT):
                self._attempts.labels(way, word)
        for provider in providers:
            for purpose in ("send", "read"):
                self._answers.labels(provider, purpose)
                for outcome in OUTCOMES:
                    self._requests.labels(provider, purpose, outcome)

    def _begin_at_zero(self) -> None:
        for kind in KINDS:
            self._accepted.labels(kind)
            for state in ENDED:
                self._ended.labels(kind, state)
        for event in sorted(EVENTS):
            self._event_of(event)
        for door in ("socket", "folder"):
            for rule in REFUSALS:
                self._refused.labels(door, rule)
        for cause in ("overflow", "rearmed", "restarted"):
            self._losses.labels(cause)

    def noted(self, job: Job, type: str, facts: Mapping[str, Any], since_s: float) -> None:
        """An event of a job."""
        kind = job.kind
        self._event_of(type if type in EVENTS else OTHER).inc()
        if type == "accepted":
            self._accepted.labels(kind).inc()
        elif type == "leased":
            due = job.created if job.not_before is None else max(job.created, job.not_before)
            self._stage_of("wait", kind).observe(max(0.0, (job.updated - due).total_seconds()))
        elif type in _SINCE_LAST:
            self._stage_of(_SINCE_LAST[type], kind).observe(since_s)
        elif job.state in ENDED and type == job.state:
            self._ended.labels(kind, job.state).inc()
            lived = (job.updated - job.created).total_seconds()
            self._stage_of("whole", kind).observe(max(0.0, lived))

    def attempted(self, job: Job, attempt: Attempt, result: Result | None, settled_s: float) -> None:
        """An attempt is over, or in doubt."""
        way, kind = self._way(attempt.trunk), job.kind
        self._attempts.labels(way, IN_DOUBT if result is None else result.disposition).inc()
        if result is not None and result.talk_seconds is not None:
            self._talked.labels(way).inc(max(0.0, result.talk_seconds))
        if attempt.ended is not None:
            lasted = (attempt.ended - attempt.begun).total_seconds()
            self._stage_of("attempt", kind).observe(max(0.0, lasted))
            self._stage_of("settle", kind).observe(settled_s)

    def taken(self, jobs: int, seconds: float) -> None:
        """A submit was answered."""
        self._taken.observe(seconds)

    def turned(self, messages: int, seconds: float) -> None:
        """One turn of the engine."""
        self._messages.inc(messages)
        self._turns.observe(seconds)

    def committed(self, seconds: float) -> None:
        """One commit."""
        self._commits.observe(seconds)

    def refused(self, door: Door, error: DialerError) -> None:
        """A refusal; of what has several mistakes, each rule counts once."""
        for rule in _rules(error):
            self._refused.labels(door, rule).inc()

    def asked(self, provider: str, sending: bool, error: DeliveryError | None, seconds: float) -> None:
        """One request to a provider."""
        name, purpose = self._way(provider), "send" if sending else "read"
        outcome = "done" if error is None else _verdict(error)
        self._requests.labels(name, purpose, outcome).inc()
        self._answers.labels(name, purpose).observe(seconds)

    def reported(self, sink: str, outcome: Outcome) -> None:
        """One try to deliver a report. Sinks are those of the configuration."""
        self._reports.labels(sink, outcome).inc()

    def stirred(self, loss: Loss) -> None:
        """A folder watch may have lost events."""
        self._losses.labels(loss).inc()

    def _way(self, name: str | None) -> str:
        if not name:
            return LITERAL
        return name if name in self._ways else OTHER


def _verdict(error: DeliveryError) -> str:
    return next((word for cls, word in _VERDICTS if isinstance(error, cls)), "unconfirmed")


def _rules(error: DialerError) -> set[str]:
    """What refused: nothing for what is no refusal, such as a job that is not there."""
    match error:
        case InvalidJob():
            return {_rule(mistake.rule) for mistake in error.mistakes}
        case NotPermitted():
            return {"role"}
        case KeyConflict():
            return {"key"}
        case Overloaded():
            return {"overloaded"}
        case Broken():
            return {"broken"}
    return set()


def _rule(rule: str) -> str:
    return "mistake" if not rule else rule if rule in RULES else OTHER
