"""What providers say as JSON: fields that say nothing are left out, times are UTC with Z."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from dialerd.core.receipts import Page
from dialerd.core.times import format_when


def present(value: Any, raw: bool = False) -> Any:
    """The value as JSON. `raw`: with the provider's own record, as it came."""
    if is_dataclass(value) and not isinstance(value, type):
        return _record(value, raw)
    if isinstance(value, Mapping):
        return {str(name): present(each, raw) for name, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [present(each, raw) for each in value]
    if isinstance(value, datetime):
        return format_when(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    return value if value is None or isinstance(value, (str, int, float)) else str(value)


def told(value: Any, raw: bool = False) -> dict[str, Any]:
    """An answer's members: `items` of a list, else `value`."""
    if isinstance(value, Page):
        value = value.items
    several = isinstance(value, (list, tuple))
    return {"items" if several else "value": present(value, raw)}


def _record(value: Any, raw: bool) -> dict[str, Any]:
    return {
        each.name: present(getattr(value, each.name), raw)
        for each in fields(value)
        if not _says_nothing(each, getattr(value, each.name)) and (raw or each.name != "raw")
    }


def _says_nothing(field: "Field[Any]", value: Any) -> bool:
    """Whether it is empty, or the False that stands where nothing was said. A False that could have been None
    was said."""
    if value is False:
        return field.default is not MISSING and field.default is False
    return value is None or value == "" or value == () or value == {}


def standing(each: Mapping[str, Any], operations: Sequence[str]) -> dict[str, Any]:
    """A provider as it stands; `state` and `why` say what an operator has to know first."""
    shown: dict[str, Any] = {name: value for name, value in present(each).items() if value is not None}
    breaker = {"open": "out of order", "half-open": "on trial"}.get(str(each.get("breaker")))
    if each.get("paused"):
        state, why = "paused", each.get("why")
    elif each.get("refused"):
        state, why = "refused", each.get("last_error")
    elif each.get("blocked_until"):
        state, why = "waits", each.get("blocked_why")
    elif breaker is None and each.get("cap"):
        state, why = "capped", each["cap"]
    else:
        state, why = breaker or "up", each.get("trouble")
    return {**shown, "operations": list(operations), "state": state, **({"why": str(why)} if why else {})}
