"""Jobs of every kind: what a document makes of them, and what is refused."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jsonschema
import pytest

from dialerd.core.errors import InvalidJob, Mistake
from dialerd.core.model import Call, OnDoubt
from dialerd.core.operations import OPERATIONS
from dialerd.core.policy import Provider, Route, Rules
from dialerd.core.retry import RetryPolicy
from dialerd.core.roles import Caller, Right, Role, with_included
from dialerd.core.tasks import Conference, Fax, Ivr, NumberOrder, Script, Sms, Step, Task
from dialerd.core.windows import Hours, parse_windows
from dialerd.intake.document import json_schema, parse, parse_row
from dialerd.intake.kinds import FIELDS_OF, KINDS
from tests.intake.documents import (
    EXAMPLES,
    NOW,
    OF_KIND,
    PAPER,
    RULES,
    mistakes_in,
    one,
    uploaded,
)

TO = {"to": "+4930123456"}
CLOUD = {"provider": "cloud"}


@pytest.mark.parametrize(
    ("document", "task"),
    [
        (
            {
                "body": "Hello,\nAnna",
                "sender": "ACME",
                "media": "https://a.example/1.png https://a.example/2.png",
                "urgent": True,
                "bulk": True,
                "extra": {"DltEntityId": "1701"},
            },
            Sms(
                "Hello,\nAnna",
                "ACME",
                ("https://a.example/1.png", "https://a.example/2.png"),
                urgent=True,
                bulk=True,
                extra=(("DltEntityId", "1701"),),
            ),
        ),
        ({"template": "t1", "sender": "+49 (30) 99"}, Sms("", "+493099", template="t1")),
        (
            {"kind": "fax", "document": PAPER.id, "filename": "a.pdf", "caller_id": "030-99", "header": ""},
            Fax(PAPER.id, PAPER.media_type, PAPER.size, 2, "a.pdf", "03099", ""),
        ),
        (
            {"kind": "conference", "room": "monday", "caller_id": "private"},
            Conference("monday", "private"),
        ),
        (
            {
                "kind": "ivr",
                "message": "Hello.",
                "longest": "10m",
                "steps": [
                    {"gather": {"max_digits": 1, "on": {"1": [{"transfer": {"to": "030 654321"}}], "": []}}}
                ],
            },
            Ivr(
                (
                    Step(
                        "gather",
                        max_digits=1,
                        on_digits=(("1", (Step("transfer", dest="+4930654321"),)), ("", ())),
                    ),
                ),
                "Hello.",
                longest=600,
            ),
        ),
        (
            {"kind": "number", "order": "buy", "number": "+49 30 123456", "details": {"duration": "12"}},
            NumberOrder("buy", "+4930123456", (("duration", "12"),)),
        ),
        (
            {"kind": "number", "order": "create-route", "details": {"value": "sip.example"}},
            NumberOrder("create-route", "", (("value", "sip.example"),)),
        ),
    ],
    ids=["sms", "template", "fax", "conference", "ivr", "number", "route"],
)
def test_every_field_of_a_kind_finds_its_place(document: dict[str, Any], task: Task) -> None:
    to = {} if document.get("kind") == "number" else TO

    draft = one({"kind": "sms", **to, **CLOUD, **document})

    assert draft.task == task
    assert (draft.ways, draft.call) == (("cloud",), Call(to=("+4930123456",) if to else ()))


def test_a_provider_gets_its_script_and_a_trunk_its_action() -> None:
    script = {"say": "Hello.", "language": "en", "longest": 90, "record": True, "extra": {"a": "b"}}
    both = Route(RULES.destinations, ("provider", "cloud"))

    alone = one({**TO, **script, **CLOUD})
    either = one({**TO, **script, "play": "hello"}, replace(RULES, routes=(both,)))

    made = Script(say="Hello.", language="en", longest=90, record=True, extra=(("a", "b"),))
    assert alone.call == Call(to=("+4930123456",), script=made)
    assert alone.ways == ("cloud",)
    assert either.call == Call(to=("+4930123456",), script=made, play="hello", trunk="provider")
    assert either.ways == ("provider", "cloud")


def test_the_trunk_of_a_call_is_the_first_among_its_ways() -> None:
    both = Route(RULES.destinations, ("cloud", "provider"))

    draft = one({**TO, "say": "Hello.", "play": "hello"}, replace(RULES, routes=(both,)))

    assert (draft.ways, draft.call.trunk) == (("cloud", "provider"), "provider")


def test_the_first_number_of_a_call_that_a_provider_connects_may_be_the_accounts_own() -> None:
    draft = one({"connect": "030 654321", **CLOUD})

    assert draft.call == Call(script=Script(connect="+4930654321"))
    assert draft.ways == ("cloud",)


@pytest.mark.parametrize(
    "call", [{**TO, "say": "Hello."}, {"connect": "+4930654321"}], ids=["say", "connect"]
)
def test_a_call_that_no_trunk_could_make_takes_the_only_provider_that_can(call: dict[str, Any]) -> None:
    assert one(call).ways == ("cloud",)


def test_several_numbers_are_a_job_each_but_one_conference() -> None:
    to = {"to": ["+4930123456", "+4930123457"]}

    messages = parse({**OF_KIND["sms"], **to, "key": "k"}, RULES, NOW)
    conference = one({**OF_KIND["conference"], **to, "key": "k"})

    assert [(each.call.to, each.key, each.batch) for each in messages] == [
        (("+4930123456",), "k/1", "k"),
        (("+4930123457",), "k/2", "k"),
    ]
    assert (conference.call.to, conference.key) == (("+4930123456", "+4930123457"), "k")


@pytest.mark.parametrize(
    ("document", "where", "sentence"),
    [
        ({**OF_KIND["sms"], "play": "x"}, "play", 'not those of kind "sms": leave it out'),
        ({**OF_KIND["call"], "body": "x"}, "body", 'or give "kind": "sms"'),
        ({**OF_KIND["number"], "hours": "mon 9:00-10:00"}, "hours", "leave it out"),
        ({"kind": "sms", **TO}, "body", "Say what is sent"),
        ({"kind": "sms", "body": "x"}, "to", "Say whom it is for"),
        ({**OF_KIND["sms"], "template": "x"}, "template", "only one of body and template"),
        ({**OF_KIND["sms"], "provider": "clod"}, "provider", 'Did you mean "cloud"'),
        ({**OF_KIND["sms"], "sender": "A<script>"}, "sender", "A sender is"),
        ({**OF_KIND["sms"], "media": "http://a.example/x"}, "media.0", "https://"),
        ({**OF_KIND["sms"], "body": "a\0b"}, "body", "control character"),
        ({**OF_KIND["sms"], "body": "x" * 10_001}, "body", "10000 are the most"),
        ({**OF_KIND["sms"], "to": "1000"}, "to", "wrong length"),
        ({**OF_KIND["sms"], "extra": {"a b": "c"}}, "extra", "no field's name"),
        ({**OF_KIND["sms"], "extra": {"a": 5}}, "extra.a", "in quotes"),
        ({"kind": "fax", **TO}, "document", "Say what is sent"),
        ({"kind": "fax", **TO, "document": "1" * 64}, "document", "no such document"),
        ({"kind": "fax", **TO, "document": "letter.pdf"}, "document", "no document's id"),
        ({"kind": "fax", **TO, "document_file": "../a.pdf"}, "document_file", "in the drop folder itself"),
        ({"kind": "fax", **TO, "document_file": "a.json"}, "document_file", "ends in .pdf, .tif, .tiff"),
        ({"kind": "fax", **TO, "document_file": "a.pdf"}, "document_file", "Only the drop folder"),
        ({**OF_KIND["fax"], "caller_id": '"Anna" <1>'}, "caller_id", "without a name"),
        ({**OF_KIND["ivr"], "steps": [{"ply": "x"}]}, "steps.0", "no step 'ply'"),
        ({**OF_KIND["ivr"], "steps": "no json"}, "steps", "not JSON"),
        ({**OF_KIND["ivr"], "longest": "2 days"}, "longest", "between one second and a day"),
        ({**OF_KIND["number"], "number": "+1"}, "number", "no phone number"),
        ({"kind": "number", **CLOUD, "order": "release"}, "number", "give number"),
        ({"kind": "number", "order": "buy", "number": "x"}, "provider", "give provider"),
        ({**TO, "say": "x", "trunk": "provider"}, "trunk", "A trunk can't do this"),
        ({**TO, "play": "x", "provider": "cloud"}, "provider", "say what it does on answer"),
        ({**TO, "play": "x", "longest": 5}, "longest", "only together with one of connect"),
        ({**TO, "say": "x", **CLOUD, "flow": "1"}, "say", "only one of flow and say"),
        ({**TO, "connect": "112", **CLOUD}, "connect", "emergency"),
        ({**TO, "play_url": "file:///etc/passwd", **CLOUD}, "play_url", "https://"),
        ({"channel": "PJSIP/1", "say": "x"}, "say", "only one of channel and say"),
    ],
)
def test_a_mistake_is_named_with_its_field_and_a_sentence(document: Any, where: str, sentence: str) -> None:
    found = mistakes_in(document)

    assert list(found) == [where]
    assert sentence in found[where]


def test_all_mistakes_of_a_document_come_at_once() -> None:
    found = mistakes_in(
        {
            "kind": "ivr",
            "to": ["112", "x"],
            "steps": [{"x": 1}],
            "body": "b",
            "longest": "y",
            "not_after": "z",
        }
    )

    assert set(found) == {"to.0", "to.1", "steps.0", "body", "longest", "not_after"}


def objecting(kind: str, call: Call, task: Task | None) -> Iterator[Mistake]:
    if kind == "sms" and call.to[0].startswith("+4930"):
        yield Mistake("body", f"{call.to[0]} gets none from here.")


def test_what_a_provider_objects_to_is_refused_at_the_door_unless_another_way_is_left() -> None:
    shy = Provider("shy", "test", frozenset(OPERATIONS), objections=objecting)
    providers = {**RULES.providers, "shy": shy}
    route = Route(RULES.destinations, ("shy", "cloud"), ("sms",))
    document = {"kind": "sms", "to": ["+4930123456", "+4989123456"], "body": "x"}

    refused = mistakes_in({**document, "provider": "shy"}, replace(RULES, providers=providers))
    routed = parse(document, replace(RULES, providers=providers, routes=(route,)), NOW)

    assert refused == {"body": "+4930123456 gets none from here."}
    assert [each.ways for each in routed] == [("cloud",), ("shy", "cloud")]


def test_senders_are_held_to_what_the_caller_may_show() -> None:
    rules = replace(RULES, caller_ids=("+4930*",), role="sales", listed_by_role=frozenset(["caller_ids"]))
    session = {**OF_KIND["ivr"], "steps": [{"transfer": {"to": "+4930654321", "caller_id": "+4989123456"}}]}

    found = [mistakes_in({**OF_KIND["sms"], "sender": "ACME"}, rules), mistakes_in(session, rules)]

    assert ['[roles.sales]: caller_ids = ["ACME"]' in found[0]["sender"], list(found[1])] == [
        True,
        ["caller_id"],
    ]
    assert one({**OF_KIND["sms"], "sender": "+493099"}, rules).task == Sms("Hello.", "+493099")


def test_orders_are_for_administrators() -> None:
    def rules_of(*rights: Right) -> Rules:
        return Caller(1000, roles=(Role("sales", rights=with_included(rights)),)).rules(RULES)

    with pytest.raises(InvalidJob) as caught:
        parse(OF_KIND["number"], rules_of(Right.SUBMIT, Right.OPERATE), NOW)

    assert [(each.where, each.rule) for each in caught.value.mistakes] == [("kind", "role")]
    assert one(OF_KIND["number"], rules_of(Right.ADMIN)).task == NumberOrder("buy", "+4930123456")


def test_an_order_waits_for_no_hours_and_is_never_repeated_by_a_policy() -> None:
    night = Hours("night", parse_windows(["mon-sun 23:00-23:30"]), zone="UTC")
    policy = RetryPolicy("patient", on_doubt="retry")
    rules = replace(
        RULES,
        hours={"night": night},
        default_hours="night",
        retry={"patient": policy},
        default_retry="patient",
    )

    order, message = one(OF_KIND["number"], rules), one(OF_KIND["sms"], rules)

    assert (order.not_before, order.on_doubt) == (None, OnDoubt.HOLD)
    assert message.not_before is not None
    assert message.not_before - NOW > timedelta(hours=5)
    assert message.on_doubt is OnDoubt.RETRY


@pytest.mark.parametrize("kind", KINDS)
def test_the_digest_covers_what_a_job_says(kind: str) -> None:
    shortest = OF_KIND[kind]
    values = {"body": "x", "room": "r", "header": "h", "details": {"a": "b"}, "message": "m", "account": "a"}
    field = next(name for name in FIELDS_OF[kind] if name in values)

    assert one(shortest).digest != one({**shortest, field: values[field]}).digest


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_takes_the_shortest_job_of_each_kind_and_refuses_fields_of_others(kind: str) -> None:
    schema = json_schema()
    foreign = next(name for other in KINDS for name in FIELDS_OF[other] if name not in FIELDS_OF[kind])

    jsonschema.validate(OF_KIND[kind], schema, jsonschema.Draft202012Validator)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**OF_KIND[kind], foreign: "x"}, schema, jsonschema.Draft202012Validator)


@pytest.mark.parametrize("steps", [{}, {"steps": []}, {"steps": "[]"}], ids=["none", "a list", "a text"])
def test_a_session_without_steps_waits_for_those_by_hand(steps: dict[str, Any]) -> None:
    document = {"kind": "ivr", **TO, **CLOUD, "message": "Hello.", **steps}

    jsonschema.validate(document, json_schema(), jsonschema.Draft202012Validator)
    assert one(document).task == Ivr((), "Hello.")


def test_a_row_of_a_spreadsheet_may_be_of_any_kind() -> None:
    message = {"kind": "sms", **TO, "body": "Hi", "urgent": "yes", "extra.DltEntityId": "1", "steps": ""}
    session = {"kind": "ivr", **TO, "steps": '[{"play": "Hello."}]'}
    order = {**OF_KIND["number"], "details.duration": "12"}

    drafts = [parse_row(row, RULES, NOW)[0].task for row in (message, session, order)]

    assert drafts == [
        Sms("Hi", urgent=True, extra=(("DltEntityId", "1"),)),
        Ivr((Step("play", message="Hello."),)),
        NumberOrder("buy", "+4930123456", (("duration", "12"),)),
    ]


def examples() -> list[Any]:
    manual = (EXAMPLES.parents[1] / "docs/jobs.md").read_text()
    return [
        json.loads(text) for text in re.findall(r"^```json\n(.*?)^```$", manual, re.DOTALL | re.MULTILINE)
    ]


@pytest.mark.parametrize("document", examples(), ids=lambda each: str(each.get("kind", "call")))
def test_the_examples_in_the_manual_are_right(document: dict[str, Any]) -> None:
    jsonschema.validate(document, json_schema(), jsonschema.Draft202012Validator)

    if "document_file" in document:
        del document["document_file"]
        document["document"] = PAPER.id
    assert parse(document, RULES, NOW, uploaded)


def test_there_is_an_example_of_each_kind_in_the_manual() -> None:
    assert {each.get("kind", "call") for each in examples()} == set(KINDS)
