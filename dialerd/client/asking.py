"""What the parts of the client ask the daemon with."""

from collections.abc import Mapping
from typing import Any, Protocol


class Asks(Protocol):
    """What the client lends its parts."""

    def _get(self, target: str) -> dict[str, Any]: ...

    def _call(
        self, method: str, target: str, body: Mapping[str, Any] | None = None, again: bool = True
    ) -> tuple[int, dict[str, Any]]: ...


def path(*parts: str) -> str:
    """The address that these parts make, each percent-encoded."""
    from urllib.parse import quote

    return "".join(f"/{quote(part, safe='')}" for part in parts)


def query(values: Mapping[str, Any]) -> str:
    """The parameters behind an address; None is left out, and of several commas stand between."""
    from urllib.parse import urlencode

    given = {name: value for name, value in values.items() if value is not None}
    plain = {
        name: value if isinstance(value, (str, int)) else ",".join(value) for name, value in given.items()
    }
    return "?" + urlencode(plain) if plain else ""
