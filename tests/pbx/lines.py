"""Lines to Asterisk's manager, for tests: quick ones, and what they report."""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

import pytest

from dialerd.core.signals import AsteriskDown, AsteriskUp, CallSeen
from dialerd.pbx.ami import Ami, AmiSettings, Pace, Secret
from tests.pbx.fake_manager import Action, FakeManager, Line, message
from tests.waiting import until

QUICK = Pace(
    first_pause=0.01, longest_pause=0.05, answer=0.5, quiet=0.2, load=0.05, channels=0.05, settled=0.05
)
T = TypeVar("T")


class Heard(list[object]):
    """Every signal that was reported."""

    def of(self, kind: type[T]) -> list[T]:
        return [signal for signal in list(self) if isinstance(signal, kind)]


Dialling = Callable[..., tuple[Ami, Heard]]


@pytest.fixture
def manager() -> Iterator[FakeManager]:
    server = FakeManager()
    yield server
    server.close()


@pytest.fixture
def line() -> Iterator[Dialling]:
    """Starts lines and stops them after the test."""
    started: list[Ami] = []

    def start(
        port: int,
        username: str = "dialerd",
        secret: str = "secret",
        pace: Pace = QUICK,
        watched: Callable[[], Mapping[str, str]] = dict,
    ) -> tuple[Ami, Heard]:
        heard = Heard()
        ami = Ami(AmiSettings("127.0.0.1", port, username, Secret(secret)), heard.append, pace, watched)
        started.append(ami)
        ami.start()
        return ami, heard

    yield start
    for ami in started:
        ami.stop()


def down(heard: Heard) -> AsteriskDown:
    return until(lambda: heard.of(AsteriskDown))[-1]


def up(heard: Heard) -> AsteriskUp:
    return until(lambda: heard.of(AsteriskUp))[-1]


def refuse(text: str) -> Callable[[Line, Action], None]:
    return lambda line, action: line.answer(action, "Error", Message=text)


def begin(uniqueid: str, attempt: str) -> bytes:
    facts = {
        "Channel": f"PJSIP/a-{uniqueid}",
        "Uniqueid": uniqueid,
        "Variable": "DIALERD_ATTEMPT",
        "Value": attempt,
    }
    return message({"Event": "VarSet", "Privilege": "dialplan,all", **facts})


def names(heard: Heard) -> list[str]:
    return [seen.name for seen in heard.of(CallSeen)]
