"""What can be asked of providers: every operation, its parameters, and what comes of it.

One table for adapters, API, client, commands and docs. An adapter has an operation by having the methods: for
"sms.status" these are `sms_status`, which makes the request, and `read_sms_status`, which reads the reply.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from dialerd.core.model import Call
from dialerd.core.roles import Right
from dialerd.core.tasks import Conference, Fax, Ivr, NumberOrder, Sms, Task


class Effect(StrEnum):
    """What an operation does.

    A job sends: it is accepted, attempted, in doubt, followed. An act is done at once and changes something
    that is under way; doing it twice does no harm. A read changes nothing.
    """

    JOB = "job"
    ACT = "act"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an act or a read; values are texts. `kind`: text, number (E.164), owned (a number in
    E.164, or the provider's id of it), dest (a number that is called, or room:NAME), time, integer, flag.
    `argument`: stands without its name on the command line."""

    name: str
    help: str
    kind: str = "text"
    required: bool = False
    argument: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """`paged`: its reply is a Page. `right` is what it takes to ask for it."""

    name: str
    effect: Effect
    help: str
    parameters: tuple[Parameter, ...] = ()
    paged: bool = False
    right: Right = Right.VIEW_ALL
    kinds: tuple[str, ...] = field(default=())
    """The kinds of job that it is for."""

    @property
    def method(self) -> str:
        """The adapter's method that makes the request."""
        return self.name.replace(".", "_")

    @property
    def reader(self) -> str:
        """The adapter's method that reads the reply."""
        return f"read_{self.method}"


_REF = Parameter("ref", "The provider's id of it.", required=True, argument=True)
_OWNED = Parameter(
    "number", "The number with +, or the provider's id of it.", "owned", required=True, argument=True
)
_SESSION = Parameter("session", "The session.", required=True, argument=True)
_MESSAGE = Parameter("message", "What is said: a text, or the address of a sound.")
_TAG = Parameter("tag", "A word of yours that comes back with the notifications.")
_COUNTRY = Parameter("country", "The country (ISO 3166).")
_PERIOD = (
    Parameter("since", "Not what is older: a time.", "time"),
    Parameter("until", "Not what is newer: a time.", "time"),
)
_DIGITS = (
    Parameter("starts_with", "Its first digits."),
    Parameter("contains", "Digits in it."),
    Parameter("ends_with", "Its last digits."),
)
_MOST_SETUP = Parameter("max_setup_cost", "What setting it up may cost at most.")
_INCOMING = Parameter("incoming", "What comes in, in place of what goes out.", "flag")
_DEST = Parameter("to", "The number that it would go to.", "number", argument=True)


def _job(name: str, help: str, *kinds: str) -> Operation:
    return Operation(name, Effect.JOB, help, kinds=kinds, right=Right.SUBMIT)


def _act(name: str, help: str, *parameters: Parameter) -> Operation:
    return Operation(name, Effect.ACT, help, parameters, right=Right.OPERATE)


def _read(
    name: str, help: str, *parameters: Parameter, paged: bool = False, right: Right = Right.VIEW_ALL
) -> Operation:
    return Operation(name, Effect.READ, help, parameters, paged, right)


