"""Telnyx: faxes (developers.telnyx.com, programmable fax).

The document goes along with the request. Such a request takes neither an address for callbacks nor a
reference: events go to the address of the fax application, and are known by the fax's id.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dialerd.core.errors import Mistake
from dialerd.core.model import Disposition
from dialerd.core.receipts import Errand, Page, Receipt
from dialerd.core.tasks import Fax
from dialerd.providers.base import moment, text, whole
from dialerd.providers.pairs import GIVE, against_extra, merged
from dialerd.providers.telnyx_api import TelnyxApi, data, needed, page, place, reference, written
from dialerd.providers.wire import Part, Reply, Request

PAGE_SIZE = 100
LARGEST = 20_000_000
"""Bytes of a document that goes along (POST /faxes, contents)."""
MOST_PAGES = 350
"""support.telnyx.com, Fax API - Error List."""

WORDS = {"delivered": Disposition.DELIVERED, "failed": Disposition.FAILED}
"""status of a fax. All others (queued, media.processed, originated, sending...) are under way."""

REASONS = {
    "user_busy": Disposition.BUSY,
    "receiver_no_answer": Disposition.NOANSWER,
    "receiver_no_response": Disposition.NOANSWER,
}
"""failure_reason of a fax that failed (developers.telnyx.com, receiving webhooks for programmable fax)."""

_RESERVED = frozenset(("connection_id", "to", "from", "contents", "media_url", "media_name", "webhook_url"))


@dataclass(frozen=True, kw_only=True)
class TelnyxFaxes(TelnyxApi):
    """Faxes of an account."""

    def fax_send(self, errand: Errand) -> Request:
        """Sends a document's bytes."""
        task = errand.task
        assert isinstance(task, Fax)
        fields = (
            ("connection_id", self.options.get("fax_application")),
            ("to", errand.to[0]),
            ("from", task.caller_id or errand.call.caller_id_number or self.options.get("caller_id")),
        )
        part = Part("contents", task.filename or "fax", task.media_type, errand.document or b"")
        return Request("POST", "/faxes", form=merged(fields, task.extra), parts=(part,))

    def read_fax_send(self, reply: Reply) -> Receipt:
        """A fax that was taken. Raises Unreadable."""
        return fax(data(reply))

    def fax_status(self, ref: str) -> Request:
        """What became of a fax."""
        return Request("GET", place("faxes", ref))

    read_fax_status = read_fax_send

    def fax_history(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        incoming: bool = False,
        cursor: str | None = None,
    ) -> Request:
        """The faxes of a period."""
        filters = (
            ("filter[direction][eq]", "inbound" if incoming else "outbound"),
            ("filter[created_at][gte]", written(since)),
            ("filter[created_at][lte]", written(until)),
        )
        return self.listed("/faxes", PAGE_SIZE, *filters, cursor=cursor)

    def read_fax_history(self, reply: Reply) -> Page:
        """Faxes. Raises Unreadable."""
        return page(reply, fax)

    def fax_cancel(self, ref: str) -> Request:
        """Stops a fax."""
        return Request("POST", place("faxes", ref, "actions", "cancel"))

    def read_fax_cancel(self, reply: Reply) -> Receipt:
        """Its answer only says that it was heard: the fax itself is asked. Raises Unreadable."""
        return Receipt(word=needed(data(reply), "result"))

    def against_fax(self, task: Fax, shown: str | None) -> Iterator[Mistake]:
        """What Telnyx can't do with a fax; `shown` is the number that its call shows."""
        if not (task.caller_id or shown or self.options.get("caller_id")):
            yield Mistake("caller_id", f"Telnyx needs the number to show: {GIVE.format('caller_id')}")
        if task.size > LARGEST:
            yield Mistake("document", f"Telnyx takes {LARGEST // 1_000_000} MB at most.")
        if (task.pages or 0) > MOST_PAGES:
            yield Mistake("document", f"Telnyx takes {MOST_PAGES} pages at most.")
        if task.header is not None:
            yield Mistake("header", "Telnyx writes no line of ours on top of the pages: leave it out.")
        yield from against_extra(task.extra, _RESERVED)


def fax(found: Mapping[str, Any]) -> Receipt:
    """A fax as Telnyx tells of it, in an answer or an event. Raises Unreadable."""
    word, reason = text(found.get("status")) or "", text(found.get("failure_reason")) or ""
    disposition = WORDS.get(word)
    return Receipt(
        ref=text(found.get("fax_id")) or needed(found, "id"),
        reference=reference(found.get("client_state")),
        disposition=REASONS.get(reason, disposition) if disposition is Disposition.FAILED else disposition,
        word=word,
        detail=reason,
        to=text(found.get("to")),
        sender=text(found.get("from")),
        incoming=found.get("direction") == "inbound",
        at=moment(found.get("created_at")),
        seconds=whole(found.get("call_duration_secs")),
        parts=whole(found.get("page_count")),
        media=tuple(filter(None, (text(found.get("media_url")) or text(found.get("stored_media_url")),))),
        raw=found,
    )
