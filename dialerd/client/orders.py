"""Standing orders: what is paused, and the trunks as they stand."""

from typing import Any

from dialerd.client.asking import Asks
from dialerd.client.fields import Order


class Orders:
    """The client's methods on orders and trunks."""

    def pause(self: Asks, scope: str, reason: str = "") -> dict[str, Any]:
        """Begins no more calls of `scope`: "all", "trunk:NAME", "batch:NAME" or "batch:OWNER:NAME" (a uid).

        Calls under way go on. The answer's `scope` names the owner, `orders` are all that stand now.
        """
        return self._call("POST", "/v1/pause", {"scope": scope, "reason": reason})[1]

    def resume(self: Asks, scope: str, reason: str = "") -> dict[str, Any]:
        """Lets what is paused go on; other orders stand."""
        return self._call("POST", "/v1/resume", {"scope": scope, "reason": reason})[1]

    def orders(self: Asks) -> list[Order]:
        """The orders that stand."""
        found: list[Order] = self._get("/v1/orders")["orders"]
        return found

    def trunks(self: Asks) -> list[dict[str, Any]]:
        """The trunks as they stand."""
        found: list[dict[str, Any]] = self._get("/v1/trunks")["trunks"]
        return found
