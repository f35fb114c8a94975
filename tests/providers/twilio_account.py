"""An account with Twilio, and its ids."""

from dataclasses import replace
from datetime import UTC, datetime

from dialerd.core.model import Call
from dialerd.core.receipts import Errand
from dialerd.core.tasks import NumberOrder, Script
from dialerd.providers.base import Secret
from dialerd.providers.twilio import Twilio

AC = "AC" + "a" * 32
SM = "SM" + "b" * 32
CA = "CA" + "c" * 32
PN = "PN" + "d" * 32
MG = "MG" + "e" * 32
AP = "AP" + "f" * 32
BASE = f"/2010-04-01/Accounts/{AC}"
CALLBACK = "https://dialer.example.org/in/tw/k3y?ref=3f9k2m8qx1abc.1"
BEGUN = datetime(2026, 4, 14, 9, 30, tzinfo=UTC)
TWILIO = Twilio(account=AC, secret=Secret("t0ken"))


def errand(task: object = None, script: Script | None = None, **call: object) -> Errand:
    made = Call(to=("+14155550123",), caller_id_number="+14155550100", wait_time=45, script=script)
    return Errand(
        "3f9k2m8qx1abc.1",
        replace(made, **call),
        task=task,
        callback=CALLBACK,
        begun=BEGUN,  # type: ignore[arg-type]
    )


def order(verb: str, subject: str, *details: tuple[str, str]) -> Errand:
    return errand(NumberOrder(verb, subject, details), to=())
