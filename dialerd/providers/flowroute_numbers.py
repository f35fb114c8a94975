"""Flowroute's numbers and routes (developer.flowroute.com, Numbers v2.0)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dialerd.core.errors import Rejected
from dialerd.core.model import Disposition
from dialerd.core.receipts import Area, Errand, Number, Page, Receipt, RouteEntry
from dialerd.core.tasks import NumberOrder
from dialerd.providers import flowroute_api as api
from dialerd.providers.base import text
from dialerd.providers.flowroute_api import FlowrouteApi, digits
from dialerd.providers.wire import Reply, Request

AREAS_PAGE_SIZE = 400
"""The most of a page of area codes."""

_LIMIT = ("limit", str(api.PAGE_SIZE))


@dataclass(frozen=True, kw_only=True)
class FlowrouteNumbers(FlowrouteApi):
    """Numbers for sale, those of the account, and where their calls go."""

    def numbers_areas(
        self, country: str | None = None, max_setup_cost: str | None = None, cursor: str | None = None
    ) -> Request:
        """Area codes of North America: there is no asking by country."""
        path, limit = "/v2/numbers/available/areacodes", ("limit", str(AREAS_PAGE_SIZE))
        return api.get(path, limit, ("offset", cursor), ("max_setup_cost", max_setup_cost))

    def read_numbers_areas(self, reply: Reply) -> Page:
        """Raises DeliveryError, Unreadable."""
        return api.page(reply, lambda found: Area(api.needed(found, "id"), raw=found))

    def numbers_exchanges(
        self, area: str | None = None, max_setup_cost: str | None = None, cursor: str | None = None
    ) -> Request:
        """Exchanges: area code and three more digits."""
        path = "/v2/numbers/available/exchanges"
        asked = (("areacode", area), ("max_setup_cost", max_setup_cost))
        return api.get(path, _LIMIT, ("offset", cursor), *asked)

    read_numbers_exchanges = read_numbers_areas

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
        """Numbers for sale. `area` is a state, or an area code; `place` (a rate centre) needs a state."""
        code = area if area is not None and area.isdigit() else None
        first = f"1{code}" if starts_with is None and code is not None else starts_with
        return api.get(
            "/v2/numbers/available",
            ("starts_with", first),
            ("contains", contains),
            ("ends_with", ends_with),
            ("limit", str(min(limit or api.PAGE_SIZE, api.PAGE_SIZE))),
            ("offset", cursor),
            ("rate_center", place),
            ("state", None if code is not None else area),
            ("iso_country", None if country == "US" else country),
        )

    def read_numbers_search(self, reply: Reply) -> Page:
        """Raises DeliveryError, Unreadable."""
        return api.page(reply, _number)

    def numbers_buy(self, errand: Errand) -> Request:
        """Buys a number. Details, such as messaging_enabled, go as Flowroute names them."""
        order = _order(errand)
        wished = {name: api.flag(value) for name, value in order.details}
        return api.send("POST", f"/v2/numbers/{digits(order.subject)}", wished or None)

    def read_numbers_buy(self, reply: Reply) -> Receipt:
        """Raises DeliveryError, Unreadable."""
        if reply.status == api.MULTI_STATUS:
            return api.done(reply)
        found = api.record(reply)
        cost = text(api.attributes(found).get("setup_cost"))
        return Receipt(
            ref=api.needed(found, "id"),
            disposition=Disposition.DONE,
            price=cost,
            currency=None if cost is None else api.CURRENCY,
            raw=found,
        )

    def numbers_configure(self, errand: Errand) -> Request:
        """Changes a number's alias, or what is on for it."""
        order = _order(errand)
        wished = {name: value if name == "alias" else api.flag(value) for name, value in order.details}
        return api.send("PATCH", f"/v2/numbers/{digits(order.subject)}", {"type": "number", **wished})

    def read_numbers_configure(self, reply: Reply) -> Receipt:
        """Raises DeliveryError, Unreadable."""
        return api.done(reply)

    def numbers_release(self, errand: Errand) -> Request:
        """Gives a number up: it is for sale again at once."""
        path = f"/v2/numbers/{digits(_order(errand).subject)}"
        return Request("DELETE", path, accept=api.MEDIA_TYPE)

    read_numbers_release = read_numbers_configure

    def numbers_list(
        self,
        starts_with: str | None = None,
        contains: str | None = None,
        ends_with: str | None = None,
        cursor: str | None = None,
    ) -> Request:
        """The account's numbers."""
        asked = (("starts_with", starts_with), ("contains", contains), ("ends_with", ends_with))
        return api.get("/v2/numbers", _LIMIT, ("offset", cursor), *asked)

    def read_numbers_list(self, reply: Reply) -> Page:
        """Raises DeliveryError, Unreadable."""
        return api.page(reply, _number)

    def numbers_show(self, number: str) -> Request:
        """One of them, with its routes. Raises Rejected for what can't be a number."""
        if not digits(number) or any(letter.isalpha() for letter in number):
            raise Rejected("Flowroute knows numbers by their digits, such as 12065551212.")
        return api.get(f"/v2/numbers/{digits(number)}")

    def read_numbers_show(self, reply: Reply) -> Number:
        """Raises DeliveryError, Unreadable."""
        return _number(api.record(reply))

    def routes_create(self, errand: Errand) -> Request:
        """A route to a host, a number or a uri: the subject, or else the detail `value`. One without an alias
        gets our reference, by which it can be known again."""
        order = _order(errand)
        wished = {"value": order.subject, "alias": errand.reference} | dict(order.details)
        first = {"route_type": wished.pop("type", "host"), "value": wished.pop("value")}
        return api.send("POST", "/v2/routes", {"data": {"type": "route", "attributes": first | wished}})

    def read_routes_create(self, reply: Reply) -> Receipt:
        """Raises DeliveryError, Unreadable."""
        found = api.record(reply)
        return Receipt(ref=api.needed(found, "id"), disposition=Disposition.DONE, raw=found)

    def routes_set_primary(self, errand: Errand) -> Request:
        """Sends a number's calls to a route, the detail `route`."""
        return _assigned("primary_route", _order(errand))

    read_routes_set_primary = read_numbers_configure

    def routes_set_failover(self, errand: Errand) -> Request:
        """The same for the time that the primary one fails."""
        return _assigned("failover_route", _order(errand))

    read_routes_set_failover = read_numbers_configure

    def routes_list(self, cursor: str | None = None) -> Request:
        """The account's routes."""
        return api.get("/v2/routes", _LIMIT, ("offset", cursor))

    def read_routes_list(self, reply: Reply) -> Page:
        """Raises DeliveryError, Unreadable."""
        return api.page(reply, _route)


