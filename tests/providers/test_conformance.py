"""Every provider of the registry over every status, every fault and every saved reply: a new one needs no new
test. Saved replies lie in replies/TYPE, named OPERATION.STATUS.VERDICT[.note].EXTENSION."""

import inspect
import io
import logging
import queue
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import structlog

from dialerd import log
from dialerd.core.errors import (
    AccountRefused,
    DeliveryError,
    NotServed,
    Rejected,
    Unavailable,
    Unconfirmed,
)
from dialerd.core.operations import FIND, OPERATIONS, Effect
from dialerd.core.receipts import Page, Receipt
from dialerd.core.signals import ProviderAnswered
from dialerd.providers.accounts import Accounts
from dialerd.providers.base import Provider
from dialerd.providers.http import perform
from dialerd.providers.judge import understood, verdict
from dialerd.providers.registry import TYPES
from dialerd.providers.settings import AccountSettings
from dialerd.providers.wire import Reply, Request
from tests.providers import cloud as faults
from tests.providers import samples
from tests.providers.cloud import HTML, Cloud, Says, closed_port, says
from tests.providers.sample import Sample
from tests.providers.samples import CANARY

CLASSES: list[type[Provider]] = [Sample, *TYPES.values()]
REPLIES = Path(__file__).parent / "replies"
LONG = 60.0

VERDICTS: dict[str, type[object]] = {
    "accepted": Receipt,
    "read": object,
    "rejected": Rejected,
    "not_served": NotServed,
    "unavailable": Unavailable,
    "account_refused": AccountRefused,
    "unconfirmed": Unconfirmed,
}
MEDIA_TYPES = {".json": "application/json", ".xml": "application/xml", ".html": "text/html"}

FAULTS = {
    "no TLS": (faults.NO_TLS, Unavailable, 0),
    "reset in TLS": (faults.RESET_IN_TLS, Unavailable, 0),
    "reset before reading": (faults.RESET_UNREAD, Unconfirmed, 0),
    "reset after reading": (faults.RESET, Unconfirmed, 1),
    "closed": (faults.CLOSED, Unconfirmed, 1),
    "TLS broken after reading": (faults.BROKEN_TLS, Unconfirmed, 1),
    "half a body": (faults.HALF_A_BODY, Unconfirmed, 1),
    "no HTTP": (faults.NO_HTTP, Unconfirmed, 1),
    "200 with HTML": (Says(200, HTML), Unconfirmed, 1),
    "redirect": (Says(302, b"", (("Location", "/elsewhere"),)), Unconfirmed, 1),
}
SLOW = {"hangs": faults.HANGS, "drips": faults.DRIPS}


@dataclass(frozen=True)
class Case:
    """One operation of one provider."""

    cls: type[Provider]
    operation: str

    def __str__(self) -> str:
        return f"{self.cls.TYPE}-{self.operation}"

    @property
    def method(self) -> str:
        return self.operation.replace(".", "_")

    def request(self, provider: Provider) -> Request:
        """Made of what samples.py gives."""
        made = getattr(provider, self.method)
        if self.operation in FINDS:
            return made(samples.errand(FOUND_BY[FINDS[self.operation]]))
        if OPERATIONS[self.operation].effect is Effect.JOB:
            return made(samples.errand(self.operation, self.cls.TYPE))
        return made(**samples.parameters(OPERATIONS[self.operation], self.cls.TYPE))


FINDS = {method.replace("_", "."): kind for kind, method in FIND.items()}
FOUND_BY = {
    "sms": "sms.send",
    "fax": "fax.send",
    "call": "voice.connect",
    "conference": "voice.conference",
}
"""What is looked for, by kind of job."""


@cache
def cases(effect: Effect | None = None) -> list[Case]:
    return [
        Case(cls, operation)
        for cls in CLASSES
        for operation in sorted(samples.provider(cls).available())
        if effect is None or OPERATIONS[operation].effect is effect
    ]


def first(effect: Effect) -> list[Case]:
    """One operation of each provider."""
    return list({case.cls: case for case in reversed(cases(effect))}.values())


JOBS = cases(Effect.JOB)


@pytest.fixture(autouse=True)
def logged() -> Iterator[io.StringIO]:
    """All that is logged; no secret is in it."""
    before, stream = (logging.root.handlers[:], logging.root.level), io.StringIO()
    log.setup("debug", "json", stream)
    yield stream
    logging.root.handlers[:], logging.root.level = before
    structlog.reset_defaults()
    for hidden in (CANARY, "s3cret", samples.BODY, samples.TO):
        assert hidden not in stream.getvalue()


