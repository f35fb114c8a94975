"""Text as man(7) takes it: escaping, fonts, and the few macros that the pages are made of.

Facts are those of groff_man(7) and of mandoc's man(7): both must show the pages alike.
"""

import re
from collections.abc import Iterable, Sequence
from textwrap import wrap

WIDTH = 78
_SPECIAL = {"\\": "\\e", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", '"': "\\(dq"}
_TERM = re.compile(r"(?<![\w-])--?(?=\w)|(?<![\w])-(?![\w])|(?<=-)-")


def literal(text: str) -> str:
    """Characters as they are, and never broken at a hyphen: options, names, code."""
    return "".join(_character(each) for each in text).replace("-", "\\-")


def plain(text: str) -> str:
    """A sentence. Its hyphens are hyphens, but for those that options begin with."""
    whole = "".join(_character(each) for each in text)
    return _TERM.sub(lambda found: found[0].replace("-", "\\-"), whole)


def _character(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    return character if ord(character) < 128 else f"\\[u{ord(character):04X}]"


def bold(text: str) -> str:
    """Words to be typed as they are."""
    return f"\\fB{literal(text)}\\fR" if text else ""


def italic(text: str) -> str:
    """Words that stand for others."""
    return f"\\fI{literal(text)}\\fR" if text else ""


def reference(page: str) -> str:
    """Another page, such as dialerctl(1)."""
    name, _, section = page.partition("(")
    return f"{bold(name)}({section}"


def title(name: str, section: int, date: str, source: str) -> list[str]:
    """How a page begins. Tables are for tbl(1); the text is neither hyphenated nor justified, and the blank
    behind a sentence is as wide as others."""
    return [
        "'\\\" t",
        f'.TH {literal(name.upper())} {section} "{date}" "{source}" "dialerd"',
        ".nh",
        ".ad l",
        ".ss 12 0",
    ]


def page(lines: Iterable[str]) -> str:
    """A whole page. A paragraph right behind a heading needs no macro, and mandoc complains of it."""
    found: list[str] = []
    for line in lines:
        if not (line == ".PP" and found and found[-1].startswith((".SH", ".SS"))):
            found.append(line)
    return "\n".join(found) + "\n"


def heading(text: str, level: int = 1) -> list[str]:
    """A section (1), one in it (2), or one in that, for which man(7) has no macro."""
    if level > 2:
        return [".PP", f"\\fB{text}\\fR"]
    return [f'.{"SH" if level == 1 else "SS"} "{text}"']


def lines(text: str) -> list[str]:
    """Text that is escaped already, in lines of a sensible length; none begins as a request does."""
    found = wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)
    return [lead(line) for line in found]


def lead(text: str) -> str:
    """Escaped text that must be one line."""
    return f"\\&{text}" if text[:1] in (".", "'") else text


def paragraph(text: str) -> list[str]:
    """A paragraph of escaped text."""
    return [".PP", *lines(text)]


def term(tag: str, body: Sequence[str]) -> list[str]:
    """A word, and below it, indented, what it is: lines of roff that begin with no .PP."""
    return [".TP", lead(tag), *(body or ["\\&"])]


def block(code: Iterable[str]) -> list[str]:
    """Lines as they are, indented."""
    shown = [literal(line) for line in code]
    return [
        ".PP",
        ".RS 4",
        ".nf",
        *(f"\\&{line}" if line[:1] == "." else line for line in shown),
        ".fi",
        ".RE",
    ]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A narrow table, of escaped cells."""
    form = ["l " * (len(head) - 1) + "l", "l " * (len(head) - 1) + "l."]
    bold_head = "\t".join(f"\\fB{cell}\\fR" if cell else "" for cell in head)
    return [".PP", ".TS", *form, bold_head, *("\t".join(row) for row in rows), ".TE"]
