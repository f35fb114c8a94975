"""A provider that there is not, with one operation of each sort."""

from typing import ClassVar

from dialerd.core.callbacks import Unreadable
from dialerd.core.errors import DeliveryError, NotServed, Rejected
from dialerd.core.model import Disposition
from dialerd.core.receipts import Errand, Page, Receipt
from dialerd.core.tasks import Fax, Sms
from dialerd.providers.base import Provider, text
from dialerd.providers.wire import Part, Reply, Request, basic


class Sample(Provider):
    TYPE: ClassVar[str] = "sample"
    BASE_URL: ClassVar[str] = "https://api.example.com/v1"

    @property
    def authorization(self) -> str:
        return basic(self.account, self.secret.value)

    def refusal(self, reply: Reply) -> DeliveryError | None:
        if reply.object().get("code") == "country":
            return NotServed(f"Not there: {self.complaint(reply)}")
        return None

    def complaint(self, reply: Reply) -> str:
        return str(reply.object()["message"])

    def sms_send(self, errand: Errand) -> Request:
        assert isinstance(errand.task, Sms)
        if errand.task.body == "unspeakable":
            raise Rejected("No provider says this.")
        fields = (("To", errand.to[0]), ("Text", errand.task.body), ("Tag", errand.reference))
        callback = (("Callback", errand.callback),) if errand.callback else ()
        return Request("POST", "/messages", form=fields + callback)

    def read_sms_send(self, reply: Reply) -> Receipt:
        found = reply.object()
        if found.get("no"):
            raise NotServed(f"Not there: {found['no']}")
        if "id" not in found:
            raise Unreadable("its answer has no id")
        return Receipt(ref=found["id"])

    def sms_bulk(self, errand: Errand) -> Request:
        return Request("POST", "/bulk", json={"to": list(errand.to), "tag": errand.reference})

    def read_sms_bulk(self, reply: Reply) -> Receipt:
        return Receipt(refs=reply.object()["ids"])

    def fax_send(self, errand: Errand) -> Request:
        assert isinstance(errand.task, Fax)
        part = Part("file", "fax.pdf", errand.task.media_type, errand.document or b"")
        return Request("POST", "/faxes", form=(("To", errand.to[0]),), parts=(part,))

    def read_fax_send(self, reply: Reply) -> Receipt:
        return Receipt(ref=text(reply.object().get("id")))  # without an id: accounts.py sees to it

    def sms_status(self, ref: str) -> Request:
        return Request("GET", f"/messages/{ref}")

    def read_sms_status(self, reply: Reply) -> Receipt:
        found = reply.object()
        delivered = Disposition.DELIVERED if found["status"] == "delivered" else None
        return Receipt(ref=found["id"], disposition=delivered, word=found["status"])

    def sms_find(self, errand: Errand, cursor: str | None = None) -> Request:
        return Request("GET", "/messages", query=(("tag", errand.reference), ("page", cursor or "1")))

    def read_sms_find(self, reply: Reply) -> Page:
        return self.read_numbers_search(reply)

    def numbers_search(
        self,
        country: str | None = None,
        area: str | None = None,
        starts_with: str | None = None,
        contains: str | None = None,
        ends_with: str | None = None,
        place: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Request:
        if country == "nowhere":
            raise RuntimeError("an error of ours")
        return Request("GET", "/numbers", query=(("country", country or ""), ("page", cursor or "1")))

    def read_numbers_search(self, reply: Reply) -> Page:
        found = reply.object()
        items = tuple(Receipt(ref=each["id"], reference=each.get("tag")) for each in found["items"])
        return Page(items, found.get("next"))

    def voice_hangup(self, ref: str) -> Request:
        return Request("DELETE", f"/calls/{ref}")

    def read_voice_hangup(self, reply: Reply) -> Receipt:
        return Receipt(ref="gone")