def clean(answer: object) -> object:
    """What a user may see of it holds no secret, no message and no number."""
    if isinstance(answer, DeliveryError):
        shown = f"{answer} {answer!r}"
        assert not [each for each in (CANARY, samples.BODY, samples.TO[1:]) if each in shown], shown
        assert str(answer).isprintable()
        assert str(answer).endswith((".", "…", "!", "?", "”", '"')), f"no sentence: {answer}"
    return answer


def sent(case: Case, settings: AccountSettings) -> object:
    """What comes of an attempt."""
    answers: queue.Queue[ProviderAnswered] = queue.Queue()
    accounts = Accounts([settings], callback_url=lambda name, reference: "https://d.example.com/cb/x")
    errand = samples.errand(case.operation, case.cls.TYPE)
    try:
        accounts.send("cloud", case.operation, errand, answers.put)
        answered = answers.get(timeout=LONG)
    finally:
        accounts.stop(0)
    assert set(answered.answers) == set(errand.references.values() or [errand.reference])
    return clean(answered.answers[errand.reference])


def read(case: Case, settings: AccountSettings) -> object:
    """What comes of one request that is read, or acts."""
    request = case.request(settings.provider)
    reader = getattr(settings.provider, f"read_{case.method}")
    try:
        return understood(settings, request, perform(settings, request, sending=False), reader)
    except DeliveryError as error:
        return clean(error)


def outcome(case: Case, settings: AccountSettings) -> object:
    return sent(case, settings) if case in JOBS else read(case, settings)


@pytest.mark.parametrize("case", cases(), ids=str)
def test_an_operation_takes_what_the_table_says(case: Case) -> None:
    operation = OPERATIONS[case.operation]
    taken = inspect.signature(getattr(case.cls, case.method)).parameters
    named = {each.name for each in operation.parameters} | {"cursor", "callback"}
    needed = {each.name for each in operation.parameters if each.required} | (
        {"cursor"} if operation.paged else set()
    )

    if operation.effect is Effect.JOB:
        assert list(taken) == ["self", "errand"]
    else:
        assert needed <= set(taken) - {"self"} <= named


@pytest.mark.parametrize("case", cases(), ids=str)
def test_a_request_can_be_made_and_shows_no_secret(case: Case) -> None:
    provider = samples.provider(case.cls)

    request = case.request(provider)

    assert isinstance(request, Request)
    assert CANARY not in f"{request!r} {provider!r}"
    assert CANARY not in request.path
    assert CANARY not in str(request.query)


@pytest.mark.parametrize("case", JOBS, ids=str)
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_its_verdict_and_nothing_is_sent_twice(case: Case, fault: str, cloud: Cloud) -> None:
    cloud.otherwise, verdict, times = FAULTS[fault]

    assert type(outcome(case, samples.account(case.cls, cloud))) is verdict
    assert len(cloud.seen) == times
    assert cloud.connections_since() == 1


@pytest.mark.parametrize("case", first(Effect.JOB), ids=str)
@pytest.mark.parametrize("fault", SLOW)
def test_a_provider_that_takes_too_long_is_in_doubt(case: Case, fault: str, cloud: Cloud) -> None:
    cloud.otherwise = SLOW[fault]
    settings = samples.account(case.cls, cloud, read_s=0.2, connect_s=0.5)

    assert type(outcome(case, settings)) is Unconfirmed
    assert len(cloud.seen) == 1


@pytest.mark.parametrize("case", first(Effect.JOB), ids=str)
def test_a_refused_connection_did_nothing(case: Case, cloud: Cloud) -> None:
    settings = samples.account(case.cls, cloud, base_url=f"https://localhost:{closed_port()}")

    assert type(outcome(case, settings)) is Unavailable


COMMON = {
    **dict.fromkeys(range(300, 400), (Unconfirmed,)),
    **dict.fromkeys(range(400, 500), (Rejected, NotServed, Unavailable, AccountRefused)),
    **dict.fromkeys((401, 402), (AccountRefused,)),
    **dict.fromkeys((408, 425, 429), (Unavailable,)),
    **dict.fromkeys(range(500, 600), (Unconfirmed,)),
}


