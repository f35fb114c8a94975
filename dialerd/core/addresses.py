"""Which addresses may be connected to: the public internet, and by leave of the administrator own networks.

The lists follow IANA's registries of special-purpose addresses
(https://www.iana.org/assignments/iana-ipv4-special-registry, .../iana-ipv6-special-registry); the standard
library's `is_global` differs between the Python versions that we run on.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_PRIVATE_V4 = [
    IPv4Network(net)
    for net in ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
]
_NEVER_V4 = [
    IPv4Network(net)
    for net in (
        "0.0.0.0/8",  # Linux connects to itself
        "100.100.100.200/32",  # metadata of Alibaba Cloud
        "168.63.129.16/32",  # Azure's host
        "169.254.0.0/16",  # link-local, and the metadata of most clouds
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
]
_PRIVATE_V6 = [IPv6Network("fc00::/7"), IPv6Network("::1/128")]
_GLOBAL_V6 = IPv6Network("2000::/3")
_NEVER_V6 = [
    IPv6Network(net)
    for net in (
        "2001::/23",  # protocols, among them Teredo, which carries an IPv4 address
        "2001:db8::/32",
        "2620:4f:8000::/48",
        "3fff::/20",
        "fd00:ec2::254/128",  # metadata of Amazon
        "fd20:ce::254/128",  # metadata of Google
    )
]
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")


def may_connect(text: str, private: bool) -> bool:
    """Whether this address may be connected to. `private` opens loopback and the ranges of own networks."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return _may_v4(address, private)
    if address.scope_id is not None:
        return False
    inner = _carried(address)
    return _may_v6(address, private) if inner is None else _may_v4(inner, private)


def is_private(text: str) -> bool:
    """Whether this is an address of the own network, or of this machine."""
    return may_connect(text, True) and not may_connect(text, False)


def _may_v4(address: IPv4Address, private: bool) -> bool:
    if any(address in net for net in _NEVER_V4):
        return False
    return private or not any(address in net for net in _PRIVATE_V4)


def _may_v6(address: IPv6Address, private: bool) -> bool:
    if any(address in net for net in _NEVER_V6):
        return False
    return address in _GLOBAL_V6 or (private and any(address in net for net in _PRIVATE_V6))


def _carried(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that packets to this address end at (RFC 4291, 6052, 3056)."""
    number = int(address)
    if address in _MAPPED or address in _NAT64:
        return IPv4Address(number & 0xFFFFFFFF)
    if address in _SIX_TO_FOUR:
        return IPv4Address(number >> 80 & 0xFFFFFFFF)
    return None
