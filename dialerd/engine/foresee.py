"""Foresee: what would become of a draft, and how the trunks stand. Looks from other threads, changes
nothing."""

from dataclasses import replace
from typing import Any

from dialerd.core.charges import format_money
from dialerd.core.errors import Rejected
from dialerd.core.ids import LENGTH
from dialerd.core.model import Draft, Job
from dialerd.core.policy import Caps, Trunk
from dialerd.core.signals import Preview
from dialerd.core.states import State
from dialerd.engine.engine import Engine
from dialerd.engine.gate import Refuse, Wait
from dialerd.engine.spending import Spending
from dialerd.engine.trunks import TrunkLine

NOBODYS_ID = "0" * LENGTH
"""Stands in the call file of a job that there is not."""


def foresee(engine: Engine, draft: Draft, owner: int) -> Preview:
    """What the rules say of a draft now. Caps are counted by what is used by now: what the drafts before this
    one would use is not."""
    now, gate = engine.clock.now(), engine.gate
    job = _as_job(draft, owner, now)
    if draft.not_before is not None and draft.not_before > now:
        rule = "hours" if draft.notes else ""
        why = "; ".join(draft.notes) or "not_before has not come"
        return Preview("later", rule, why, draft.not_before, _call_file(engine, draft, job.way))
    if (order := engine.orders.of_batch(job)) is not None:
        why = f"batch {job.batch} is {order.word}"
        return Preview("later", "paused", why, call_file=_call_file(engine, draft, job.way))
    under_way = engine.flights.of_owner[owner] + gate.spending.of_owner[owner]
    match gate.judge(job, now, under_way):
        case Refuse(why, rule):
            return Preview("refused", rule, why)
        case Wait(until, why, rule):
            return Preview("later", rule, why, until, _call_file(engine, draft, job.way))
    if all(engine.trunks.is_paused(way) for way in job.ways):
        why = f"{_names(job.ways)} paused"
        return Preview("later", "paused", why, call_file=_call_file(engine, draft, job.way))
    capped = []
    for way in job.ways:
        refusal = gate.spending.foresee(job, way, _line_of(engine, way), now)
        if refusal is None:
            return Preview("now", call_file=_call_file(engine, draft, way))
        capped.append(refusal)
    soonest = min(capped, key=lambda each: each.until)
    return Preview("later", "cap", soonest.why, soonest.until, _call_file(engine, draft, job.way))


def _line_of(engine: Engine, way: str) -> Trunk | None:
    line = engine.trunks.line(way)
    return None if line is None else line.trunk


def _names(ways: tuple[str, ...]) -> str:
    return f"trunk {ways[0]} is" if len(ways) == 1 else f"trunks {', '.join(ways)} are"


def _as_job(draft: Draft, owner: int, now: Any) -> Job:
    ways = draft.ways or (draft.call.trunk or "",)
    job = Job(NOBODYS_ID, owner, State.QUEUED, draft.call, now, now, batch=draft.batch)
    return replace(job, terms=draft.terms, ways=ways, way=ways[0], task=draft.task)


def _call_file(engine: Engine, draft: Draft, way: str) -> bytes | None:
    """None for what goes to a provider."""
    dispatcher = engine.dispatcher
    if way in engine.gate.rules.providers:
        return None
    try:
        channel, variables = dispatcher.dial(draft.call, way, engine.gate.rules)
        return dispatcher.render(draft.call, channel, f"{NOBODYS_ID}.1", variables)
    except Rejected:
        return None


def describe(engine: Engine) -> list[dict[str, Any]]:
    """Each trunk as it stands, as JSON-able values."""
    now = engine.clock.mono()
    return [_line(name, line, engine, now) for name, line in engine.trunks.lines().items()]


def _line(name: str, line: TrunkLine, engine: Engine, now: float) -> dict[str, Any]:
    trunk, breaker = line.trunk, line.breaker.state(now)
    until = line.breaker.until()
    shown: dict[str, Any] = {
        "name": name,
        "paused": bool(line.paused or engine.trunks.paused),
        "why": line.paused or engine.trunks.paused,
        "breaker": breaker,
        "breaker_opens_in_seconds": round(until - now, 1) if breaker == "open" and until else None,
        "provider": name in engine.gate.rules.providers or None,
        "in_use": engine.flights.on_trunk[name] + engine.sender.on_way[name],
        "others": line.others,
        "window": line.concurrency.limit(),
        "max_channels": trunk.max_channels,
        "reserved_channels": trunk.reserved_channels or None,
        "calls_per_second": trunk.calls_per_second,
        "late_p99_ms": _p99(list(line.late)),
        **_used(engine.gate.spending, f"trunk:{name}"),
        "cap": _cap(engine.gate.spending, name, trunk.caps),
        "trouble": _trouble(line, breaker, until, now),
    }
    return {key: value for key, value in shown.items() if value not in (None, "")}


def _trouble(line: TrunkLine, breaker: str, until: float | None, now: float) -> str:
    if line.paused:
        return line.paused
    if breaker == "open" and until is not None:
        return f"it refused all that it was given; the next is tried in {max(0, round(until - now))} s"
    return ""


def _cap(spending: Spending, way: str, caps: Caps) -> str:
    """The cap that keeps a trunk from further calls today, its own or that of all."""
    if what := spending.reached(f"trunk:{way}", caps):
        return f"it {what}"
    what = spending.reached("all", spending.budget.total)
    return f"this server {what}" if what else ""


def _used(spending: Spending, scope: str) -> dict[str, Any]:
    used = spending.today(scope)
    shown: dict[str, Any] = {"calls_today": used.calls, "minutes_today": used.seconds // 60}
    money = f"{format_money(used.cost)} {spending.budget.currency}".rstrip()
    return shown | ({"spent_today": money} if used.cost else {})


def _p99(late: list[float]) -> float | None:
    if not late:
        return None
    return round(sorted(late)[int(len(late) * 0.99)] * 1000, 1) if len(late) > 1 else round(late[0] * 1000, 1)
