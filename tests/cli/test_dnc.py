"""dialerctl dnc and rates, before the real routes on a real socket."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result

from tests.cli.running import ctl, lines
from tests.lists.serving import ServedLists

BERLIN, MUNICH = "+4930123456", "+4989123456"
ON_LAW = f"{MUNICH} is on the do-not-call list law: a register"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedLists]:
    with ServedLists(tmp_path) as running:
        yield running


def last(result: Result) -> str:
    """The last line; before it may stand the log of the daemon's part, which runs in the tests' process."""
    return result.stdout.splitlines()[-1]


def test_the_lists_are_shown(served: ServedLists) -> None:
    result = ctl(served, "dnc", "lists")

    assert result.exit_code == 0
    head, opt_out, law = result.stdout.splitlines()
    assert head.split() == ["LIST", "ENTRIES", "WRITABLE", "REASON", "FILE"]
    assert opt_out.split()[:3] == ["opt-out", "0", "yes"]
    assert law.split()[:3] == ["law", "1", "no"]


def test_a_lists_problem_is_shown(served: ServedLists) -> None:
    served.opt_out.write_text("bad\n")
    served.stop_lists.reload()

    result = ctl(served, "dnc", "lists")

    assert "Problem:  The stop list opt-out" in result.stdout
    assert "line 1" in result.stdout


def test_numbers_are_added_checked_and_removed(served: ServedLists) -> None:
    added = ctl(served, "dnc", "add", "030 123456", "1000", "--reason", "by fax")
    again = ctl(served, "dnc", "add", BERLIN)
    checked = ctl(served, "dnc", "check", BERLIN)
    removed = ctl(served, "dnc", "remove", BERLIN, "1000")
    free = ctl(served, "dnc", "check", BERLIN)

    assert added.stdout == f"{BERLIN} is on the list opt-out\n1000 is on the list opt-out\n"
    assert again.stdout == f"{BERLIN} was already on the list opt-out\n"
    assert checked.stdout.splitlines()[0] == (
        f"{BERLIN} is on the do-not-call list opt-out: asked not to be called"
    )
    assert checked.stdout.splitlines()[1].startswith(f"  opt-out: {BERLIN},by fax, by uid ")
    assert removed.stdout.splitlines()[1] == "1000 is taken off the list opt-out"
    assert free.stdout == f"{BERLIN} is on no list\n"
    assert [each.exit_code for each in (added, again, checked, removed, free)] == [0, 0, 1, 0, 0]


def test_a_number_that_can_not_be_added_does_not_stop_the_others(served: ServedLists) -> None:
    result = ctl(served, "dnc", "add", "nobody", BERLIN)

    assert (result.exit_code, result.stdout) == (65, f"{BERLIN} is on the list opt-out\n")
    assert result.stderr.startswith("dialerctl: number: 'nobody' is no entry")


def test_a_number_that_another_list_has_is_told_when_it_is_removed(served: ServedLists) -> None:
    result = ctl(served, "dnc", "remove", MUNICH)

    assert result.stdout == f"{MUNICH} was not on the list opt-out; but {ON_LAW}\n"


@pytest.mark.parametrize(("name", "code", "words"), [("optout", 1, '"opt-out"'), ("law", 65, "law")])
def test_a_list_that_can_not_be_added_to_says_why(
    served: ServedLists, name: str, code: int, words: str
) -> None:
    result = ctl(served, "dnc", "add", BERLIN, "--list", name)

    assert result.exit_code == code
    assert words in result.stderr


def test_a_file_is_imported(served: ServedLists, tmp_path: Path) -> None:
    file = tmp_path / "numbers.csv"
    file.write_text("number,reason\n030 123456,asked\n")

    told = ctl(served, "dnc", "import", str(file), "--list", "opt-out")
    piped = ctl(served, "dnc", "import", "-", "--list", "opt-out", "--json", stdin="+4940123456\n")

    assert (told.exit_code, last(told)) == (0, "1 added to the list opt-out")
    assert json.loads(last(piped)) == {"list": "opt-out", "added": 1}
    assert served.stop_lists.stopped(BERLIN)
    assert served.stop_lists.stopped("+4940123456")


def test_every_mistake_of_an_import_is_told(served: ServedLists) -> None:
    result = ctl(served, "dnc", "import", "-", "--list", "opt-out", stdin=f"{BERLIN}\nbad\nworse\n")

    assert result.exit_code == 65
    assert [line.split(":")[1] for line in result.stderr.splitlines()] == [" line 2", " line 3"]
    assert served.opt_out.read_text() == ""


def test_a_rate_is_shown(served: ServedLists) -> None:
    found = ctl(served, "rates", "check", "030 123456", "--trunk", "cheap")
    none = ctl(served, "rates", "check", "+12125550123")

    assert (found.exit_code, none.exit_code) == (0, 1)
    assert found.stdout == (
        f"{BERLIN}: 0.01 a minute, by 1 s, 0.10 for the connection (prefix +4930 on cheap)\n"
    )
    assert none.stdout == "+12125550123 has no rate\n"


def test_json_is_what_the_socket_says(served: ServedLists) -> None:
    (one, two) = lines(ctl(served, "dnc", "lists", "--json"))
    (added,) = lines(ctl(served, "dnc", "add", BERLIN, "--json"))
    (checked,) = lines(ctl(served, "dnc", "check", BERLIN, "--json"))
    (rate,) = lines(ctl(served, "rates", "check", BERLIN, "--json"))

    assert (one["name"], two["name"]) == ("opt-out", "law")
    assert (added["number"], added["changed"]) == (BERLIN, True)
    assert checked["entries"][0]["list"] == "opt-out"
    assert rate["rate"]["per_minute"] == "0.02"
