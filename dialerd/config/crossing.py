"""Mistakes that only show across sections: names of ways out and policies that are not there, and what is
asked of a way out that it can't do."""

from collections.abc import Iterator, Mapping
from typing import Any

from dialerd.config.fields import as_tuple
from dialerd.config.providers import asks_for_actions, operations_of
from dialerd.core import texts
from dialerd.core.errors import Mistake
from dialerd.core.operations import OPERATIONS, Effect

_NAMED = (("default_trunk", "trunks"), ("hours", "hours"), ("retry", "retry"))
"""Settings of [calls] that name a section of another kind."""

ROUTED = ("call", "sms", "fax", "conference", "ivr")
"""The kinds of jobs that routes are for: orders of numbers name their provider."""

Table = Mapping[str, Any]


def cross_mistakes(raw: Table) -> Iterator[Mistake]:
    """From the whole of the TOML: what names something that is not configured, or that can't do it."""
    calls = _table(raw, "calls")
    for setting, kind in _NAMED:
        yield from _missing(f"calls.{setting}", calls.get(setting), kind, _table(raw, kind))
    trunks, providers = _table(raw, "trunks"), _table(raw, "providers")
    for name in providers:
        if name in trunks:
            what = f"There is a [trunks.{name}] too: routes name both alike, so choose another name for one."
            yield Mistake(f"providers.{name}", what)
    routes = raw.get("routes", [])
    for index, route in enumerate(routes if isinstance(routes, list) else ()):
        if isinstance(route, dict):
            yield from _of_route(f"routes.{index}", route, trunks, providers)
    listener = _table(raw, "listener")
    for name in _table(listener, "sources"):
        yield from _missing(f"listener.sources.{name}", name, "providers", providers)
    for number, did in _table(raw, "dids").items():
        if isinstance(did, dict):
            yield from _of_did(f"dids.{number}", did, providers, "listener" in raw)


def _of_route(where: str, route: Table, trunks: Table, providers: Table) -> Iterator[Mistake]:
    kinds = as_tuple(route.get("kinds", "call"))
    for field in ("ways", "trunks"):
        names = as_tuple(route.get(field))
        for name in names if isinstance(names, tuple) else ():
            if not isinstance(name, str):
                continue
            if name in trunks or name in providers:
                yield from _unable(f"{where}.{field}", name, kinds, providers)
            else:
                yield missing_way(f"{where}.{field}", name, trunks, providers)


def _unable(where: str, name: str, kinds: object, providers: Table) -> Iterator[Mistake]:
    """The kinds of job that a way out of a route has no operation for. A trunk has calls."""
    has = operations_of(providers[name]) if name in providers else frozenset()
    for kind in kinds if isinstance(kinds, tuple) else ():
        wanted = _operations_for(kind)
        if not wanted or has is None or wanted & has or (name not in providers and kind == "call"):
            continue
        what = f"A trunk takes calls only, no {kind}"
        if name in providers:
            what = f"{name} has none of the operations that {kind} takes ({', '.join(sorted(wanted))})"
        yield Mistake(where, f"{what}: take {name} out of this route, or {kind} out of its kinds.")


def _operations_for(kind: object) -> frozenset[str]:
    """The operations of which a job of this kind takes one; none of kinds that no route leads to."""
    if kind not in ROUTED:
        return frozenset()
    return frozenset(
        name for name, each in OPERATIONS.items() if each.effect is Effect.JOB and kind in each.kinds
    )


def _of_did(where: str, did: Table, providers: Table, listens: bool) -> Iterator[Mistake]:
    name = did.get("provider")
    yield from _missing(f"{where}.provider", name, "providers", providers)
    section = providers.get(name) if isinstance(name, str) else None
    if "action" in did and asks_for_actions(section) is False:
        yield Mistake(f"{where}.action", f"{name} asks for no actions: take it out.")
    has = operations_of(section)
    if "steps" in did and has is not None and "ivr.play" not in has:
        yield Mistake(f"{where}.steps", f"{name} knows no sessions: take the steps out.")
    for field in ("action", "steps"):
        if field in did and not listens:
            yield Mistake(
                f"{where}.{field}", "Providers ask for it at the listener: add the section [listener]."
            )


def _table(raw: Table, name: str) -> Table:
    found = raw.get(name, {})
    return found if isinstance(found, dict) else {}


def _missing(where: str, wanted: object, kind: str, there: Table) -> Iterator[Mistake]:
    if isinstance(wanted, str) and wanted not in there:
        known = f"only {', '.join(there)}" if there else "none at all"
        yield Mistake(where, f"There is no [{kind}.{wanted}], {known}.{texts.nearest(wanted, there)}")


def missing_way(where: str, wanted: str, trunks: Table, providers: Table) -> Mistake:
    """That there is no way out of this name."""
    there = (*trunks, *providers)
    known = f"only {', '.join(there)}" if there else "none at all"
    what = f"There is no [trunks.{wanted}] and no [providers.{wanted}], {known}."
    return Mistake(where, what + texts.nearest(wanted, there))
