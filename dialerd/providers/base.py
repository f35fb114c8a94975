"""What every provider's file is made of.

A provider is a frozen dataclass of its account's settings. For an operation (core/operations.py) it has two
small pure methods: one makes the Request, the other reads the Reply. It has an operation by having both.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import Any, ClassVar

from dialerd.core.callbacks import Answer, Callback
from dialerd.core.errors import DeliveryError, Mistake
from dialerd.core.model import Call
from dialerd.core.operations import FIND, OPERATIONS
from dialerd.core.receipts import Errand, Receipt, Told
from dialerd.core.segments import GSM, Limits
from dialerd.core.tasks import Task
from dialerd.providers.wire import Reply

LARGEST = 10**9
"""No seconds, pages or parts are as many."""


@dataclass(frozen=True)
class Secret:
    """A text that no log or traceback shows."""

    value: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One account. `account` is what it is known by (a user, an id), `secret` what proves it.

    `options` are the provider's own settings, by name; the class says which there are.
    """

    account: str
    secret: Secret
    options: Mapping[str, str] = field(default_factory=dict)

    TYPE: ClassVar[str]
    """Its name in the configuration: type = "..."."""
    BASE_URL: ClassVar[str]
    """Where its API is, if the configuration says nothing else. May hold {option} placeholders."""
    OPTIONS: ClassVar[Mapping[str, str]] = {}
    """Its own settings, with what they are for; "!" before that marks those that must be given."""
    TABLES: ClassVar[frozenset[str]] = frozenset()
    """Those of its own settings that are tables, not texts: against_options() checks them."""
    NEEDS_ACCOUNT: ClassVar[bool] = True
    NEEDS_SECRET: ClassVar[bool] = True
    """Whether it can do without `account`, or without `secret`."""
    PER_MINUTE: ClassVar[float | None] = None
    """Requests that the provider allows an account in a minute, if the configuration says nothing else."""
    SEGMENTS: ClassVar[Limits] = GSM
    """How it cuts long messages."""
    SIGNED: ClassVar[bool] = False
    """Whether its callbacks carry a signature, which verify() checks."""

    @classmethod
    def operations(cls) -> frozenset[str]:
        """The operations that it has."""
        made: Any = cls
        return _operations_of(made)

    def available(self) -> frozenset[str]:
        """The operations that this account has: those of its class, less what its options leave out."""
        return self.operations()

    @classmethod
    def against_options(cls, options: Mapping[str, Any]) -> Iterator[Mistake]:
        """What is wrong with its options beyond their names; where each stands, from the section on."""
        return iter(())

    @classmethod
    def finders(cls) -> frozenset[str]:
        """The kinds of job that it can be asked for by our reference (core/operations.py, FIND)."""
        made: Any = cls
        return _finders_of(made)

    @property
    def authorization(self) -> str | None:
        """The Authorization header of every request; None where there is none."""
        return None

    def is_of(self, errand: Errand, receipt: Receipt) -> bool:
        """Whether an entry of a list (core/operations.py, FIND) is surely this attempt's."""
        return receipt.reference == errand.reference

    def refusal(self, reply: Reply) -> DeliveryError | None:
        """What an answer other than 2xx means with this provider; None: what it means with all
        (http.py)."""
        return None

    def complaint(self, reply: Reply) -> str:
        """The provider's own words in an answer other than 2xx, "" for none."""
        return ""

    def objections(self, kind: str, call: Call, task: Task | None) -> Iterator[Mistake]:
        """What it can't express, or surely won't take: asked before a job is accepted, and again before it is
        sent."""
        return iter(())

    def tells(self) -> bool:
        """Whether it ever tells by itself what became of something."""
        return True

    def verify(self, callback: Callback) -> bool:
        """Whether a callback's signature is right; only asked where SIGNED."""
        return True

    def told(self, callback: Callback) -> list[Told]:
        """What a callback says. Raises Unreadable."""
        return []

    def acknowledgement(self, callback: Callback, action: str | None) -> Answer:
        """What a callback is answered with. `action` is what the configuration says of the number that it is
        for ([dids])."""
        return Answer()


@cache
def _operations_of(provider: Any) -> frozenset[str]:
    """Once for each class: it is asked for with every message."""
    return frozenset(
        name
        for name, each in OPERATIONS.items()
        if hasattr(provider, each.method) and hasattr(provider, each.reader)
    )


@cache
def _finders_of(provider: Any) -> frozenset[str]:
    return frozenset(kind for kind, method in FIND.items() if hasattr(provider, method))


def text(value: Any) -> str | None:
    """A provider's value as text: None and "" are nothing, numbers are written out."""
    if value is None or value == "" or isinstance(value, (dict, list)):
        return None
    return str(value)


def whole(value: Any) -> int | None:
    """A provider's value as a whole number, where it is one that can be counted with."""
    try:
        found = None if value is None or value == "" else int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found is None or abs(found) <= LARGEST else None


def moment(value: Any, zone: tzinfo = UTC) -> datetime | None:
    """A provider's time as aware UTC, where it is one: ISO 8601, with T or a blank. `zone` is where times
    without an offset are at home. The epoch itself stands for no time."""
    try:
        found = datetime.fromisoformat(str(value).strip())
        when = (found if found.tzinfo is not None else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return when if when.timestamp() > 0 else None
