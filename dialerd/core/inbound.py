"""What is configured of what comes in: where providers reach us, and the numbers that are ours."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from dialerd.core.tasks import Step

Network = IPv4Network | IPv6Network

MAX_BODY_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """Where callbacks of providers are taken: at a Unix socket (`path`, with `mode` and `group`, "" for the
    daemon's own), or else at `host` and `port`.

    `public_url` is how providers reach that, without / at its end. `proxies` are those whose X-Forwarded-For
    counts. `max_body` is in bytes. `sources` are the networks that a provider's callbacks may come from, by
    its name; one that is not there may come from anywhere. `metrics` are the networks that may read the
    metrics.
    """

    public_url: str
    host: str = "127.0.0.1"
    port: int = 8443
    path: Path | None = None
    mode: int = 0o660
    group: str = ""
    proxies: tuple[Network, ...] = ()
    max_body: int = MAX_BODY_BYTES
    sources: Mapping[str, tuple[Network, ...]] = field(default_factory=dict)
    metrics: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Did:
    """A number of ours (E.164). `context` is where Asterisk takes its calls; `provider` has it.

    What a provider that asks is told: `action` is its own line for it, `steps` those of a session.
    """

    number: str
    context: str | None = None
    provider: str | None = None
    action: str | None = None
    steps: tuple[Step, ...] = ()
