"""Caps: how much an owner, a trunk or all together may use on a day. Pure."""

from dataclasses import dataclass, field
from typing import NamedTuple

from dialerd.core.charges import format_money
from dialerd.core.policy import Caps


class Used(NamedTuple):
    """Calls dialled, seconds talked, and what they cost in units of 1/10000."""

    calls: int = 0
    seconds: int = 0
    cost: int = 0

    def plus(self, other: "Used") -> "Used":
        """Both together."""
        return Used(self.calls + other.calls, self.seconds + other.seconds, self.cost + other.cost)


@dataclass(frozen=True, slots=True)
class Fuse:
    """What pauses a trunk: `spend` units within `spend_s` seconds, or `areas` areas never called before
    within `areas_s`. None: never."""

    spend: int | None = None
    spend_s: int = 600
    areas: int | None = None
    areas_s: int = 3600


@dataclass(frozen=True, slots=True)
class Budget:
    """The caps of the configuration. `reserve_s`: what a running call is taken to last while it runs. `zone`
    is where a day begins at midnight."""

    owner: Caps = field(default_factory=Caps)
    total: Caps = field(default_factory=Caps)
    zone: str = "UTC"
    reserve_s: int = 180
    currency: str = ""
    fuse: Fuse = field(default_factory=Fuse)

    def counts_money(self, trunk: Caps) -> bool:
        """Whether what a call costs must be known before it is made."""
        caps = (self.owner, self.total, trunk)
        return self.fuse.spend is not None or any(each.spend_per_day is not None for each in caps)


def over(caps: Caps, used: Used, more: Used) -> str | None:
    """What of the caps `more` would pass, as a piece of a sentence; None where all fits."""
    if caps.calls_per_day is not None and used.calls + more.calls > caps.calls_per_day:
        return f"has made {used.calls} calls today, of {caps.calls_per_day} at most"
    if caps.minutes_per_day is not None and used.seconds + more.seconds > caps.minutes_per_day * 60:
        return f"has used {used.seconds // 60} minutes today, of {caps.minutes_per_day} at most"
    if caps.spend_per_day is not None and used.cost + more.cost > caps.spend_per_day:
        most = format_money(caps.spend_per_day)
        return f"has spent {format_money(used.cost)} today, of {most} at most"
    return None


def area_of(e164: str) -> str:
    """The area of a number for the fuse: + and its first six digits."""
    return e164[:7]
