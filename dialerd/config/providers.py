"""The sections [providers.NAME]: accounts with cloud providers. docs/configuration.md is the user's view.

What a type of provider has of its own (options of base.Provider.OPTIONS) is checked here by its class, so a
new provider needs no change here.
"""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    model_validator,
)

from dialerd.config.caps import CapsSettings
from dialerd.config.destinations import DestinationTexts
from dialerd.config.fields import Duration, Patterns, Place, Section, bounds
from dialerd.config.urls import base_address, proxy_address
from dialerd.core import policy, texts
from dialerd.core.destinations import Destinations, caller_id_allowed
from dialerd.core.errors import Mistake
from dialerd.providers.base import Provider, Secret
from dialerd.providers.registry import TYPES
from dialerd.providers.settings import AccountSettings
from dialerd.secret import read_secret

GENERIC = "generic"
"""The type that is only configuration."""

LONGEST_OPTION = 500
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def _type(name: str) -> str:
    if name not in TYPES:
        raise ValueError(f"There is no type {name!r}, only {', '.join(TYPES)}.{texts.nearest(name, TYPES)}")
    return name


def _number(value: object) -> object:
    if value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError('Give a number without quotes, such as 60, or "" for no bound.')
    return float(value)


class ProviderSettings(Section):
    """One account. What is not among these fields are options of its type."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    type: Annotated[str, AfterValidator(_type)]
    account: Annotated[str, AfterValidator(partial(texts.bounded, most=200))] | None = None
    secret_file: Place | None = None
    base_url: Annotated[str, AfterValidator(partial(texts.bounded, most=500))] | None = None
    requests_per_minute: Annotated[
        Annotated[float, Field(ge=0.5, le=100_000)] | None, BeforeValidator(_number)
    ] = None
    connections: Annotated[int, Field(ge=1, le=64)] = 4
    connect_timeout: Annotated[Duration, bounds(1, 60)] = 10
    timeout: Annotated[Duration, bounds(1, 300)] = 30
    senders: Patterns = ("*",)
    sender: Annotated[str, AfterValidator(partial(texts.bounded, most=40))] | None = None
    destinations: DestinationTexts | None = None
    caps: CapsSettings = CapsSettings()
    proxy: Annotated[str, AfterValidator(proxy_address)] | None = None
    proxy_secret_file: Place | None = None
    ca_file: Place | None = None
    plain_http: bool = False
    _secret: SecretStr = PrivateAttr(default=SecretStr(""))
    _proxy_secret: SecretStr = PrivateAttr(default=SecretStr(""))

    @model_validator(mode="after")
    def _fits(self) -> "ProviderSettings":
        if self.sender is not None and not (
            self.sender in self.senders or caller_id_allowed(self.sender, self.senders)
        ):
            raise ValueError(f"sender: {self.sender} is not among its senders: add it there.")
        if self.proxy_secret_file is not None and self.proxy is None:
            raise ValueError("proxy_secret_file is the secret of a proxy: say which, with proxy.")
        return self

    def account_settings(self, name: str) -> AccountSettings:
        """What the account needs to know."""
        adapter = self.adapter()
        limited = "requests_per_minute" in self.model_fields_set
        return AccountSettings(
            name=name,
            provider=adapter,
            base_url=address_of(self.base_url, adapter),
            per_minute=self.requests_per_minute if limited else adapter.PER_MINUTE,
            connections=self.connections,
            connect_s=self.connect_timeout,
            read_s=self.timeout,
            plain=self.plain_http,
            proxy=self._proxy(),
            ca_file=self.ca_file,
        )

    def adapter(self) -> Provider:
        """The provider's own part."""
        options = {**(self.model_extra or {}), **_shared(self.model_dump(), TYPES[self.type])}
        return adapter_of(self.type, self.account or "", options, self._secret.get_secret_value())

    def provider(self, name: str) -> policy.Provider:
        """The provider as core reads it."""
        adapter = self.adapter()
        return policy.Provider(
            name,
            self.type,
            operations=adapter.available(),
            senders=self.senders,
            sender=self.sender,
            destinations=None if self.destinations is None else Destinations.parse(self.destinations),
            connections=self.connections,
            segments=adapter.SEGMENTS,
            caps=self.caps.caps(),
            objections=adapter.objections,
        )

    def _proxy(self) -> str | None:
        user, colon, password = self._proxy_secret.get_secret_value().partition(":")
        if self.proxy is None or not colon:
            return self.proxy
        scheme, _, place = self.proxy.partition("://")
        return f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{place}"


def adapter_of(type: str, account: str, options: Mapping[str, Any], secret: str) -> Provider:
    """A provider of this type, whose options are right (option_mistakes)."""
    return TYPES[type](account=account, secret=Secret(secret), options=dict(options))


def address_of(base_url: str | None, provider: Provider) -> str:
    """Where its API is: the options of its type fill the places {option} of the address. Raises ValueError
    with a sentence."""
    filled = _filled(base_url or provider.BASE_URL, provider.options)
    return base_address(filled, plain=provider.TYPE == GENERIC)


def _filled(url: str, options: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        if not isinstance(options.get(found[1]), str):
            raise ValueError(f"It has a place for {{{found[1]}}}, which is not given: add {found[1]}.")
        return quote(options[found[1]], safe="")

    return _PLACEHOLDER.sub(value, url)


def _sections(raw: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], type[Provider]]]:
    """Name, section and class of each provider whose type there is."""
    providers = raw.get("providers", {})
    for name, section in providers.items() if isinstance(providers, dict) else ():
        if isinstance(section, dict) and isinstance(section.get("type"), str) and section["type"] in TYPES:
            yield name, section, TYPES[section["type"]]


