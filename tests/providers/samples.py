"""An instance of every provider, and something to ask of each operation: so a new one needs no test code."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from dialerd.core.model import Call
from dialerd.core.operations import Operation
from dialerd.core.receipts import Errand
from dialerd.core.tasks import Conference, Fax, Ivr, NumberOrder, Script, Sms, Step, Task
from dialerd.providers.base import Provider, Secret
from dialerd.providers.settings import AccountSettings
from tests.providers.cloud import Cloud

CANARY = "s3cret-canary"
TO = "+4915112345678"
SECOND = "+6591234567"
BODY = "Your parcel waits behind the door"
REFERENCE = "3f9k2m8qx1abc.1"
BEGUN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

VALUES: dict[str, Any] = {
    "text": "x1",
    "owned": TO,
    "number": TO,
    "time": BEGUN,
    "integer": 3,
    "flag": False,
    "dest": TO,
}
"""By the kind of a parameter."""

OPTIONS: dict[str, dict[str, Any]] = {
    "generic": {
        "auth": "basic",
        "complaint": "message",
        "sms": {"path": "/sms", "form": {"to": "{to}", "text": "{body}", "from": "{sender}"}, "id": "id"},
        "status": {"path": "/sms/{ref}", "word": "state"},
        "say": {"path": "/say", "json": {"to": "{to}", "say": "{body}", "l": "{language}"}, "success": "^OK"},
        "connect": {"path": "/connect", "body": "{to} {connect}", "id_pattern": "^id=(.+)$"},
        "words": {"sent": "DELIVERED"},
        "refused": [
            {"statuses": [200], "pattern": "wrong number"},
            {"statuses": [400], "pattern": "country", "verdict": "not_served"},
            {"statuses": [503], "pattern": "full", "verdict": "unavailable"},
        ],
    },
    "telnyx": {
        "fax_application": "1594404757140276705",
        "texml_account": "61bf923e-5e4d-4595-a110-56190ea18a1b",
        "texml_application": "1694404757140276705",
    },
}
"""Settings of a provider's own, by type, where any text won't do."""


def provider(cls: type[Provider]) -> Provider:
    """An account, with all settings that must be given."""
    needed = {name: "value1" for name, what in cls.OPTIONS.items() if what.startswith("!")}
    options = needed | OPTIONS.get(cls.TYPE, {})
    return cls(account="acct", secret=Secret(CANARY), options=options)


def account(cls: type[Provider], cloud: Cloud, **settings: Any) -> AccountSettings:
    """It, in front of the tests' server."""
    return AccountSettings(
        **{
            "name": "cloud",
            "provider": provider(cls),
            "base_url": cloud.url,
            "ca_file": cloud.ca_file,
            "connect_s": 20.0,
            "read_s": 20.0,
            **settings,
        }
    )


def sms(body: str = BODY, to: tuple[str, ...] = (TO,), reference: str = REFERENCE) -> Errand:
    return Errand(reference, Call(to=to), Sms(body), begun=BEGUN)


def _call(**script: Any) -> Errand:
    return Errand(REFERENCE, Call(to=(TO,), caller_id_number=SECOND, script=Script(**script)), begun=BEGUN)


def _order(verb: str, subject: str = SECOND, **details: str) -> Errand:
    return _of(NumberOrder(verb, subject, tuple(details.items())))


def _of(task: Task, *to: str) -> Errand:
    return Errand(REFERENCE, Call(to=to or (TO,)), task, begun=BEGUN)


