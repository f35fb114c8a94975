from ipaddress import ip_network
from pathlib import Path

import pytest

from dialerd.config import from_text
from dialerd.core.inbound import ListenerSettings
from tests.config.accounts import secret_file
from tests.configuring import SYSTEM, mistakes_in

URL = 'public_url = "https://pbx.example.com/dialerd"'


def settings_of(text: str) -> ListenerSettings:
    found = from_text(f"[listener]\n{text}", SYSTEM).listener_settings()
    assert found is not None
    return found


def test_there_is_no_listener_unless_it_is_asked_for() -> None:
    assert from_text("", SYSTEM).listener_settings() is None


def test_the_listener_is_on_this_machine_and_believes_nobody_by_default() -> None:
    found = settings_of(URL)

    assert (found.host, found.port, found.path) == ("127.0.0.1", 8443, None)
    assert (found.public_url, found.max_body) == ("https://pbx.example.com/dialerd", 1024 * 1024)
    assert (found.proxies, found.sources) == ((), {})


def test_every_option_of_the_listener_reaches_its_setting() -> None:
    found = settings_of(
        """
        public_url = "https://pbx.example.com:8443/dialerd/"
        address = "/run/dialerd/listener.sock"
        mode = "0600"
        group = "www-data"
        proxies = ["10.0.0.1", "192.168.0.0/16", "fd00::/8"]
        max_body = 4096
        """
    )

    assert (found.path, found.mode, found.group) == (Path("/run/dialerd/listener.sock"), 0o600, "www-data")
    assert (found.public_url, found.max_body) == ("https://pbx.example.com:8443/dialerd", 4096)
    assert found.proxies == tuple(map(ip_network, ("10.0.0.1", "192.168.0.0/16", "fd00::/8")))


@pytest.mark.usefixtures("types")
def test_callbacks_may_be_bound_to_networks(tmp_path: Path) -> None:
    account = f'type = "parrot"\naccount = "key"\nsecret_file = "{secret_file(tmp_path)}"'

    found = settings_of(f'{URL}\n[listener.sources]\nexo = "13.0.0.0/8"\n[providers.exo]\n{account}')

    assert found.sources == {"exo": (ip_network("13.0.0.0/8"),)}


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [("127.0.0.2:80", "127.0.0.2", 80), ("[::1]:8443", "::1", 8443)],
)
def test_the_listener_may_listen_on_any_address_of_this_machine(address: str, host: str, port: int) -> None:
    found = settings_of(f'{URL}\naddress = "{address}"')

    assert (found.host, found.port, found.path) == (host, port, None)


@pytest.mark.parametrize("address", ["0.0.0.0:8443", "192.168.0.5:8443", "[::]:8443"])
def test_the_listener_listens_to_the_network_only_where_that_is_said(address: str) -> None:
    text = f'{URL}\naddress = "{address}"'

    assert "allow_any = true" in mistakes_in(f"[listener]\n{text}")["listener"]
    assert settings_of(f"{text}\nallow_any = true").port == 8443


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://10.0.0.5/dialerd", "http://localhost:1"])
def test_within_the_own_network_providers_may_come_without_tls(url: str) -> None:
    assert settings_of(f'public_url = "{url}"').public_url == url


@pytest.mark.parametrize(
    ("text", "where", "sentence"),
    [
        ("", "listener.public_url", "needed"),
        ('public_url = "http://pbx.example.com"', "listener.public_url", "https://"),
        ('public_url = "http://8.8.8.8"', "listener.public_url", "https://"),
        ('public_url = "https://me:pw@pbx.example.com"', "listener.public_url", "user or a password"),
        ('public_url = "https://pbx.example.com/?a=b"', "listener.public_url", "without ?"),
        ('address = "localhost:8443"', "listener.address", "[::1]:8443"),
        ('address = "8443"', "listener.address", "127.0.0.1:8443"),
        ('address = "127.0.0.1"', "listener.address", "127.0.0.1:8443"),
        ('address = "::1:8443"', "listener.address", "[::1]:8443"),
        ('address = "127.0.0.1:0"', "listener.address", "between 1 and 65535"),
        ('address = "127.0.0.1:99999"', "listener.address", "between 1 and 65535"),
        (f'address = "/{"x" * 107}"', "listener.address", "at most 107 bytes"),
        ('mode = "0600"', "listener", "Unix socket"),
        ('group = "www-data"', "listener", "Unix socket"),
        ('proxies = "10.0.0.1/8"', "listener.proxies.0", 'Did you mean "10.0.0.0/8"'),
        ('proxies = ["proxy"]', "listener.proxies.0", "no address"),
        ("proxies = [3]", "listener.proxies.0", "in quotes"),
        ("max_body = 100", "listener.max_body", "1024 or more"),
        ('max_body = "1 MB"', "listener.max_body", "without quotes"),
        ('adress = "127.0.0.1:1"', "listener.adress", 'Did you mean "address"'),
        ('sources = ["10.0.0.0/8"]', "listener.sources", "an object"),
    ],
)
def test_a_mistake_of_the_listener_is_told_with_its_key(text: str, where: str, sentence: str) -> None:
    found = mistakes_in(f"[listener]\n{text}" + ("" if "public_url" in text or not text else f"\n{URL}"))

    assert where in found
    assert sentence in found[where]


def test_nobody_reads_the_metrics_by_default() -> None:
    assert settings_of(URL).metrics == ()
    assert settings_of(f"{URL}\nmetrics = false").metrics == ()


def test_the_metrics_may_be_for_this_machine_or_for_networks() -> None:
    own = 'public_url = "http://127.0.0.1:8443"'

    assert settings_of(f"{own}\nmetrics = true").metrics == (ip_network("127.0.0.0/8"), ip_network("::1"))
    assert settings_of(f'{URL}\nmetrics = ["10.0.0.5", "fd00::/8"]').metrics == (
        ip_network("10.0.0.5"),
        ip_network("fd00::/8"),
    )


def test_a_proxy_on_this_machine_must_be_named_before_this_machine_reads_the_metrics() -> None:
    found = mistakes_in(f"[listener]\n{URL}\nmetrics = true")

    assert "A reverse proxy on this machine would show the metrics to everybody" in found["listener"]
    assert settings_of(f'{URL}\nmetrics = true\nproxies = ["127.0.0.1"]').metrics


def test_what_is_no_network_reads_no_metrics() -> None:
    assert "is no address" in mistakes_in(f'[listener]\n{URL}\nmetrics = ["everybody"]')["listener.metrics.0"]
