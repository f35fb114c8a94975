"""dialerctl's commands as manual pages: what click knows of them, and what --help prints."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from textwrap import dedent

import click

from dialerd.cli import exits, main
from dialerd.cli.examples import EXAMPLES
from scripts.lib.manuals import code, roff

_FEWEST_SHARED = 3
"""So many options have a section of their own where several commands of a page take them."""

_LONGEST_TITLE = 70


@dataclass(frozen=True, slots=True)
class Command:
    """A command, with the words that call it: "dialerctl batch show"."""

    words: str
    command: click.Command
    context: click.Context

    @property
    def page(self) -> str:
        """Its manual page's name."""
        return self.words.replace(" ", "-")

    @property
    def brief(self) -> str:
        """The first sentence of its help, without its stop."""
        return self.command.get_short_help_str(1000).rstrip(".")

    def inner(self) -> list["Command"]:
        """Its sub-commands."""
        if not isinstance(self.command, click.Group):
            return []
        names = self.command.list_commands(self.context)
        return [_found(self, self.command.get_command(self.context, name), name) for name in names]

    def arguments(self) -> list[click.Argument]:
        return [each for each in self.command.params if isinstance(each, click.Argument)]

    def options(self) -> list[click.Option]:
        return [each for each in self.command.params if isinstance(each, click.Option) and not each.hidden]


def _found(outer: Command, inner: click.Command | None, name: str) -> Command:
    assert inner is not None, f"{outer.words} lists {name}, and does not have it"
    return Command(f"{outer.words} {name}", inner, click.Context(inner, outer.context, info_name=name))


def root(command: click.Command = main, name: str = "dialerctl") -> Command:
    """A command that stands alone."""
    return Command(name, command, click.Context(command, info_name=name))


def synopsis(command: Command) -> list[str]:
    """How it is called, and each of its sub-commands."""
    called = command.inner() or [command]
    found = [".PD 0"]
    for each in called:
        parts = [roff.bold(each.words), "[\\fIOPTIONS\\fR]", *map(_metavar, _metavars(each))]
        found += [".HP 4", " ".join(parts)]
    return [*found, ".PD"]


def _metavars(command: Command) -> list[str]:
    return [each.make_metavar(command.context) for each in command.arguments()]


def _metavar(text: str) -> str:
    """What stands for a value: capitals are italic, small letters are typed."""
    pieces = re.findall(r"[A-Z][A-Z0-9_/]*|[a-z][a-z0-9_-]*|[^A-Za-z]+", text)
    return "".join(
        roff.italic(each)
        if each[0].isupper()
        else roff.bold(each)
        if each[0].islower()
        else roff.literal(each)
        for each in pieces
    )


def described(command: Command) -> list[str]:
    """What its help says."""
    names = {name for each in _metavars(command) for name in re.findall(r"[A-Z][A-Z0-9]+", each)}
    found: list[str] = []
    for part in re.split(r"\n\s*\n", dedent_help(command.command.help or "")):
        if part.lstrip().startswith("\b"):
            found += roff.block(part.lstrip().removeprefix("\b").strip("\n").splitlines())
        elif part.strip():
            found += roff.paragraph(_sentence(" ".join(part.split()), names))
    return found


def dedent_help(text: str) -> str:
    """A help text without its indentation, and without what click does not show either."""
    first, _, rest = text.partition("\f")[0].partition("\n")
    return f"{first.strip()}\n{dedent(rest)}"


def _sentence(text: str, names: Iterable[str] = ()) -> str:
    """A sentence of help: options bold, what the arguments are called italic."""
    marked = roff.plain(text)
    marked = re.sub(r"(?<![\w\\-])(?:\\-){1,2}[a-z][a-z-]*", lambda found: f"\\fB{found[0]}\\fR", marked)
    for name in names:
        marked = re.sub(rf"\b{name}\b", f"\\\\fI{name}\\\\fR", marked)
    return marked


def option(command: Command, each: click.Option) -> list[str]:
    """An option, and what it does."""
    record = each.get_help_record(command.context)
    assert record is not None
    flags = ", ".join(map(roff.bold, [*each.opts, *each.secondary_opts]))
    value = "" if each.is_flag or each.count else each.make_metavar(command.context)
    text, extra = re.fullmatch(r"(.*?)(?:  \[([^\]]*)\])?", record[1], re.DOTALL).groups()  # type: ignore[union-attr]
    rest = f" {_extra(extra)}" if extra else ""
    return roff.term(
        f"{flags} {_metavar(value)}".rstrip(), roff.lines(_sentence(" ".join(text.split()) + rest))
    )


