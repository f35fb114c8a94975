"""The addresses that providers are given, and what opens them."""

from dataclasses import dataclass

import pytest

from dialerd.callbacks import KEY_FILE, Callbacks, read_key
from dialerd.core.callbacks import Answer, Callback
from dialerd.core.errors import Broken
from dialerd.core.inbound import Did, ListenerSettings
from dialerd.core.receipts import Message
from dialerd.intake.listener import Forged
from dialerd.providers.base import Provider, Secret
from dialerd.providers.settings import AccountSettings

KEY = b"k" * 32
SETTINGS = ListenerSettings("https://pbx.example.com/dialerd")


@dataclass(frozen=True, kw_only=True)
class Sample(Provider):
    """A provider that tells of a call to +6599, and is answered with the number's action."""

    SIGNED = True

    def verify(self, callback):
        return callback.headers.get("signature") == "right"

    def told(self, callback):
        return [Message("call", "C1", "+6511", "+6599")]

    def acknowledgement(self, callback, action):
        return Answer(200, action or "")


def callbacks(dids=None, key=KEY):
    account = AccountSettings("one", Sample(account="a", secret=Secret("s")), "https://localhost")
    return Callbacks(SETTINGS, [account], dids or {}, key)


def test_an_address_has_our_reference_and_cant_be_guessed():
    address = callbacks().address("one", "3f9k2m8qx1abc.1")

    before, _, reference = address.partition("?")
    assert before.startswith("https://pbx.example.com/dialerd/one/")
    assert (len(before.rpartition("/")[2]), reference) == (32, "ref=3f9k2m8qx1abc.1")


def test_another_key_makes_another_address():
    assert callbacks().address("one", "") != callbacks(key=b"x" * 32).address("one", "")


def test_a_callback_with_a_wrong_signature_is_forged():
    with pytest.raises(Forged):
        callbacks().doors["one"].open(Callback("POST", "https://x"))


@pytest.mark.parametrize(
    ("did", "line"),
    [
        (Did("+6599", provider="one", action='say en "Hello"'), 'say en "Hello"'),
        (Did("+6599", provider="two", action='say en "Hello"'), ""),
        (Did("+6511", provider="one", action='say en "Hello"'), ""),
    ],
)
def test_a_call_to_a_number_of_ours_is_answered_with_its_action(did, line):
    opened = (
        callbacks({did.number: did})
        .doors["one"]
        .open(Callback("GET", "https://x", headers={"signature": "right"}))
    )

    assert (opened.answer.text, opened.surely) == (line, True)


def test_the_key_is_made_once_and_stays(tmp_path):
    first = read_key(tmp_path)

    assert read_key(tmp_path) == first
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_a_damaged_key_is_said_and_not_replaced(tmp_path):
    (tmp_path / KEY_FILE).write_bytes(b"short")

    with pytest.raises(Broken, match="damaged"):
        read_key(tmp_path)
