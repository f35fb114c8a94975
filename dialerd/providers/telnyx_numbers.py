"""Telnyx: numbers for sale, and those of the account (developers.telnyx.com, numbers)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dialerd.core.callbacks import Unreadable
from dialerd.core.errors import Mistake, Rejected
from dialerd.core.model import Disposition
from dialerd.core.receipts import Area, Errand, Number, Page, Receipt
from dialerd.core.tasks import NumberOrder
from dialerd.providers.base import text
from dialerd.providers.pairs import given
from dialerd.providers.telnyx_api import TelnyxApi, body, data, needed, nested, page, place
from dialerd.providers.wire import Reply, Request

PAGE_SIZE = 100

_DETAILS = {
    "forward_to": "voice",
    "messaging_profile_id": "messaging",
    "messaging_product": "messaging",
}
"""Details of an order by the part of a number that has them; all others are of the number itself."""


@dataclass(frozen=True, kw_only=True)
class TelnyxNumbers(TelnyxApi):
    """Numbers of an account."""

    def numbers_countries(self, cursor: str | None = None) -> Request:
        """Where numbers are for sale."""
        return Request("GET", "/country_coverage")

    def read_numbers_countries(self, reply: Reply) -> Page:
        """Countries that have numbers. Raises Unreadable."""
        found = data(reply).items()
        return Page(
            tuple(
                _country(name, each) for name, each in found if isinstance(each, dict) and each.get("numbers")
            )
        )

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
        """Numbers for sale, in one page. An area of digits is an area code, another one a state."""
        filters = (
            ("filter[country_code]", (country or "").upper() or None),
            (
                "filter[national_destination_code]"
                if (area or "").isdigit()
                else "filter[administrative_area]",
                area,
            ),
            ("filter[rate_center]", place),
            ("filter[phone_number][starts_with]", starts_with),
            ("filter[phone_number][contains]", contains),
            ("filter[phone_number][ends_with]", ends_with),
            ("filter[limit]", text(limit)),
        )
        return Request("GET", "/available_phone_numbers", query=given(filters))

    def read_numbers_search(self, reply: Reply) -> Page:
        """Numbers for sale. Raises Unreadable."""
        return page(reply, _for_sale)

    def numbers_buy(self, errand: Errand) -> Request:
        """Orders a number; our reference is the order's customer_reference."""
        order = _order(errand)
        fields = {"phone_numbers": [{"phone_number": order.subject}], "customer_reference": errand.reference}
        return Request("POST", "/number_orders", json=body(fields, order.details))

    def read_numbers_buy(self, reply: Reply) -> Receipt:
        """An order that was taken: success, or pending for a moment (or for papers that a country wants).
        Raises Unreadable, Rejected."""
        found = data(reply)
        word = text(found.get("status")) or ""
        if word == "failure":
            raise Rejected("Telnyx says that the order failed: the number may be gone.")
        return Receipt(
            ref=needed(found, "id"),
            reference=text(found.get("customer_reference")),
            disposition=Disposition.DONE,
            word=word,
            raw=found,
        )

    def numbers_configure(self, errand: Errand) -> Request:
        """Changes a number, its voice or its messaging settings."""
        order = _order(errand)
        part = _parts(order)[0]
        path = place("phone_numbers", order.subject, *((part,) if part else ()))
        fields: dict[str, Any] = dict(order.details)
        if "forward_to" in fields:
            to = fields.pop("forward_to")
            forwarding = {"call_forwarding_enabled": bool(to), "forwards_to": to, "forwarding_type": "always"}
            fields["call_forwarding"] = forwarding
        return Request("PATCH", path, json=fields)

    def read_numbers_configure(self, reply: Reply) -> Receipt:
        """A number as it is now. Raises Unreadable."""
        found = data(reply)
        return Receipt(ref=needed(found, "id"), disposition=Disposition.DONE, raw=found)

    def numbers_release(self, errand: Errand) -> Request:
        """Gives a number up."""
        return Request("DELETE", place("phone_numbers", _order(errand).subject))

    read_numbers_release = read_numbers_configure

    def numbers_list(
        self,
        starts_with: str | None = None,
        contains: str | None = None,
        ends_with: str | None = None,
        cursor: str | None = None,
    ) -> Request:
        """The account's numbers. Raises Rejected for what Telnyx can't be asked."""
        if starts_with or ends_with:
            raise Rejected("Telnyx lists the account's numbers by contains only (three digits or more).")
        return self.listed("/phone_numbers", PAGE_SIZE, ("filter[phone_number]", contains), cursor=cursor)

    def read_numbers_list(self, reply: Reply) -> Page:
        """Numbers. Raises Unreadable."""
        return page(reply, _owned)

    def numbers_show(self, number: str) -> Request:
        """One of the account's numbers, by itself (+...) or its id."""
        if not number.startswith("+"):
            return Request("GET", place("phone_numbers", number))
        return Request("GET", "/phone_numbers", query=(("filter[phone_number]", number.removeprefix("+")),))

    def read_numbers_show(self, reply: Reply) -> Number:
        """A number. Raises Unreadable."""
        found = reply.object().get("data")
        if isinstance(found, dict):
            return _owned(found)
        entries = page(reply, _owned).items
        if len(entries) != 1:
            raise Unreadable("there is no such number on the account")
        only = entries[0]
        assert isinstance(only, Number)
        return only


def against_order(task: NumberOrder) -> Iterator[Mistake]:
    """What Telnyx can't do with an order."""
    if task.verb in ("configure", "release") and not task.subject.isdigit():
        yield Mistake("number", "Telnyx knows numbers by an id here: `dialerctl numbers show` tells it.")
    if task.verb == "configure" and len(_parts(task)) != 1:
        what = "forward_to; messaging_profile_id; or connection_id, customer_reference and others"
        yield Mistake("details", f"Telnyx changes these one at a time, so make an order for each: {what}.")


def _parts(order: NumberOrder) -> list[str]:
    """The parts of a number that an order changes; "" is the number itself."""
    return sorted({_DETAILS.get(name, "") for name, _ in order.details})


def _for_sale(found: Mapping[str, Any]) -> Number:
    cost = nested(found, "cost_information")
    regions = {
        text(each.get("region_type")): text(each.get("region_name"))
        for each in found.get("region_information") or ()
        if isinstance(each, dict)
    }
    features = (text(each.get("name")) for each in found.get("features") or () if isinstance(each, dict))
    return Number(
        needed(found, "phone_number"),
        country=regions.get("country_code"),
        area=regions.get("state"),
        place=regions.get("rate_center") or regions.get("location"),
        capabilities=tuple(sorted(filter(None, features))),
        setup=text(cost.get("upfront_cost")),
        monthly=text(cost.get("monthly_cost")),
        currency=text(cost.get("currency")),
        raw=found,
    )


def _owned(found: Mapping[str, Any]) -> Number:
    return Number(
        needed(found, "phone_number"),
        id=needed(found, "id"),
        country=text(found.get("country_iso_alpha2")),
        forward_to=text(found.get("connection_id")),
        forward_sms_to=text(found.get("messaging_profile_id")),
        alias=text(found.get("customer_reference")),
        raw=found,
    )


def _country(name: str, found: Mapping[str, Any]) -> Area:
    return Area(needed(found, "code"), name, raw=found)


def _order(errand: Errand) -> NumberOrder:
    assert isinstance(errand.task, NumberOrder)
    return errand.task
