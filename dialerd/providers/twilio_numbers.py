"""Twilio: numbers for sale, and those of the account (twilio.com/docs/phone-numbers/api)."""

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
from dialerd.providers.twilio_api import PAGE_SIZE, TwilioApi, entries, is_sid, needed, page
from dialerd.providers.wire import Pairs, Reply, Request

_APPLICATION = {"forward_to": "VoiceApplicationSid", "forward_sms_to": "SmsApplicationSid"}
_ADDRESS = {"forward_to": "VoiceUrl", "forward_sms_to": "SmsUrl"}


@dataclass(frozen=True, kw_only=True)
class TwilioNumbers(TwilioApi):
    """Numbers of an account."""

    def numbers_countries(self, cursor: str | None = None) -> Request:
        """Where numbers are for sale."""
        return self.listed("AvailablePhoneNumbers", cursor=cursor)

    def read_numbers_countries(self, reply: Reply) -> Page:
        """Countries. Raises Unreadable."""
        return page(reply, "countries", _country)

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
        """Local numbers for sale. Raises Rejected for what Twilio can't be asked."""
        path = self.path("AvailablePhoneNumbers", _code(country), "Local")
        if cursor is not None:
            return Request("GET", path, query=cursor)
        pairs = (
            ("AreaCode" if (area or "").isdigit() else "InRegion", area),
            ("Contains", _pattern(starts_with, contains, ends_with)),
            ("InLocality", place),
            ("PageSize", str(limit or PAGE_SIZE)),
        )
        return Request("GET", path, query=given(pairs))

    def read_numbers_search(self, reply: Reply) -> Page:
        """Numbers for sale; Twilio tells no prices here. Raises Unreadable."""
        return page(reply, "available_phone_numbers", number)

    def numbers_buy(self, errand: Errand) -> Request:
        """Buys a number."""
        order = _order(errand)
        form = (("PhoneNumber", order.subject), *_settings(order))
        return Request("POST", self.path("IncomingPhoneNumbers"), form=form)

    def read_numbers_buy(self, reply: Reply) -> Receipt:
        """A number that is the account's now. Raises Unreadable."""
        data = reply.object()
        return Receipt(ref=needed(data, "sid"), disposition=Disposition.DONE, raw=data)

    def numbers_configure(self, errand: Errand) -> Request:
        """Says where calls and messages for a number go: to an address, or an application (AP...)."""
        order = _order(errand)
        return Request("POST", self.path("IncomingPhoneNumbers", order.subject), form=_settings(order))

    read_numbers_configure = read_numbers_buy

    def numbers_release(self, errand: Errand) -> Request:
        """Gives a number up."""
        return Request("DELETE", self.path("IncomingPhoneNumbers", _order(errand).subject))

    def read_numbers_release(self, reply: Reply) -> Receipt:
        """Its answer (204) has no body: the number's id is that of the request. Raises Unreadable."""
        if reply.status != 204 or reply.request is None:
            raise Unreadable("its answer does not say that the number was given up")
        ref = reply.request.path.rpartition("/")[2].removesuffix(".json")
        return Receipt(ref=ref, disposition=Disposition.DONE)

    def numbers_list(
        self,
        starts_with: str | None = None,
        contains: str | None = None,
        ends_with: str | None = None,
        cursor: str | None = None,
    ) -> Request:
        """The account's numbers. Raises Rejected for what Twilio can't be asked."""
        if ends_with:
            raise Rejected("Twilio lists the account's numbers by starts_with or contains, not by ends_with.")
        part = ("PhoneNumber", _pattern(starts_with, contains, None))
        return self.listed("IncomingPhoneNumbers", part, cursor=cursor)

    def read_numbers_list(self, reply: Reply) -> Page:
        """Numbers. Raises Unreadable."""
        return page(reply, "incoming_phone_numbers", number)

    def numbers_show(self, number: str) -> Request:
        """One of the account's numbers, by itself (+...) or its id (PN...).

        Raises Rejected for all else: Twilio would look for those digits within its numbers.
        """
        if is_sid("PN", number):
            return Request("GET", self.path("IncomingPhoneNumbers", number))
        if not number.startswith("+"):
            raise Rejected("Twilio knows numbers by themselves (+...) or by an id (PN...).")
        return Request("GET", self.path("IncomingPhoneNumbers"), query=(("PhoneNumber", number),))

    def read_numbers_show(self, reply: Reply) -> Number:
        """A number. Raises Unreadable."""
        data = reply.object()
        if "incoming_phone_numbers" not in data:
            return number(data)
        for each in entries(data, "incoming_phone_numbers"):
            return number(each)
        raise Unreadable("there is no such number on the account")


def number(data: Mapping[str, Any]) -> Number:
    """A number as Twilio tells of it. Raises Unreadable."""
    able = data.get("capabilities")
    return Number(
        needed(data, "phone_number"),
        id=text(data.get("sid")),
        country=text(data.get("iso_country")),
        area=text(data.get("region")),
        place=text(data.get("locality")),
        capabilities=tuple(sorted(name.lower() for name, has in able.items() if has))
        if isinstance(able, dict)
        else (),
        forward_to=text(data.get("voice_application_sid")) or text(data.get("voice_url")),
        forward_sms_to=text(data.get("sms_application_sid")) or text(data.get("sms_url")),
        alias=text(data.get("friendly_name")),
        raw=data,
    )


def against_order(task: NumberOrder) -> Iterator[Mistake]:
    """What Twilio can't do with an order."""
    if task.verb in ("configure", "release") and not is_sid("PN", task.subject):
        yield Mistake(
            "number", "Twilio knows numbers by an id (PN...) here: `dialerctl numbers show` tells it."
        )
    for name, value in task.details:
        if name in _ADDRESS and value and not (is_sid("AP", value) or value.startswith("https://")):
            yield Mistake(
                f"details.{name}",
                "For Twilio this is an https address of TwiML, or an application's id (AP...).",
            )


def _settings(order: NumberOrder) -> Pairs:
    """The order's details by Twilio's names; those that are Twilio's own pass."""
    return tuple((_name(name, value), value) for name, value in order.details)


def _name(name: str, value: str) -> str:
    if name == "alias":
        return "FriendlyName"
    return (_APPLICATION if is_sid("AP", value) else _ADDRESS).get(name, name)


def _pattern(starts_with: str | None, contains: str | None, ends_with: str | None) -> str | None:
    """+ stands for the beginning of a number, and $ for its end; Twilio takes one pattern, and no wildcard
    between digits."""
    wanted = [each for each in (starts_with, contains, ends_with) if each]
    if len(wanted) > 1:
        raise Rejected("Twilio takes one of starts_with, contains and ends_with.")
    if starts_with:
        return "+" + starts_with.removeprefix("+")
    return f"{ends_with}$" if ends_with else contains or None


def _code(country: str | None) -> str:
    if not country:
        raise Rejected("Twilio is asked for the numbers of one country: name it.")
    return country.upper()


def _country(data: Mapping[str, Any]) -> Area:
    return Area(needed(data, "country_code"), text(data.get("country")) or "", raw=data)


def _order(errand: Errand) -> NumberOrder:
    assert isinstance(errand.task, NumberOrder)
    return errand.task
