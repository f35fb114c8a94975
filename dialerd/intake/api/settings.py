"""Where the socket is, who may use it, and the bounds of what a client may ask for."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Sizes are bytes, times are seconds. `group` is a group's name, empty for the daemon's own.

    `inherited` is the descriptor of a socket that listens already (systemd's), None where we make our own.
    `provider_timeout`: a list of many pages keeps to the provider's rate limit, which takes long.
    """

    path: Path
    mode: int = 0o660
    group: str = ""
    inherited: int | None = None
    max_body: int = 1 << 20
    max_header: int = 16384
    header_timeout: float = 10.0
    read_timeout: float = 20.0
    write_timeout: float = 30.0
    idle_timeout: float = 75.0
    answer_timeout: float = 30.0
    provider_timeout: float = 300.0
    keep_alive: float = 15.0
    max_connections: int = 512
    max_connections_per_owner: int = 256
    batch_chunk: int = 500
    event_page: int = 200
