"""What providers say: receipts, messages that came in, numbers, prices. Frozen; times are aware UTC.

An adapter makes these values of a reply or a callback. What it has no field for stays in `raw`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from dialerd.core.model import Call, Disposition
from dialerd.core.tasks import Task


@dataclass(frozen=True, slots=True)
class Errand:
    """One attempt's work for a provider.

    `to` are the numbers (one, but for a conference or a bulk request). `reference` is ours (that of the
    attempt), sent along wherever the provider takes one; `references` has that of each number of a bulk
    request. `callback` is the address for receipts, or None where there is no listener. `document` are a
    fax's bytes. `begun` is when the attempt began.
    """

    reference: str
    call: Call
    task: Task | None = None
    callback: str | None = None
    document: bytes | None = field(default=None, repr=False)
    begun: datetime | None = None
    references: Mapping[str, str] = field(default_factory=dict)

    @property
    def to(self) -> tuple[str, ...]:
        """Whom it is for."""
        return self.call.to


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider says of one message, call or order: the answer to a send, a status, a line of a list,
    a callback.

    `ref` is their id, `reference` ours where they give it back. `disposition` None: still under way.
    `handed_on`: it went to the carrier. `word` is their own word for the state, `to` the number. `seconds` is
    how long a call or fax lasted, `parts` segments or pages. `price` is as they write it, with `currency`.
    `session` is an IVR session's, `room` a conference's. `refs` are those of each number, where one request
    was for many, and `shared_ref` is their id of the request in a word about one of them.
    """

    ref: str | None = None
    reference: str | None = None
    disposition: Disposition | None = None
    handed_on: bool = False
    word: str = ""
    detail: str = ""
    to: str | None = None
    sender: str | None = None
    body: str | None = None
    incoming: bool = False
    at: datetime | None = None
    seconds: int | None = None
    parts: int | None = None
    price: str | None = None
    currency: str | None = None
    recording: str | None = None
    media: tuple[str, ...] = ()
    session: str | None = None
    room: str | None = None
    refs: Mapping[str, str] = field(default_factory=dict)
    shared_ref: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """A message, fax or call that came in: `what` is sms, fax or call. `ref` tells it from all others of the
    account. `session` is that of a call that waits for steps."""

    what: str
    ref: str
    sender: str
    dest: str
    body: str = ""
    media: tuple[str, ...] = ()
    at: datetime | None = None
    pages: int | None = None
    price: str | None = None
    session: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notice:
    """What happened in an IVR session. `block` is the step that it speaks of (dial, play, gather, record,
    monitor, transfer, answer), "" for the call itself. `over`: the call has ended.

    `failed`: the step came to nothing (not picked up, a transfer that was refused).
    """

    session: str
    ref: str | None = None
    reference: str | None = None
    block: str = ""
    digits: str | None = None
    recording: str | None = None
    word: str = ""
    failed: bool = False
    over: bool = False
    seconds: int | None = None
    price: str | None = None
    currency: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)


Told = Receipt | Message | Notice
"""What a callback may hold."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number that is for sale, or that the account has. Prices are as the provider writes them.

    `id` is the provider's own where orders take that in place of the number. `renews`: whether it is paid on
    by itself. `forward_to` and `forward_sms_to` are where calls and messages for it go. Of our configuration:
    `context` is where Asterisk takes its calls; `missing`: it should be there, and the provider has it not.
    """

    number: str
    id: str | None = None
    country: str | None = None
    area: str | None = None
    place: str | None = None
    capabilities: tuple[str, ...] = ()
    setup: str | None = None
    monthly: str | None = None
    per_minute: str | None = None
    currency: str | None = None
    expiry: date | None = None
    renews: bool | None = None
    forward_to: str | None = None
    forward_sms_to: str | None = None
    primary_route: str | None = None
    failover_route: str | None = None
    alias: str | None = None
    context: str | None = None
    missing: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Area:
    """Where numbers are for sale: a country, a state of it, an area code or an exchange; `code` is what a
    search takes."""

    code: str
    name: str = ""
    prefix: str = ""
    areas: tuple["Area", ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Price:
    """What something costs: `rate` per `unit` (message, minute, page, "1 month", "auto_extend"). `parts` is
    how many segments were counted, `total` what all of it costs; `minutes` what the balance is enough for."""

    rate: str
    unit: str
    currency: str | None = None
    parts: int | None = None
    total: str | None = None
    minutes: str | None = None
    unicode: bool | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """A route of a provider for calls that come in. `type` is host, number, uri or sip-reg."""

    id: str
    type: str = ""
    value: str | None = None
    alias: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AccountState:
    """The account: what is left on it, and what the provider knows of its owner."""

    balance: str | None = None
    currency: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. `cursor` asks for the next one; None on the last. `total`: of all pages, where they
    say so."""

    items: tuple[Any, ...]
    cursor: str | None = None
    total: int | None = None
