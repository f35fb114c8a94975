"""Hoiio's numbers: where there are some, what they cost, subscribing to one and saying where its calls and
messages go (openapi.hoiio.com, Number API). Hoiio has no call that gives a number up: it expires."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from dialerd.core.errors import Rejected
from dialerd.core.model import Disposition
from dialerd.core.receipts import Area, Errand, Number, Page, Price, Receipt
from dialerd.core.tasks import NumberOrder
from dialerd.providers.base import moment, text
from dialerd.providers.hoiio_api import HoiioApi
from dialerd.providers.hoiio_words import answer, entries, needed, page
from dialerd.providers.wire import Reply, Request


@dataclass(frozen=True, kw_only=True)
class HoiioNumbers(HoiioApi):
    """Numbers for sale, and those of the application."""

    def numbers_countries(self, cursor: str | None = None) -> Request:
        """Countries with numbers, and their states."""
        return self.post("/number/get_countries")

    def read_numbers_countries(self, reply: Reply) -> Page:
        """Raises DeliveryError, Unreadable."""
        return Page(tuple(_country(each) for each in entries(answer(reply))))

    def numbers_areas(self, country: str | None = None, cursor: str | None = None) -> Request:
        """Hoiio tells the states of all countries at once."""
        return self.post("/number/get_countries")

    def read_numbers_areas(self, reply: Reply) -> Page:
        """The states; `raw` says of which country each is. Raises DeliveryError, Unreadable."""
        return Page(
            tuple(
                Area(state.code, state.name, country.prefix, raw={"country": country.code, **state.raw})
                for country in map(_country, entries(answer(reply)))
                for state in country.areas
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
        """Numbers of a country, and of a state where it has such. Raises Rejected for any other wish, since
        Hoiio would leave it out."""
        others = {"starts_with": starts_with, "contains": contains, "ends_with": ends_with, "place": place}
        wished = [name for name, value in others.items() if value is not None]
        if wished:
            raise Rejected(f"Hoiio can't search by {', '.join(wished)}: give country and area only.")
        if country is None:
            raise Rejected("Hoiio needs a country to search in: give its code, such as SG.")
        return self.post("/number/get_choices", ("country", country), ("state", area), ("page", cursor))

    def read_numbers_search(self, reply: Reply) -> Page:
        """Raises DeliveryError, Unreadable."""
        return page(reply, _number, size=None)

    def numbers_rate(self, country: str) -> Request:
        """What a subscription costs."""
        return self.post("/number/get_rates", ("country", country))

    def read_numbers_rate(self, reply: Reply) -> tuple[Price, ...]:
        """By duration. Raises DeliveryError, Unreadable."""
        found = answer(reply)
        currency = text(found.get("currency"))
        return tuple(
            Price(needed(each, "rate"), _term(needed(each, "duration")), currency, raw=each)
            for each in entries(found)
        )

    def numbers_buy(self, errand: Errand) -> Request:
        """Subscribes to a number, for 1, 3 or 12 months, or with auto_extend."""
        order = _order(errand)
        duration = dict(order.details).get("duration")
        return self.post("/number/subscribe", ("number", order.subject), ("duration", duration))

    def read_numbers_buy(self, reply: Reply) -> Receipt:
        """The answer says what it cost and when it expires, but not which number it is. Raises DeliveryError,
        Unreadable."""
        found = answer(reply, acts=True)
        expiry = text(found.get("expiry"))
        return Receipt(
            ref=_asked_for(reply),
            disposition=Disposition.DONE,
            detail=f"It expires on {expiry}." if expiry else "",
            price=text(found.get("debit")),
            currency=text(found.get("currency")),
            raw=found,
        )

    def numbers_configure(self, errand: Errand) -> Request:
        """Where calls (or, with mode fax, faxes) and messages for a number go."""
        order = _order(errand)
        return self.post("/number/update_forwarding", ("number", order.subject), *order.details)

    def read_numbers_configure(self, reply: Reply) -> Receipt:
        """Raises DeliveryError, Unreadable."""
        found = answer(reply, acts=True)
        return Receipt(ref=_asked_for(reply), disposition=Disposition.DONE, raw=found)

    def numbers_list(self, cursor: str | None = None) -> Request:
        """All numbers of the application, in one page."""
        return self.post("/number/get_active")

    def read_numbers_list(self, reply: Reply) -> Page:
        """Raises DeliveryError, Unreadable."""
        return Page(tuple(_number(each) for each in entries(answer(reply))))


def _order(errand: Errand) -> NumberOrder:
    assert isinstance(errand.task, NumberOrder)
    return errand.task


def _asked_for(reply: Reply) -> str | None:
    return dict(reply.request.form or ()).get("number") if reply.request is not None else None


def _country(found: Mapping[str, Any]) -> Area:
    states = found.get("states")
    inside = [each for each in states if isinstance(each, dict)] if isinstance(states, list) else []
    return Area(
        code=needed(found, "code"),
        name=text(found.get("name")) or "",
        prefix=text(found.get("prefix")) or "",
        areas=tuple(Area(needed(each, "code"), text(each.get("name")) or "", raw=each) for each in inside),
        raw=found,
    )


def _number(found: Mapping[str, Any]) -> Number:
    able, renews = found.get("capabilities"), text(found.get("auto_extend_status"))
    return Number(
        number=needed(found, "number"),
        country=text(found.get("country")),
        area=text(found.get("state")),
        capabilities=tuple(str(each).lower() for each in able) if isinstance(able, list) else (),
        expiry=_day(found.get("expiry")),
        renews=None if renews is None else renews.lower() == "enabled",
        forward_to=text(found.get("forward_to")),
        forward_sms_to=text(found.get("forward_sms_to")),
        raw=found,
    )


def _day(value: Any) -> date | None:
    """A day as it is written (in GMT+8), whatever day it is elsewhere."""
    when = moment((text(value) or "")[:10])
    return None if when is None else when.date()


def _term(duration: str) -> str:
    if not re.fullmatch("[0-9]{1,4}", duration):
        return duration
    return "1 month" if duration == "1" else f"{duration} months"
