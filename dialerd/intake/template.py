"""A campaign's template: the job document that every row of a spreadsheet fills in.

A value may hold the names of columns in braces: `to = "{phone}"`; `{{` and `}}` stand for braces. A column
that is named as a field (or `variables.NAME`, and so on) applies by itself and beats the template, unless its
own value for that field is made from it. An empty cell leaves its field to the template, and a value that
comes out empty leaves its field out. What stands in a cell is never read as a template.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256
from typing import Any

from dialerd.core.errors import InvalidJob, Mistake
from dialerd.core.texts import nearest, variable_name
from dialerd.intake.document import BOOLEANS, FIELDS, INTEGERS, mistakes_in
from dialerd.intake.kinds import CALL, CHOICES
from dialerd.intake.rows import DOTTED, document_of
from dialerd.intake.strictjson import MAX_BYTES, loads

SUFFIXES = (".toml", ".json")
_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_VARIABLE = "variables."
_LIKELY = 0.8
"""How like a field's name a column's must be to be taken for a misspelt one (difflib's ratio)."""


@dataclass(frozen=True, slots=True)
class _Text:
    """A text with cells in it: literals[0], the cell of columns[0], literals[1] and so on."""

    literals: tuple[str, ...]
    columns: tuple[str, ...]

    def fill(self, row: Mapping[str, str]) -> str:
        pieces = [self.literals[0]]
        for column, literal in zip(self.columns, self.literals[1:], strict=True):
            pieces += [row.get(column, ""), literal]
        return "".join(pieces).strip(" \t")


@dataclass(frozen=True, slots=True)
class Template:
    """A template that fits the columns of a file.

    `own` are the columns that apply by themselves, `unused` those that neither do nor are named in it.
    """

    fields: Mapping[str, Any]
    own: tuple[str, ...]
    unused: tuple[str, ...]

    def document(self, cells: Mapping[str, str]) -> dict[str, Any]:
        """The job document of a row."""
        row = {column: cell.strip(" \t") for column, cell in cells.items()}
        document: dict[str, Any] = {}
        texts: dict[str, str] = {}
        for name, value in self.fields.items():
            if isinstance(value, _Text):
                texts[name] = value.fill(row)
            elif (filled := _filled(value, row)) not in ({}, []) or value in ({}, []):
                document[name] = filled
        texts |= {column: row[column] for column in self.own if row.get(column)}
        made = document_of(texts, INTEGERS, BOOLEANS)
        for name in DOTTED:
            if name in made and isinstance(document.get(name), dict):
                made[name] = {**document[name], **made[name]}
        return {**document, **made}

    def warnings(self) -> list[str]:
        """A sentence for each column that looks like a misspelt field."""
        found = []
        for column in self.unused:
            start, dot, rest = column.partition(".")
            near = get_close_matches(start.lower(), FIELDS, n=1, cutoff=_LIKELY)
            if near and bool(dot) == (near[0] in DOTTED):
                found.append(f'The column "{column}" is not used. Did you mean "{near[0]}{dot}{rest}"?')
        return found


def read(data: bytes, suffix: str) -> dict[str, Any]:
    """The template in a file, told by its suffix (one of SUFFIXES). Raises InvalidJob."""
    if len(data) > MAX_BYTES:
        raise InvalidJob([Mistake("", f"The template has more than {MAX_BYTES} bytes.")])
    found = loads(data) if suffix.lower() == ".json" else _toml(data)
    if not isinstance(found, dict):
        raise InvalidJob([Mistake("", 'A template is one object, such as {"to": "{phone}"}.')])
    return found


def bind(fields: Mapping[str, Any], columns: Sequence[str]) -> Template:
    """The template for rows with these columns. Raises InvalidJob with every mistake in it."""
    reader = _Reader(columns)
    read = {name: reader.value(value, name) for name, value in fields.items()}
    own = tuple(column for column in dict.fromkeys(columns) if _is_field(column, read, reader))
    mistakes = [*_names(fields), *reader.mistakes, *_constants(read), *_columns(own, columns)]
    mistakes += _choices(fields, own)
    if mistakes:
        raise InvalidJob(list(dict.fromkeys(mistakes)))
    unused = [column for column in columns if column and column not in own and column not in reader.used]
    return Template(read, own, tuple(unused))


def row_key(batch: str, cells: Mapping[str, str]) -> str:
    """A key for a row that has none: the same for the same cells in the same batch."""
    told = sorted((column, cell.strip()) for column, cell in cells.items() if cell.strip())
    return "row-" + sha256(json.dumps([batch, told]).encode()).hexdigest()[:32]


class _Reader:
    """Takes a template's values apart; gathers the columns that they use and their mistakes."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = [column for column in columns if column]
        self.used: set[str] = set()
        self.mistakes: list[Mistake] = []

    def value(self, value: Any, where: str) -> Any:
        if isinstance(value, str):
            return self._text(value, where)
        if isinstance(value, dict):
            return {name: self.value(each, f"{where}.{name}") for name, each in value.items()}
        if isinstance(value, list):
            return [self.value(each, f"{where}.{place}") for place, each in enumerate(value)]
        return value.isoformat() if hasattr(value, "isoformat") else value

    def _text(self, text: str, where: str) -> str | _Text:
        literals, columns, end, told = [""], [], 0, len(self.mistakes)
        for part in _PART.finditer(text):
            literals[-1] += text[end : part.start()]
            end = part.end()
            if part[0] in ("{{", "}}"):
                literals[-1] += part[0][0]
            elif part[1] is None:
                what = f"The {part[0]} at character {part.start() + 1} belongs to no column's name: write"
                self.mistakes.append(Mistake(where, f"{what} {part[0] * 2} where a brace is meant."))
            else:
                columns.append(self._column(part[1].strip(), where))
                literals.append("")
        literals[-1] += text[end:]
        plain = not columns and len(self.mistakes) == told
        return literals[0] if plain else _Text((*literals,), tuple(columns))

    def _column(self, name: str, where: str) -> str:
        found = [column for column in self._columns if column.casefold() == name.casefold()]
        if len(found) != 1:
            several = f"There are {len(found)} columns {name!r}: name each otherwise."
            none = f"There is no column {name!r}.{nearest(name, self._columns)}"
            self.mistakes.append(Mistake(where, several if found else none))
        self.used |= set(found)
        return found[0] if found else name


def _filled(value: Any, row: Mapping[str, str]) -> Any:
    """The value with its cells in it. Of a list or a table the texts that come out empty are left out."""
    if isinstance(value, _Text):
        return value.fill(row)
    if isinstance(value, dict):
        each = {name: _filled(inner, row) for name, inner in value.items()}
        return {name: text for name, text in each.items() if text != "" or value[name] == ""}
    if isinstance(value, list):
        made = [(inner, _filled(inner, row)) for inner in value]
        return [text for inner, text in made if text != "" or inner == ""]
    return value


def _has_cells(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_cells, value.values()))
    return isinstance(value, _Text) or (isinstance(value, list) and any(map(_has_cells, value)))


def _toml(data: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InvalidJob([Mistake("", "The template is no text: save it as UTF-8.")]) from None
    except RecursionError:
        raise InvalidJob([Mistake("", "The template is nested too deep.")]) from None
    except tomllib.TOMLDecodeError as error:
        raise InvalidJob([Mistake("", f"The template is not TOML: {error}.")]) from None


def _is_field(column: str, fields: Mapping[str, Any], reader: _Reader) -> bool:
    """Whether the column applies by itself."""
    start, dot, name = column.partition(".")
    if dot and start in DOTTED:
        table = fields.get(start)
        value = table.get(name) if isinstance(table, dict) else None
    else:
        value = fields.get(column)
        if column not in FIELDS or column in DOTTED:
            return False
    return not (isinstance(value, _Text) and column in value.columns)


def _names(fields: Mapping[str, Any]) -> Iterator[Mistake]:
    for name in fields:
        if name not in FIELDS:
            yield Mistake(name[:80], f"This name is not known here.{nearest(name, FIELDS)}")
    variables = fields.get("variables")
    for name in variables if isinstance(variables, dict) else ():
        yield from _variable(name, f"variables.{name[:80]}")


def _constants(fields: Mapping[str, Any]) -> list[Mistake]:
    """What is wrong with the values that are the same in each row."""
    return mistakes_in(
        {name: value for name, value in fields.items() if name in FIELDS and not _has_cells(value)}
    )


def _columns(own: Sequence[str], columns: Sequence[str]) -> Iterator[Mistake]:
    for column in own:
        if columns.count(column) > 1:
            yield Mistake(f"column {column!r}", "The column stands there twice: keep one of them.")
        if column.startswith(_VARIABLE):
            yield from _variable(column.removeprefix(_VARIABLE), f"column {column[:80]!r}")


def _variable(name: str, where: str) -> Iterator[Mistake]:
    try:
        variable_name(name)
    except ValueError as error:
        yield Mistake(where, str(error))


def _choices(fields: Mapping[str, Any], own: Sequence[str]) -> Iterator[Mistake]:
    """What the template and its columns lack, or have too much of. Where the kind comes from the rows, nobody
    can tell yet."""
    kind = fields.get("kind", CALL)
    if "kind" in own or not isinstance(kind, str) or kind not in CHOICES:
        return
    for choice in CHOICES[kind]:
        if not any(name in fields or name in own for name in choice.names):
            where = "In the template, or by a column of that name."
            yield Mistake(choice.names[0], f"{choice.sentence} {where}")
        for group in choice.exclusive:
            given = [name for name in group if name in fields]
            if len(given) > 1:
                yield Mistake(given[1], f"Give only one of {' and '.join(given)}.")
