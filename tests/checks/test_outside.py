"""Providers and the listener."""

import socket
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import closing
from typing import Any

import pytest

from dialerd.checks import outside
from dialerd.core.errors import AccountRefused, DeliveryError, Unavailable
from dialerd.core.findings import Finding, Verdict
from dialerd.core.inbound import ListenerSettings
from dialerd.core.receipts import AccountState

PROBES = ("account.balance", "sms.history")


class Asked:
    """One account, which answers so; None: never."""

    def __init__(self, answer: Any, has: tuple[str, ...] = ("account.balance",)) -> None:
        self.answer, self.has, self.asked = answer, has, ""
        self.ahead: dict[str, float] = {}

    def names(self) -> list[str]:
        return ["tw"]

    def operations(self, name: str) -> tuple[str, ...]:
        return self.has

    def ask(self, name: str, operation: str, parameters: Mapping[str, Any]) -> "Future[Any]":
        self.asked = operation
        future: Future[Any] = Future()
        if isinstance(self.answer, DeliveryError):
            future.set_exception(self.answer)
        elif self.answer is not None:
            future.set_result(self.answer)
        return future

    def clocks(self) -> dict[str, float]:
        return self.ahead


def judged(account: Asked) -> Finding:
    return next(outside.providers(account, PROBES, answer_s=0.1))


@pytest.mark.parametrize(
    ("balance", "verdict"),
    [
        ("12.50", Verdict.OK),
        ("4.99", Verdict.WARNING),
        ("0", Verdict.WARNING),
        ("-3.2", Verdict.WARNING),
        ("plenty", Verdict.OK),
        (None, Verdict.OK),
    ],
)
def test_a_low_balance_is_a_warning(balance: str | None, verdict: Verdict) -> None:
    found = judged(Asked(AccountState(balance, "EUR")))

    assert found.verdict is verdict


@pytest.mark.parametrize(
    ("answer", "verdict", "words"),
    [
        (AccountRefused("tw answers 401."), Verdict.ERROR, "refuses the account"),
        (Unavailable("tw: its name is not known."), Verdict.WARNING, "not known"),
        (None, Verdict.WARNING, "not answered in time"),
    ],
)
def test_a_provider_that_does_not_take_us_is_told_of(answer: Any, verdict: Verdict, words: str) -> None:
    found = judged(Asked(answer))

    assert found.verdict is verdict
    assert words in found.found


def test_the_first_probe_that_it_has_is_asked() -> None:
    account = Asked((), has=("sms.history", "sms.send"))
    judged(account)

    assert account.asked == "sms.history"


def test_one_that_can_be_asked_nothing_is_not_judged() -> None:
    assert judged(Asked((), has=("sms.send",))).verdict is Verdict.SKIPPED


def test_a_clock_an_hour_off_by_a_providers_word_is_an_error() -> None:
    account = Asked(AccountState("12.50", "EUR"))
    account.ahead = {"tw": 3600.0}

    found = list(outside.providers(account, PROBES))

    assert [(each.name, each.verdict) for each in found][1:] == [("provider clock", Verdict.ERROR)]


def test_a_listener_that_answers_is_fine_and_a_private_address_a_note() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        settings = ListenerSettings("http://localhost:8443", port=server.getsockname()[1])

        found = list(outside.listener(settings, lambda: True))

    assert [each.verdict for each in found] == [Verdict.OK, Verdict.NOTE]


def test_a_listener_that_nobody_answers_at_is_an_error() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    settings = ListenerSettings("https://localhost", port=port)

    found = [next(outside.listener(settings, lambda alive=alive: alive)) for alive in (True, False)]

    assert [each.verdict for each in found] == [Verdict.ERROR, Verdict.ERROR]
    assert "has ended" in found[1].found


def test_a_public_host_that_nobody_knows_is_a_warning() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        settings = ListenerSettings("https://nosuchhost.invalid", port=server.getsockname()[1])

        (found,) = outside.listener(settings, lambda: True)

    assert (found.verdict, "nosuchhost.invalid" in found.found) == (Verdict.WARNING, True)
