"""The safe default: what a submitter may ask of Asterisk without the administrator having listed it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from dialerd.core.errors import Mistake
from dialerd.core.model import Call


@dataclass(frozen=True, slots=True)
class Trunk:
    """A way out through Asterisk. `extensions` is a pattern of the internal numbers that it takes, or None
    for none."""

    name: str
    channel: str
    extensions: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration says about calls. The lists hold shell patterns (`*`, `?`)."""

    trunks: Mapping[str, Trunk] = field(default_factory=dict)
    default_trunk: str | None = None
    default_country: str | None = None
    applications: tuple[str, ...] = ("Playback",)
    functions: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()
    ring_context: str = "dialerd-ring"


def refusals(call: Call, rules: Rules) -> Iterator[Mistake]:
    """Every wish of the call that the configuration does not allow, each with the line that would allow
    it."""
    for channel in call.channel.split("&") if call.channel is not None else ():
        yield from _listed("channel", "channels", channel, rules.channels)
    if call.application is not None:
        yield from _listed("application", "applications", call.application, rules.applications, fold=True)
    if call.context is not None:
        yield from _listed("context", "contexts", call.context, rules.contexts)
    for name, _ in call.variables:
        if name.endswith(")"):
            function = name.partition("(")[0].lstrip("_")
            yield from _listed(f"variables.{name}", "functions", function, rules.functions, fold=True)


def _listed(
    where: str, setting: str, value: str, allowed: Iterable[str], fold: bool = False
) -> Iterator[Mistake]:
    text = value.lower() if fold else value
    if not any(fnmatchcase(text, pattern.lower() if fold else pattern) for pattern in allowed):
        line = f'{setting} = ["{value}"]'
        yield Mistake(
            where, f"{value!r} is not allowed here. The administrator can allow it under [calls]: {line}"
        )
