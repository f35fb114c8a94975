"""When a call that did not get through is tried again, and where: by how it ended, from its end on, up to a
bound.

docs/retry.md is the user's view. The rule per disposition, the cap on dials and the kill time are HylaFAX's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from dialerd.core.model import Disposition, Result

LONGEST_S = 6 * 3600
MOST_DIALS = 12
"""HylaFAX's MaxDials: whatever the rules say, nobody's phone rings more often for one job."""

UNBOUNDED = 1_000_000
"""Dials where only the retries are counted: a round over several trunks is one retry, and several dials."""

KILL_AFTER_S = 7 * 86400
"""A retry has a deadline. A week outlives holidays on which no call may be made."""

_STEEPEST = 100
"""The most times that a delay grows, so that no power overflows; each is bounded by `longest_s` anyway."""


class Kind(StrEnum):
    """How a call may end that may be tried again: the names of a policy's rules."""

    BUSY = "busy"
    NOANSWER = "noanswer"
    CONGESTION = "congestion"
    FAILED = "failed"


KINDS = {
    Disposition.BUSY: Kind.BUSY,
    Disposition.NOANSWER: Kind.NOANSWER,
    Disposition.CONGESTION: Kind.CONGESTION,
    Disposition.CHANUNAVAIL: Kind.CONGESTION,
    Disposition.FAILED: Kind.FAILED,
}
"""Dispositions by the rule that they follow; the others are never tried again."""

RANG_CAUSES = frozenset({17, 18, 19, 21})
"""Q.850 causes after which some phone or its user has answered for itself: busy, no user responding, no
answer, rejected. Another trunk would only ring the same phone again."""

