"""Job documents: plain values (JSON, a row of CSV) in, checked drafts or every mistake at once out.

docs/jobs.md is the user's view of the fields. What passes can always be written as a call file.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dialerd.core.errors import InvalidJob, Mistake
from dialerd.core.model import Draft
from dialerd.core.policy import Rules
from dialerd.core.sentences import mistake_of
from dialerd.intake.drafts import drafts
from dialerd.intake.fields import (
    Account,
    Address,
    Application,
    Caller,
    CallerId,
    Channels,
    Codecs,
    Companion,
    Context,
    Data,
    DocumentId,
    Extension,
    Flow,
    Further,
    Header,
    Hours,
    Id,
    Language,
    Name,
    Number,
    Numbers,
    Priority,
    Room,
    Seconds,
    Sender,
    Sounds,
    Steps,
    Tags,
    Trunk,
    Url,
    Urls,
    Variables,
    Words,
    bare,
    field,
)
from dialerd.intake.kinds import KINDS, schema_of
from dialerd.intake.present import present, present_attempt, present_event
from dialerd.intake.rows import document_of
from dialerd.intake.strictjson import MAX_BYTES, loads
from dialerd.intake.tasks import Find, no_documents

__all__ = [
    "FIELDS", "MAX_BYTES", "json_schema", "loads", "parse", "parse_row", "present", "present_attempt",
    "present_event",
]  # fmt: skip

MOST_MISTAKES = 100


class Document(BaseModel):
    """A job. `kind` says which of the fields it has (intake/kinds.py): one phone call to make, if nothing
    else."""

    model_config = ConfigDict(extra="forbid", strict=True, title="Job")

    kind: Literal["call", "sms", "fax", "conference", "ivr", "number"] = field(
        "The kind of job, which says what other fields it has.", "call", "call"
    )
    to: Numbers = field(
        "The number to call: E.164, a national number where default_country is configured, or an extension"
        " that the trunk takes. A list makes one job each, or with ring any one job that rings all at once."
        " A conference is one job for all.",
        "+4930123456",
    )
    channel: Channels = field(
        "A literal dial string (or a list) in place of to, where the configuration allows it.", "PJSIP/100"
    )
    trunk: Trunk = field("The way out for to; else the default trunk, or the only one.", "provider")
    provider: Trunk = field("The provider that it goes to, and to no other.", "cloud")
    ring: Literal["each", "any"] = field(
        "Of several: each is called, or all ring at once and any that answers first gets the call.",
        "any",
        "each",
    )
    application: Application = field(
        "On answer: run this application of the administrator's list.", "Playback"
    )
    data: Data = field("The application's arguments; at most 1016 bytes.", "hello-world&goodbye,noanswer")
    context: Context = field(
        "On answer: go to this context of the dialplan, if the administrator lists it.", "survey"
    )
    extension: Extension = field("The extension in the context.", "s", "s")
    dialplan_priority: Priority = field("The step of the extension to begin at.", 1, 1)
    play: Sounds = field("On answer: play this sound (several with & between), and hang up.", "hello-world")
    connect: Number = field("On answer, by a provider: call this number, and connect the two.", "+4930654321")
    flow: Flow = field(
        "On answer, by a provider: connect to this flow or app of the account, by its id or address.", "4711"
    )
    play_url: Address = field(
        "On answer, by a provider: play the MP3 at this address.", "https://media.example.com/hello.mp3"
    )
    say: Words = field("On answer, by a provider: speak this text.", "Your order has arrived.")
    language: Language = field("The language of what is spoken.", "en")
    longest: Seconds = field("How long the call may last: seconds, or a duration.", "10m")
    record: bool = field("Record the call.", True, False)
    caller_id: Caller = field(
        'Who the call seems to be from: "Name" <number>, or an object; the name has 79 bytes at most.',
        '"Test User" <5555555555>',
    )
    variables: Variables = field("Channel variables, set in this order.", {"greeting": "tt-monkeys"})
    account: Account = field("The account in Asterisk's call records; at most 79 bytes.", "randall")
    wait_time: Annotated[int, Field(ge=1, le=600)] = field("Seconds to wait for an answer.", 30, 45)
    codecs: Codecs = field('The codecs to offer: a list, or "ulaw,alaw".', ["ulaw", "alaw"])
    early_media: bool = field("Run the action on early media already, before the answer.", True, False)
    max_retries: Annotated[int, Field(ge=0, le=100)] = field(
        "How often a failed call is tried again, where its retry policy allows so many; without a policy 0.",
        2,
    )
    retry_time: Annotated[int, Field(ge=1, le=86400)] = field(
        "Seconds between two tries; without a policy 300.", 60
    )
    body: Words = field("The text of the message; 10,000 bytes at most.", "Your order has arrived.")
    template: Name = field(
        "A template of the provider's, in place of body; extra fills it in.", "order-arrived"
    )
    sender: Sender = field("Who it seems to be from: a number, a short code, or a name.", "ACME")
    media: Urls = field(
        "Addresses (https) of pictures and the like, which make it an MMS: a list.",
        ["https://media.example.com/map.png"],
    )
    urgent: bool = field("Ask for the provider's faster lane.", True, False)
    bulk: bool = field(
        "Let it share a request with others of its batch that have the same text.", True, False
    )
    document: DocumentId = field("What is faxed: the id that its upload was answered with.", "0" * 64)
    document_file: Companion = field(
        "In the drop folder: the name of the PDF or TIFF that lies beside the job's file.", "letter.pdf"
    )
    filename: Name = field("The document's name, for people.", "letter.pdf")
    header: Header = field("The line on top of each page; empty for none.", "ACME, Berlin")
    room: Room = field("The room that they meet in; else the provider names one.", "monday")
    steps: Steps = field(
        "What happens on the call, step by step. Without any it waits for steps by hand.",
        [{"play": "Hello."}, {"hangup": "Goodbye."}],
    )
    message: Words = field("What is said first.", "Hello.")
    order: Literal["buy", "configure", "release", "create-route", "set-primary", "set-failover"] = field(
        "What is done with the number.", "buy"
    )
    number: Name = field("The number that it is about, or the provider's id of it.", "+4930123456")
    details: Further = field("What the order says beyond that.", {"duration": "12"})
    extra: Further = field("Fields of the provider's own, passed on as they are.", {"DltEntityId": "1701"})
    not_before: Number = field(
        "No call before this time: ISO 8601 with offset, with a zone's name, or in 1h.", "in 1h"
    )
    not_after: Number = field(
        "No call after this time; written like not_before.", "2026-12-01 20:00 Europe/Berlin"
    )
    priority: Annotated[int, Field(ge=0, le=9)] = field("9 goes before all others, 0 after.", 7, 5)
    key: Id = field(
        "The same key again stands for the same job, and makes no second call.", "invoice-2026-117"
    )
    batch: Id = field("A name that several jobs share.", "reminders-monday")
    tags: Tags = field(
        'Words to find jobs by: a list, or "a,b"; each of 64 bytes at most.', ["invoice", "berlin"]
    )
    hours: Hours = field(
        "When it may be dialled, in the callee's time zone: the name of an hours policy of the configuration,"
        " or windows of its own, which narrow the default policy.",
        ["mon-fri 09:00-18:00", "sat 10:00-14:00"],
    )
    recipient_timezone: Number = field(
        "The callee's time zone, where the number does not tell it.", "Europe/Berlin"
    )
    retry: Id = field("The retry policy of the configuration that it is tried again by.", "patient")
    max_dials: Annotated[int, Field(ge=1, le=100)] = field(
        "How often it is dialled at most, whatever the reasons.", 6
    )
    kill_after: Seconds = field(
        "How long after its first try it may be tried again: seconds, or a duration.", "3h"
    )
    report_url: Url = field(
        "Where its end is reported to, if the configuration allows the address.",
        "https://crm.example.com/calls",
    )
    on_doubt: Literal["hold", "retry", "drop"] = field(
        "What becomes of the job when nobody can know whether the call was made.", "hold", "hold"
    )


FIELDS = tuple(Document.model_fields)
_KNOWN = frozenset(FIELDS)
INTEGERS = frozenset(name for name, field in Document.model_fields.items() if field.annotation is int)
BOOLEANS = frozenset(name for name, field in Document.model_fields.items() if field.annotation is bool)
"""The fields that a spreadsheet's text must be turned into numbers, or yes and no, for."""


