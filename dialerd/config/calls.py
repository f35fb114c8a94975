"""The sections about calls: what may be asked for, and the ways out."""

from functools import partial
from typing import Annotated

from pydantic import AfterValidator, model_validator

from dialerd.config.fields import Context, Patterns, Section, country, extension_patterns
from dialerd.core import texts
from dialerd.core.routing import template_mistakes


class Calls(Section):
    """What submitters may ask of Asterisk. The lists hold shell patterns (`*`, `?`)."""

    default_country: Annotated[str, AfterValidator(country)] | None = None
    default_trunk: str | None = None
    applications: Patterns = ("Playback",)
    functions: Patterns = ()
    channels: Patterns = ()
    contexts: Patterns = ()
    ring_context: Context = "dialerd-ring"


class TrunkSettings(Section):
    """One way out through Asterisk."""

    channel: Annotated[str, AfterValidator(partial(texts.bounded, most=400))]
    extensions: Annotated[Patterns, AfterValidator(extension_patterns)] = ()

    @model_validator(mode="after")
    def _fits(self) -> "TrunkSettings":
        if mistakes := list(template_mistakes(self.channel, bool(self.extensions))):
            raise ValueError(" ".join(mistakes))
        return self
