"""Providers in memory, which answer when a test says so; and worlds that have them."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from dialerd.core.destinations import Destinations
from dialerd.core.errors import DeliveryError
from dialerd.core.model import Call, Event
from dialerd.core.policy import Provider, Route, Trunk
from dialerd.core.receipts import Errand, Receipt
from dialerd.core.signals import ProviderAnswered, ProviderAsked, ProviderTold
from dialerd.core.tasks import Sms
from dialerd.engine.inbox import Tell
from dialerd.engine.ports import Policy
from dialerd.store.reader import SqliteReader
from tests.engine.world import ANYTHING, World

OPERATIONS = frozenset(
    {"sms.send", "sms.bulk", "sms.status", "voice.connect", "voice.say", "voice.status", "ivr.dial"}
    | {"voice.hangup", "voice.conference", "numbers.buy", "fax.send", "fax.status"}
)
NUMBER = "+4930123456"


@dataclass
class MemoryCloud:
    """Requests as they came, and how much room there is."""

    sent: list[tuple[str, str, Errand]] = field(default_factory=list)
    looked: list[tuple[str, Errand, str | None]] = field(default_factory=list)
    acts: list[tuple[str, str, Mapping[str, Any], "Future[Any]"]] = field(default_factory=list)
    places: int = 10
    open: int = 0
    blocked: set[str] = field(default_factory=set)
    looks: bool = True
    finds: bool = True
    receipts: bool = True

    def room(self, name: str, now: float) -> int:
        return self.places - self.open

    def next(self, name: str, now: float) -> float | None:
        return None

    def is_blocked(self, name: str, now: float) -> bool:
        return name in self.blocked

    def send(self, name: str, operation: str, errand: Errand, done: Callable[[Any], None]) -> None:
        self.open += 1
        self.sent.append((name, operation, errand))

    def has(self, name: str, operation: str) -> bool:
        return operation in OPERATIONS

    def can_look(self, name: str, kind: str, ref: bool) -> bool:
        return self.looks if ref else self.finds

    def gets_receipts(self, name: str) -> bool:
        return self.receipts

    def look(
        self, name: str, kind: str, errand: Errand, ref: str | None, done: Callable[[Any], None]
    ) -> None:
        self.looked.append((name, errand, ref))

    def ask(self, name: str, operation: str, parameters: Mapping[str, Any]) -> "Future[Any]":
        future: Future[Any] = Future()
        self.acts.append((name, operation, parameters, future))
        return future


class Clouded(World):
    """A world with the providers one and two, and the trunk main."""

    def __init__(self, folder: Path, cloud: MemoryCloud, ami: bool = False, **policy: Any) -> None:
        self.cloud = cloud
        providers = {name: Provider(name, "x", OPERATIONS) for name in ("one", "two")}
        everywhere = Destinations.parse(("*",))
        routes = (
            Route(everywhere, ("one", "two"), kinds=("sms",)),
            Route(everywhere, ("main", "one"), kinds=("call",)),
        )
        rules = replace(ANYTHING, trunks={"main": Trunk("main", "x")}, providers=providers, routes=routes)
        super().__init__(folder, ami=ami, policy=Policy(rules, **policy), providers=cloud)

    def send(self, *ways: str, body: str = "hello", number: str = NUMBER, **more: Any) -> Any:
        """The job of a text message."""
        task = more.pop("task", Sms(body, bulk=more.pop("bulk", False)))
        call = more.pop("call", Call(to=(number,)))
        return self.submit(call=call, task=task, ways=ways or ("one",), **more).job

    def reply(self, answer: Receipt | DeliveryError, index: int = -1) -> None:
        """The provider's answer to a request."""
        name, _, errand = self.cloud.sent[index]
        self.cloud.open -= 1
        references = list(errand.references.values()) or [errand.reference]
        self.tell(ProviderAnswered(name, dict.fromkeys(references, answer), self.clock.mono()))

    def told(self, told: Any, provider: str = "one", surely: bool = True) -> None:
        """What a provider says by itself."""
        self.tell(Tell(ProviderTold(provider, told, surely)))

    def asked(self, receipt: Receipt | None, index: int = -1) -> None:
        """The provider's answer to a question."""
        name, errand, _ = self.cloud.looked[index]
        self.tell(ProviderAsked(name, errand.reference, receipt))

    def engine_events(self) -> list[Event]:
        """All events of all jobs."""
        reader = SqliteReader(self.folder)
        found = reader.events(0, 1000)
        reader.close()
        return found

    def way_of_last(self) -> str:
        return self.cloud.sent[-1][0]


@pytest.fixture
def cloud() -> MemoryCloud:
    return MemoryCloud()


@pytest.fixture
def clouded(tmp_path: Path, cloud: MemoryCloud) -> Iterator[Clouded]:
    world = Clouded(tmp_path, cloud)
    yield world
    world.close()
