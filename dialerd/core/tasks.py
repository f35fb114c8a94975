"""What a job asks of a provider, beside its call: values, checked by whoever made them.

Numbers are E.164 with +; whom a job is for stands in its call's `to` (core/model.py). `extra` holds fields of
one provider's own, passed through as they are.
"""

from dataclasses import dataclass

Extra = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Script:
    """What a provider does with a call: exactly one of `connect` (another number, E.164), `flow` (a flow or
    app of the account, by id or address), `play_url` (the address of an MP3) and `say` (a text, spoken).

    `language` is a tag such as en or ja. `longest` is in seconds. `record`: whether the call is recorded.
    """

    connect: str | None = None
    flow: str | None = None
    play_url: str | None = None
    say: str | None = None
    language: str | None = None
    longest: int | None = None
    record: bool = False
    extra: Extra = ()


@dataclass(frozen=True, slots=True)
class Sms:
    """A text message, or with `media` (https addresses) an MMS.

    `sender` is a number, a short code or a name (sender id); None is the account's default. `template` names
    a template of the provider in place of a body; what fills it stands in `extra`. `urgent` asks for the
    provider's faster lane. `bulk`: may share one request with others of its batch that have the same text.
    """

    body: str
    sender: str | None = None
    media: tuple[str, ...] = ()
    template: str | None = None
    urgent: bool = False
    bulk: bool = False
    extra: Extra = ()


@dataclass(frozen=True, slots=True)
class Fax:
    """A document to be faxed. `document` is its id (the SHA-256 of its bytes, in hex), `size` in bytes,
    `pages` None where it can't be told.

    `filename` is for people. `header` is the line on top of each page: None the provider's own, "" none.
    """

    document: str
    media_type: str
    size: int
    pages: int | None = None
    filename: str | None = None
    caller_id: str | None = None
    header: str | None = None
    extra: Extra = ()


@dataclass(frozen=True, slots=True)
class Conference:
    """Calls to all numbers of the job, which meet in a room; None lets the provider name one."""

    room: str | None = None
    caller_id: str | None = None
    extra: Extra = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a session. `verb` is play, gather, record, monitor, transfer or hangup.

    `message` is spoken (or the address of a sound). `dest`: a number, or room:NAME. `longest` and `timeout`
    are seconds; `max_digits` 0 is until #. `on_digits`: what follows a gather, by what was pressed; the empty
    text stands for everything else. `on_failure`: what follows a transfer that came to nothing.
    """

    verb: str
    message: str | None = None
    dest: str | None = None
    caller_id: str | None = None
    max_digits: int | None = None
    timeout: int | None = None
    attempts: int | None = None
    longest: int | None = None
    on_digits: tuple[tuple[str, tuple["Step", ...]], ...] = ()
    on_failure: tuple["Step", ...] = ()


@dataclass(frozen=True, slots=True)
class Ivr:
    """A session on one call: what is said at first, and the steps that follow, each when the one before is
    over. Without steps it waits for those that are given by hand. `session` set: a call that came in, which
    is answered by the first step."""

    steps: tuple[Step, ...] = ()
    message: str | None = None
    caller_id: str | None = None
    longest: int | None = None
    session: str | None = None
    extra: Extra = ()


@dataclass(frozen=True, slots=True)
class NumberOrder:
    """A change of the account's numbers or routes, which may cost money.

    `verb` is buy, configure, release, create-route, set-primary or set-failover; `subject` is the number (or
    the provider's id of it). `details` are the verb's own fields, such as duration, forward_to or route.
    """

    verb: str
    subject: str
    details: Extra = ()


@dataclass(frozen=True, slots=True)
class Received:
    """A message that came in; `what` is sms, fax or call. Its job is over as it is made.

    `sender` and `dest` are as the provider gave them, in E.164 where they are numbers. `media` are addresses.
    """

    what: str
    provider: str
    ref: str
    sender: str
    dest: str
    body: str = ""
    media: tuple[str, ...] = ()
    pages: int | None = None
    price: str | None = None


Task = Sms | Fax | Conference | Ivr | NumberOrder | Received

KINDS: dict[str, type[Task] | None] = {
    "call": None,
    "sms": Sms,
    "fax": Fax,
    "conference": Conference,
    "ivr": Ivr,
    "number": NumberOrder,
    "received": Received,
}
"""The kinds of jobs, and what each holds beside its call."""


def kind_of_task(task: Task | None) -> str:
    """The kind of job that has this task."""
    return next(kind for kind, cls in KINDS.items() if (cls is None if task is None else cls is type(task)))
