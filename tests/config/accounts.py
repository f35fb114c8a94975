"""Providers that exist for the tests of the configuration only."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from dialerd.core.callbacks import Answer, Callback
from dialerd.core.errors import Mistake
from dialerd.core.model import Call
from dialerd.core.receipts import Errand, Receipt
from dialerd.core.tasks import Task
from dialerd.providers.base import Provider
from dialerd.providers.wire import Reply, Request


@dataclass(frozen=True, kw_only=True)
class Pigeon(Provider):
    """Carries messages and calls, no faxes; keeps sessions where it has a loft."""

    TYPE = "pigeon"
    BASE_URL = "https://{coop}.pigeon.example/v1"
    PER_MINUTE = 30.0
    OPTIONS: ClassVar[Mapping[str, str]] = {
        "coop": "!the coop that the account lies in",
        "breed": "which pigeons fly",
        "loft": "where sessions are kept",
        "sender": "who messages are from",
    }

    def sms_send(self, errand: Errand) -> Request:
        return Request("POST", "/sms")

    def read_sms_send(self, reply: Reply) -> Receipt:
        return Receipt(ref="1")

    def voice_say(self, errand: Errand) -> Request:
        return Request("POST", "/call")

    def read_voice_say(self, reply: Reply) -> Receipt:
        return Receipt(ref="1")

    def ivr_play(self, session: str) -> Request:
        return Request("POST", "/play")

    def read_ivr_play(self, reply: Reply) -> Receipt:
        return Receipt(ref="1")

    @classmethod
    def against_options(cls, options: Mapping[str, Any]) -> Iterator[Mistake]:
        if options.get("breed") == "dodo":
            yield Mistake("breed", "Those can't fly: choose another.")

    def available(self) -> frozenset[str]:
        return self.operations() - (frozenset() if "loft" in self.options else {"ivr.play"})

    def objections(self, kind: str, call: Call, task: Task | None) -> Iterator[Mistake]:
        yield Mistake("to", f"no {self.options.get('breed', 'pigeon')} flies there")


@dataclass(frozen=True, kw_only=True)
class Parrot(Provider):
    """Asks what to say to those who call."""

    TYPE = "parrot"
    BASE_URL = "https://parrot.example"

    def acknowledgement(self, callback: Callback, action: str | None) -> Answer:
        return Answer(text=action or "")


@dataclass(frozen=True, kw_only=True)
class Owl(Provider):
    """Knows everybody: needs neither account nor secret."""

    TYPE = "owl"
    BASE_URL = "https://owl.example"
    NEEDS_ACCOUNT = False
    NEEDS_SECRET = False


@dataclass(frozen=True, kw_only=True)
class Gateway(Provider):
    """Stands for the type generic, whose options are tables."""

    TYPE = "generic"
    TABLES: ClassVar[frozenset[str]] = frozenset({"sms"})
    BASE_URL = ""
    NEEDS_ACCOUNT = False
    NEEDS_SECRET = False
    OPTIONS: ClassVar[Mapping[str, str]] = {"sms": "how messages are sent"}


def secret_file(folder: Path, text: str = "s3cret", name: str = "provider-secret") -> Path:
    """A file that only its owner can read."""
    path = folder / name
    path.touch(0o600)
    path.write_text(text)
    return path
