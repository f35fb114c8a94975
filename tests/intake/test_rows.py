from dataclasses import replace
from typing import Any

import pytest

from dialerd.core.errors import InvalidJob
from dialerd.intake.document import (
    parse,
    parse_row,
)
from tests.intake.documents import NOW, RULES, SIMPLE


@pytest.mark.parametrize(
    ("row", "document"),
    [
        (
            {"to": "030 123456", "play": "hello-world", "key": "", "": ""},
            {"to": "030 123456", "play": "hello-world"},
        ),
        (
            {"to": "1000, 1001", "play": "a", "ring": "any"},
            {"to": ["1000", "1001"], "play": "a", "ring": "any"},
        ),
        ({"channel": "PJSIP/1", "play": " a "}, {"channel": "PJSIP/1", "play": "a"}),
        ({**SIMPLE, "wait_time": "20", "max_retries": "1"}, {**SIMPLE, "wait_time": 20, "max_retries": 1}),
        ({**SIMPLE, "early_media": "YES"}, {**SIMPLE, "early_media": True}),
        ({**SIMPLE, "early_media": "0"}, {**SIMPLE, "early_media": False}),
        (
            {**SIMPLE, "tags": "a, b c", "codecs": "ulaw alaw"},
            {**SIMPLE, "tags": "a, b c", "codecs": "ulaw alaw"},
        ),
        (
            {**SIMPLE, "variables.x": "1", "variables.CDR(a)": "2"},
            {**SIMPLE, "variables": {"x": "1", "CDR(a)": "2"}},
        ),
    ],
)
def test_a_row_is_read_as_the_document_that_it_stands_for(
    row: dict[str, str], document: dict[str, Any]
) -> None:
    from_row, from_document = (
        [replace(draft, batch=None) for draft in drafts]
        for drafts in (parse_row(row, RULES, NOW), parse(document, RULES, NOW))
    )

    assert from_row == from_document


@pytest.mark.parametrize(
    ("row", "where", "sentence"),
    [
        ({**SIMPLE, "wait_time": "soon"}, "wait_time", "whole number"),
        ({**SIMPLE, "wait_time": "1.5"}, "wait_time", "whole number"),
        ({**SIMPLE, "wait_time": "９"}, "wait_time", "whole number"),
        ({**SIMPLE, "early_media": "maybe"}, "early_media", "true or false"),
        ({**SIMPLE, "colour": "red"}, "colour", "not known"),
        ({"to": "1000 1001", "play": "x"}, "to", "1000 1001"),
        ({**SIMPLE, "variables.a b": "x"}, "variables.a b", "no variable's name"),
    ],
)
def test_a_row_with_a_mistake_is_refused_with_its_column(
    row: dict[str, str], where: str, sentence: str
) -> None:
    with pytest.raises(InvalidJob) as caught:
        parse_row(row, RULES, NOW)

    assert [mistake.where for mistake in caught.value.mistakes] == [where]
    assert sentence in caught.value.mistakes[0].what
