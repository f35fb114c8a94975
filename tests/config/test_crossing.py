"""Names of trunks and providers share one name space; routes, callbacks and numbers name what is there and
what can do it."""

from pathlib import Path

import pytest

from dialerd.config import from_text
from tests.config.accounts import secret_file
from tests.configuring import SYSTEM, mistakes_in

pytestmark = pytest.mark.usefixtures("types")

TRUNK = '[trunks.gold]\nchannel = "PJSIP/{digits}@gold"\n'
LISTENER = '[listener]\npublic_url = "https://pbx.example.com"\n'


def providers(folder: Path, more: str = "") -> str:
    """A pigeon called exo and a parrot called pol, without mistakes; `more` are options of exo."""
    needed = f'account = "key"\nsecret_file = "{secret_file(folder)}"'
    exo = f'[providers.exo]\ntype = "pigeon"\ncoop = "de"\n{needed}\n{more}\n'
    return f'{exo}[providers.pol]\ntype = "parrot"\n{needed}\n'


def test_a_route_leads_to_trunks_and_providers(tmp_path: Path) -> None:
    route = '[[routes]]\nkinds = ["call", "sms"]\ndestinations = "DE"\ntags = "otp"\nways = ["exo"]'
    older = '[[routes]]\ndestinations = "*"\ntrunks = ["gold", "exo"]'

    rules = from_text(f"{TRUNK}{providers(tmp_path)}{route}\n{older}", SYSTEM).rules()

    first, second = rules.routes
    assert (first.kinds, first.tags, first.trunks) == (("call", "sms"), ("otp",), ("exo",))
    assert (second.kinds, second.tags, second.trunks) == (("call",), (), ("gold", "exo"))


def test_a_trunk_and_a_provider_do_not_share_a_name(tmp_path: Path) -> None:
    trunk = '[trunks.exo]\nchannel = "PJSIP/{digits}@gold"\n'

    found = mistakes_in(trunk + providers(tmp_path))

    assert list(found) == ["providers.exo"]
    assert "choose another name" in found["providers.exo"]


@pytest.mark.parametrize(
    ("route", "where", "sentence"),
    [
        ("ways = 'ex'", "routes.0.ways", 'no [providers.ex], only gold, exo, pol. Did you mean "exo"?'),
        ("ways = ['gold', 'x', 'y']", "routes.0.ways", "no [trunks.y]"),
        ("trunks = 'x'", "routes.0.trunks", "no [trunks.x] and no [providers.x]"),
        (
            "kinds = 'fax'\nways = 'exo'",
            "routes.0.ways",
            "exo has none of the operations that fax takes (fax.send)",
        ),
        ("kinds = 'sms'\nways = 'gold'", "routes.0.ways", "A trunk takes calls only, no sms: take gold out"),
        ("kinds = ['sms', 'ivr']\nways = 'exo'", "routes.0.ways", "ivr takes (ivr.dial)"),
        ("kinds = 'conference'\nways = 'exo'", "routes.0.ways", "(voice.conference)"),
        ("ways = 'pol'", "routes.0.ways", "pol has none of the operations that call takes (voice.connect,"),
        ("kinds = 'smss'\nways = 'exo'", "routes.0.kinds.0", 'Did you mean "sms"'),
        ("kinds = 'number'\nways = 'exo'", "routes.0.kinds.0", "Use 'call', 'sms'"),
        ("kinds = []\nways = 'exo'", "routes.0.kinds", "at least one"),
        ("", "routes.0", "one of both"),
        ("ways = 'gold'\ntrunks = 'gold'", "routes.0", "one of both"),
        ("ways = ['gold', 'gold']", "routes.0", "twice"),
        ("ways = []", "routes.0.ways", "at least one"),
    ],
)
def test_a_route_to_what_is_not_there_or_can_not_do_it_is_a_mistake(
    tmp_path: Path, route: str, where: str, sentence: str
) -> None:
    found = mistakes_in(f"{TRUNK}{providers(tmp_path)}[[routes]]\ndestinations = 'DE'\n{route}")

    assert list(found) == [where]
    assert sentence in found[where]


def test_patterns_of_a_role_fit_providers_too(tmp_path: Path) -> None:
    role = '[roles.sales]\nusers = "root"\ntrunks = ["g*", "exo", "p?l"]'

    config = from_text(f"{TRUNK}{providers(tmp_path)}{role}", SYSTEM)

    assert config.roles["sales"].trunks == ("g*", "exo", "p?l")


def test_callbacks_come_from_providers_that_there_are(tmp_path: Path) -> None:
    found = mistakes_in(f'{providers(tmp_path)}{LISTENER}[listener.sources]\nexa = "10.0.0.0/8"')

    assert found == {
        "listener.sources.exa": 'There is no [providers.exa], only exo, pol. Did you mean "exo"?'
    }


@pytest.mark.parametrize(
    ("did", "where", "sentence"),
    [
        ("provider = 'poll'", "provider", 'Did you mean "pol"'),
        ("provider = 'exo'\naction = 'say en \"Hi.\"'", "action", "exo asks for no actions"),
        ("provider = 'exo'\nsteps = [{ play = 'Hi.' }]", "steps", "exo knows no sessions"),
    ],
)
def test_a_number_asks_of_its_provider_what_that_can_do(
    tmp_path: Path, did: str, where: str, sentence: str
) -> None:
    found = mistakes_in(f'{providers(tmp_path)}{LISTENER}[dids."+6566028066"]\n{did}')

    assert list(found) == [f"dids.+6566028066.{where}"]
    assert sentence in found[f"dids.+6566028066.{where}"]


def test_without_a_listener_no_provider_can_ask(tmp_path: Path) -> None:
    found = mistakes_in(f"{providers(tmp_path)}[dids.'+6566028066']\nprovider = 'pol'\naction = 'talk'")

    assert found == {
        "dids.+6566028066.action": "Providers ask for it at the listener: add the section [listener]."
    }
