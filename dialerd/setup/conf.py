"""Asterisk's configuration files as far as setup reads them: sections, their values, and what they include.

The syntax is that of Asterisk's main/config.c (16 to 22): `[name](options)`, `key = value` or `key => value`,
`;` comments to the end of the line unless it stands behind a backslash, `;--` to `--;` over lines and one in
another, and the directives #include and #tryinclude with a path or a pattern, relative to the folder of the
configuration.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

_SECTION = re.compile(r"\[([^\]]+)\](?:\s*\(([^)]*)\))?")
_INCLUDE = re.compile(r"""\s*#(?:try)?include\s+(?:"([^"]+)"|<([^>]+)>|'([^']+)'|(\S+))""")
_DEEPEST = 5
_MOST_FILES, _MOST_TEXT = 2000, 32 * 1024 * 1024
"""What is read at most. The files are Asterisk's user's: they may include one another without end."""

Read = Callable[[str], Mapping[str, str]]
"""The files that a path or a pattern stands for: their texts by their paths."""


@dataclass(frozen=True, slots=True)
class Section:
    """One section: its name, the file that it begins in, what stands in brackets behind its name."""

    name: str
    file: str
    options: tuple[str, ...]
    values: tuple[tuple[str, str], ...]

    @property
    def template(self) -> bool:
        """Whether it only stands there for others to build on: its values don't count by themselves."""
        return "!" in self.options

    def value(self, key: str) -> str | None:
        """The last value of this key, by which Asterisk goes."""
        found = [value for name, value in self.values if name.lower() == key]
        return found[-1] if found else None


def sections(path: str, read: Read) -> tuple[Section, ...]:
    """The sections of a file and of all that it includes, in the order in which Asterisk reads them."""
    found: list[tuple[str, str, tuple[str, ...], list[tuple[str, str]]]] = []
    for file, line in _lines(path, _bounded(read), _DEEPEST):
        if (head := _SECTION.match(line)) is not None:
            options = tuple(each.strip() for each in (head[2] or "").split(",") if each.strip())
            found.append((head[1], file, options, []))
        elif "=" in line and found:
            key, _, value = line.partition("=")
            found[-1][3].append((key.strip(), value.removeprefix(">").strip()))
    return tuple(Section(name, file, options, tuple(values)) for name, file, options, values in found)


def value(among: Iterable[Section], section: str, key: str) -> str | None:
    """The value that counts, of all sections of this name that are no templates."""
    named = (each for each in among if each.name == section and not each.template)
    found = [each.value(key) for each in named]
    return next((each for each in reversed(found) if each is not None), None)


def patterns(path: str, read: Read) -> tuple[str, ...]:
    """All that a file includes, and what that includes in its turn: paths and patterns as they stand."""
    return tuple(_patterns(path, _bounded(read), _DEEPEST))


def covers(pattern: str, path: str, folder: str) -> bool:
    """Whether an include of this pattern reads the file `path`; `folder` is where Asterisk's files lie."""
    parts, wanted = PurePosixPath(folder, pattern).parts, PurePosixPath(path).parts
    return len(parts) == len(wanted) and all(map(fnmatchcase, wanted, parts))


def is_true(text: str | None) -> bool:
    """Whether Asterisk takes this value for yes (ast_true)."""
    return (text or "").lower() in ("yes", "true", "y", "t", "1", "on")


def _bounded(read: Read) -> Read:
    """Reads until it is enough, and finds nothing from then on."""
    files, text = 0, 0

    def bounded(wanted: str) -> Mapping[str, str]:
        nonlocal files, text
        if files >= _MOST_FILES or text >= _MOST_TEXT:
            return {}
        found = read(wanted)
        files, text = files + 1 + len(found), text + sum(map(len, found.values()))
        return found

    return bounded


def _plain(text: str) -> Iterator[str]:
    """The lines without their comments."""
    depth = 0
    for line in text.splitlines():
        kept, depth = _uncommented(line, depth)
        yield kept.strip()


def _uncommented(line: str, depth: int) -> tuple[str, int]:
    """What of a line is no comment, and how deep in blocks of comments the next one begins."""
    kept, begin, found = "", 0, line.find(";")
    while found >= 0:
        if line[found + 1 : found + 3] == "--" and line[found + 3 : found + 4] != "-":
            kept, depth, begin = kept + ("" if depth else line[begin:found]), depth + 1, found + 3
        elif depth and line[begin:found].endswith("--"):
            depth, begin = depth - 1, found + 1
        elif not depth and not line[:found].endswith("\\"):
            return kept + line[begin:found], 0
        found = line.find(";", found + 1)
    return kept + ("" if depth else line[begin:]), depth


def _lines(path: str, read: Read, depth: int) -> Iterator[tuple[str, str]]:
    for file, text in sorted(read(path).items()):
        for line in _plain(text):
            if (include := _INCLUDE.match(line)) is None:
                yield file, line
            elif depth:
                yield from _lines(_named(include), read, depth - 1)


def _patterns(path: str, read: Read, depth: int) -> Iterator[str]:
    for text in read(path).values():
        for line in _plain(text):
            if (include := _INCLUDE.match(line)) is not None:
                yield _named(include)
                if depth:
                    yield from _patterns(_named(include), read, depth - 1)


def _named(include: re.Match[str]) -> str:
    return next(each for each in include.groups() if each is not None)
