from pathlib import Path

import pytest

from dialerd.config import from_text
from dialerd.core.inbound import Did
from dialerd.core.tasks import Step
from tests.config.accounts import secret_file
from tests.configuring import SYSTEM, mistakes_in

pytestmark = pytest.mark.usefixtures("types")


def test_every_option_of_a_number_reaches_it(tmp_path: Path) -> None:
    account = f'account = "key"\nsecret_file = "{secret_file(tmp_path)}"'
    text = f"""
        [providers.pol]
        type = "parrot"
        {account}
        [providers.exo]
        type = "pigeon"
        coop = "de"
        loft = "roof"
        {account}
        [listener]
        public_url = "https://pbx.example.com"
        [dids."+4930123456"]
        context = "from-pstn"
        [dids."+815012345678"]
        provider = "pol"
        action = 'say en "We call you back."'
        [dids."+6566028066"]
        context = "later"
        provider = "exo"
        steps = [{{ play = "Hello." }}, {{ hangup = "" }}]
    """

    dids = from_text(text, SYSTEM).did_actions()

    assert dids == {
        "+4930123456": Did("+4930123456", context="from-pstn"),
        "+815012345678": Did("+815012345678", provider="pol", action='say en "We call you back."'),
        "+6566028066": Did(
            "+6566028066", "later", "exo", steps=(Step("play", message="Hello."), Step("hangup"))
        ),
    }


def test_there_are_no_numbers_by_default() -> None:
    assert from_text("", SYSTEM).did_actions() == {}


@pytest.mark.parametrize(
    ("number", "text", "where", "sentence"),
    [
        ("030123456", "context = 'a'", "", "such as +4930123456"),
        ("+49 30 123456", "context = 'a'", "", "without blanks"),
        ("+4930123456", "", "", "Say who takes its calls"),
        ("+4930123456", "context = 'a,b'", ".context", "letters, digits"),
        ("+4930123456", "contxt = 'a'", ".contxt", 'Did you mean "context"'),
        ("+4930123456", "context = 'a'\naction = 'x'", "", "say which"),
        ("+4930123456", "provider = 'a'\naction = 'x\\ny'", ".action", "line break"),
        ("+4930123456", "provider = 'a'\naction = 'x'\nsteps = [{ play = 'y' }]", "", "one of them"),
        ("+4930123456", "provider = 'a'\nsteps = [{ plai = 'y' }]", ".steps.0", 'Did you mean "play"'),
        ("+4930123456", "provider = 'a'\nsteps = 'play'", ".steps", "a list of steps"),
    ],
)
def test_a_mistake_of_a_number_is_told_with_its_key(
    number: str, text: str, where: str, sentence: str
) -> None:
    listener = "[listener]\npublic_url = 'https://pbx.example.com'"
    found = mistakes_in(f"{listener}\n[dids.'{number}']\n{text.replace(chr(39), chr(34))}")

    assert f"dids.{number}{where}" in found
    assert sentence in found[f"dids.{number}{where}"]
