import json
import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialerd.core.roles import Right, Role, Roles, with_included
from tests.cli.running import ctl
from tests.intake.serving import RULES, Served

ME = os.geteuid()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path / "s") as running:
        yield running


def mine(*rights: Right, **lists: tuple[str, ...]) -> Roles:
    role = Role("sales", frozenset({ME}), frozenset(), with_included(rights), **lists)  # type: ignore[arg-type]
    return Roles((role,), frozenset())


def name_and_number() -> str:
    names = [each.pw_name for each in pwd.getpwall() if each.pw_uid == ME]
    return f"{names[0]} ({ME})" if names else str(ME)


def test_whoami_says_who_one_is_and_what_one_may(served: Served) -> None:
    served.api.reconfigure(RULES, mine(Right.SUBMIT, contexts=("leads",), destinations=("DE", "!+49900")))

    result = ctl(served, "whoami")

    assert result.exit_code == 0
    assert f"User:     {name_and_number()}, in " in result.stdout
    assert "Roles:    sales\nRights:   submit\n" in result.stdout
    assert "  contexts:     leads\n" in result.stdout
    assert "  functions:    none\n" in result.stdout
    assert "  destinations: DE !+49900\n" in result.stdout


def test_whoami_says_that_one_may_submit_nothing(served: Served) -> None:
    served.api.reconfigure(RULES, mine(Right.VIEW_OWN))

    assert ctl(served, "whoami").stdout.endswith("Jobs:     you may submit none\n")


def test_whoami_as_json_is_what_the_daemon_said(served: Served) -> None:
    found = json.loads(ctl(served, "--json", "whoami").stdout)

    assert found == served.ask("GET", "/v1/whoami").json


def test_a_command_that_one_may_not_give_says_who_could_allow_it(served: Served) -> None:
    served.api.reconfigure(RULES, mine(Right.SUBMIT))

    result = ctl(served, "list")

    assert result.exit_code != 0
    assert "You (user" in result.stderr
    assert 'under [roles.sales]: may = ["submit", "view-own"]' in result.stderr
