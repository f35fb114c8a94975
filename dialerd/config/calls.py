"""The sections about calls: what may be asked for, the ways out, and the routes to them."""

from functools import partial
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from dialerd.config.caps import CapsSettings
from dialerd.config.destinations import DestinationTexts
from dialerd.config.fields import (
    Context,
    Duration,
    Name,
    Patterns,
    Section,
    Texts,
    as_tuple,
    bounds,
    country,
    extension_patterns,
)
from dialerd.config.zones import Zone
from dialerd.core import texts
from dialerd.core.destinations import Destinations
from dialerd.core.policy import Route, Trunk
from dialerd.core.routing import PUBLIC_PLACEHOLDERS, extension_pattern, template_mistakes

FASTEST = 1000.0
"""Calls a second: more than any Asterisk takes."""


class Calls(Section):
    """What submitters may ask of Asterisk. The lists hold shell patterns (`*`, `?`).

    `expire_after`: how long a job that names no not_after may wait (seconds). `timezone`: of callees whose
    number does not tell theirs.
    """

    default_country: Annotated[str, AfterValidator(country)] | None = None
    default_trunk: str | None = None
    destinations: DestinationTexts = ()
    applications: Patterns = ("Playback",)
    functions: Patterns = ()
    channels: Patterns = ()
    contexts: Patterns = ()
    caller_ids: Patterns = ("*",)
    hours: str | None = None
    retry: str | None = None
    timezone: Zone = "UTC"
    expire_after: Annotated[Duration, bounds(60, 366 * 86400)] = 24 * 3600
    urgent_priority: Annotated[int, Field(ge=1, le=9)] = 8
    ring_context: Context = "dialerd-ring"


class TrunkSettings(Section):
    """One way out through Asterisk."""

    channel: Annotated[str, AfterValidator(partial(texts.bounded, most=400))]
    extensions: Annotated[Patterns, AfterValidator(extension_patterns)] = ()
    public: bool | None = None
    caller_ids: Patterns = ("*",)
    destinations: DestinationTexts | None = None
    calls_per_second: Annotated[float, Field(gt=0, le=FASTEST, strict=False)] | None = None
    max_channels: Annotated[int, Field(ge=1, le=20_000)] | None = None
    reserved_channels: Annotated[int, Field(ge=0, le=20_000)] = 0
    reserved_rate: Annotated[float, Field(ge=0, le=FASTEST, strict=False)] = 0.0
    caps: CapsSettings = CapsSettings()

    @model_validator(mode="after")
    def _fits(self) -> "TrunkSettings":
        mistakes = list(template_mistakes(self.channel, bool(self.extensions)))
        if self.reserved_channels and (
            self.max_channels is None or self.reserved_channels >= self.max_channels
        ):
            mistakes.append("reserved_channels are a part of max_channels: give that, and reserve less.")
        if self.reserved_rate and (
            self.calls_per_second is None or self.reserved_rate >= self.calls_per_second
        ):
            mistakes.append("reserved_rate is a part of calls_per_second: give that, and reserve less.")
        if mistakes:
            raise ValueError(" ".join(mistakes))
        return self

    def trunk(self, name: str) -> Trunk:
        """The trunk as core reads it."""
        leads_out = any(f"{{{each}}}" in self.channel for each in PUBLIC_PLACEHOLDERS)
        return Trunk(
            name,
            self.channel,
            extension_pattern(self.extensions) if self.extensions else None,
            public=leads_out if self.public is None else self.public,
            caller_ids=self.caller_ids,
            destinations=None if self.destinations is None else Destinations.parse(self.destinations),
            calls_per_second=self.calls_per_second,
            max_channels=self.max_channels,
            reserved_channels=self.reserved_channels,
            reserved_rate=self.reserved_rate,
            caps=self.caps.caps(),
        )


class RouteSettings(Section):
    """Numbers that some ways out take, in this order. `trunks` is an older word for `ways`."""

    kinds: Annotated[
        tuple[Literal["call", "sms", "fax", "conference", "ivr"], ...],
        BeforeValidator(as_tuple),
        Field(min_length=1),
    ] = ("call",)
    destinations: DestinationTexts
    tags: Texts = ()
    ways: Annotated[tuple[Name, ...], BeforeValidator(as_tuple), Field(min_length=1)] | None = None
    trunks: Annotated[tuple[Name, ...], BeforeValidator(as_tuple), Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _once(self) -> "RouteSettings":
        if (self.ways is None) is (self.trunks is None):
            raise ValueError(
                "Give its ways out, in order, as ways or (the older word) as trunks: one of both."
            )
        if len(set(self.in_order)) < len(self.in_order):
            raise ValueError("A way out stands twice in this route: each takes a job once.")
        if not self.destinations:
            raise ValueError('A route without destinations leads nowhere: write some, or "*" for all others.')
        return self

    @property
    def in_order(self) -> tuple[str, ...]:
        """Its ways out."""
        return self.ways or self.trunks or ()

    def route(self) -> Route:
        """The route as core reads it."""
        return Route(Destinations.parse(self.destinations), self.in_order, self.kinds, self.tags)
