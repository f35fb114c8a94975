"""What README and docs show is right: configurations load, templates fit, dialerctl has the commands and
options, and links lead somewhere. docs/from-pycall.md is run as a whole by tests/e2e/test_from_pycall.py."""

import re
import shlex
import tomllib
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import click
import pytest

from dialerd.cli import main
from dialerd.config import Config, from_text
from dialerd.core.states import State
from dialerd.intake import template
from tests.configuring import SYSTEM

PROJECT = Path(__file__).parent.parent
PAGES = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted(PROJECT.glob("docs/**/*.md"))]
SHELL = ("sh", "console", "bash", "")
"""Blocks that may hold commands; "" is a block that says nothing of its language, or an indented one."""

ENDS = ("|", ";", "&", "&&", "||", ">", ">>", "<")
"""What a command's own words end at."""

SECRET = "whsec_" + b64encode(bytes(32)).decode()
NAMED = re.compile(r'(?<=_file = )"[^"]+"')
PEOPLE = re.compile(r"^(users|groups) = .*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code: the page, its line there, its language, and what it holds."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(path: Path) -> Iterator[Block]:
    """The fenced and the indented blocks of a page."""
    page = str(path.relative_to(PROJECT))
    lines = list(enumerate(path.read_text().splitlines(), 1))
    inside: list[str] | None = None
    language, begin = "", 0
    plain: list[tuple[int, str]] = []
    for number, line in lines:
        fence = re.match(r" *```(\w*)", line)
        if fence is None:
            (plain if inside is None else []).append((number, line))
            if inside is not None:
                inside.append(line)
        elif inside is None:
            inside, language, begin = [], fence[1], number + 1
        else:
            yield Block(page, begin, language, "\n".join(inside) + "\n")
            inside = None
    assert inside is None, f"{page}: a block is not closed"
    for indented, group in groupby(plain, lambda each: each[1].startswith("    ")):
        if indented:
            found = list(group)
            yield Block(page, found[0][0], "", "".join(f"{line[4:]}\n" for _, line in found))


def commands_of(block: Block) -> Iterator[list[str]]:
    """The words of each call of dialerctl in a block, which is a line of shell, perhaps behind a prompt."""
    for line in block.text.replace("\\\n", " ").splitlines():
        if not re.match(r"(\$ )?dialerctl ", line):
            continue
        reader = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars=True)
        reader.commenters, reader.whitespace_split = "#", True
        first = next(list(words) for ends, words in groupby(reader, ENDS.__contains__) if not ends)
        yield [word.strip("[]") for word in first]


