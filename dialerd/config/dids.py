"""The sections [dids.NUMBER]: numbers that are ours, and what providers are told that ask about calls to
them."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, PlainValidator, model_validator

from dialerd.config.fields import Context, Name, Section, word
from dialerd.core import texts
from dialerd.core.errors import Mistake
from dialerd.core.inbound import Did
from dialerd.core.steps import parse_steps
from dialerd.core.tasks import Step

LONGEST_ACTION = 1000

DidNumber = Annotated[
    str,
    AfterValidator(
        partial(
            word,
            pattern=r"\+[1-9][0-9]{6,14}",
            otherwise="A number of yours is + and 7 to 15 digits, without blanks, such as +4930123456.",
        )
    ),
]


def _steps(value: object) -> tuple[Step, ...]:
    """Their mistakes, each with its place, are those of did_mistakes()."""
    return parse_steps(value, "")[0]


class DidSettings(Section):
    """One number."""

    context: Context | None = None
    provider: Name | None = None
    action: Annotated[str, AfterValidator(partial(texts.bounded, most=LONGEST_ACTION))] | None = None
    steps: Annotated[tuple[Step, ...], PlainValidator(_steps)] = ()

    @model_validator(mode="after")
    def _fits(self) -> "DidSettings":
        if self.context is None and self.provider is None:
            raise ValueError("Say who takes its calls: the context of the dialplan, the provider, or both.")
        if self.action is not None and self.steps:
            raise ValueError("A provider asks for an action or for steps: give one of them.")
        if self.provider is None and (self.action is not None or self.steps):
            raise ValueError(
                'An action, and steps, are for a provider: say which, such as provider = "xoxzo".'
            )
        return self

    def did(self, number: str) -> Did:
        """The number as core reads it."""
        return Did(number, self.context, self.provider, self.action, self.steps)


def did_mistakes(raw: Mapping[str, Any]) -> Iterator[Mistake]:
    """What is wrong with the steps, from the whole of the TOML."""
    sections = raw.get("dids", {})
    for number, section in sections.items() if isinstance(sections, dict) else ():
        if isinstance(section, dict) and "steps" in section:
            yield from parse_steps(section["steps"], f"dids.{number}.steps")[1]
