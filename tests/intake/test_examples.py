from pathlib import Path
from typing import Any

import pytest

from dialerd.core.documents import examine
from dialerd.intake import jobfile
from dialerd.intake.document import (
    loads,
    parse,
)
from dialerd.pbx.plainfile import to_document
from tests.intake.documents import EXAMPLES, NOW, PAPER, RULES, one, uploaded


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.name)
def test_the_json_examples_are_right(path: Path) -> None:
    value = loads(path.read_bytes())

    documents = [as_dropped(each) for each in (value if isinstance(value, list) else [value])]

    assert all(parse(document, RULES, NOW, uploaded) for document in documents)


def as_dropped(document: dict[str, Any]) -> dict[str, Any]:
    """The document with what lies beside it handed in, as the drop folder does it."""
    if "document_file" not in document:
        return document
    assert examine((EXAMPLES / document["document_file"]).read_bytes()).pages == 1
    rest = {name: value for name, value in document.items() if name != "document_file"}
    return {**rest, "document": PAPER.id}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.ndjson")), ids=lambda path: path.name)
def test_the_ndjson_examples_are_right(path: Path) -> None:
    assert all(parse(loads(line), RULES, NOW) for line in path.read_bytes().splitlines())


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.csv")), ids=lambda path: path.name)
def test_the_csv_examples_are_right(path: Path) -> None:
    with path.open("rb") as file:
        documents = [row.document for row in jobfile.read(file, ".csv").rows]

    drafts = [one(document) for document in documents]

    assert [draft.key for draft in drafts] == ["row-1", "row-2", "row-3"]
    assert drafts[0].call.variables == (("greeting", "tt-monkeys"),)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.call")), ids=lambda path: path.name)
def test_the_call_file_examples_are_right(path: Path) -> None:
    document = to_document(path.read_bytes(), 0, NOW.timestamp())
    document.pop("notes")

    assert one(document).call.caller_id_name == "Test User"
