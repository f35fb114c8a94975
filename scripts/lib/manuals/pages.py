"""All manual pages: what each is made of, and what it points to."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dialerd import __version__, daemon
from scripts.lib.manuals import commands, roff
from scripts.lib.manuals.commands import Command
from scripts.lib.manuals.markdown import Renderer, parsed, sections

PROJECT = Path(__file__).resolve().parent.parent.parent.parent
DOCUMENTS = "/usr/share/doc/dialerd/docs"
"""Where the package puts docs/."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its name, its section, and its text."""

    name: str
    section: int
    text: str

    @property
    def file(self) -> str:
        return f"{self.name}.{self.section}"


_FORMATS: tuple[tuple[Any, ...], ...] = (
    ("dialerd.toml", "configuration.md", "configuration of dialerd", "/etc/dialerd/dialerd.toml"),
    ("dialerd-job", "jobs.md", "what a job for dialerd can say, and the files of jobs"),
    (
        "dialerd-template",
        "campaigns.md",
        "what the rows of a list become, as jobs for dialerd",
        "",
        ("The template", "Nobody is called twice", "Looking first"),
    ),
)
"""Pages of section 5: what makes each, see _format()."""

_RELATED = {
    "dialerctl-call": ("dialerd-job(5)", "dialerctl-watch(1)"),
    "dialerctl-submit": ("dialerd-job(5)", "dialerd-template(5)", "dialerctl-batch(1)"),
    "dialerctl-batch": ("dialerctl-submit(1)", "dialerctl-export(1)", "dialerd-template(5)"),
    "dialerctl-sms": ("dialerd-job(5)", "dialerctl-providers(1)"),
    "dialerctl-fax": ("dialerd-job(5)", "dialerctl-providers(1)"),
    "dialerctl-voice": ("dialerctl-call(1)", "dialerctl-ivr(1)", "dialerctl-providers(1)"),
    "dialerctl-ivr": ("dialerd-job(5)", "dialerctl-voice(1)"),
    "dialerctl-list": ("dialerctl-show(1)", "dialerctl-export(1)", "dialerctl-qshape(1)"),
    "dialerctl-show": ("dialerctl-list(1)", "dialerctl-watch(1)"),
    "dialerctl-watch": ("dialerctl-show(1)", "dialerctl-events(1)"),
    "dialerctl-events": ("dialerctl-watch(1)",),
    "dialerctl-cancel": ("dialerctl-hold(1)", "dialerctl-batch(1)"),
    "dialerctl-hold": ("dialerctl-release(1)", "dialerctl-pause(1)"),
    "dialerctl-release": ("dialerctl-hold(1)", "dialerctl-resolve(1)"),
    "dialerctl-requeue": ("dialerctl-list(1)",),
    "dialerctl-resolve": ("dialerctl-list(1)", "dialerctl-show(1)"),
    "dialerctl-dnc": ("dialerd.toml(5)",),
    "dialerctl-rates": ("dialerd.toml(5)",),
    "dialerctl-reports": ("dialerd.toml(5)",),
    "dialerctl-pause": ("dialerctl-resume(1)", "dialerctl-drain(1)", "dialerctl-trunks(1)"),
    "dialerctl-resume": ("dialerctl-pause(1)", "dialerctl-trunks(1)"),
    "dialerctl-drain": ("dialerctl-pause(1)", "dialerctl-resume(1)"),
    "dialerctl-trunks": ("dialerctl-pause(1)", "dialerd.toml(5)"),
    "dialerctl-check": ("dialerctl-status(1)", "dialerd.toml(5)"),
    "dialerctl-setup": ("dialerctl-check(1)", "dialerd.toml(5)"),
    "dialerctl-backup": ("dialerctl-restore(1)", "dialerctl-fsck(1)"),
    "dialerctl-restore": ("dialerctl-backup(1)", "dialerctl-fsck(1)"),
    "dialerctl-fsck": ("dialerctl-backup(1)", "dialerctl-restore(1)"),
    "dialerctl-purge": ("dialerctl-redact(1)", "dialerctl-export(1)"),
    "dialerctl-redact": ("dialerctl-purge(1)",),
}


def pages() -> Iterator[Page]:
    """All of them."""
    ctl = commands.root()
    yield _daemon()
    yield _ctl(ctl)
    for each in ctl.inner():
        yield _command(each)
    for known in _FORMATS:
        yield _format(*known)


