"""A row of a spreadsheet as a job document: empty cells are absent, `variables.NAME` columns become
variables, and so do those of `extra` and `details`."""

import re
from collections.abc import Mapping
from typing import Any

_YES_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
DOTTED = ("variables", "extra", "details")
"""Fields that hold named texts, each of which has a column of its own."""


def document_of(row: Mapping[str, str], integers: frozenset[str], booleans: frozenset[str]) -> dict[str, Any]:
    """The document that the row's cells stand for. What is no number or no yes stays text, for the document's
    own check.

    `to` and `channel` hold several when commas stand between (a blank may be part of a number).
    """
    document: dict[str, Any] = {}
    for name, cell in row.items():
        column, text = name.strip(), cell.strip(" \t")
        if not text:
            continue
        field, dot, inner = column.partition(".")
        if dot and field in DOTTED:
            document.setdefault(field, {})[inner] = text
        elif column in integers and re.fullmatch(r"[+-]?[0-9]{1,18}", text):
            document[column] = int(text)
        elif column in booleans:
            document[column] = _YES_NO.get(text.lower(), text)
        elif column in ("to", "channel") and "," in text:
            document[column] = [each.strip() for each in text.split(",") if each.strip()]
        else:
            document[column] = text
    return document
