"""How setup knows its own files."""

import pytest

from dialerd.setup.marks import Found, compared, signed

OURS = signed("a = 1\n")


@pytest.mark.parametrize(
    ("there", "found"),
    [
        (None, Found.NOTHING),
        (OURS, Found.SAME),
        (signed("a = 2\n"), Found.OURS),
        (OURS + "b = 2\n", Found.EDITED),
        (signed("a = 2\n").replace("2", "3"), Found.EDITED),
        ("a = 1\n", Found.FOREIGN),
        ("", Found.FOREIGN),
        ("\n" + OURS, Found.FOREIGN),
    ],
)
def test_a_file_is_ours_as_long_as_nobody_changed_it(there: str | None, found: Found) -> None:
    assert compared(there, OURS) is found


def test_a_mark_is_a_comment_where_it_stands() -> None:
    assert signed("[x]\n", ";").startswith("; ")
