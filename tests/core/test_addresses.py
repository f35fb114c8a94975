import pytest

from dialerd.core.addresses import is_private, may_connect


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07::1", "::ffff:8.8.8.8"])
def test_public_addresses_may_be_connected_to(address: str) -> None:
    assert may_connect(address, private=False)


def test_public_addresses_behind_a_translator_may_be_connected_to() -> None:
    assert may_connect("64:ff9b::8.8.8.8", private=False)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "::1",
        "fc00::1",
        "fdff::1",
        "::ffff:10.0.0.1",
        "64:ff9b::127.0.0.1",
        "2002:7f00:1::",
        "2002:c0a8:101::1",
    ],
)
def test_the_own_network_is_opened_by_the_administrator_only(address: str) -> None:
    assert not may_connect(address, private=False)
    assert may_connect(address, private=True)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "198.18.0.1",
        "203.0.113.9",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::127.0.0.1",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "fd20:ce::254",
        "ff02::1",
        "2001::1",
        "2001:db8::1",
        "::ffff:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::1",
        "2002:a9fe:a9fe::",
        "4000::1",
        "localhost",
        "",
    ],
)
def test_some_addresses_are_never_connected_to(address: str) -> None:
    assert not may_connect(address, private=True)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "::1", "fd12::1"])
def test_own_networks_are_private(address: str) -> None:
    assert is_private(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "169.254.169.254", "2606:2800:21f:cb07::1", "", "localhost"])
def test_other_networks_are_not_private(address: str) -> None:
    assert not is_private(address)
