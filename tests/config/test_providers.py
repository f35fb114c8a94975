from pathlib import Path

import pytest

from dialerd.config import Config, from_text
from dialerd.core.errors import ConfigError
from dialerd.core.model import Call
from dialerd.core.policy import Caps
from tests.config.accounts import secret_file
from tests.configuring import SYSTEM, mistakes_in

pytestmark = pytest.mark.usefixtures("types")


def config_of(folder: Path, text: str = "") -> Config:
    """The configuration of an account that gives what it must, and this."""
    path = folder / "provider-secret"
    if not path.exists():
        secret_file(folder)
    needed = f'type = "pigeon"\naccount = "key"\ncoop = "de"\nsecret_file = "{path}"'
    return from_text(f"[providers.exo]\n{needed}\n{text}", SYSTEM)


def test_an_account_has_the_defaults_of_its_type(tmp_path: Path) -> None:
    (account,) = config_of(tmp_path).provider_settings()

    assert (account.name, account.base_url) == ("exo", "https://de.pigeon.example/v1")
    assert (account.provider.account, account.provider.secret.value) == ("key", "s3cret")
    assert dict(account.provider.options) == {"coop": "de"}
    assert (account.per_minute, account.connections) == (30.0, 4)
    assert (account.connect_s, account.read_s, account.plain) == (10, 30, False)
    assert (account.proxy, account.ca_file) == (None, None)


def test_every_option_of_an_account_reaches_its_setting(tmp_path: Path) -> None:
    proxy = secret_file(tmp_path, "us er:p@ss:word", "proxy-secret")
    text = f"""
        base_url = "https://{{coop}}.example.com:8443/pigeons/"
        breed = "homing"
        requests_per_minute = 0.5
        connections = 64
        connect_timeout = "1s"
        timeout = "5m"
        proxy = "http://proxy:3128"
        proxy_secret_file = "{proxy}"
        ca_file = "/ca.pem"
    """

    (account,) = config_of(tmp_path, text).provider_settings()

    assert account.base_url == "https://de.example.com:8443/pigeons"
    assert dict(account.provider.options) == {"coop": "de", "breed": "homing"}
    assert (account.per_minute, account.connections) == (0.5, 64)
    assert (account.connect_s, account.read_s) == (1, 300)
    assert account.proxy == "http://us%20er:p%40ss%3Aword@proxy:3128"
    assert account.ca_file == Path("/ca.pem")


def test_an_empty_rate_is_no_bound(tmp_path: Path) -> None:
    (account,) = config_of(tmp_path, 'requests_per_minute = ""').provider_settings()

    assert account.per_minute is None


def test_a_value_in_an_address_can_not_change_its_host(tmp_path: Path) -> None:
    config = config_of(tmp_path, 'base_url = "https://example.com/{breed}"\nbreed = "a@evil.example?b"')

    (account,) = config.provider_settings()

    assert account.base_url == "https://example.com/a%40evil.example%3Fb"


def test_a_field_of_every_account_is_an_option_too_where_the_type_wants_it(tmp_path: Path) -> None:
    config = config_of(tmp_path, 'sender = "ACME"\nsenders = ["ACME", "+4930*"]')

    (account,) = config.provider_settings()

    assert account.provider.options["sender"] == "ACME"
    assert config.rules().providers["exo"].sender == "ACME"


def test_the_rules_know_the_providers(tmp_path: Path) -> None:
    text = """
        senders = ["+4930*"]
        sender = "+4930123456"
        destinations = ["DE", "!+49180"]
        connections = 7
        breed = "homing"
        caps = { calls_per_day = 1, minutes_per_day = 2, spend_per_day = "0.0003" }
    """

    provider = config_of(tmp_path, text).rules().providers["exo"]

    assert (provider.name, provider.type) == ("exo", "pigeon")
    assert provider.operations == {"sms.send", "voice.say"}
    assert (provider.senders, provider.sender) == (("+4930*",), "+4930123456")
    assert provider.destinations is not None
    assert not provider.destinations.allows("+4918012345")
    assert (provider.connections, provider.caps) == (7, Caps(1, 2, None, 3))
    assert [each.what for each in provider.objections("sms", Call(), None)] == ["no homing flies there"]


def test_an_account_has_the_operations_that_its_options_give_it(tmp_path: Path) -> None:
    assert "ivr.play" in config_of(tmp_path, 'loft = "roof"').rules().providers["exo"].operations


