"""When a job may be dialled, and dialled again: its own terms under the configuration's policies."""

from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from dialerd.core.model import Call, Terms
from dialerd.core.policy import Rules
from dialerd.core.retry import Kind, RetryPolicy, Rule, simple, with_overrides
from dialerd.core.windows import Hours, Opening, for_callee, next_open, own_hours, zones_for

DEFAULT_RETRY_TIME_S = 300


def hours_of(call: Call, terms: Terms, rules: Rules) -> tuple[tuple[Hours, ...], tuple[str, ...]]:
    """The hours that must all be open, and the callee's zones; none where the job is bound to none."""
    named = rules.hours.get(terms.hours or rules.default_hours or "")
    own = own_hours(terms.windows) if terms.windows else None
    if own is not None and named is not None:
        own = replace(own, zone=named.zone)
    policies = [each for each in (named, own) if each is not None]
    numbers: tuple[str | None, ...] = call.to or (None,)
    pairs = [(each, number) for each in policies for number in numbers]
    hours = (for_callee(each, number, rules.default_country) for each, number in pairs)
    zones = {zone for each, number in pairs for zone in zones_for(number, terms.zone, each, rules.zone)}
    return tuple(dict.fromkeys(hours)), tuple(sorted(zones))


def opening_for(
    call: Call, terms: Terms, rules: Rules, start: datetime, until: datetime | None = None
) -> Opening | None:
    """When the job may be dialled, from `start` on; None where that is never before `until`. Without hours:
    at once."""
    if not terms.windows and not terms.hours and rules.default_hours is None:
        return Opening(start, None)
    hours, zones = hours_of(call, terms, rules)
    return next_open(start, hours, zones, until)


def retry_policy(terms: Terms, max_retries: int | None, retry_time: int | None, rules: Rules) -> RetryPolicy:
    """The rule by which a job is tried again: the one that it names, else its own numbers, else the default
    one."""
    name = terms.retry or (rules.default_retry if max_retries is None else None)
    named = rules.retry.get(name or "")
    if named is None:
        return _simple(
            max_retries or 0, retry_time or DEFAULT_RETRY_TIME_S, terms.max_dials, terms.kill_after
        )
    return with_overrides(named, max_retries, retry_time, terms.max_dials, terms.kill_after)


@lru_cache(maxsize=256)
def _simple(max_retries: int, retry_time: int, max_dials: int | None, kill_after: int | None) -> RetryPolicy:
    return with_overrides(simple(max_retries, retry_time), None, None, max_dials, kill_after)


@lru_cache(maxsize=256)
def retries_last(policy: RetryPolicy) -> int:
    """Seconds that all retries of a job may take, calls not counted."""
    longest = max(_lasts(policy.rule(kind), policy.shared) for kind in Kind)
    return min(longest, policy.kill_after_s if policy.kill_after_s is not None else longest)


def _lasts(rule: Rule, shared: int | None) -> int:
    count = rule.count if shared is None else min(shared, rule.count)
    return int(
        sum(min(rule.delay_s * rule.growth ** min(each, 100), rule.longest_s) for each in range(count))
    )
