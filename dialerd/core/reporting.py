"""What is reported to whom: the sinks as the configuration says them, and one report on its way."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

from dialerd.core.model import Event, Job

EVENTS = (
    "accepted",
    "leased",
    "submitted",
    "started",
    "ringing",
    "answered",
    "attempt_ended",
    "opted_out",
    "deferred",
    "waits",
    "taken_back",
    "poked",
    "stuck",
    "held",
    "released",
    "requeued",
    "completed",
    "failed",
    "expired",
    "cancelled",
    "received",
    "receipt",
    "session",
    "step_failed",
    "cancel_failed",
)
"""The types of events that can be asked for."""

ENDS = ("completed", "failed", "expired", "cancelled")
USUAL_EVENTS = (*ENDS, "held", "received")
DAY_S = 86400


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events a sink is told. `tags` and `batches` are shell patterns; without any, all fit."""

    events: tuple[str, ...] = USUAL_EVENTS
    tags: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()

    def takes(self, event: Event, job: Job) -> bool:
        """Whether the sink is told of this."""
        return (
            event.type in self.events
            and (not self.tags or any(_fits(tag, self.tags) for tag in job.tags))
            and (not self.batches or _fits(job.batch or "", self.batches))
        )


def _fits(text: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that is sent signed reports. Times are seconds; `ca_file` holds the authorities to trust
    in place of the usual ones."""

    name: str
    url: str
    secret: str = field(repr=False)
    wanted: Wanted = Wanted()
    allow_private: bool = False
    ca_file: Path | None = None
    timeout: int = 15
    give_up_after: int = 3 * DAY_S


@dataclass(frozen=True, slots=True)
class JobUrls:
    """What a job's own report_url may be, and how it is served. Nothing is allowed by default."""

    allowed: tuple[str, ...] = ()
    secret: str = field(default="", repr=False)
    events: tuple[str, ...] = USUAL_EVENTS
    allow_private: bool = False
    ca_file: Path | None = None
    timeout: int = 15
    give_up_after: int = 3 * DAY_S


@dataclass(frozen=True, slots=True)
class Hook:
    """A command that is run for each report, which it reads from its standard input."""

    name: str
    command: tuple[str, ...]
    wanted: Wanted = Wanted()
    timeout: int = 30
    give_up_after: int = 3 * DAY_S


@dataclass(frozen=True, slots=True)
class Results:
    """The folder that gets one JSON file for each ended job. `group` is a name, empty for the daemon's."""

    folder: Path
    mode: int = 0o640
    group: str = ""


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """All sinks."""

    webhooks: tuple[Webhook, ...] = ()
    hooks: tuple[Hook, ...] = ()
    results: Results | None = None
    job_urls: JobUrls = JobUrls()


@dataclass(frozen=True, slots=True)
class Delivery:
    """One report to one sink that is not delivered yet. Known by sink and event; `first_at` is when it was
    taken up, `next_at` when it is tried next. A dead one is tried no more until somebody says so."""

    sink: str
    event: int
    job: str
    tries: int
    next_at: datetime
    first_at: datetime
    last_error: str = ""
    dead: bool = False


@dataclass(frozen=True, slots=True)
class SinkFigures:
    """How many reports of a sink wait, were given up, and were delivered since it was first configured."""

    pending: int = 0
    dead: int = 0
    delivered: int = 0
