"""The cloud: the accounts with providers, what we are told by them, and what they are sent. Brings these
parts together for the daemon."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dialerd.callbacks import Callbacks, read_key
from dialerd.core.errors import Broken
from dialerd.core.inbound import ListenerSettings
from dialerd.core.meters import NOBODY, Meters
from dialerd.core.signals import ProviderTold
from dialerd.documents import DocumentSettings, FolderOfDocuments
from dialerd.intake.listener import Door, Listener
from dialerd.inventory import Inventory
from dialerd.log import get_logger
from dialerd.providers.accounts import Accounts
from dialerd.rulebook import Rulebook

log = get_logger(__name__)

SWEEP_S = 3600.0
STOP_S = 35.0
"""Requests that are on their way are waited for: each is over after its own limit."""


class Cloud:
    """Accounts, listener, documents and inventory. `listener` None: providers are only asked."""

    def __init__(
        self,
        state: Path,
        listener: ListenerSettings | None,
        book: Rulebook,
        blocked: Mapping[str, datetime],
        tell: Callable[[Any], None],
        meters: Meters = NOBODY,
    ) -> None:
        """`tell` gets what the accounts have to say to the engine. Raises ConfigError, Broken."""
        self.documents = FolderOfDocuments(DocumentSettings(state / "documents"))
        self.documents.prepare()
        self.inventory = Inventory(state, book.dids)
        self._listener_settings = listener
        self._key = read_key(state) if listener is not None else b""
        self._callbacks = self._made(book)
        self._listener: Listener | None = None
        self._swept = 0.0
        self.accounts = Accounts(
            book.accounts,
            documents=self._bytes,
            callback_url=self._address,
            blocked=blocked,
            tell=tell,
            meters=meters,
        )

    def start(self, tell: Callable[[ProviderTold], Any], metrics: Callable[[], bytes] | None = None) -> None:
        """Lets providers tell us what happened, where that is configured, and shows the metrics to whom it is
        configured. Raises ConfigError."""
        if self._listener_settings is not None:
            self._listener = Listener(self._listener_settings, self._doors, tell, metrics)
            self._listener.start()

    def reconfigure(self, book: Rulebook) -> None:
        """Other accounts and numbers; the listener stays where it is."""
        self._callbacks = self._made(book)
        self.inventory.dids = book.dids
        self.accounts.reconfigure(book.accounts)

    def close_doors(self) -> None:
        """Takes no more callbacks."""
        if self._listener is not None:
            self._listener.stop()

    def finish(self) -> None:
        """Sends nothing more, and waits for the answers to what was sent."""
        self.accounts.stop(STOP_S)

    def problems(self) -> list[str]:
        """What somebody should look at."""
        lost = self._listener is not None and not self._listener.alive()
        found = ["The listener has ended: restart dialerd."] if lost else []
        return [*found, *self.inventory.problems(datetime.now(UTC).date())]

    def listening(self) -> bool:
        """Whether callbacks are taken."""
        return self._listener is not None and self._listener.alive()

    def sweep(self, mono: float, needed: Callable[[], set[str]]) -> None:
        """Removes documents that nobody needs, once in a while; none where nobody can tell which are."""
        if mono - self._swept >= SWEEP_S:
            self._swept = mono
            with suppress(Broken):  # the housekeeper tells of it
                self.documents.sweep(needed)

    def addresses(self) -> dict[str, str]:
        """By provider: the address to give it for what comes in; none without a listener."""
        found = self._callbacks
        return {} if found is None else {name: found.address(name, "") for name in found.doors}

    def _made(self, book: Rulebook) -> Callbacks | None:
        if self._listener_settings is None:
            return None
        return Callbacks(self._listener_settings, book.accounts, book.dids, self._key)

    def _doors(self) -> Mapping[str, Door]:
        return {} if self._callbacks is None else self._callbacks.doors

    def _address(self, provider: str, reference: str) -> str | None:
        return None if self._callbacks is None else self._callbacks.address(provider, reference)

    def _bytes(self, document: str) -> bytes:
        try:
            return self.documents.get(document)
        except Broken as error:
            log.error("document_lost", document=document[:12], why=str(error))
            raise FileNotFoundError(document) from None