def _daemon() -> Page:
    command = commands.root(daemon.main, "dialerd")
    told, document = _told("dialerd.md")
    see = ["dialerctl(1)", "dialerd.toml(5)", "dialerd-job(5)", "systemd.service(5)", "asterisk(8)"]
    options = [*roff.heading("OPTIONS"), *commands.options(command)]
    lines = [
        *_synopsis([".PP", f"{roff.bold('dialerd')} [\\fIOPTIONS\\fR]"]),
        *told["Description"],
        *options,
        *(line for name in ("Signals", "Environment", "Files", "Exit status") for line in told[name]),
    ]
    return _page(
        "dialerd",
        8,
        "hands phone calls, messages and faxes to Asterisk and to providers",
        lines,
        see,
        document,
    )


def _ctl(ctl: Command) -> Page:
    told, document = _told("dialerctl.md")
    lines = _synopsis(
        [".PP", f"{roff.bold('dialerctl')} [\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]"]
    )
    lines += [
        *told["Description"],
        *roff.heading("OPTIONS"),
        *commands.options(ctl),
        *roff.heading("COMMANDS"),
    ]
    for each in ctl.inner():
        lines += roff.term(roff.reference(f"{each.page}(1)"), roff.lines(roff.plain(f"{each.brief}.")))
    lines += [*told["Environment"], *told["Files"], *roff.heading("EXAMPLES"), *commands.first_examples(ctl)]
    lines += [*roff.heading("EXIT STATUS"), *commands.exit_codes()]
    see = ["dialerd(8)", "dialerd.toml(5)", "dialerd-job(5)", "dialerd-template(5)"]
    return _page("dialerctl", 1, _small(ctl.brief), lines, see, document)


def _command(command: Command) -> Page:
    lines = [*_synopsis(commands.synopsis(command)), *commands.body(command)]
    examples = commands.examples(command)
    if examples:
        lines += [*roff.heading("EXAMPLES"), *examples]
    lines += roff.heading("EXIT STATUS")
    lines += roff.paragraph(
        f"0 where it was done. {roff.reference('dialerctl(1)')} lists all codes, and tells of the environment"
        " and of what numbers and times look like."
    )
    return _page(command.page, 1, _small(command.brief), lines, ["dialerctl(1)", *_related(command)])


def _related(command: Command) -> list[str]:
    there = {each.page for each in commands.root().inner()}
    found = _RELATED.get(command.page, ("dialerd(8)",))
    return [each for each in found if not each.startswith("dialerctl-") or each.partition("(")[0] in there]


def _format(name: str, document: str, brief: str, place: str = "", chosen: Sequence[str] = ()) -> Page:
    """A page of section 5, from a document: all of it, or the chosen sections."""
    renderer = Renderer(document)
    about = sections(parsed((PROJECT / "docs" / document).read_text(encoding="utf-8")))
    first = [*roff.heading("DESCRIPTION"), *renderer.section(about.pop(""))]
    rest = [line for name in chosen or about for line in renderer.section(about[name])]
    found = _synopsis([".PP", roff.bold(place)]) if place else []
    others = [f"{each[0]}(5)" for each in _FORMATS if each[0] != name]
    see = ["dialerctl(1)", "dialerctl-submit(1)", *others, "dialerd(8)"]
    return _page(name, 5, brief, [*found, *first, *rest], see, renderer)


def _told(document: str) -> tuple[dict[str, list[str]], Renderer]:
    """What docs/man/ says of a program, section by section."""
    renderer = Renderer("")
    found = sections(parsed((PROJECT / "docs" / "man" / document).read_text(encoding="utf-8")))
    return {name: renderer.section(nodes) for name, nodes in found.items() if name}, renderer


def _synopsis(lines: Sequence[str]) -> list[str]:
    return [*roff.heading("SYNOPSIS"), *lines]


def _small(sentence: str) -> str:
    """A sentence as NAME has it, without its capital."""
    return sentence[:1].lower() + sentence[1:]


def _page(
    name: str,
    section: int,
    brief: str,
    lines: Sequence[str],
    see: Sequence[str],
    document: Renderer | None = None,
) -> Page:
    found = [*roff.title(name, section, date(), f"dialerd {__version__}"), *roff.heading("NAME")]
    found += [f"{name} \\- {roff.plain(brief)}", *lines, *roff.heading("SEE ALSO")]
    found += roff.paragraph(", ".join(map(roff.reference, sorted(see, key=_by_section))))
    if document is not None and document.documents:
        listed = ", ".join(map(roff.italic, sorted(document.documents)))
        found += roff.paragraph(f"In {roff.italic(DOCUMENTS)}: {listed}")
    return Page(name, section, roff.page(found))


def _by_section(page: str) -> tuple[str, str]:
    return page[-2], page


def date() -> str:
    """The date of SOURCE_DATE_EPOCH, as builds that can be repeated set it; else today's."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    when = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    return when.strftime("%Y-%m-%d")
