"""Figures about many jobs: of a batch, of the queue's shape, of what trunks came to, of what takes too long.

Values, and the arithmetic that turns counts into them. Times are aware UTC.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import groupby
from typing import Literal

from dialerd.core.states import IN_FLIGHT, WAITING
from dialerd.core.times import format_duration

AGES_MIN = (5, 10, 20, 40, 80, 160, 320, 640, 1280)
"""The columns of a queue's shape in minutes, each twice the one before, as in Postfix's qshape(1); what is
older than the last has a column of its own."""

QUARTER_S = 900
"""What statistics are counted in: no zone's hours begin at anything but quarters."""

By = Literal["hour", "day"]


@dataclass(frozen=True, slots=True)
class BatchFigures:
    """How far a batch has come. `next` is when the first of its waiting jobs is due that is not due yet.

    `first_dialled` may be late by the length of a call. `eta_seconds` goes on as the last minute did; None
    where nothing ended in it, and in a paused batch.
    """

    batch: str
    owner: int
    jobs: int
    states: Mapping[str, int]
    dispositions: Mapping[str, int]
    created: datetime
    first_dialled: datetime | None
    last_ended: datetime | None
    ended_last_minute: int
    waiting: int
    paused: bool
    next: datetime | None
    eta_seconds: float | None


def remaining_seconds(
    states: Mapping[str, int], ended_last_minute: int, paused: bool, last_due_s: float = 0.0
) -> float | None:
    """How long the rest of a batch takes at the pace of the last minute; no less than `last_due_s`, the
    seconds until the last of its jobs is due."""
    left = sum(states.get(state, 0) for state in (*WAITING, *IN_FLIGHT))
    if not left:
        return 0.0
    if paused or not ended_last_minute:
        return None
    return round(max(60 * left / ended_last_minute, last_due_s), 1)


@dataclass(frozen=True, slots=True)
class Shape:
    """One trunk's unfinished jobs by age: a count for each of AGES_MIN, and one for what is older."""

    trunk: str
    ages: tuple[int, ...]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.ages)


def shapes(counts: Iterable[tuple[str, int, int]]) -> list[Shape]:
    """The shape of each trunk, from trunk, column and count."""
    columns: dict[str, list[int]] = {}
    for trunk, column, count in counts:
        columns.setdefault(trunk, [0] * (len(AGES_MIN) + 1))[column] += count
    return [Shape(trunk, tuple(ages)) for trunk, ages in sorted(columns.items())]


@dataclass(frozen=True, slots=True)
class Count:
    """Attempts of one trunk that ended with one disposition in one quarter of an hour (`quarter`: its start
    in seconds since the epoch). Seconds are those of the `rang` and `talked` attempts where AMI saw them."""

    trunk: str
    quarter: int
    disposition: str
    attempts: int
    ring_seconds: float
    rang: int
    talk_seconds: float
    talked: int


@dataclass(frozen=True, slots=True)
class Stat:
    """What a trunk's attempts that ended in an hour or day came to. Means are None where nothing was
    measured."""

    begins: datetime
    trunk: str
    dialled: int
    answered: int
    answer_rate: float
    dispositions: Mapping[str, int]
    ring_seconds: float | None
    talk_seconds: float | None


def stats(counts: Iterable[Count], by: By, zone: tzinfo | None) -> list[Stat]:
    """One row for each hour or day (of `zone`; None: the machine's) and trunk, oldest first."""

    def place(count: Count) -> tuple[datetime, str]:
        return _begin(count.quarter, by, zone), count.trunk

    ordered = sorted(counts, key=place)
    return [_stat(begins, trunk, list(some)) for (begins, trunk), some in groupby(ordered, place)]


def _begin(quarter: int, by: By, zone: tzinfo | None) -> datetime:
    moment = datetime.fromtimestamp(quarter, UTC)
    local = moment.astimezone(zone)
    if by == "hour":
        return moment - timedelta(minutes=local.minute)
    midnight = local.replace(hour=0, minute=0, fold=0, tzinfo=zone)  # without zone: the machine's then
    return midnight.astimezone(UTC)


def _stat(begins: datetime, trunk: str, counts: Sequence[Count]) -> Stat:
    dispositions: Counter[str] = Counter()
    for count in counts:
        dispositions[count.disposition] += count.attempts
    dialled, answered = dispositions.total(), dispositions["ANSWERED"]
    return Stat(
        begins,
        trunk,
        dialled,
        answered,
        round(answered / dialled, 4),
        dict(sorted(dispositions.items())),
        _mean(sum(count.ring_seconds for count in counts), sum(count.rang for count in counts)),
        _mean(sum(count.talk_seconds for count in counts), sum(count.talked for count in counts)),
    )


def _mean(total: float, of: int) -> float | None:
    return round(total / of, 2) if of else None


@dataclass(frozen=True, slots=True)
class Due:
    """The jobs that are due for one way ("" for literal channels), and since when the next one is."""

    way: str
    jobs: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Stuck:
    """Jobs that have been in a state for longer than its limit; `oldest` names some. `more`: there are more
    than `count`, which was as far as anybody counted."""

    state: str
    limit_s: int
    count: int
    more: bool
    oldest: tuple[str, ...]


_STANDING = {
    "queued": "due and not called",
    "deferred": "due and not called",
    "active": "on the way to Asterisk",
    "submitted": "with Asterisk",
}


def stuck_sentence(found: Stuck) -> str:
    """What the status says of them."""
    how_many = f"More than {found.count}" if found.more else str(found.count)
    jobs = "job has" if found.count == 1 and not found.more else "jobs have"
    been = _STANDING.get(found.state, found.state)
    limit = format_duration(found.limit_s)
    return f"{how_many} {jobs} been {been} for more than {limit}: dialerctl list --state {found.state}"