_WORDS = {
    Kind.BUSY: "busy",
    Kind.NOANSWER: "not answered",
    Kind.CONGESTION: "no way free",
    Kind.FAILED: "failed",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """Tried again `count` times, first after `delay_s`; each further delay is `growth` times the one before,
    `longest_s` at most, and each is moved by up to `jitter`, a fraction of it."""

    delay_s: int
    growth: float = 1.0
    jitter: float = 0.0
    count: int = 3
    longest_s: int = LONGEST_S


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """A rule for each kind of end, and the bounds of them all.

    `max_dials` counts every attempt that was dialled, the first one too. `kill_after_s` is from the begin of
    the first attempt on. With `shared` all kinds count together: so many retries in all, whatever the rules'
    counts say, except that a count of 0 stays never. `on_doubt` is for jobs that say nothing of it.
    """

    name: str
    busy: Rule = Rule(180, 1.5, 0.1, 3, 3600)
    noanswer: Rule = Rule(300, 2.0, 0.1, 3)
    congestion: Rule = Rule(60, 2.0, 0.1, 6, 900)
    failed: Rule = Rule(300, 2.0, 0.1, 2)
    max_dials: int = MOST_DIALS
    kill_after_s: int | None = KILL_AFTER_S
    shared: int | None = None
    on_doubt: str = "hold"

    def rule(self, kind: Kind) -> Rule:
        """The rule for one kind of end."""
        return {
            Kind.BUSY: self.busy,
            Kind.NOANSWER: self.noanswer,
            Kind.CONGESTION: self.congestion,
            Kind.FAILED: self.failed,
        }[kind]


@dataclass(frozen=True, slots=True)
class Again:
    """Try again at this moment (aware UTC)."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Never:
    """Don't try again, and why: a few words, "" where nobody wished another try."""

    why: str


def kind_of(result: Result) -> Kind | None:
    """The rule that a result follows; None for those that are never tried again."""
    return KINDS.get(result.disposition)


def plan(
    policy: RetryPolicy,
    result: Result,
    same: int,
    dials: int,
    first: datetime,
    ended: datetime,
    noise: float,
) -> Again | Never:
    """Whether and when a job is tried again after this result.

    `same`: how many of its attempts ended in this kind of way by now (with policy.shared: in any), this one
    included, where a round over several trunks counts as one; `dials`: how many were dialled by now; `first`:
    when its first attempt began; `ended`: when this one ended; `noise`: by chance, in [0, 1).
    """
    kind = kind_of(result)
    if kind is None:
        return Never(result.disposition.lower())
    if result.permanent:
        cause = f"cause {result.hangup_cause}" if result.hangup_cause is not None else result.detail
        return Never(f"permanent: {cause}" if cause else "permanent")
    if policy.shared == 0:
        return Never("")
    if why := _used_up(policy, kind, same, dials):
        return Never(why)
    at = ended + timedelta(seconds=_delay(policy.rule(kind), same, noise))
    kill = policy.kill_after_s
    if kill is not None and at > first + timedelta(seconds=kill):
        return Never("kill time")
    return Again(at)


def _used_up(policy: RetryPolicy, kind: Kind, same: int, dials: int) -> str:
    count = policy.rule(kind).count
    if count == 0:
        return f"{_WORDS[kind]}, which is not tried again"
    if policy.shared is not None and same > policy.shared:
        return f"{_times(policy.shared, 'retry', 'retries')} the most"
    if policy.shared is None and same > count:
        return f"{_WORDS[kind]} for the {_ordinal(same)} time"
    if dials >= policy.max_dials:
        return f"{_times(policy.max_dials, 'dial', 'dials')} the most"
    return ""


def _delay(rule: Rule, same: int, noise: float) -> float:
    """Seconds from the end of an attempt to the next."""
    delay = min(rule.delay_s * rule.growth ** min(max(same, 1) - 1, _STEEPEST), rule.longest_s)
    return delay * (1 + rule.jitter * (2 * noise - 1))


def _times(count: int, one: str, more: str) -> str:
    return f"{count} {one} is" if count == 1 else f"{count} {more} are"


def _ordinal(count: int) -> str:
    ending = "th" if count % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{ending}"


def simple(max_retries: int, retry_time: int) -> RetryPolicy:
    """So many retries in all, so many seconds apart, however the calls end: the rule of Asterisk's call
    files, and of jobs that name no policy. A job's own max_dials and kill time are its only other bounds."""
    rule = Rule(retry_time, count=max_retries, longest_s=max(retry_time, LONGEST_S))
    return RetryPolicy("", rule, rule, rule, rule, max_dials=UNBOUNDED, kill_after_s=None, shared=max_retries)


def with_overrides(
    policy: RetryPolicy,
    max_retries: int | None = None,
    retry_time: int | None = None,
    max_dials: int | None = None,
    kill_after: int | None = None,
) -> RetryPolicy:
    """The policy as a job wishes it: other counts and delays, but never more dials than the policy allows nor
    a later kill time, and no retry of what the policy never tries again. Times are seconds; None is no wish.
    """
    kills = [each for each in (policy.kill_after_s, kill_after) if each is not None]
    return replace(
        policy,
        busy=_wished(policy.busy, max_retries, retry_time),
        noanswer=_wished(policy.noanswer, max_retries, retry_time),
        congestion=_wished(policy.congestion, max_retries, retry_time),
        failed=_wished(policy.failed, max_retries, retry_time),
        max_dials=min(policy.max_dials, policy.max_dials if max_dials is None else max_dials),
        kill_after_s=min(kills, default=None),
        shared=policy.shared if max_retries is None else max_retries,
    )


def _wished(rule: Rule, max_retries: int | None, retry_time: int | None) -> Rule:
    if max_retries is not None and rule.count:
        rule = replace(rule, count=max_retries)
    if retry_time is not None:
        rule = replace(rule, delay_s=retry_time, growth=1.0, longest_s=max(retry_time, rule.longest_s))
    return rule


def next_way(ways: Sequence[str], way: str, result: Result) -> str | None:
    """The trunk after `way` that is tried at once, for no phone rang; None where there is none, or one may
    have rung."""
    no_way = result.disposition in (Disposition.CHANUNAVAIL, Disposition.CONGESTION)
    if not no_way or result.permanent or result.ring_seconds or result.hangup_cause in RANG_CAUSES:
        return None
    after = ways[ways.index(way) + 1 :] if way in ways else ()
    return after[0] if after else None
