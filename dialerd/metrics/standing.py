"""How each way out stands, what was used today, and which caps are reached."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from dialerd.core.budget import Used
from dialerd.core.charges import UNITS
from dialerd.core.policy import Caps
from dialerd.engine.engine import Engine
from dialerd.engine.trunks import TrunkLine

_WAYS = {
    "way_in_use": "Calls and requests of ours on it.",
    "way_others": "Calls on it that are not ours, as far as AMI shows them.",
    "way_window": "How many calls at once it is given, as it has shown that it can.",
    "way_free_channels": "How many more calls it may be given now, but for its rate.",
    "way_calls_per_second": "The rate that is configured; 0: none.",
    "way_paused": "1 while it is paused, by a person or its fuse.",
    "way_fuse_blown": "1 while it is paused by its fuse.",
    "way_breaker_open": "1 while it rests, since it refused all that it was given; probes are let through.",
}
_TODAY = {
    "today_calls": "Calls dialled and messages sent today, in the zone of [caps].",
    "today_seconds": "Seconds talked today.",
    "today_cost": "Money spent today, in the currency of [caps].",
}


def way_metrics(engine: Engine) -> Iterator[Metric]:
    """All of them, of the ways that are configured now."""
    lines = engine.trunks.lines()
    families = {name: _family(name, what, "way") for name, what in _WAYS.items()}
    for way, line in lines.items():
        for name, value in _standing(engine, way, line).items():
            families[name].add_metric([way], value)
    yield from families.values()
    paused = _family("all_paused", "1 while all ways are paused.")
    paused.add_metric([], float(bool(engine.trunks.paused)))
    yield paused
    yield from _today(engine, lines)


def _standing(engine: Engine, way: str, line: TrunkLine) -> dict[str, float]:
    blown = engine.orders.by_fuse(way)
    return {
        "way_in_use": engine.flights.on_trunk[way] + engine.sender.on_way[way],
        "way_others": line.others,
        "way_window": line.concurrency.limit(),
        "way_free_channels": max(0, line.channels(urgent=False)),
        "way_calls_per_second": line.trunk.calls_per_second or 0.0,
        "way_paused": float(bool(line.paused)),
        "way_fuse_blown": float(blown),
        "way_breaker_open": float(line.breaker.state(engine.clock.mono()) != "closed"),
    }


def _today(engine: Engine, lines: dict[str, TrunkLine]) -> Iterator[Metric]:
    """Nothing is told of single owners: their uids are no names of the configuration. How many of them are at
    a cap is."""
    spending = engine.gate.spending
    caps = {("all", ""): spending.budget.total}
    caps |= {("way", way): line.trunk.caps for way, line in lines.items()}
    families = {name: _family(name, what, "scope", "way") for name, what in _TODAY.items()}
    reached = _family("cap_reached", "1 while a cap lets no further call through.", "scope", "way")
    for labels, its in caps.items():
        scope = f"trunk:{labels[1]}" if labels[1] else "all"
        for name, value in _used(spending.today(scope)).items():
            families[name].add_metric(list(labels), value)
        reached.add_metric(list(labels), float(spending.reached(scope, its) is not None))
    yield from (*families.values(), reached)
    owners = _family("owners_at_cap", "Users of whom a cap lets no further call through.")
    limit: Caps = spending.budget.owner
    owners.add_metric([], sum(spending.reached(scope, limit) is not None for scope in spending.owners()))
    yield owners


def _used(used: Used) -> dict[str, float]:
    return {"today_calls": used.calls, "today_seconds": used.seconds, "today_cost": used.cost / UNITS}


def _family(name: str, what: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"dialerd_{name}", what, labels=labels)
