"""Blocks of code as they fit a terminal."""

import re
from collections.abc import Iterable, Iterator

WIDTH = 69
"""Columns of a line: a terminal's 80, less the margin and the block's own."""

_SHORTEST = 20
_SHELLS = ("sh", "console", "bash")
_BLANK, _COMMA, _WORD = re.compile(" "), re.compile(", "), re.compile(r" (?=-|> )")
"""Where a line may be cut: of plain text, of data, of a command."""

_COMMENT = re.compile(r"(?P<code>.*\S)\s{2,}(?P<comment># .*)")


def fitted(text: str, language: str) -> list[str]:
    """The lines of a block. In one that is too wide, comments go above what they are about, commands go on in
    a further line, and what else is too long is cut after a comma."""
    lines = text.rstrip("\n").splitlines()
    if all(len(line) <= WIDTH for line in lines):
        return lines
    return [piece for line in _commented(lines) for piece in _cut(line, language)]


def _commented(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        found = _COMMENT.fullmatch(line)
        if found and len(line) > WIDTH:
            indent = line[: len(line) - len(line.lstrip())]
            yield from (indent + found["comment"], found["code"])
        else:
            yield line


def _cut(line: str, language: str) -> Iterator[str]:
    """A long line in pieces."""
    place = {"": _BLANK, **dict.fromkeys(_SHELLS, _WORD)}.get(language, _COMMA)
    mark = " \\" if language in _SHELLS else ""
    while len(line) > WIDTH and not line.lstrip().startswith("#"):
        places = [found.end() for found in place.finditer(line, _SHORTEST, WIDTH - 1)]
        if not places:
            break
        yield line[: places[-1]].rstrip() + mark
        line = "    " + line[places[-1] :].strip()
    yield line
