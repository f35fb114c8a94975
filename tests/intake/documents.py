"""What the tests of job documents share: rules, right documents, and the mistakes in wrong ones."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dialerd.core.destinations import Destinations
from dialerd.core.documents import PDF, Paper
from dialerd.core.errors import InvalidJob
from dialerd.core.model import Draft
from dialerd.core.operations import OPERATIONS
from dialerd.core.policy import Provider, Rules, Trunk
from dialerd.core.retry import RetryPolicy
from dialerd.core.routing import extension_pattern
from dialerd.intake.document import parse
from dialerd.intake.kinds import FIELDS_OF, SCRIPT

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

RULES = Rules(
    destinations=Destinations.parse(["*"]),
    retry={"patient": RetryPolicy("patient")},
    report_urls=("https://crm.example.com/",),
    trunks={
        "provider": Trunk("provider", "PJSIP/{digits}@provider", extension_pattern(["1XXX"])),
        "other": Trunk("other", "Local/{extension}@x", extension_pattern(["2XX"])),
    },
    providers={"cloud": Provider("cloud", "test", frozenset(OPERATIONS))},
    default_trunk="provider",
    default_country="DE",
    applications=("Playback", "NoOp"),
    functions=("CDR",),
    channels=("PJSIP/*",),
    contexts=("survey",),
)

EXAMPLES = Path(__file__).parents[2] / "etc/examples"

SIMPLE = {"to": "+4930123456", "play": "hello-world"}


PAPER = Paper("0" * 64, PDF, 1000, 2)


def uploaded(document: str) -> Paper | None:
    """The one document that was uploaded."""
    return PAPER if document == PAPER.id else None


def mistakes_in(document: Any, rules: Rules = RULES) -> dict[str, str]:
    with pytest.raises(InvalidJob) as caught:
        parse(document, rules, NOW, uploaded)
    return {mistake.where: mistake.what for mistake in caught.value.mistakes}


def one(document: Any, rules: Rules = RULES) -> Draft:
    (draft,) = parse(document, rules, NOW, uploaded)
    return draft


TO = {"to": "+4930123456"}
OF_KIND: dict[str, dict[str, Any]] = {
    "call": {**TO, "play": "hello-world"},
    "sms": {"kind": "sms", **TO, "body": "Hello."},
    "fax": {"kind": "fax", **TO, "document": PAPER.id},
    "conference": {"kind": "conference", **TO},
    "ivr": {"kind": "ivr", **TO, "steps": [{"play": "Hello."}]},
    "number": {"kind": "number", "provider": "cloud", "order": "buy", "number": "+4930123456"},
}
"""The shortest right document of each kind."""


def action_for(field: str) -> dict[str, str]:
    """The action that this field stands with."""
    if field in ("context", "extension", "dialplan_priority"):
        return {"context": "survey"}
    return {"application": "NoOp"} if field in ("application", "data") else {"play": "hello-world"}


def with_field(field: str, value: Any) -> dict[str, Any]:
    """A right document with this field in it, of the first kind that has it."""
    kind = next(kind for kind, fields in FIELDS_OF.items() if field in fields)
    if kind != "call":
        alone = {"template": "body", "media": "", "document_file": "document"}
        return {name: each for name, each in OF_KIND[kind].items() if name != alone.get(field, "")} | {
            field: value
        }
    if field in (*SCRIPT, "provider", "language", "longest", "record", "extra"):
        script = {} if field in SCRIPT else {"say": "Hello."}
        return {**TO, "provider": "cloud", **script, field: value}
    whom = {} if field in ("to", "channel") else {"to": "+4930123456"}
    return {**whom, **action_for(field), field: value}


LIMITS: list[tuple[str, Any, Any]] = [
    ("data", "x" * 1016, "x" * 1017),
    ("data", "x;" * 338 + "xx", "x;" * 338 + "xxx"),
    ("data", "é" * 508, "é" * 509),
    ("application", "Playback", "a" * 80),
    ("context", "survey", "c" * 80),
    ("extension", "e" * 79, "e" * 80),
    ("dialplan_priority", 9999, 10000),
    ("dialplan_priority", 1, 0),
    ("play", "x" * 1016, "x" * 1017),
    ("play", "a", ""),
    ("caller_id", {"name": "x" * 79}, {"name": "x" * 80}),
    ("caller_id", {"name": "ü" * 39}, {"name": "ü" * 40}),
    ("caller_id", {"number": "1" * 40}, {"number": "1" * 41}),
    ("caller_id", {"number": "+1"}, {"number": "+"}),
    ("caller_id", "x", ""),
    ("caller_id", "<1>", {}),
    ("variables", {}, {f"v{number}": "" for number in range(101)}),
    ("variables", {"a" * 41: "x"}, {"a" * 42: "x"}),
    ("variables", {"x": "y" * 1012}, {"x": "y" * 1013}),
    ("variables", {"x": ""}, {"": "x"}),
    ("account", "a" * 79, "a" * 80),
    ("account", "a", ""),
    ("wait_time", 1, 0),
    ("wait_time", 600, 601),
    ("codecs", ["ulaw"] * 20, ["ulaw"] * 21),
    ("codecs", "ulaw", ""),
    ("codecs", ["c" * 32], ["c" * 33]),
    ("max_retries", 0, -1),
    ("max_retries", 100, 101),
    ("retry_time", 1, 0),
    ("retry_time", 86400, 86401),
    ("priority", 0, -1),
    ("priority", 9, 10),
    ("key", "k" * 200, "k" * 201),
    ("key", "k", ""),
    ("batch", "b" * 200, "b" * 201),
    ("batch", "b", ""),
    ("tags", [f"t{number}" for number in range(32)], [f"t{number}" for number in range(33)]),
    ("tags", ["t" * 64], ["t" * 65]),
    ("tags", "t", []),
    (
        "to",
        [f"+4930123{number:04}" for number in range(1000)],
        [f"+4930123{number:04}" for number in range(1001)],
    ),
    ("to", "1000", ""),
    ("to", ["1000"], []),
    ("channel", "PJSIP/" + "x" * 400, "PJSIP/" + "x" * 401),
    ("channel", [f"PJSIP/{number}" for number in range(1000)], [f"PJSIP/{number}" for number in range(1001)]),
    ("channel", "PJSIP/1", "PJSIP/"),
    ("trunk", "provider", "p" * 41),
    ("not_before", "in 3660 days", "in 3661 days"),
    ("not_after", "2000-01-01T00:00Z", "1999-12-31T23:59Z"),
]
