"""A job's own terms: calling hours, retry policy, report address; and when it may be dialled under them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from dialerd.core import texts
from dialerd.core.errors import Mistake
from dialerd.core.model import Draft, Terms
from dialerd.core.policy import Rules
from dialerd.core.report_urls import report_url_mistake
from dialerd.core.schedule import hours_of, opening_for, retries_last, retry_policy
from dialerd.core.tasks import NumberOrder
from dialerd.core.times import parse_duration, zone_named
from dialerd.core.windows import Opening, explain, parse_windows

MOST_WINDOWS = 50
MOST_SPANS = 6
"""On one day. A year is searched in each of the callee's time zones, up to 42, while others wait."""
LEAST_KILL_S, MOST_KILL_S = 1, 366 * 86400


def terms_of(good: Mapping[str, Any], rules: Rules, mistakes: list[Mistake]) -> Terms:
    """What the document wishes. Adds what is wrong with it, or not configured."""

    def checked(name: str, check: Callable[[Any], Any]) -> Any:
        try:
            return check(good[name]) if name in good else None
        except ValueError as error:
            mistakes.append(Mistake(name, str(error)))
            return None

    hours = good.get("hours", [])
    named = len(hours) == 1 and hours[0] in rules.hours
    if hours and not named:
        checked("hours", lambda given: _windows(given, rules))
    if (report_url := good.get("report_url")) and (why := report_url_mistake(report_url, rules.report_urls)):
        mistakes.append(Mistake("report_url", why, "role" if not rules.report_urls else ""))
    return Terms(
        hours=hours[0] if named else None,
        windows=() if named else tuple(hours),
        zone=checked("recipient_timezone", lambda name: str(zone_named(name))),
        retry=checked("retry", lambda name: _known(name, rules.retry, "retry")),
        max_dials=good.get("max_dials"),
        kill_after=checked("kill_after", _kill_after),
        report_url=report_url,
    )


def on_doubt_of(good: Mapping[str, Any], rules: Rules) -> str:
    """What becomes of a job in doubt that does not say so itself: what its retry policy says."""
    policy = rules.retry.get(good.get("retry") or rules.default_retry or "")
    return policy.on_doubt if policy is not None else "hold"


def in_time(draft: Draft, rules: Rules, now: datetime, mistakes: list[Mistake]) -> Draft:
    """The draft with the time when its window opens and when it is stale. Adds a mistake where it never
    opens."""
    start, opens, notes = max(draft.not_before or now, now), None, draft.notes
    opening: Opening | None = Opening(start, None)
    if not isinstance(draft.task, NumberOrder):  # which nobody hears ring
        opening = opening_for(draft.call, draft.terms, rules, start, draft.not_after)
    if opening is None or opening.opens > start:
        hours, zones = hours_of(draft.call, draft.terms, rules)
        why = explain(opening, start, zones, hours)
        if opening is None:
            mistakes.append(Mistake("hours", f"{why[:1].upper()}{why[1:]}: give other times.", "hours"))
            return draft
        opens, notes = opening.opens, (*draft.notes, why)
    if draft.not_after is not None:
        return replace(draft, not_before=opens, notes=notes) if opens is not None else draft
    patience = _patience(draft, rules)
    return replace(
        draft,
        not_before=opens or draft.not_before,
        not_after=(opens or start) + timedelta(seconds=patience),
        notes=notes,
        terms=replace(draft.terms, patience=patience),
    )


def _patience(draft: Draft, rules: Rules) -> int:
    """Seconds after which a job that says nothing of it is stale: time to be dialled, and for its
    retries."""
    policy = retry_policy(draft.terms, draft.max_retries, draft.retry_time, rules)
    return rules.expire_after_s + retries_last(policy)


def _windows(given: list[str], rules: Rules) -> None:
    if len(given) > MOST_WINDOWS:
        raise ValueError(f"There are {len(given)}: {MOST_WINDOWS} are the most.")
    try:
        spans = max(map(len, parse_windows(given).week))
    except ValueError as error:
        if len(given) == 1 and given[0].replace("-", "").replace("_", "").isalnum():
            _known(given[0], rules.hours, "hours")
        raise error from None
    if spans > MOST_SPANS:
        raise ValueError(f"One day has {spans} spans: {MOST_SPANS} are the most.")


def _known(name: str, there: Mapping[str, object], section: str) -> str:
    if name not in there:
        known = f"there are {', '.join(there)}" if there else "none is configured"
        raise ValueError(
            f"There is no [{section}.{name[:40]}] in the configuration; {known}.{texts.nearest(name, there)}"
        )
    return name


def _kill_after(value: int | str) -> int:
    seconds = int(value) if str(value)[:9].isdecimal() else parse_duration(str(value))
    if not LEAST_KILL_S <= seconds <= MOST_KILL_S:
        raise ValueError("It lies between one second and a year.")
    return seconds
