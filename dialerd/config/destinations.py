"""The type of settings that list destinations: in [calls], [trunks.NAME], [[routes]] and roles."""

from typing import Annotated

from pydantic import AfterValidator

from dialerd.config.fields import Texts
from dialerd.core.destinations import Destinations


def _destinations(patterns: tuple[str, ...]) -> tuple[str, ...]:
    Destinations.parse(patterns)
    return patterns


DestinationTexts = Annotated[Texts, AfterValidator(_destinations)]
"""Patterns of destinations as they are written, each of them right: Destinations.parse takes them."""