@pytest.mark.parametrize("case", cases(), ids=str)
@pytest.mark.parametrize("body", [b"", HTML], ids=["empty", "HTML"])
def test_every_status_has_its_verdict(case: Case, body: bytes, cloud: Cloud) -> None:
    settings = samples.account(case.cls, cloud)
    request = case.request(settings.provider)

    odd = {
        status: found
        for status, expected in COMMON.items()
        if type(found := verdict(settings, request, Reply(status, {}, body, request))) not in expected
    }

    assert odd == {}


WELL_KNOWN = [300, 302, 307, 400, 401, 402, 403, 404, 408, 409, 422, 425, 429, 500, 502, 503, 504]


@pytest.mark.parametrize("case", [*first(Effect.JOB), *first(Effect.READ)], ids=str)
def test_every_status_is_asked_for_once(case: Case, cloud: Cloud) -> None:
    settings = samples.account(case.cls, cloud)

    for status in WELL_KNOWN:
        cloud.reset()
        cloud.otherwise = Says(status, HTML)
        assert type(outcome(case, settings)) in COMMON[status]
        assert len(cloud.seen) == 1


@pytest.mark.parametrize("case", cases(), ids=str)
@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_an_answer_that_says_nothing_is_never_more_than_it_says(case: Case, status: int) -> None:
    settings = samples.account(case.cls, Cloud(Path("/nowhere")))
    request = case.request(settings.provider)
    reader = getattr(settings.provider, f"read_{case.method}")

    for body in (b"", HTML, b"null", b"[]", b'"x"', b"17", b"{}", b'{"data": null}', b"[[[", b"\xff\xfe"):
        try:
            found = understood(settings, request, Reply(status, {}, body, request), reader)
        except DeliveryError as error:
            clean(error)
        else:
            order = case.operation.startswith(("numbers.", "routes."))
            assert case not in JOBS or order or not (found.ref or found.refs), f"{body!r} was {found}"


def test_what_a_provider_says_of_a_request_is_shown_without_secrets(cloud: Cloud) -> None:
    for case in JOBS:
        cloud.otherwise = echo
        clean(outcome(case, samples.account(case.cls, cloud)))

    assert len(cloud.seen) == len(JOBS)


def echo(seen: faults.Seen) -> Says:
    """Says back what was asked, as careless gateways do."""
    body = samples.BODY if b"parcel" in seen.body else ""
    words = f"{CANARY} {seen.headers.get('authorization')} {samples.TO} {body} {seen.body!r}"
    error = {"status": 400, "title": words, "detail": words, "code": words, "message": words}
    return says({**error, "errors": [error], "RestException": {"Status": 400, "Message": words}}, 400)


SAVED = sorted(path for path in REPLIES.glob("*/*") if path.parent.name in TYPES)


@pytest.mark.parametrize("path", SAVED, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_saved_reply_has_its_verdict(path: Path, cloud: Cloud) -> None:
    capability, operation, status, word = path.name.split(".")[:4]
    case = Case(TYPES[path.parent.name], f"{capability}.{operation}")
    kind = (("Content-Type", MEDIA_TYPES.get(path.suffix, "text/plain")),)
    cloud.otherwise = Says(int(status), path.read_bytes(), kind)

    found = outcome(case, samples.account(case.cls, cloud))

    assert len(cloud.seen) == 1
    if word == "read":
        assert not isinstance(found, DeliveryError), str(found)
        assert found is not None
    else:
        assert type(found) is VERDICTS[word], str(found)
    if case.operation in FINDS:
        assert isinstance(found, Page | DeliveryError)


def test_saved_replies_are_of_operations_that_there_are() -> None:
    names = [(path.parent.name, path.name.split(".")) for path in SAVED]
    unknown = [
        parts
        for type_, parts in names
        if f"{parts[0]}.{parts[1]}" not in TYPES[type_].operations() | FINDS.keys()
        or parts[3] not in VERDICTS
    ]

    assert unknown == []


@pytest.mark.parametrize("cls", TYPES.values(), ids=lambda cls: cls.TYPE)
def test_every_job_of_a_provider_has_a_saved_reply_that_was_accepted(cls: type[Provider]) -> None:
    saved = {path.name.split(".200")[0].split(".20")[0] for path in SAVED if path.parent.name == cls.TYPE}
    jobs = {name for name in cls.operations() if OPERATIONS[name].effect is Effect.JOB}

    assert jobs <= saved