def _extra(text: str) -> str:
    """What click adds in brackets, as a sentence: the default, the range, that it is needed."""
    told = {"required": "It must be given."}
    return " ".join(
        told.get(each) or f"{each[:1].upper()}{each[1:]}.".replace("X>=", "At least ")
        for each in text.split("; ")
    )


def options(command: Command, chosen: Sequence[click.Option] | None = None) -> list[str]:
    """Its options, or some of them."""
    found = command.options() if chosen is None else chosen
    return [line for each in found for line in option(command, each)]


def examples(command: Command) -> list[str]:
    """Its examples, and those of its sub-commands."""
    found: list[str] = []
    for each in [command, *command.inner()]:
        for what, words in EXAMPLES.get(each.words.partition(" ")[2], ()):
            found += [*roff.paragraph(roff.plain(what)), *roff.block(code.fitted(f"dialerctl {words}", "sh"))]
    return found


def first_examples(command: Command) -> list[str]:
    """An example of each of its commands that has one."""
    known = (EXAMPLES.get(each.command.name or "", ()) for each in command.inner())
    first = "\n".join(f"dialerctl {found[0][1]}" for found in known if found)
    return roff.block(code.fitted(first, "sh"))


def body(command: Command) -> list[str]:
    """The page of a command from DESCRIPTION to its options."""
    found = [*roff.heading("DESCRIPTION"), *described(command)]
    if not command.inner():
        return [*found, *roff.heading("OPTIONS"), *options(command)]
    shared = list(_shared(command))
    told = {key for _, keys in shared for key in keys}
    found += roff.heading("COMMANDS")
    for each in command.inner():
        own = [one for one in each.options() if _key(each, one) not in told]
        call = " ".join([roff.bold(each.words), "[\\fIOPTIONS\\fR]", *map(_metavar, _metavars(each))])
        found += [*roff.heading(roff.literal(each.words.rpartition(" ")[2]), 2), *roff.paragraph(call)]
        found += [*described(each), *options(each, own)]
    for takers, keys in shared:
        first = takers[0]
        chosen = [one for one in first.options() if _key(first, one) in keys]
        found += [*roff.heading(_whose(takers, command))]
        found += [*roff.paragraph(_takers(takers, command)), *options(first, chosen)]
    return found


def _key(command: Command, each: click.Option) -> tuple[str, str]:
    return each.get_help_record(command.context) or ("", "")


def _shared(command: Command) -> Iterator[tuple[list[Command], set[tuple[str, str]]]]:
    """Those of several sub-commands that the same options, several of them, belong to; with these."""
    takers: dict[tuple[str, str], list[Command]] = {}
    for each in command.inner():
        for one in each.options():
            takers.setdefault(_key(each, one), []).append(each)
    groups: dict[tuple[str, ...], set[tuple[str, str]]] = {}
    for key, who in takers.items():
        groups.setdefault(tuple(each.words for each in who), set()).add(key)
    for who_words, keys in groups.items():
        everyone = len(who_words) == len(command.inner())
        if len(who_words) > 1 and (everyone or len(keys) >= _FEWEST_SHARED):
            yield [each for each in command.inner() if each.words in who_words], keys


def _whose(takers: Sequence[Command], command: Command) -> str:
    if len(takers) == len(command.inner()):
        return "OPTIONS OF ALL COMMANDS"
    *names, last = [each.words.rpartition(" ")[2].upper() for each in takers]
    found = f"OPTIONS OF {', '.join(names)} AND {last}"
    return found if len(found) <= _LONGEST_TITLE else "OPTIONS OF SEVERAL COMMANDS"


def _takers(takers: Sequence[Command], command: Command) -> str:
    if len(takers) == len(command.inner()):
        return "All commands of this page take these."
    names = [roff.bold(each.words.rpartition(" ")[2]) for each in takers]
    return f"{', '.join(names[:-1])} and {names[-1]} take these."


def exit_codes() -> list[str]:
    """All exit codes of dialerctl."""
    return [
        line
        for code, text in exits.MEANINGS
        for line in roff.term(f"\\fB{code}\\fR", roff.lines(_sentence(text)))
    ]
