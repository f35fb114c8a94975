"""Which fields each kind of job has, and which of them go together: for the check of documents, for templates
and for the JSON Schema."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from dialerd.core.errors import Mistake

CALL = "call"
SCRIPT = ("connect", "flow", "play_url", "say")
"""What a provider does with a call: one of these."""

ACTIONS = ("play", "application", "context")
"""What Asterisk does with it: one of these."""

_ALL = (
    "kind", "provider", "not_before", "not_after", "retry", "max_retries", "retry_time", "max_dials",
    "kill_after", "priority", "on_doubt", "key", "batch", "tags", "report_url",
)  # fmt: skip
_PEOPLE = (*_ALL, "to", "hours", "recipient_timezone")

FIELDS_OF: Mapping[str, tuple[str, ...]] = {
    CALL: (
        *_PEOPLE, "channel", "trunk", "ring", "application", "data", "context", "extension",
        "dialplan_priority", "play", "caller_id", "variables", "account", "wait_time", "codecs",
        "early_media", *SCRIPT, "language", "longest", "record", "extra",
    ),
    "sms": (*_PEOPLE, "body", "template", "sender", "media", "urgent", "bulk", "extra"),
    "fax": (*_PEOPLE, "document", "document_file", "filename", "caller_id", "header", "extra"),
    "conference": (*_PEOPLE, "room", "caller_id", "extra"),
    "ivr": (*_PEOPLE, "steps", "message", "caller_id", "longest", "extra"),
    "number": (*_ALL, "order", "number", "details"),
}  # fmt: skip
"""By kind of job."""

KINDS = tuple(FIELDS_OF)


@dataclass(frozen=True, slots=True)
class Choice:
    """One at least of `names` must be given; of the others in a group of `exclusive` one at most."""

    names: tuple[str, ...]
    sentence: str
    exclusive: tuple[tuple[str, ...], ...] = ()


_TO = Choice(("to",), "Say whom it is for: give to.")
CHOICES: Mapping[str, tuple[Choice, ...]] = {
    CALL: (
        Choice(
            ("to", "channel", "connect"),
            "Say whom to call: give to or channel.",
            (
                ("to", "channel"),
                ("trunk", "provider"),
                *(("channel", each) for each in ("provider", *SCRIPT)),
            ),
        ),
        Choice(
            (*ACTIONS, *SCRIPT),
            "Say what happens on answer: give play, application or context (for Asterisk), or connect, flow,"
            " play_url or say (for a provider).",
            (ACTIONS, SCRIPT),
        ),
    ),
    "sms": (
        _TO,
        Choice(
            ("body", "template", "media"),
            "Say what is sent: give body, template or media.",
            (("body", "template"),),
        ),
    ),
    "fax": (
        _TO,
        Choice(
            ("document", "document_file"),
            "Say what is sent: give document (the id of an upload), or in the drop folder document_file.",
            (("document", "document_file"),),
        ),
    ),
    "conference": (_TO,),
    "ivr": (_TO,),
    "number": (
        Choice(("order",), "Say what is ordered: give order, such as buy."),
        Choice(("provider",), "Say whose it is: give provider. An order never goes to another one."),
    ),
}

ONLY_WITH: Mapping[str, tuple[str, ...]] = {
    "data": ("application",),
    "extension": ("context",),
    "dialplan_priority": ("context",),
    "trunk": ("to",),
    "language": ("say",),
}
"""Fields that say nothing without one of some others."""

_ONLY_WITH_IN_CALLS: Mapping[str, tuple[str, ...]] = {"longest": SCRIPT, "record": SCRIPT, "extra": SCRIPT}


def together(kind: str, given: Collection[str]) -> Iterator[Mistake]:
    """What is wrong with the fields of a document beside each other, whatever their values are."""
    foreign = {
        name: kinds
        for name in given
        if name not in FIELDS_OF[kind]
        and (kinds := [each for each, fields in FIELDS_OF.items() if name in fields])
    }
    for name, kinds in foreign.items():
        right = " or ".join(f'"{each}"' for each in kinds)
        hint = f'leave it out, or give "kind": "{kinds[0]}"' if "kind" not in given else "leave it out"
        yield Mistake(name, f'Jobs of kind {right} have this, and not those of kind "{kind}": {hint}.')
    if foreign and "kind" not in given:
        return
    for choice in CHOICES[kind]:
        yield from _chosen(choice, given)
    for name, others in only_with(kind).items():
        if name in given and not any(other in given for other in others):
            which = others[0] if len(others) == 1 else f"one of {', '.join(others)}"
            yield Mistake(name, f"This goes only together with {which}: add {which}, or leave {name} out.")


def only_with(kind: str) -> Mapping[str, tuple[str, ...]]:
    """The fields of a kind that say nothing without one of some others."""
    return {**ONLY_WITH, **_ONLY_WITH_IN_CALLS} if kind == CALL else {}


def _chosen(choice: Choice, given: Collection[str]) -> Iterator[Mistake]:
    if not any(name in given for name in choice.names):
        yield Mistake(choice.names[0], choice.sentence)
    for group in choice.exclusive:
        found = [name for name in group if name in given]
        if len(found) > 1:
            yield Mistake(found[1], f"Give only one of {' and '.join(found)}.")


def schema_of(kind: str) -> dict[str, Any]:
    """What the JSON Schema says of this kind beyond the fields themselves."""
    return {
        "title": kind,
        "properties": {"kind": {"const": kind}},
        "propertyNames": {"enum": list(FIELDS_OF[kind])},
        **({} if kind == CALL else {"required": ["kind"]}),
        "allOf": [part for choice in CHOICES[kind] for part in _schemas_of(choice)],
        "dependentSchemas": {name: _one_of(others) for name, others in only_with(kind).items()},
    }


def _schemas_of(choice: Choice) -> Iterator[dict[str, Any]]:
    yield _one_of(choice.names)
    for group in choice.exclusive:
        yield from ({"not": {"required": list(pair)}} for pair in combinations(group, 2))


def _one_of(names: tuple[str, ...]) -> dict[str, Any]:
    return {"anyOf": [{"required": [name]} for name in names]}
