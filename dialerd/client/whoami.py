"""The client's question as whom dialerd sees it."""

from typing import Any, Protocol


class _Getting(Protocol):
    def _get(self, target: str) -> dict[str, Any]: ...


class Whoami:
    """A part of the client."""

    def whoami(self: _Getting) -> dict[str, Any]:
        """Our `uid`, `groups`, `roles` and `rights`, and in `may_use` what our jobs may ask for."""
        return self._get("/v1/whoami")
