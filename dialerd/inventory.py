"""The inventory: what is known of our numbers beside what a provider says at the moment. Prices and expiry
are remembered, and told of in time."""

import json
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from dialerd.core.inbound import Did
from dialerd.core.receipts import Number
from dialerd.durable import replace_file
from dialerd.log import get_logger

log = get_logger(__name__)

WARN_BEFORE = timedelta(days=14)
_KEPT = ("monthly", "setup", "per_minute", "currency")
_FILE = "numbers.json"


class Inventory:
    """Numbers by provider. From any thread."""

    def __init__(self, state: Path, dids: Mapping[str, Did]) -> None:
        """Reads what was remembered; a damaged file is begun anew, since providers can be asked again."""
        self._path, self.dids = state / _FILE, dids
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, dict[str, Any]]] = {}
        with suppress(OSError, ValueError):
            found = json.loads(self._path.read_text())
            self._known = found if _is_sound(found) else {}

    def merge(self, provider: str, items: Sequence[Any]) -> list[Any]:
        """What a provider lists, with what we know of each, and our numbers that it should have and does
        not list. Without a provider (""): our numbers that are at none."""
        if not provider:
            return [Number(did.number, context=did.context) for did in self.dids.values() if not did.provider]
        numbers = [each for each in items if isinstance(each, Number)]
        with self._lock:
            known = self._known.get(provider, {})
            merged = [self._with_known(each, known.get(each.number, {})) for each in numbers]
            self._known[provider] = {each.number: _kept(each) for each in merged}
            self._save()
        listed = {each.number for each in numbers}
        missing = [did for did in self.dids.values() if did.provider == provider and did.number not in listed]
        return [*merged, *(Number(did.number, context=did.context, missing=True) for did in missing)]

    def problems(self, today: date) -> list[str]:
        """The numbers that are given up soon unless somebody does something."""
        found = []
        with self._lock:
            for provider, numbers in self._known.items():
                for number, known in numbers.items():
                    expiry = known.get("expiry")
                    if expiry and not known.get("renews") and _is_near(expiry, today):
                        found.append(
                            f"The number {number} of {provider} expires on {expiry}: subscribe to it again."
                        )
        return found

    def _with_known(self, number: Number, known: Mapping[str, Any]) -> Number:
        """What the provider says wins; what it leaves out is as it was."""
        old = {name: known[name] for name in _KEPT if known.get(name) and getattr(number, name) is None}
        did = self.dids.get(number.number)
        return replace(number, **old, context=None if did is None else did.context)

    def _save(self) -> None:
        try:
            replace_file(self._path, json.dumps(self._known, indent=1, sort_keys=True).encode())
        except OSError as error:
            log.warning("inventory_not_kept", why=error.strerror)


def _is_sound(found: Any) -> bool:
    """Whether this is what was written here. Raises ValueError for an expiry that is no day."""
    if not isinstance(found, dict) or not all(isinstance(each, dict) for each in found.values()):
        return False
    kept = [known for numbers in found.values() for known in numbers.values()]
    for known in kept:
        if not isinstance(known, dict):
            return False
        date.fromisoformat(str(known.get("expiry", date.max)))
    return True


def _is_near(expiry: str, today: date) -> bool:
    return date.fromisoformat(expiry) - today <= WARN_BEFORE


def _kept(number: Number) -> dict[str, Any]:
    found = asdict(number)
    kept = {name: found[name] for name in (*_KEPT, "renews") if found[name] is not None}
    return kept | ({"expiry": number.expiry.isoformat()} if number.expiry is not None else {})
