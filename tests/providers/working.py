"""Accounts at work, and what they are asked."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dialerd.core.errors import DeliveryError
from dialerd.core.receipts import Errand, Receipt
from dialerd.core.signals import ProviderAnswered, ProviderAsked
from dialerd.providers.accounts import Accounts
from tests.providers.cloud import Says, says
from tests.providers.samples import sms

LONG = 30.0


@contextmanager
def made(*settings: Any, **around: Any) -> Iterator[Accounts]:
    accounts = Accounts(settings, **around)
    try:
        yield accounts
    finally:
        accounts.stop(LONG)


def sent(accounts: Accounts, what: Errand, operation: str = "sms.send") -> ProviderAnswered:
    answers: queue.Queue[ProviderAnswered] = queue.Queue()
    accounts.send("cloud", operation, what, answers.put)
    return answers.get(timeout=LONG)


def outcome(accounts: Accounts, what: Errand, operation: str = "sms.send") -> Receipt | DeliveryError:
    return sent(accounts, what, operation).answers[what.reference]


def looked(accounts: Accounts, ref: str | None = None) -> ProviderAsked:
    answers: queue.Queue[ProviderAsked] = queue.Queue()
    accounts.look("cloud", "sms", sms(), ref, answers.put)
    return answers.get(timeout=LONG)


def asked(accounts: Accounts, operation: str = "numbers.search", **parameters: Any) -> Any:
    return accounts.ask("cloud", operation, parameters).result(LONG)


def page(*items: tuple[str, str | None], next: str | None = None) -> Says:
    return says({"items": [{"id": id, "tag": tag} for id, tag in items], "next": next})
