"""Who may do what by the drop folder: the owner of the file, and his groups in the group database."""

import grp
import os
import pwd
from dataclasses import replace

import pytest

from dialerd.core.destinations import Destinations
from dialerd.core.roles import Right, Role, Roles, with_included
from tests.intake.dropping import JOB, RULES, Place, csv
from tests.intake.peers import needs_root

ME, ANNA, BERT = os.geteuid(), 41011, 41012
OPEN = replace(RULES, destinations=Destinations.parse(["*"]), applications=("Playback", "Echo"))
ECHO = b'{"to": "+4930123456", "application": "Echo"}'
FEW_ROWS = 3


def role(
    *rights: Right, user: int = ME, groups: frozenset[int] = frozenset(), **lists: tuple[str, ...]
) -> Roles:
    mine = Role("sales", frozenset({user}), groups, with_included(rights), **lists)  # type: ignore[arg-type]
    return Roles((mine,), frozenset())


def test_the_file_of_a_user_without_the_right_goes_back_with_the_rule(place: Place) -> None:
    place.box.reconfigure(OPEN, role(Right.VIEW_OWN))
    place.put("list.csv", csv("+4930111111", "+4930111112"))

    place.look()

    assert place.desk.accepted == []
    assert place.names() == {"rejected": ["list.csv", "list.csv.reason"]}
    assert f"You (user {ME}) may not submit jobs" in place.reason("list.csv")
    assert 'under [roles.sales]: may = ["submit", "view-own"] (rule: role)' in place.reason("list.csv")


def test_rows_are_held_to_the_owners_lists(place: Place) -> None:
    place.box.reconfigure(OPEN, role(Right.SUBMIT, applications=("Playback",)))
    place.put("echo.json", ECHO)
    place.put("play.json", JOB)

    place.look()

    assert len(place.desk.accepted) == 1
    assert "'Echo' is not allowed" in place.reason("echo.json")


def test_a_trunk_that_is_not_the_owners_is_refused_by_the_role(place: Place) -> None:
    place.box.reconfigure(OPEN, role(Right.SUBMIT, trunks=()))
    place.put("play.json", JOB)

    place.look()

    assert "The role sales may not use trunk 't'." in place.reason("play.json")
    assert place.reason("play.json").endswith("(rule: role)\n")


def test_a_group_of_the_database_counts(place: Place) -> None:
    user = next((each for each in pwd.getpwall() if each.pw_uid == ME), None)
    if user is None:
        pytest.skip("the user who runs the tests is in no database")
    place.box.reconfigure(OPEN, role(Right.SUBMIT, user=ANNA, groups=frozenset({user.pw_gid})))
    place.put("play.json", JOB)

    place.look()

    assert len(place.desk.accepted) == 1
    assert grp.getgrgid(user.pw_gid).gr_gid == user.pw_gid


def test_a_reload_counts_for_files_that_come_after_it(place: Place) -> None:
    place.box.reconfigure(OPEN, role(Right.VIEW_OWN))
    place.put("before.json", JOB)
    place.look()
    place.box.reconfigure(OPEN, role(Right.SUBMIT))
    place.put("after.json", JOB)

    place.look()

    assert place.names() == {"rejected": ["before.json", "before.json.reason"]}
    assert len(place.desk.accepted) == 1


def test_a_reload_in_the_middle_of_a_file_refuses_the_rest_of_its_rows(place: Place) -> None:
    box = place.new(chunk=FEW_ROWS)
    box.reconfigure(OPEN, role(Right.SUBMIT))
    place.put("list.csv", csv(*(f"+49301111{number:02}" for number in range(2 * FEW_ROWS))))
    place.desk.on_answer = lambda: box.reconfigure(OPEN, role(Right.VIEW_OWN))

    place.look()

    assert len(place.desk.accepted) == FEW_ROWS
    assert place.names() == {"rejected": ["list.csv", "list.csv.reason"]}
    assert f"rows 5-7: You (user {ME}) may not submit jobs" in place.reason("list.csv")


@needs_root
def test_each_file_is_held_to_its_own_owner(place: Place) -> None:
    place.box.reconfigure(OPEN, role(Right.VIEW_OWN, user=ANNA))
    place.put("anna.json", JOB, owner=ANNA)
    place.put("bert.json", JOB, owner=BERT)

    place.look()

    assert [each.owner for each in place.desk.seen] == [BERT]
    assert place.names() == {"rejected": ["anna.json", "anna.json.reason"]}
    assert (place.rejected / "anna.json.reason").stat().st_uid == ANNA


@needs_root
def test_the_group_of_the_file_is_no_proof_of_anything(place: Place) -> None:
    trusted = 41050
    place.box.reconfigure(
        OPEN, role(Right.ADMIN, user=BERT, groups=frozenset({trusted}), applications=("Echo",))
    )
    os.chown(place.put("echo.json", ECHO.replace(b"Echo", b"Milliwatt")), ANNA, trusted)
    os.chown(place.put("bert.json", ECHO), BERT, BERT)

    place.look()

    assert [each.owner for each in place.desk.seen] == [BERT]
