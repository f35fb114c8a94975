"""The section [caps]: how much may be used on a day, and the fuse."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from dialerd.config.fields import Duration, Place, Section, bounds
from dialerd.config.zones import Zone
from dialerd.core.budget import Budget, Fuse
from dialerd.core.charges import parse_money
from dialerd.core.policy import Caps


def _money(value: object) -> object:
    if isinstance(value, str):
        return parse_money(value)
    if value is None or not isinstance(value, int | float):
        return value
    raise ValueError(f'Write the amount in quotes, such as "{value}".')


Money = Annotated[int, BeforeValidator(_money), Field(ge=1)]
Count = Annotated[int, Field(ge=1, le=100_000_000)]


class CapsSettings(Section):
    """What may be used on a day at most; left out: no cap."""

    calls_per_day: Count | None = None
    minutes_per_day: Count | None = None
    spend_per_day: Money | None = None

    def caps(self) -> Caps:
        """The caps as core reads them."""
        return Caps(self.calls_per_day, self.minutes_per_day, None, self.spend_per_day)


class OwnerCaps(CapsSettings):
    """What one owner may use. `concurrent`: calls at once."""

    concurrent: Annotated[int, Field(ge=1, le=20_000)] | None = None

    def caps(self) -> Caps:
        """The caps as core reads them."""
        return Caps(self.calls_per_day, self.minutes_per_day, self.concurrent, self.spend_per_day)


class FuseSettings(Section):
    """What pauses a trunk: more `spend` within `spend_within`, or more areas never called before within
    `new_areas_within`."""

    spend: Money | None = None
    spend_within: Annotated[Duration, bounds(60, 86400)] = 600
    new_areas: Count | None = None
    new_areas_within: Annotated[Duration, bounds(60, 86400)] = 3600


class CapsSection(Section):
    """Caps of each owner and of all together. `rates` is the file that says what calls cost; `reserve` is
    what a running call is taken to last (seconds)."""

    timezone: Zone = "UTC"
    currency: str = ""
    rates: Place | None = None
    reserve: Annotated[Duration, bounds(1, 86400)] = 180
    owner: OwnerCaps = OwnerCaps()
    total: CapsSettings = CapsSettings()
    fuse: FuseSettings = FuseSettings()

    def budget(self) -> Budget:
        """The caps as the engine reads them."""
        fuse = self.fuse
        return Budget(
            owner=self.owner.caps(),
            total=self.total.caps(),
            zone=self.timezone,
            reserve_s=self.reserve,
            currency=self.currency,
            fuse=Fuse(fuse.spend, fuse.spend_within, fuse.new_areas, fuse.new_areas_within),
        )
