"""Callbacks: which address each provider is given, and what opens it. Brings listener, accounts and numbers
together."""

import hmac
import os
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from dialerd.core.callbacks import Callback
from dialerd.core.errors import Broken
from dialerd.core.inbound import Did, ListenerSettings
from dialerd.core.receipts import Message
from dialerd.durable import replace_file
from dialerd.intake.listener import Door, Forged, Opened
from dialerd.providers.base import Provider
from dialerd.providers.settings import AccountSettings

KEY_FILE = "listener.key"
_KEY_BYTES = 32
_TOKEN_LETTERS = 32


class Callbacks:
    """The doors of all accounts. The tokens stay the same over restarts and reloads: receipts come late."""

    def __init__(
        self,
        settings: ListenerSettings,
        accounts: Sequence[AccountSettings],
        dids: Mapping[str, Did],
        key: bytes,
    ) -> None:
        self.settings, self._key = settings, key
        self.doors = {each.name: self._door(each.name, each.provider, dids) for each in accounts}

    def address(self, provider: str, reference: str) -> str:
        """Where a provider sends what it has to say of an attempt, or with "" of anything else."""
        address = f"{self.settings.public_url}/{provider}/{self._token(provider)}"
        return f"{address}?ref={reference}" if reference else address

    def _token(self, provider: str) -> str:
        return hmac.new(self._key, provider.encode(), sha256).hexdigest()[:_TOKEN_LETTERS]

    def _door(self, name: str, provider: Provider, dids: Mapping[str, Did]) -> Door:
        def opened(callback: Callback) -> Opened:
            if provider.SIGNED and not provider.verify(callback):
                raise Forged
            told = provider.told(callback)
            dests = [each.dest for each in told if isinstance(each, Message)]
            did = dids.get(dests[0]) if dests else None
            action = did.action if did is not None and did.provider == name else None
            return Opened(told, provider.acknowledgement(callback, action), surely=provider.SIGNED)

        return Door(name, self._token(name), opened, self.settings.sources.get(name, ()))


def read_key(state: Path) -> bytes:
    """The key that the tokens are made from; made at the first start. Raises Broken."""
    path = state / KEY_FILE
    try:
        if not path.exists():
            replace_file(path, os.urandom(_KEY_BYTES))
        key = path.read_bytes()
    except OSError as error:
        raise Broken(f"{path} can't be read or made: {error.strerror}.") from None
    if len(key) != _KEY_BYTES:
        raise Broken(f"{path} is damaged. Remove it: providers are then given new addresses.")
    return key
