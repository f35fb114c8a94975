"""Public numbers: what people write to E.164 (`+` and digits) and back. The one place that knows
phonenumbers.

Only what libphonenumber's tables call possible *and* valid passes. Short and emergency numbers have no E.164
form.
"""

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType
from phonenumbers import timezone as number_zones

from dialerd.core.errors import Refusal

_WRITTEN = re.compile(r"\+?[0-9 ().\-/\u00a0]*[0-9][0-9 ().\-/\u00a0]*")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_EMERGENCY_EVERYWHERE = frozenset({"112", "911"})
_PREMIUM = ("+979",)
"""International premium rate service; ITU-T, List of E.164 assigned country codes (2016-11-01)."""

_SATELLITE = ("+870", "+878", "+881", "+882", "+883")
"""From the same list: Inmarsat, universal personal telecommunications, global mobile satellite systems (881),
and international networks (882, 883: satellites, ships, aircraft, virtual operators)."""

_KINDS = {
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed",
}
_AT_A_PLACE = ("fixed", "mobile")
_UNKNOWN_ZONE = "Etc/Unknown"
_LONGEST_TEXT = 40
_NO_NUMBER = (
    "This is no phone number: write + and the country code, then digits"
    f" (spaces and - . / ( ) may stand between; {_LONGEST_TEXT} characters at most)."
)


def parse_public(text: str, default_country: str | None) -> str:
    """The number in E.164. `default_country` (ISO 3166, such as DE) is where numbers without `+` are at home.

    Raises ValueError with a sentence for whatever is no public number.
    """
    if len(text) > _LONGEST_TEXT:  # before the cache, which keeps the texts themselves
        raise ValueError(_NO_NUMBER)
    return _parsed(text, default_country)


@lru_cache(maxsize=16384)
def _parsed(text: str, default_country: str | None) -> str:
    if _E164.fullmatch(text):
        return _checked(text, text, None)
    number = text.strip()
    if not _WRITTEN.fullmatch(number):
        raise ValueError(_NO_NUMBER)
    if not number.startswith("+"):
        digits = re.sub(r"[^0-9]", "", number)
        if is_emergency(digits, default_country):
            raise Refusal("emergency", f"{digits} is an emergency number: dialerd never calls those.")
        if default_country is None:
            raise ValueError(
                "This number has no country: write it with + and the country code, such as +4930123456"
                ' (or let the administrator set default_country = "DE" under [calls]).'
            )
    return _checked(number, text, default_country)


def _checked(number: str, text: str, country: str | None) -> str:
    try:
        parsed = _known(number) if country is None else phonenumbers.parse(number, country)
    except (NumberParseException, ValueError):
        raise ValueError(f"{text} is no phone number of any country: see the code after the +.") from None
    e164 = str(phonenumbers.format_number(parsed, PhoneNumberFormat.E164))
    possible = (
        phonenumbers.is_possible_number_with_reason(parsed) == phonenumbers.ValidationResult.IS_POSSIBLE
    )
    if not possible or not _E164.fullmatch(e164):
        raise ValueError(f"{text} has the wrong length for a public number{_of(parsed, country)}.")
    if _type(e164) == PhoneNumberType.UNKNOWN:  # what is_valid_number() looks at, too
        raise ValueError(
            f"{text} is not a number that exists{_of(parsed, country)}: its first digits are not in use."
        )
    return e164


def _of(parsed: phonenumbers.PhoneNumber, country: str | None) -> str:
    region = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    name = country or (None if region in ("001", "ZZ") else region)
    return f" in {name}" if name else ""


@lru_cache(maxsize=256)
def _known(e164: str) -> phonenumbers.PhoneNumber:
    """The number taken apart, which several look at one after the other. Nobody changes it. Raises ValueError
    for what is none."""
    try:
        return phonenumbers.parse(e164, None)
    except NumberParseException:
        raise ValueError(f"{e164} is no phone number of any country.") from None


@lru_cache(maxsize=256)
def _type(e164: str) -> int:
    return int(phonenumbers.number_type(_known(e164)))


@lru_cache(maxsize=16384)
def national(e164: str) -> str:
    """The number as it is dialled at home, digits only: 030123456 for +4930123456."""
    parsed = _known(e164)
    return re.sub(r"[^0-9]", "", str(phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)))


@lru_cache(maxsize=16384)
def region(e164: str) -> str | None:
    """The country of the number (ISO 3166): under +1 also CA or JM; None for international numbers."""
    found = phonenumbers.region_code_for_number(_known(e164))
    return None if found in (None, "001", "ZZ") else str(found)


@lru_cache(maxsize=16384)
def kind(e164: str) -> str:
    """One of "premium", "satellite", "toll_free", "mobile", "fixed" and "other" (shared cost, personal, VoIP
    ...).

    "satellite" stands for every international network, whose calls are as dear. Where fixed lines and mobiles
    look alike, as under +1, it is "fixed".
    """
    if e164.startswith(_PREMIUM):
        return "premium"
    if e164.startswith(_SATELLITE):
        return "satellite"
    return _KINDS.get(_type(e164), "other")


@lru_cache(maxsize=16384)
def time_zones(e164: str) -> tuple[str, ...]:
    """The IANA names of the time zones that the number may be in; none where it can't be told.

    A fixed line or a mobile is looked for by its first digits (a mobile may travel, and then lies). Others,
    such as toll-free numbers, may be anywhere under their country code.
    """
    parsed = _known(e164)
    by_place = kind(e164) in _AT_A_PLACE
    look = number_zones.time_zones_for_geographical_number if by_place else number_zones.time_zones_for_number
    return tuple(name for name in look(parsed) if name != _UNKNOWN_ZONE)


def calling_code(country: str) -> str:
    """The code that numbers of a country begin with: +1 of JM, +49 of DE."""
    return f"+{phonenumbers.country_code_for_region(country)}"


def is_emergency(digits: str, country: str | None) -> bool:
    """Whether `digits`, dialled as they are, call for help: 112 and 911 everywhere, and the country's own.

    `*` and `#` at the ends do not count: telephone networks take "112#" for 112.
    """
    number = digits.strip("*#")
    if len(number) > 6:
        return False
    if number in _EMERGENCY_EVERYWHERE:
        return True
    return country is not None and bool(phonenumbers.is_emergency_number(number, country))


def countries() -> frozenset[str]:
    """Every country code that `default_country` may be."""
    return frozenset(phonenumbers.SUPPORTED_REGIONS)
