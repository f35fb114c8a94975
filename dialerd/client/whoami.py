"""The client's questions as whom dialerd sees it, and what dialerd sees of its ground."""

from typing import Any, Protocol


class _Getting(Protocol):
    def _get(self, target: str) -> dict[str, Any]: ...


class Whoami:
    """A part of the client."""

    def whoami(self: _Getting) -> dict[str, Any]:
        """Our `uid`, `groups`, `roles` and `rights`, and in `may_use` what our jobs may ask for."""
        return self._get("/v1/whoami")

    def check(self: _Getting) -> dict[str, Any]:
        """Has the daemon look at everything: its `version`, and `findings`, the worst first."""
        return self._get("/v1/check")
