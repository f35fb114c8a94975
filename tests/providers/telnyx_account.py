"""An account with Telnyx, and its ids."""

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from dialerd.core.model import Call
from dialerd.core.receipts import Errand
from dialerd.core.tasks import NumberOrder, Script
from dialerd.providers.base import Secret
from dialerd.providers.telnyx import Telnyx

ID = "40385f64-5717-4562-b3fc-2c963f66afa6"
CALL = "v3:9X2vxPDFY2RHSJ1EdMS0RHRksMTg7ldNxdjWbVr9zBjbGjGsSe-aiQ"
NUMBER = "1293384261075731499"
CALLBACK = "https://dialer.example.org/in/te/k3y?ref=3f9k2m8qx1abc.1"
STATE = b64encode(b"3f9k2m8qx1abc.1").decode()
BEGUN = datetime(2026, 7, 16, 9, 30, tzinfo=UTC)

TELNYX = Telnyx(
    account="main",
    secret=Secret("KEY1"),
    options={"call_application": "1494404757140276705", "fax_application": "1594404757140276705"},
)
BY_TEXML = replace(
    TELNYX,
    options={
        **TELNYX.options,
        "texml_application": "1694404757140276705",
        "texml_account": "61bf923e-5e4d-4595-a110-56190ea18a1b",
    },
)


def errand(task: object = None, script: Script | None = None, **call: object) -> Errand:
    made = Call(to=("+13125550123",), caller_id_number="+13125550100", wait_time=45, script=script)
    return Errand(
        "3f9k2m8qx1abc.1",
        replace(made, **call),  # type: ignore[arg-type]
        task=task,  # type: ignore[arg-type]
        callback=CALLBACK,
        document=b"%PDF-1.4",
        begun=BEGUN,
    )


def order(verb: str, subject: str, *details: tuple[str, str]) -> Errand:
    return errand(NumberOrder(verb, subject, details), to=())


def message(word: str, **more: Any) -> dict[str, Any]:
    return {
        "id": ID,
        "direction": "outbound",
        "from": {"phone_number": "+13125550100"},
        "to": [{"phone_number": "+13125550123", "status": word}],
        "text": "Hello",
        "parts": 2,
        **more,
    }