def _order(errand: Errand) -> NumberOrder:
    assert isinstance(errand.task, NumberOrder)
    return errand.task


def _assigned(relation: str, order: NumberOrder) -> Request:
    body = {"data": {"type": "route", "id": dict(order.details).get("route", "")}}
    return api.send("PATCH", f"/v2/numbers/{digits(order.subject)}/relationships/{relation}", body)


def _number(found: Mapping[str, Any]) -> Number:
    told, ref = api.attributes(found), api.needed(found, "id")
    enabled = told.get("messaging_enabled") is True
    monthly, setup = text(told.get("monthly_cost")), text(told.get("setup_cost"))
    return Number(
        number=api.e164(told.get("value")) or api.e164(ref) or ref,
        id=ref,
        country=text(told.get("iso_country")),
        area=text(told.get("state")),
        place=text(told.get("rate_center")),
        capabilities=("voice", "sms", "mms") if enabled else (),
        setup=setup,
        monthly=monthly,
        per_minute=text(told.get("inbound_rate")),
        currency=api.CURRENCY if monthly or setup else None,
        primary_route=_related(found, "primary_route"),
        failover_route=_related(found, "failover_route"),
        alias=text(told.get("alias")),
        raw=found,
    )


def _related(found: Mapping[str, Any], name: str) -> str | None:
    for step in ("relationships", name, "data"):
        inside = found.get(step)
        if not isinstance(inside, dict):
            return None
        found = inside
    return text(found.get("id"))


def _route(found: Mapping[str, Any]) -> RouteEntry:
    told = api.attributes(found)
    return RouteEntry(
        id=api.needed(found, "id"),
        type=text(told.get("route_type")) or "",
        value=text(told.get("value")),
        alias=text(told.get("alias")),
        raw=found,
    )
