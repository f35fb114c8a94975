"""The type of settings that name a time zone."""

from typing import Annotated

from pydantic import AfterValidator

from dialerd.core.times import zone_named


def _zone(text: str) -> str:
    zone_named(text)
    return text


Zone = Annotated[str, AfterValidator(_zone)]
"""An IANA name, such as Europe/Berlin."""