def provider_mistakes(raw: Mapping[str, Any]) -> Iterator[Mistake]:
    """What is wrong with accounts, options and addresses, from the whole of the TOML."""
    for name, section, cls in _sections(raw):
        where = f"providers.{name}"
        found = _own_mistakes(where, section, cls)
        yield from found
        if "account" not in section and cls.NEEDS_ACCOUNT:
            yield Mistake(
                f"{where}.account", "This is needed: the user, app or key that the account is known by."
            )
        if section.get("plain_http") is True and cls.TYPE != GENERIC:
            yield Mistake(
                f"{where}.plain_http", f"Only the type {GENERIC} is spoken to without TLS: take it out."
            )
        if not found:
            yield from _address_mistakes(where, section, cls)


def _own(section: Mapping[str, Any], cls: type[Provider]) -> dict[str, Any]:
    """The options of its type."""
    own = {key: value for key, value in section.items() if key not in ProviderSettings.model_fields}
    return own | _shared(section, cls)


def _shared(section: Mapping[str, Any], cls: type[Provider]) -> dict[str, Any]:
    """Fields of every account that its type wants among its options as well, such as the sender."""
    fields = (key for key in cls.OPTIONS if key in ProviderSettings.model_fields)
    return {key: section[key] for key in fields if section.get(key) is not None}


def _own_mistakes(where: str, section: Mapping[str, Any], cls: type[Provider]) -> list[Mistake]:
    """What is wrong with the options of its type: names and texts, and what the type itself has against
    them."""
    found = list(_option_mistakes(where, section, cls))
    against = cls.against_options(_own(section, cls)) if not found else ()
    return found or [Mistake(f"{where}.{each.where}", each.what, each.rule) for each in against]


def _option_mistakes(where: str, section: Mapping[str, Any], cls: type[Provider]) -> Iterator[Mistake]:
    known, given = cls.OPTIONS, _own(section, cls)
    for key, value in given.items():
        if key not in known:
            hint = texts.nearest(key, (*ProviderSettings.model_fields, *known))
            yield Mistake(f"{where}.{key}", f"This name is not known here.{hint}")
        elif key in cls.TABLES:
            continue  # the type itself reads them
        elif not isinstance(value, str):
            yield Mistake(f"{where}.{key}", "Give a text in quotes.")
        else:
            try:
                texts.bounded(value, LONGEST_OPTION)
            except ValueError as error:
                yield Mistake(f"{where}.{key}", str(error))
    for key, what in known.items():
        if what.startswith("!") and key not in given:
            yield Mistake(f"{where}.{key}", f"This is needed: {what.removeprefix('!')}.")


def _address_mistakes(where: str, section: Mapping[str, Any], cls: type[Provider]) -> Iterator[Mistake]:
    url = section.get("base_url")
    if url is not None and not isinstance(url, str):
        return
    if url is None and not cls.BASE_URL:
        yield Mistake(f"{where}.base_url", "This is needed: the address that requests go to.")
        return
    try:
        filled = _filled(url or cls.BASE_URL, _own(section, cls))
        plain = cls.TYPE == GENERIC and section.get("plain_http") is True
        base_address(filled, plain=plain)
    except ValueError as error:
        yield Mistake(f"{where}.base_url", str(error))


def operations_of(section: object) -> frozenset[str] | None:
    """The operations of a provider, from its table of TOML; None where that can't be told."""
    cls = TYPES.get(str(section.get("type"))) if isinstance(section, dict) else None
    if cls is None or not isinstance(section, dict) or _own_mistakes("", section, cls):
        return None
    return adapter_of(cls.TYPE, "", _own(section, cls), "").available()


def asks_for_actions(section: object) -> bool | None:
    """Whether this type of provider asks what to do with a call that comes in; None where that can't be
    told."""
    cls = TYPES.get(str(section.get("type"))) if isinstance(section, dict) else None
    return None if cls is None else cls.acknowledgement is not Provider.acknowledgement


def read_provider_secrets(
    raw: Mapping[str, Any], environ: Mapping[str, str], mistakes: list[Mistake]
) -> dict[str, tuple[str, str]]:
    """The secrets of each account and of its proxy (user:password); adds what is wrong with them."""
    secrets = {}
    for name, section, cls in _sections(raw):
        where, credential = f"providers.{name}", f"provider_{name}"
        secret = read_secret(section, where, credential, environ, mistakes)
        if secret is None and cls.NEEDS_SECRET:
            what = (
                "A provider wants a secret: name a file that holds it here, or hand it over as systemd's"
                f" credential {credential}."
            )
            mistakes.append(Mistake(f"{where}.secret_file", what))
        key = "proxy_secret_file"
        of_proxy = read_secret(section, where, f"{credential}_proxy", environ, mistakes, key)
        if of_proxy and ":" not in of_proxy:
            mistakes.append(Mistake(f"{where}.{key}", "It must hold user:password, in one line."))
        secrets[name] = (secret or "", of_proxy or "")
    return secrets


def give_provider_secrets(
    providers: Mapping[str, ProviderSettings], secrets: Mapping[str, tuple[str, str]]
) -> None:
    """Puts the secrets into their sections."""
    for name, settings in providers.items():
        secret, of_proxy = secrets[name]
        settings._secret, settings._proxy_secret = SecretStr(secret), SecretStr(of_proxy)
