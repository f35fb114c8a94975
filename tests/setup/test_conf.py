"""How Asterisk's configuration files are read."""

from fnmatch import fnmatchcase
from time import process_time

import pytest

from dialerd.setup import conf


def reader(**files: str) -> conf.Read:
    """Files by their names, _ for the dot; their folder is /a."""
    there = {f"/a/{name.replace('_', '.')}": text for name, text in files.items()}

    def read(wanted: str) -> dict[str, str]:
        path = wanted if wanted.startswith("/") else f"/a/{wanted}"
        return {name: text for name, text in there.items() if fnmatchcase(name, path)}

    return read


def test_comments_are_no_values() -> None:
    text = "[general] ; x\n;enabled = no\nenabled => yes ; on\n;-- port = 1\nport = 2 --;\nname = a\\;b\n"

    among = conf.sections("m.conf", reader(m_conf=text))

    assert among[0].values == (("enabled", "yes"), ("name", "a\\;b"))


def test_the_last_value_of_all_sections_of_a_name_counts() -> None:
    text = "[general]\nenabled = no\n[other]\nenabled = no\n[general](+)\nEnabled = yes\n"

    assert conf.value(conf.sections("m.conf", reader(m_conf=text)), "general", "enabled") == "yes"


def test_a_templates_values_do_not_count() -> None:
    among = conf.sections("a.conf", reader(a_conf="[directories](!)\nastspooldir => /x\n"))

    assert conf.value(among, "directories", "astspooldir") is None


@pytest.mark.parametrize(
    "line",
    ["#include b.conf", '#include "b.conf"', "#include <b.conf>", "#tryinclude /a/b.conf", "#include b*"],
)
def test_what_is_included_is_read_in_its_place(line: str) -> None:
    read = reader(m_conf=f"[one]\n{line}\n[three]\n", b_conf="[two]\n")

    assert [each.name for each in conf.sections("m.conf", read)] == ["one", "two", "three"]


def test_files_that_include_one_another_come_to_an_end() -> None:
    among = conf.sections("m.conf", reader(m_conf="[one]\n#include m.conf\n"))

    assert 1 < len(among) < 20


@pytest.mark.parametrize(
    ("pattern", "is_covered"),
    [
        ("manager.d/*.conf", True),
        ("/etc/asterisk/manager.d/dialerd.conf", True),
        ("*.conf", False),
        ("manager.d/*.txt", False),
        ("*/dialerd.conf", True),
    ],
)
def test_an_include_covers_the_files_that_asterisk_would_read(pattern: str, is_covered: bool) -> None:
    path = "/etc/asterisk/manager.d/dialerd.conf"

    assert conf.covers(pattern, path, "/etc/asterisk") is is_covered


@pytest.mark.parametrize(
    "text",
    [
        "a = 1 ;-- hidden\n[x]\nb = 2\n--; \nc = 3",
        ";-- one ;-- in another --; b = 2 --; \na = 1\nc = 3",
        "a = 1 ;---- no block\nc = 3",
    ],
)
def test_blocks_of_comments_begin_anywhere_and_nest(text: str) -> None:
    (section,) = conf.sections("a", lambda _: {"a": f"[s]\n{text}"})

    assert (section.value("a"), section.value("b"), section.value("c")) == ("1", None, "3")


@pytest.mark.parametrize("text", ["\n" * 300_000, ";--\n" * 300_000, "#include a\n" * 60])
def test_files_that_are_made_to_take_long_do_not(text: str) -> None:
    begun = process_time()

    found = conf.sections("a", lambda _: {"a": text}), conf.patterns("a", lambda _: {"a": text})

    assert found[0] == ()
    assert process_time() - begun < 20
