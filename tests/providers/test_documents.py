"""docs/providers.md and its pages, and docs/adding-a-provider.md, say what is so."""

import re
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialerd.client import Client
from dialerd.core.errors import DeliveryError
from dialerd.core.operations import OPERATIONS
from dialerd.providers.base import Provider, Secret
from dialerd.providers.judge import understood, verdict
from dialerd.providers.registry import TYPES
from dialerd.providers.settings import AccountSettings
from dialerd.providers.wire import Reply
from tests.providers import samples
from tests.providers.test_conformance import VERDICTS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "providers.md").read_text()
ADDING = (DOCS / "adding-a-provider.md").read_text()
FIRST_WORD = re.compile(r"`(\w+)\(")


def rows(page: str) -> Iterator[list[str]]:
    """The cells of all rows of all tables."""
    for line in page.splitlines():
        if line.startswith("| "):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def marked() -> dict[str, frozenset[str]]:
    """The types that the matrix gives each operation."""
    found: dict[str, frozenset[str]] = {}
    types_: list[str] = []
    for cells in rows(PAGE):
        if "exotel" in cells:
            types_ = cells[-len(TYPES) :]
        elif (name := cells[0].strip("`")) in OPERATIONS:
            marks = zip(types_, cells[-len(TYPES) :], strict=True)
            found[name] = frozenset(type_ for type_, mark in marks if mark == "✓")
    return found


def test_the_matrix_of_operations_is_that_of_the_code() -> None:
    has = {
        name: frozenset(type_ for type_, cls in TYPES.items() if name in cls.operations())
        for name in OPERATIONS
    }

    assert marked() == has


@pytest.mark.parametrize("type_", TYPES)
def test_a_page_tells_all_options_of_its_type(type_: str) -> None:
    page = (DOCS / f"providers/{type_}.md").read_text()

    assert [
        name for name in TYPES[type_].OPTIONS if f"`{name}`" not in page and f"{name} =" not in page
    ] == []


@pytest.mark.parametrize("type_", ["exotel", "xoxzo", "hoiio", "flowroute"])
def test_the_methods_that_take_the_place_of_an_sdk_are_there(type_: str) -> None:
    page = (DOCS / f"providers/{type_}.md").read_text()
    named = [name for cells in rows(page) if len(cells) == 4 for name in FIRST_WORD.findall(cells[2])]

    assert len(named) > 5
    assert [name for name in named if name != "Client" and not hasattr(Client, name)] == []


@pytest.fixture(scope="module")
def pigeon() -> Provider:
    """The provider that docs/adding-a-provider.md writes."""
    block = re.search(r"```python\n(\"\"\"Pigeon.*?)```", ADDING, re.DOTALL)
    assert block is not None
    module = types.ModuleType("pigeon")
    exec(compile(block[1], "adding-a-provider.md", "exec"), module.__dict__)
    made = module.Pigeon(account="acct", secret=Secret("x"), options={"loft": "north"})
    assert isinstance(made, Provider)
    return made


def test_the_provider_of_the_guide_has_the_operations_that_it_says(pigeon: Provider) -> None:
    assert pigeon.operations() == {"sms.send", "sms.status"}
    assert pigeon.finders() == {"sms"}


@pytest.mark.parametrize(
    ("name", "body"),
    re.findall(r"\| `(sms\.\w+\.[^`]+\.json)` \| `([^`]+)` \|", ADDING),
    ids=lambda each: each[:40],
)
def test_the_saved_replies_of_the_guide_have_their_verdicts(pigeon: Provider, name: str, body: str) -> None:
    noun, verb, status, word = name.split(".")[:4]
    settings = AccountSettings("pigeon", pigeon, pigeon.BASE_URL)
    made = getattr(pigeon, f"{noun}_{verb}")
    request = made(samples.errand("sms.send")) if verb == "send" else made("p-1")
    reply = Reply(int(status), {}, body.encode(), request)

    found = verdict(settings, request, reply)
    if found is None:
        try:
            found = understood(settings, request, reply, getattr(pigeon, f"read_{noun}_{verb}"))
        except DeliveryError as error:
            found = error

    assert isinstance(found, VERDICTS[word])