ERRANDS: dict[str, Callable[[], Errand]] = {
    "sms.send": lambda: _of(Sms(BODY, sender="+15005550006")),
    "sms.bulk": lambda: Errand(
        REFERENCE,
        Call(to=(TO, SECOND)),
        Sms(BODY, bulk=True),
        begun=BEGUN,
        references={TO: REFERENCE, SECOND: "3f9k2m8qx1abd.1"},
    ),
    "fax.send": lambda: Errand(
        REFERENCE,
        Call(to=(TO,)),
        Fax("a" * 64, "application/pdf", 9, 1, "a.pdf", caller_id=SECOND),
        document=b"%PDF-1.7\n",
        begun=BEGUN,
    ),
    "voice.connect": lambda: _call(connect=SECOND),
    "voice.flow": lambda: _call(flow="1234"),
    "voice.play": lambda: _call(play_url="http://example.com/hello"),
    "voice.say": lambda: _call(say="Hello there, this is a call", language="en"),
    "voice.conference": lambda: _of(Conference(caller_id=SECOND), TO, SECOND),
    "ivr.dial": lambda: _of(Ivr((Step("hangup"),), "Good morning to you all")),
    "numbers.buy": lambda: _order("buy"),
    "numbers.configure": lambda: _order("configure", forward_to=TO),
    "numbers.release": lambda: _order("release"),
    "routes.create": lambda: _order("create-route", "sip.example.com", type="host", alias="main"),
    "routes.set_primary": lambda: _order("set-primary", route="1234"),
    "routes.set_failover": lambda: _order("set-failover", route="1234"),
}

OWN: dict[tuple[str, str], Callable[[], Errand]] = {
    ("flowroute", "numbers.configure"): lambda: _order("configure", alias="desk"),
    ("hoiio", "numbers.buy"): lambda: _order("buy", duration="1"),
    ("telnyx", "numbers.configure"): lambda: _order("configure", "1293384261075731499", forward_to=TO),
    ("telnyx", "numbers.release"): lambda: _order("release", "1293384261075731499"),
    ("telnyx", "voice.conference"): lambda: _of(Conference("room1", caller_id=SECOND)),
    ("telnyx", "voice.flow"): lambda: _call(flow="https://example.com/texml"),
    ("twilio", "numbers.configure"): lambda: _order("configure", f"PN{'0' * 32}", alias="desk"),
    ("twilio", "numbers.release"): lambda: _order("release", f"PN{'0' * 32}"),
    ("twilio", "voice.conference"): lambda: _of(Conference("room1", caller_id=SECOND)),
    ("twilio", "voice.flow"): lambda: _call(flow="https://example.com/twiml"),
    ("xoxzo", "numbers.buy"): lambda: _order("buy", "din1"),
    ("xoxzo", "numbers.configure"): lambda: _order("configure", "din1", action_url="https://example.com/a"),
    ("xoxzo", "numbers.release"): lambda: _order("release", "din1"),
}
"""By type and operation, where the provider does not take what the others take."""

ASKED: dict[tuple[str, str], dict[str, Any]] = {("xoxzo", "numbers.search"): {"country": "JP"}}
"""The same, of what is asked."""


def errand(operation: str, type: str = "") -> Errand:
    """Something to do."""
    return OWN.get((type, operation), ERRANDS.get(operation, _nothing))()


def _nothing() -> Errand:
    raise NotImplementedError("Write into samples.py what this operation is given to do.")


def parameters(operation: Operation, type: str = "") -> dict[str, Any]:
    """What is asked: all that must be given, and a message where there may be one."""
    if (type, operation.name) in ASKED:
        return ASKED[type, operation.name]
    given = {each.name: VALUES[each.kind] for each in operation.parameters if each.required}
    extra = {"sms.rate": {"to": TO, "body": BODY}, "fax.rate": {"to": TO}, "numbers.areas": {"country": "US"}}
    if operation.name.startswith("ivr.") and operation.name != "ivr.hangup":
        given["message"] = "Good morning to you all"
    if operation.name.endswith(".history"):
        given |= {"since": BEGUN, "until": BEGUN.replace(day=2)}
    if operation.name in ("numbers.search", "numbers.exchanges"):
        given |= {"country": "US", "area": "212"} if operation.name == "numbers.search" else {"area": "212"}
    return given | extra.get(operation.name, {})
