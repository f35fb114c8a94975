"""Types of settings that are addresses on the network: URLs, proxies, networks."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator

from dialerd.config.fields import as_tuple
from dialerd.core.addresses import is_private
from dialerd.core.report_urls import url_mistake

LONGEST_BASE = 500


def base_address(url: str, plain: bool = False) -> str:
    """An address that paths are put behind, without / at its end. `plain` lets http:// pass too.

    Raises ValueError with a sentence.
    """
    if "@" in urlsplit(url).netloc:
        raise ValueError(
            "It holds a user or a password: take them out, a secret stands in a file of its own."
        )
    if mistake := url_mistake(url, plain=plain):
        raise ValueError(mistake)
    if "?" in url or len(url) > LONGEST_BASE:
        raise ValueError(f"It is an address without ? and of {LONGEST_BASE} characters at most.")
    return url.rstrip("/")


def proxy_address(url: str) -> str:
    """The address of an HTTP proxy. Raises ValueError with a sentence."""
    if "@" in urlsplit(url).netloc:
        raise ValueError(
            "It holds a user or a password: put them into a file, and name that as proxy_secret_file."
        )
    if url_mistake(url, plain=True) or urlsplit(url).path.strip("/"):
        raise ValueError("Write it like http://proxy.example.com:3128")
    return url.rstrip("/")


def is_own(url: str) -> bool:
    """Whether an address names this machine or a private address, and so leaves the own network by no
    way."""
    host = urlsplit(url).hostname or ""
    return host == "localhost" or is_private(host)


def _network(value: object) -> object:
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    if not isinstance(value, str):
        raise ValueError('Give an address or a network in quotes, such as "127.0.0.1" or "10.0.0.0/8".')
    try:
        return ip_network(value)
    except ValueError:
        try:
            hint = f' Did you mean "{ip_network(value, strict=False)}"?'
        except ValueError:
            hint = ""
        raise ValueError(f"{value[:60]!r} is no address and no network such as 10.0.0.0/8.{hint}") from None


Networks = Annotated[
    tuple[Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)], ...], BeforeValidator(as_tuple)
]
"""Addresses and networks, each as a network."""
