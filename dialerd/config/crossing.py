"""Mistakes that only show across sections: names of trunks and policies that are not there."""

from collections.abc import Iterator, Mapping
from typing import Any

from dialerd.core import texts
from dialerd.core.errors import Mistake

_NAMED = (("default_trunk", "trunks"), ("hours", "hours"), ("retry", "retry"))
"""Settings of [calls] that name a section of another kind."""


def cross_mistakes(raw: Mapping[str, Any]) -> Iterator[Mistake]:
    """From the whole of the TOML: what names something that is not configured."""
    calls = _table(raw, "calls")
    for setting, kind in _NAMED:
        yield from _missing(f"calls.{setting}", calls.get(setting), kind, _table(raw, kind))
    routes = raw.get("routes", [])
    for index, route in enumerate(routes if isinstance(routes, list) else ()):
        trunks = route.get("trunks", []) if isinstance(route, dict) else []
        for name in [trunks] if isinstance(trunks, str) else trunks if isinstance(trunks, list) else []:
            yield from _missing(f"routes.{index}.trunks", name, "trunks", _table(raw, "trunks"))


def _table(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = raw.get(name, {})
    return found if isinstance(found, dict) else {}


def _missing(where: str, wanted: object, kind: str, there: Mapping[str, Any]) -> Iterator[Mistake]:
    if isinstance(wanted, str) and wanted not in there:
        known = f"only {', '.join(there)}" if there else "none at all"
        yield Mistake(where, f"There is no [{kind}.{wanted}], {known}.{texts.nearest(wanted, there)}")