def test_a_provider_without_destinations_takes_whatever_may_be_called(tmp_path: Path) -> None:
    assert config_of(tmp_path).rules().providers["exo"].destinations is None


def test_a_type_may_do_without_account_and_secret() -> None:
    (account,) = from_text('[providers.eve]\ntype = "owl"', SYSTEM).provider_settings()

    assert (account.provider.account, account.provider.secret.value) == ("", "")


def test_a_type_has_a_say_in_its_options(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        config_of(tmp_path, 'breed = "dodo"')

    assert list(map(str, caught.value.mistakes)) == ["providers.exo.breed: Those can't fly: choose another."]


LAN = '[providers.lan]\ntype = "generic"\nbase_url = "http://192.168.0.7:13013/cgi/"\n'


def test_a_gateway_may_be_spoken_to_without_tls_where_that_is_said() -> None:
    (account,) = from_text(f"{LAN}plain_http = true", SYSTEM).provider_settings()

    assert (account.base_url, account.plain) == ("http://192.168.0.7:13013/cgi", True)
    assert "https://" in mistakes_in(LAN)["providers.lan.base_url"]


def test_a_gateway_has_no_address_of_its_own() -> None:
    assert "needed" in mistakes_in('[providers.lan]\ntype = "generic"')["providers.lan.base_url"]


def test_a_table_has_no_place_in_an_address() -> None:
    found = mistakes_in(
        '[providers.lan]\ntype = "generic"\nbase_url = "https://a.b/{sms}"\n[providers.lan.sms]'
    )

    assert "{sms}" in found["providers.lan.base_url"]


def test_tables_of_a_gateway_are_its_own_to_read() -> None:
    text = f'{LAN}plain_http = true\n[providers.lan.sms]\nform = {{ to = "x" }}'

    (account,) = from_text(text, SYSTEM).provider_settings()

    assert account.provider.options == {"sms": {"form": {"to": "x"}}}


def test_secrets_come_from_systemd_too(tmp_path: Path) -> None:
    (tmp_path / "provider_exo").write_text("from systemd\n")
    (tmp_path / "provider_exo_proxy").write_text("me:pw\n")
    text = '[providers.exo]\ntype = "pigeon"\naccount = "key"\ncoop = "de"\nproxy = "http://proxy:3128"'

    config = from_text(text, SYSTEM | {"CREDENTIALS_DIRECTORY": str(tmp_path)})

    (account,) = config.provider_settings()
    assert (account.provider.secret.value, account.proxy) == ("from systemd", "http://me:pw@proxy:3128")


def test_secrets_of_providers_are_not_shown(tmp_path: Path) -> None:
    proxy = secret_file(tmp_path, "me:pr0xysecret", "proxy-secret")
    config = config_of(tmp_path, f'proxy = "http://proxy"\nproxy_secret_file = "{proxy}"')

    told = f"{config!r} {config} {config.model_dump_json()} {config.provider_settings()!r} {config.rules()!r}"

    assert "s3cret" not in told
    assert "pr0xysecret" not in told


def test_a_secret_that_others_can_read_is_no_providers(tmp_path: Path) -> None:
    secret_file(tmp_path).chmod(0o640)

    with pytest.raises(ConfigError) as caught:
        config_of(tmp_path)

    assert [each.where for each in caught.value.mistakes] == ["providers.exo.secret_file"]
    assert "chmod 0600" in str(caught.value)


def test_the_secret_of_a_proxy_has_a_user_and_a_password(tmp_path: Path) -> None:
    proxy = secret_file(tmp_path, "only-a-password", "proxy-secret")

    with pytest.raises(ConfigError, match="user:password") as caught:
        config_of(tmp_path, f'proxy = "http://proxy"\nproxy_secret_file = "{proxy}"')

    assert "only-a-password" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "where", "sentence"),
    [
        ("", "providers.exo.type", "needed"),
        ("type = 'pigeons'", "providers.exo.type", 'Did you mean "pigeon"'),
        ("type = 3", "providers.exo.type", "in quotes"),
        ("type = 'pigeon'", "providers.exo.coop", "This is needed: the coop"),
        ("type = 'pigeon'", "providers.exo.account", "needed"),
        ("type = 'pigeon'", "providers.exo.secret_file", "systemd's credential provider_exo"),
        ("type = 'pigeon'\nbred = 'x'", "providers.exo.bred", 'Did you mean "breed"'),
        ("type = 'pigeon'\nconnection = 3", "providers.exo.connection", 'Did you mean "connections"'),
        ("type = 'pigeon'\ncoop = 3", "providers.exo.coop", "in quotes"),
        ("type = 'pigeon'\ncoop = ''", "providers.exo.coop", "empty"),
        ("type = 'pigeon'\ncoop = '../'\nbase_url = 'https://a.b/{coop}'", "providers.exo.base_url", "slash"),
        ("type = 'pigeon'\ncoop = 'a/b'", "providers.exo.base_url", "host"),
        ("type = 'pigeon'\ncoop = 'a'\nbase_url = 'http://a.example'", "providers.exo.base_url", "https://"),
        ("type = 'pigeon'\ncoop = 'a'\nbase_url = 'https://u:p@a.example'", "providers.exo.base_url", "user"),
        ("type = 'pigeon'\ncoop = 'a'\nbase_url = 'https://a.example/?b'", "providers.exo.base_url", "?"),
        (
            "type = 'pigeon'\ncoop = 'a'\nbase_url = 'https://{cop}.example'",
            "providers.exo.base_url",
            "{cop}",
        ),
        ("type = 'pigeon'\nplain_http = true", "providers.exo.plain_http", "Only the type generic"),
        ("type = 'pigeon'\nrequests_per_minute = 0.4", "providers.exo.requests_per_minute", "0.5 or more"),
        (
            "type = 'pigeon'\nrequests_per_minute = '60'",
            "providers.exo.requests_per_minute",
            "without quotes",
        ),
        (
            "type = 'pigeon'\nrequests_per_minute = true",
            "providers.exo.requests_per_minute",
            "without quotes",
        ),
        ("type = 'pigeon'\nconnections = 65", "providers.exo.connections", "64 or less"),
        ("type = 'pigeon'\nconnections = 0", "providers.exo.connections", "1 or more"),
        ("type = 'pigeon'\ntimeout = '6m'", "providers.exo.timeout", "between 1s and 5m"),
        ("type = 'pigeon'\nconnect_timeout = 10", "providers.exo.connect_timeout", "with its unit"),
        ("type = 'pigeon'\nsender = '+4930'\nsenders = '+43*'", "providers.exo", "not among its senders"),
        ("type = 'pigeon'\nproxy = 'http://u:p@proxy'", "providers.exo.proxy", "proxy_secret_file"),
        ("type = 'pigeon'\nproxy = 'proxy:3128'", "providers.exo.proxy", "http://proxy.example.com:3128"),
        ("type = 'pigeon'\nproxy_secret_file = '/x'", "providers.exo", "say which, with proxy"),
        ("type = 'pigeon'\ndestinations = ['UK']", "providers.exo.destinations", 'Did you mean "GB"'),
        ("type = 'pigeon'\ncaps = { call_per_day = 3 }", "providers.exo.caps.call_per_day", '"calls_per'),
        ("type = 'pigeon'\nca_file = 'ca.pem'", "providers.exo.ca_file", "whole path"),
        ("type = 'pigeon'\n[providers.'a b']\ntype = 'pigeon'", "providers.a b", "A name"),
    ],
)
def test_a_mistake_in_an_account_is_told_with_its_key(text: str, where: str, sentence: str) -> None:
    found = mistakes_in(f"[providers.exo]\n{text}")

    assert where in found
    assert sentence in found[where]


def test_every_mistake_of_an_account_comes_at_once() -> None:
    found = mistakes_in("[providers.exo]\ntype = 'pigeon'\nbreed = 3\ntimeout = 3\nsizes = 1")

    assert set(found) == {
        "providers.exo.timeout",
        "providers.exo.breed",
        "providers.exo.sizes",
        "providers.exo.coop",
        "providers.exo.account",
        "providers.exo.secret_file",
    }


def test_one_account_of_a_type_does_not_hide_the_mistakes_of_another() -> None:
    found = mistakes_in("[providers.a]\ntype = 'pigeon'\n[providers.b]\ntype = 'parrot'\nx = 'y'")

    assert {"providers.a.coop", "providers.b.x", "providers.b.account"} <= set(found)


def test_another_secret_is_another_configuration(tmp_path: Path) -> None:
    before = config_of(tmp_path)
    secret_file(tmp_path, "another")

    after = config_of(tmp_path)

    assert before.providers != after.providers
