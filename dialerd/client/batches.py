"""Batches: how they stand, and a file's rows judged before they are submitted."""

from typing import Any

from dialerd.client.asking import Asks, path, query
from dialerd.client.fields import Figures


class Batches:
    """The client's methods on batches."""

    def batches(self: Asks, owner: int | None = None, limit: int | None = None) -> list[Figures]:
        """The newest batches, of one user (a uid) or of all."""
        found: list[Figures] = self._get("/v1/batches" + query({"owner": owner, "limit": limit}))["batches"]
        return found

    def batch(self: Asks, name: str, owner: int | None = None) -> Figures:
        """How a batch stands. Raises NoSuchJob where there is none of this name."""
        target = path("v1", "batches", name) + query({"owner": owner})
        found: Figures = self._get(target)  # type: ignore[assignment]
        return found

    def cancel_batch(self: Asks, name: str, owner: int | None = None, reason: str = "") -> dict[str, Any]:
        """Cancels all jobs of a batch that have not ended. Raises NotAllowed where there is no such batch."""
        target = path("v1", "batches", name, "cancel") + query({"owner": owner})
        return self._call("POST", target, {"reason": reason})[1]