def parse(document: Any, rules: Rules, now: datetime, find: Find = no_documents) -> list[Draft]:
    """The drafts that a document stands for: one, or one per number. Raises InvalidJob with every mistake in
    it. `find` knows what the submitter has uploaded."""
    if not isinstance(document, dict):
        raise InvalidJob(
            [Mistake("", 'A job is one object, such as {"to": "+4930123456", "play": "hello-world"}.')]
        )
    unknown = [name for name in document if name not in _KNOWN]
    untold = dict.fromkeys(unknown[MOST_MISTAKES:])
    good, mistakes = _read({name: value for name, value in document.items() if name not in untold})
    made = drafts(document, good, mistakes, rules, now, find)
    if mistakes:
        left = len(mistakes) + len(untold) - MOST_MISTAKES
        raise InvalidJob(mistakes[:MOST_MISTAKES] + ([Mistake("", f"And {left} more.")] if left > 0 else []))
    return made


def parse_row(row: Mapping[str, str], rules: Rules, now: datetime) -> list[Draft]:
    """As `parse`, for a row of a spreadsheet: the column's name is the field's. Raises InvalidJob."""
    return parse(document_of(row, INTEGERS, BOOLEANS), rules, now)


def mistakes_in(fields: Mapping[str, Any]) -> list[Mistake]:
    """What is wrong with some of a document's fields, each looked at by itself."""
    return _read(dict(fields))[1]


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a document. Numbers, times, bytes, steps and what is allowed only `parse`
    can judge."""
    schema = bare(Document.model_json_schema())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **{name: value for name, value in schema.items() if name != "$defs"},
        "oneOf": [schema_of(kind) for kind in KINDS],
    }


def _read(document: dict[Any, Any]) -> tuple[dict[str, Any], list[Mistake]]:
    """The fields that are right in themselves, and the mistakes in all others."""
    try:
        fields = Document.__pydantic_validator__.validate_python(document)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        mistakes = [mistake_of(each, _names) for each in errors]
        wrong = {each["loc"][0] for each in errors if each["loc"]}
        rest = {name: value for name, value in document.items() if name not in wrong} if wrong else {}
        if not wrong or len(rest) == len(document):
            return {}, mistakes
        good, more = _read(rest)
        return good, mistakes + more
    return {name: getattr(fields, name) for name in document}, []


def _names(place: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(CallerId.model_fields) if place == ("caller_id",) else FIELDS
