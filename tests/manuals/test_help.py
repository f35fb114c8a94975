"""--help tells of every command, argument and option, and fits a terminal."""

import re
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from dialerd.cli import exits, main
from dialerd.cli.examples import EXAMPLES
from scripts.lib.manuals import commands
from scripts.lib.manuals.commands import Command
from tests.test_docs import PROJECT, Block, commands_of, understood

LEAST_EXAMPLES = 40


def every(outer: Command) -> Iterator[Command]:
    """A command and all below it."""
    yield outer
    for each in outer.inner():
        yield from every(each)


ALL = list(every(commands.root()))


def untold(command: Command) -> Iterator[str]:
    """What its help leaves out."""
    help = command.command.help or ""
    if not help.strip():
        yield "what it does"
    for option in command.options():
        said = option.help or ""
        if not said.strip():
            yield option.opts[0]
        if option.multiple and "may be repeated" not in said:
            yield f"{option.opts[0]} may be repeated"
    for argument in command.arguments():
        names = re.findall(r"\w+", argument.make_metavar(command.context))
        if not any(name.lower() in help.lower() for name in names):
            yield argument.make_metavar(command.context)


@pytest.mark.parametrize("command", ALL, ids=lambda each: each.words)
def test_help_tells_of_every_argument_and_option(command: Command) -> None:
    assert list(untold(command)) == []


@pytest.mark.parametrize("command", [each for each in ALL if each.inner()], ids=lambda each: each.words)
def test_the_commands_are_listed_with_whole_sentences(command: Command) -> None:
    listed = CliRunner().invoke(main, [*command.words.split()[1:], "--help"], terminal_width=80)

    assert [line for line in listed.stdout.splitlines() if re.fullmatch(r"  \w.*\.\.\.", line)] == []


@pytest.mark.parametrize("command", ALL, ids=lambda each: each.words)
def test_help_fits_a_terminal(command: Command) -> None:
    shown = CliRunner().invoke(main, [*command.words.split()[1:], "--help"], terminal_width=80)

    assert [line for line in shown.stdout.splitlines() if len(line) > 100] == []


EVERY_EXAMPLE = [words for found in EXAMPLES.values() for _, words in found]


@pytest.mark.parametrize("words", EVERY_EXAMPLE)
def test_dialerctl_knows_its_examples(words: str) -> None:
    (call,) = commands_of(Block("examples.py", 1, "sh", f"dialerctl {words}\n"))

    understood(call[1:])


def test_each_page_has_an_example() -> None:
    known = {name.split()[0] for name in EXAMPLES}

    assert known == {each.command.name for each in commands.root().inner()}
    assert len(EVERY_EXAMPLE) >= LEAST_EXAMPLES


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_stand_under_the_commands_that_they_call(name: str) -> None:
    shown = CliRunner().invoke(main, [*name.split(), "--help"])

    assert shown.exit_code == 0
    assert all(words.startswith(name) and f"dialerctl {words}" in shown.stdout for _, words in EXAMPLES[name])


def test_the_exit_codes_of_help_are_those_of_the_documentation() -> None:
    page = (PROJECT / "docs" / "client.md").read_text(encoding="utf-8")
    table = page.partition("### Exit codes")[2].partition("\n\n```")[0]

    assert re.findall(r"^\| (\d+) \|", table, re.MULTILINE) == [str(code) for code, _ in exits.MEANINGS]


def test_what_help_leaves_out_is_found() -> None:
    @click.command("x", help="Does something.")
    @click.argument("file")
    @click.option("--tag", multiple=True, help="A tag.")
    @click.option("--name")
    def command() -> None: ...

    assert list(untold(commands.root(command, "x"))) == ["--tag may be repeated", "--name", "FILE"]