def inline_of(path: Path) -> Iterator[str]:
    """The calls of dialerctl in a page's sentences."""
    sentences = re.sub(r"^ *```.*?^ *```$", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    yield from re.findall(r"`(dialerctl [^`]+)`", sentences)


def understood(words: list[str], whole: bool = True) -> None:
    """Raises click.UsageError for a command, an option or a value that there is not. `whole`: as it stands,
    and not only its beginning."""
    command: click.Command = main
    context, rest = click.Context(main, info_name="dialerctl"), words
    while True:
        values, rest, _ = command.make_parser(context).parse_args(list(rest))
        if not isinstance(command, click.Group):
            break
        if not rest:
            assert not whole, "it names no command"
            return
        if not whole and rest[0].isupper():  # stands for any
            return
        inner = command.get_command(context, rest[0])
        if inner is None:
            raise click.UsageError(f"There is no command {rest[0]!r}.")
        context, command, rest = click.Context(inner, context, info_name=rest[0]), inner, rest[1:]
    if rest:
        raise click.UsageError(f"These are too many words: {rest}")
    for parameter in command.params:
        value = values.get(parameter.name)
        given = isinstance(value, str | tuple | list) and bool(value)
        if whole and parameter.required and isinstance(parameter, click.Argument) and not given:
            raise click.UsageError(f"{parameter.human_readable_name} is missing.")
        if given and isinstance(parameter.type, click.Choice | click.IntRange | click.FloatRange):
            parameter.type_cast_value(context, value)
        if given and parameter.name == "states" and not set(value) <= set(State):
            raise click.UsageError(f"There is no such state: {value}")


def completed(text: str, folder: Path) -> str:
    """A piece of configuration as it can be loaded here: with secrets in the files that it names, users and
    groups by number, and the trunks that it speaks of."""
    secret = folder / "secret"
    secret.touch(0o600)
    secret.write_text(SECRET)
    text = PEOPLE.sub(lambda found: f"{found[1]} = {'*' if '*' in found[0] else '0'!r}", text)
    text = NAMED.sub(f'"{secret}"', text)
    raw = tomllib.loads(text)
    there = raw.get("trunks", {})
    missing = [name for name in dict.fromkeys(trunks_in(raw)) if name not in there]
    return text + "".join(f'\n[trunks.{name}]\nchannel = "PJSIP/{{digits}}@{name}"\n' for name in missing)


def trunks_in(raw: dict[str, Any]) -> Iterator[str]:
    """The trunks that a configuration names."""
    yield from [raw["calls"]["default_trunk"]] if "default_trunk" in raw.get("calls", {}) else []
    for section in (*raw.get("roles", {}).values(), *raw.get("routes", ())):
        names = section.get("trunks", [])
        yield from [names] if isinstance(names, str) else names


BLOCKS = [block for path in PAGES for block in blocks_of(path)]
TOML = [block for block in BLOCKS if block.language == "toml"]
CONFIGURATIONS = [block for block in TOML if tomllib.loads(block.text).keys() <= Config.model_fields.keys()]
TEMPLATES = [block for block in TOML if block not in CONFIGURATIONS]
COMMANDS = [
    pytest.param(words, id=f"{block}-{shlex.join(words)}")
    for block in BLOCKS
    if block.language in SHELL
    for words in commands_of(block)
]
INLINE = sorted({call for path in PAGES for call in inline_of(path)})


@pytest.mark.parametrize("block", CONFIGURATIONS, ids=str)
def test_the_configurations_in_the_documentation_are_right(block: Block, tmp_path: Path) -> None:
    config = from_text(completed(block.text, tmp_path), SYSTEM)

    assert config.model_fields_set >= tomllib.loads(block.text).keys()


@pytest.mark.parametrize("block", TEMPLATES, ids=str)
def test_the_templates_in_the_documentation_are_right(block: Block) -> None:
    fields = template.read(block.text.encode(), ".toml")
    columns = re.findall(r"\{(\w+)\}", block.text)

    bound = template.bind(fields, list(dict.fromkeys(columns)))

    assert bound.unused == ()


@pytest.mark.parametrize("words", COMMANDS)
def test_dialerctl_knows_the_commands_in_the_documentation(words: list[str]) -> None:
    assert words[0] == "dialerctl"
    understood(words[1:])


@pytest.mark.parametrize("call", INLINE)
def test_dialerctl_knows_the_commands_in_sentences(call: str) -> None:
    understood(shlex.split(call)[1:], whole=False)


def test_there_are_examples_of_each_kind() -> None:
    assert (len(CONFIGURATIONS) > 10, len(TEMPLATES) > 0, len(COMMANDS) > 40) == (True, True, True)
    assert {"README.md", "docs/client.md", "docs/configuration.md"} <= {block.page for block in BLOCKS}


@pytest.mark.parametrize(
    "words",
    [
        ["sumbit", "x.csv"],
        ["batch", "shown", "spring"],
        ["list", "--status", "held"],
        ["list", "--state", "hold"],
        ["pause"],
        ["whoami", "now"],
    ],
    ids=shlex.join,
)
def test_a_command_that_there_is_not_is_found(words: list[str]) -> None:
    with pytest.raises(click.UsageError):
        understood(words)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    text = re.sub(r"^ *```.*?^ *```$|`[^`\n]*`", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]

    assert [link for link in links if not leads(path, link)] == []


def leads(path: Path, link: str) -> bool:
    """Whether the file is there, and has the heading."""
    name, _, heading = link.partition("#")
    target = (path.parent / name).resolve() if name else path
    return target.exists() and (not heading or heading in headings_of(target))


def headings_of(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", path.read_text(), flags=re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower() for title in titles)
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in plain}
