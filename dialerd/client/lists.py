"""Stop lists and rates: numbers that must not be called, and what calls cost."""

import json
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from dialerd.client.asking import Asks, path, query
from dialerd.client.errors import raise_problem
from dialerd.client.wire import LostConnection, Wire

T = TypeVar("T")


class _Sends(Asks, Protocol):
    """What the client lends for a body that is no JSON."""

    _wire: Wire

    def _patiently(self, once: Callable[[], T], again: bool = True) -> T: ...


class Lists:
    """The client's methods on stop lists and rates."""

    def dnc_lists(self: Asks) -> list[dict[str, Any]]:
        """Every stop list: name, entries, reason, file, writable, problems."""
        found: list[dict[str, Any]] = self._get("/v1/stop-lists")["lists"]
        return found

    def dnc_check(self: Asks, number: str) -> dict[str, Any]:
        """Whether a number is stopped: `stopped` is a sentence or None, `entries` the lines that say so."""
        return self._get("/v1/stop-lists/check" + query({"number": number}))

    def dnc_add(self: Asks, number: str, list: str = "opt-out", reason: str = "") -> dict[str, Any]:
        """Puts a number on a list; on disk and in force when it returns. Twice is no error.

        Raises Refused; NoSuchJob where there is no such list.
        """
        document = {"number": number, "reason": reason} if reason else {"number": number}
        return self._call("POST", path("v1", "stop-lists", list, "add"), document)[1]

    def dnc_remove(self: Asks, number: str, list: str = "opt-out") -> dict[str, Any]:
        """Takes a number off a list; `stopped` says whether another list still has it."""
        return self._call("POST", path("v1", "stop-lists", list, "remove"), {"number": number})[1]

    def dnc_import(self: _Sends, list: str, text: bytes) -> int:
        """Adds all entries of a list's text, or none; how many were not there yet.

        Raises Refused with the line of each mistake.
        """
        target, headers = path("v1", "stop-lists", list, "import"), {"Content-Type": "text/plain"}

        def once() -> tuple[int, dict[str, Any]]:
            reply = self._wire.request("POST", target, headers, text)
            try:
                return reply.status, json.loads(reply.body())
            except ValueError:
                raise LostConnection("its answer is not JSON") from None

        status, answer = self._patiently(once)
        if status >= 400:
            raise_problem(status, answer)
        return int(answer["added"])

    def rates_check(self: Asks, number: str, trunk: str | None = None) -> dict[str, Any]:
        """What calls to a number cost: `rate` has prefix, per_minute, connect, increment (seconds) and trunk,
        or is None."""
        return self._get("/v1/rates/check" + query({"number": number, "trunk": trunk}))
