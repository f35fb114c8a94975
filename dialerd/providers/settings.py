"""What an account needs to know."""

from dataclasses import dataclass, field
from pathlib import Path

from dialerd.providers.base import Provider


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """One section [providers.NAME]. Seconds, unless the name says otherwise.

    `per_minute`: requests of all kinds, None for no bound. `connections`: requests under way at once.
    `plain`: http without TLS is allowed, to private addresses only. `proxy` is the address of an HTTP proxy,
    with its credentials if any. `ca_file`: the authorities to trust in place of the usual ones.
    """

    name: str
    provider: Provider
    base_url: str
    per_minute: float | None = None
    connections: int = 4
    connect_s: float = 10.0
    read_s: float = 30.0
    plain: bool = False
    proxy: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
