"""Hoiio: text messages, faxes, calls and conferences, sessions, numbers.

Facts are from openapi.hoiio.com and developer.hoiio.com/docs; nobody says whether it still runs. Everything
is a POST with a form (hoiio_api.py); `status` in the answer decides, not the HTTP code (hoiio_words.py). Our
reference is the `tag`, which notifications, statuses and histories bring back.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from dialerd.core.callbacks import Callback
from dialerd.core.errors import DeliveryError, Mistake, Unconfirmed
from dialerd.core.model import Call
from dialerd.core.receipts import AccountState, Errand, Page, Price, Receipt, Told
from dialerd.core.tasks import Fax, Sms, Task
from dialerd.providers import hoiio_limits, hoiio_told
from dialerd.providers.base import text
from dialerd.providers.hoiio_api import ours
from dialerd.providers.hoiio_calls import HoiioCalls
from dialerd.providers.hoiio_ivr import HoiioIvr
from dialerd.providers.hoiio_numbers import HoiioNumbers
from dialerd.providers.hoiio_words import (
    BULK,
    SUCCESS,
    answer,
    fax,
    message,
    needed,
    page,
    price,
    refused,
    sent,
)
from dialerd.providers.wire import Part, Reply, Request


@dataclass(frozen=True, kw_only=True)
class Hoiio(HoiioCalls, HoiioIvr, HoiioNumbers):
    """An account: `account` is its app id, `secret` the access token."""

    TYPE = "hoiio"
    BASE_URL = "https://secure.hoiio.com/open"
    PER_MINUTE = 60.0
    SEGMENTS = hoiio_limits.SEGMENTS
    OPTIONS: ClassVar[Mapping[str, str]] = {
        "sender": "the sender name of messages that name none (3 to 11 characters, or a Hoiio number)",
        "conference": "the path of conferences, where it is the older voice/conference",
    }

    def sms_send(self, errand: Errand) -> Request:
        """One message."""
        return self._sms("/sms/send", errand, errand.reference)

    def read_sms_send(self, reply: Reply) -> Receipt:
        """Raises DeliveryError, Unreadable."""
        return sent(reply, "txn_ref")

    def sms_bulk(self, errand: Errand) -> Request:
        """One message to many. The id of each number's comes with its notification."""
        return self._sms("/sms/bulk_send", errand, BULK + errand.reference)

    def read_sms_bulk(self, reply: Reply) -> Receipt:
        """Raises DeliveryError, Unreadable."""
        return sent(reply, "bulk_txn_ref")

    def sms_status(self, ref: str) -> Request:
        """What became of a message."""
        return self.post("/sms/query_status", ("txn_ref", ref))

    def read_sms_status(self, reply: Reply) -> Receipt:
        """Raises DeliveryError, Unreadable."""
        return message(answer(reply))

    def sms_history(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        incoming: bool = False,
        cursor: str | None = None,
    ) -> Request:
        """Messages of both directions: Hoiio can't be asked for one of them."""
        return self.history("/sms/get_history", since, until, cursor)

    def read_sms_history(self, reply: Reply) -> Page:
        """Raises DeliveryError, Unreadable."""
        return page(reply, message)

    def sms_find(self, errand: Errand, cursor: str | None = None) -> Request:
        """Messages of the attempt's day, with their tags."""
        return self.around("/sms/get_history", errand, cursor)

    read_sms_find = read_sms_history

    def sms_rate(
        self, to: str | None = None, body: str | None = None, incoming: str | None = None
    ) -> Request:
        """What a message costs, or one to a number of ours: Hoiio refuses both at once."""
        if incoming is not None:
            return self.post("/sms/get_rate", ("incoming", incoming))
        return self.post("/sms/get_rate", ("dest", to), ("msg", body))

    def read_sms_rate(self, reply: Reply) -> Price:
        """Raises DeliveryError, Unreadable."""
        return price(reply, "message")

    def fax_send(self, errand: Errand) -> Request:
        """The PDF goes as a file. No header is a header too: an empty one."""
        task = errand.task
        assert isinstance(task, Fax)
        assert errand.document is not None
        part = Part("file", task.filename or "fax.pdf", task.media_type, errand.document)
        fields = (
            ("dest", errand.to[0]),
            ("filename", task.filename),
            ("caller_id", task.caller_id),
            ("fax_header", task.header),
        )
        return self.upload("/fax/send", part, *fields, *ours(errand), extra=task.extra)

    def read_fax_send(self, reply: Reply) -> Receipt:
        """Raises DeliveryError, Unreadable."""
        return sent(reply, "txn_ref")

    def fax_status(self, ref: str) -> Request:
        """What became of a fax, sent or received."""
        return self.post("/fax/query_status", ("txn_ref", ref))

    def read_fax_status(self, reply: Reply) -> Receipt:
        """Raises DeliveryError, Unreadable."""
        return fax(answer(reply))

    def fax_history(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        incoming: bool = False,
        cursor: str | None = None,
    ) -> Request:
        """Faxes of one direction."""
        kind = ("type", "incoming" if incoming else "outgoing")
        return self.history("/fax/get_history", since, until, cursor, kind)

    def read_fax_history(self, reply: Reply) -> Page:
        """Raises DeliveryError, Unreadable."""
        return page(reply, fax)

    def fax_find(self, errand: Errand, cursor: str | None = None) -> Request:
        """Faxes of the attempt's day, with their tags."""
        return self.around("/fax/get_history", errand, cursor, ("type", "outgoing"))

    read_fax_find = read_fax_history

    def fax_rate(self, to: str | None = None, incoming: str | None = None) -> Request:
        """What a fax costs, or one to a number of ours."""
        asked = ("dest", to) if incoming is None else ("incoming", incoming)
        return self.post("/fax/get_rate", asked)

    def read_fax_rate(self, reply: Reply) -> Price:
        """Raises DeliveryError, Unreadable."""
        return price(reply, "minute")

    def account_balance(self) -> Request:
        """Points and bonus, of which the bonus is used up first."""
        return self.post("/user/get_balance")

    def read_account_balance(self, reply: Reply) -> AccountState:
        """Raises DeliveryError, Unreadable."""
        found = answer(reply)
        parts = {name: value for name in ("points", "bonus") if (value := text(found.get(name)))}
        return AccountState(needed(found, "balance"), text(found.get("currency")), parts, found)

    def account_info(self) -> Request:
        """Its owner, and the numbers that calls may show."""
        return self.post("/user/get_info")

    def read_account_info(self, reply: Reply) -> AccountState:
        """Raises DeliveryError, Unreadable."""
        found = answer(reply)
        details = {name: _line(value) for name, value in found.items() if name not in ("status", "currency")}
        return AccountState(None, text(found.get("currency")), details, found)

    def refusal(self, reply: Reply) -> DeliveryError | None:
        """An error that it names decides. A success with another code than 2xx is believed by nobody. Raises
        Unreadable."""
        if reply.object().get("status") == SUCCESS:
            return Unconfirmed(f"Hoiio answers {reply.status} and {SUCCESS}: it may have been done.")
        return refused(reply)

    def complaint(self, reply: Reply) -> str:
        """Raises Unreadable."""
        return text(reply.object().get("status")) or ""

    def objections(self, kind: str, call: Call, task: Task | None) -> Iterator[Mistake]:
        """What Hoiio has no words for, or surely refuses."""
        return hoiio_limits.objections(kind, call, task)

    def told(self, callback: Callback) -> list[Told]:
        """Notifications. Raises Unreadable."""
        return hoiio_told.told(callback.fields())

    def _sms(self, path: str, errand: Errand, tag: str) -> Request:
        task = errand.task
        assert isinstance(task, Sms)
        return self.post(
            path,
            ("dest", ",".join(errand.to)),
            ("msg", task.body),
            ("sender_name", task.sender or self.options.get("sender")),
            ("tag", tag),
            ("notify_url", errand.callback),
            extra=task.extra,
        )


def _line(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else text(value) or ""