_ALL = (
    _job("sms.send", "Send a text message.", "sms"),
    _job("sms.bulk", "Send one text to many in one request.", "sms"),
    _job("fax.send", "Send a fax.", "fax"),
    _job("voice.connect", "Call a number, and connect it with another.", "call"),
    _job("voice.flow", "Call a number, and connect it to a flow or app.", "call"),
    _job("voice.play", "Call a number, and play an MP3.", "call"),
    _job("voice.say", "Call a number, and speak a text.", "call"),
    _job("voice.conference", "Call several numbers, who meet in a room.", "conference"),
    _job("ivr.dial", "Call a number, and begin a session.", "ivr"),
    _job("numbers.buy", "Subscribe to a number.", "number"),
    _job("numbers.configure", "Say where calls and messages for a number go.", "number"),
    _job("numbers.release", "Give a number up.", "number"),
    _job("routes.create", "Make a route for calls that come in.", "number"),
    _job("routes.set_primary", "Send a number's calls to a route.", "number"),
    _job("routes.set_failover", "Send a number's calls to a route where the primary one fails.", "number"),
    _read("sms.status", "What became of a message.", _REF),
    _read("sms.history", "The messages of a period.", *_PERIOD, _INCOMING, paged=True),
    _read(
        "sms.rate",
        "What a message costs.",
        _DEST,
        Parameter("body", "Its text.", argument=True),
        Parameter("incoming", "A number of yours: what a message to it costs.", "number"),
        right=Right.SUBMIT,
    ),
    _read("fax.status", "What became of a fax.", _REF),
    _read("fax.history", "The faxes of a period.", *_PERIOD, _INCOMING, paged=True),
    _read(
        "fax.rate",
        "What a fax costs.",
        _DEST,
        Parameter("incoming", "A number of yours: what a fax to it costs.", "number"),
        right=Right.SUBMIT,
    ),
    _act("fax.cancel", "Stop a fax that is not sent yet.", _REF),
    _read("voice.status", "What became of a call.", _REF),
    _read("voice.history", "The calls of a period.", *_PERIOD, paged=True),
    _read(
        "voice.rate",
        "What a call costs.",
        Parameter("first", "The number that is rung first.", "number", required=True, argument=True),
        Parameter("second", "The number that it is connected with.", "number", argument=True),
        right=Right.SUBMIT,
    ),
    _act("voice.hangup", "Hang a call up, or take somebody out of a conference.", _REF),
    _act("ivr.play", "Say something.", _SESSION, _MESSAGE, _TAG),
    _act(
        "ivr.gather",
        "Ask for digits.",
        _SESSION,
        _MESSAGE,
        Parameter("max_digits", "How many at most; 0 is until #.", "integer"),
        Parameter("timeout", "Seconds to wait for them.", "integer"),
        Parameter("attempts", "How often to ask.", "integer"),
        _TAG,
    ),
    _act(
        "ivr.record",
        "Record what is said.",
        _SESSION,
        _MESSAGE,
        Parameter("longest", "Seconds at most.", "integer"),
        _TAG,
    ),
    _act("ivr.monitor", "Record the call from here on.", _SESSION, _MESSAGE, _TAG),
    _act(
        "ivr.transfer",
        "Connect the call with a number, or a room:NAME.",
        _SESSION,
        Parameter("dest", "The number, or room:NAME.", "dest", required=True, argument=True),
        _MESSAGE,
        Parameter("caller_id", "The number that is shown."),
        Parameter("on_failure", "What follows where it fails: continue or hangup."),
        _TAG,
    ),
    _act("ivr.hangup", "End the session.", _SESSION, _MESSAGE, _TAG),
    _read("numbers.countries", "Where numbers are for sale.", paged=True, right=Right.SUBMIT),
    _read(
        "numbers.areas",
        "The states or area codes of a country.",
        _COUNTRY,
        _MOST_SETUP,
        paged=True,
        right=Right.SUBMIT,
    ),
    _read(
        "numbers.exchanges",
        "The exchanges of an area code.",
        Parameter("area", "The area code.", argument=True),
        _MOST_SETUP,
        paged=True,
        right=Right.SUBMIT,
    ),
    _read(
        "numbers.search",
        "Numbers for sale.",
        _COUNTRY,
        Parameter("area", "The state or area code."),
        *_DIGITS,
        Parameter("place", "The rate centre."),
        Parameter("limit", "How many at most.", "integer"),
        paged=True,
        right=Right.SUBMIT,
    ),
    _read(
        "numbers.rate",
        "What numbers of a country cost.",
        Parameter("country", "The country (ISO 3166).", required=True, argument=True),
        right=Right.SUBMIT,
    ),
    _read("numbers.list", "The account's numbers.", *_DIGITS, paged=True),
    _read("numbers.show", "One of the account's numbers.", _OWNED),
    _read("routes.list", "The account's routes for calls that come in.", paged=True),
    _read("account.balance", "What is left on the account."),
    _read("account.info", "What the provider knows of the account."),
)

OPERATIONS = {operation.name: operation for operation in _ALL}
"""By their names."""

FIND = {"sms": "sms_find", "fax": "fax_find", "call": "voice_find", "conference": "voice_find"}
"""By kind of job: the adapter's method that asks for an attempt by our reference (or by its numbers, where
none is kept), where it can. It gets the Errand and a cursor and makes a request; `read_...` makes a Page of
Receipts."""

STATUS = {"sms": "sms.status", "fax": "fax.status", "call": "voice.status", "conference": "voice.status"}
"""By kind of job: the operation that tells what became of it."""

ORDERS = {
    "buy": "numbers.buy",
    "configure": "numbers.configure",
    "release": "numbers.release",
    "create-route": "routes.create",
    "set-primary": "routes.set_primary",
    "set-failover": "routes.set_failover",
}
"""The verbs of number orders."""


def operation_of(call: Call, task: Task | None) -> str | None:
    """The operation that hands a job to a provider; None for a call that only a trunk can make."""
    match task:
        case Sms():
            return "sms.send"
        case Fax():
            return "fax.send"
        case Conference():
            return "voice.conference"
        case Ivr():
            return "ivr.dial"
        case NumberOrder():
            return ORDERS[task.verb]
    script = call.script
    if script is None:
        return None
    named = ("connect", script.connect), ("flow", script.flow), ("play", script.play_url), ("say", script.say)
    return next((f"voice.{name}" for name, value in named if value is not None), None)
