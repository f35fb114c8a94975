"""The types of what goes to the daemon and comes back. At run time they are plain dicts."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

Job = dict[str, Any]
"""A job as docs/api.md shows it: at least id, state, owner, priority, created, updated, attempt_count."""


class JobFields(TypedDict, total=False):
    """A job document (docs/jobs.md).

    Times are ISO 8601 with a zone, "in 1h30m", or aware datetimes; seconds are whole numbers.
    """

    kind: Literal["call"]
    to: str | Sequence[str]
    trunk: str
    ring: Literal["each", "any"]
    channel: str | Sequence[str]
    application: str
    data: str
    context: str
    extension: str
    dialplan_priority: int
    play: str
    caller_id: str | Mapping[str, str]
    variables: Mapping[str, str]
    account: str
    wait_time: int
    codecs: str | Sequence[str]
    early_media: bool
    max_retries: int
    retry_time: int
    not_before: Any
    not_after: Any
    priority: int
    key: str
    batch: str
    tags: str | Sequence[str]
    on_doubt: Literal["hold", "retry", "drop"]
    hours: str | Sequence[str]
    recipient_timezone: str
    retry: str
    max_dials: int
    kill_after: int | str
    report_url: str


class Mistake(TypedDict):
    """One mistake in a request: the field, and what to do about it."""

    where: str
    what: str


class Event(TypedDict):
    """Something that happened to a job. Ids grow; `data` depends on the type."""

    id: int
    at: str
    job: str
    type: str
    data: dict[str, Any]


class Figures(TypedDict):
    """How a batch stands. `ended_last_minute` and `waiting` count jobs; `next` is when the next is due."""

    batch: str
    owner: int
    jobs: int
    states: dict[str, int]
    dispositions: dict[str, int]
    created: str | None
    first_dialled: str | None
    last_ended: str | None
    ended_last_minute: int
    waiting: int
    paused: bool
    next: str | None
    eta_seconds: float | None


class Order(TypedDict):
    """A standing order: `word` is "paused" or "cancelled", `by` its uid, None for dialerd itself."""

    scope: str
    word: str
    by: int | None
    at: str
    reason: str


class Submitted:
    """What was accepted: one job for each number. `repeated`: it was there before, under the same key."""

    __slots__ = ("batch", "jobs", "repeated")

    def __init__(self, jobs: list[Job], batch: str | None, repeated: bool) -> None:
        self.jobs, self.batch, self.repeated = jobs, batch, repeated

    @property
    def job(self) -> Job:
        """The (first) job."""
        return self.jobs[0]

    @property
    def id(self) -> str:
        """The (first) job's id."""
        return str(self.jobs[0]["id"])
