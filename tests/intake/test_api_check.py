"""GET /v1/check: who is told what, and that it keeps the socket free."""

import threading
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from dialerd.core.findings import Finding, error, ok
from dialerd.core.roles import Right, Role, Roles, with_included
from dialerd.intake.api import Api, Extras
from dialerd.intake.api.check import MOST_ASKING
from dialerd.intake.api.openapi import openapi
from tests.intake.serving import RULES, Served
from tests.waiting import until

FOUND = [error("ami", "Nothing listens.", "Start Asterisk."), ok("disk", "There is room.")]


class Checked(Served):
    """A socket whose daemon is looked at; the caller has these rights only."""

    def __init__(self, path: Path, *rights: Right) -> None:
        super().__init__(path)
        self.asked: list[bool] = []
        self.gate = threading.Event()
        self.gate.set()
        role = Role("member", rights=with_included(rights))
        extras = Extras(book=None, reporter=None, look=self._look)  # type: ignore[arg-type]
        self.api = Api(self.settings, self.desk, RULES, Roles((role,), admins=frozenset()), extras)

    def _look(self, whole: bool) -> list[Finding]:
        self.asked.append(whole)
        self.gate.wait(30)
        return FOUND if whole else FOUND[1:]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s"


@pytest.fixture
def checked(path: Path) -> Iterator[Checked]:
    with Checked(path, Right.VIEW_ALL) as running:
        yield running
        running.gate.set()


def test_who_may_see_all_jobs_is_told_everything(checked: Checked) -> None:
    heard = checked.ask("GET", "/v1/check")

    assert heard.status == 200
    assert heard.json["findings"] == [
        {"name": "ami", "verdict": "error", "found": "Nothing listens.", "todo": "Start Asterisk."},
        {"name": "disk", "verdict": "ok", "found": "There is room."},
    ]


def test_the_answer_is_as_described(checked: Checked) -> None:
    schema = openapi()["components"]["schemas"]["Check"]

    heard = checked.ask("GET", "/v1/check")

    assert (heard.status, len(heard.json["findings"])) == (200, 2)
    jsonschema.validate(heard.json, schema)


def test_a_plain_member_is_told_what_everybody_may_know(path: Path) -> None:
    with Checked(path, Right.SUBMIT, Right.VIEW_OWN) as running:
        heard = running.ask("GET", "/v1/check")

    assert (running.asked, [each["name"] for each in heard.json["findings"]]) == ([False], ["disk"])


def test_who_may_see_nothing_is_refused(path: Path) -> None:
    with Checked(path, Right.SUBMIT) as running:
        heard = running.ask("GET", "/v1/check")

    assert (heard.status, running.asked) == (403, [])


def test_what_can_not_be_asked_is_refused(checked: Checked) -> None:
    assert checked.ask("GET", "/v1/check?x=1").status == 422
    assert checked.ask("POST", "/v1/check").status == 405


def test_looking_holds_up_nobody_and_too_many_are_told_to_wait(checked: Checked) -> None:
    checked.gate.clear()
    threads = [threading.Thread(target=checked.ask, args=("GET", "/v1/check")) for _ in range(MOST_ASKING)]
    for thread in threads:
        thread.start()
    until(lambda: len(checked.asked) == MOST_ASKING)

    status = checked.ask("GET", "/v1/status").status
    heard = checked.ask("GET", "/v1/check")
    checked.gate.set()
    for thread in threads:
        thread.join(30)

    assert (status, heard.status) == (200, 503)
    assert checked.ask("GET", "/v1/check").status == 200
