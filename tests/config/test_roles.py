import grp
import pwd
import tomllib

import pytest

from dialerd.config import from_text
from dialerd.config.roles import RoleSettings, roles
from dialerd.core.roles import Right, Role, with_included
from tests.configuring import SYSTEM, mistakes_in


def read(text: str) -> Role:
    (found,) = roles({"sales": RoleSettings.model_validate(tomllib.loads(text))})
    return found


def test_a_role_gives_what_an_ordinary_member_may_unless_it_says_otherwise() -> None:
    role = read("users = 1001")

    assert role == Role("sales", users=frozenset({1001}), max_priority=7)


def test_every_option_reaches_the_role() -> None:
    role = read(
        """
        users = ["root", "4242", 4243]
        groups = "root"
        may = ["submit", "view-all"]
        contexts = "leads"
        applications = []
        functions = ["CDR"]
        channels = ["PJSIP/1??"]
        caller_ids = ["+4930*"]
        destinations = ["DE", "!+49900"]
        trunks = ["gold"]
        max_priority = 9
        """
    )

    assert role == Role(
        "sales",
        users=frozenset({0, 4242, 4243}),
        groups=frozenset({0}),
        rights=with_included([Right.SUBMIT, Right.VIEW_ALL]),
        contexts=("leads",),
        applications=(),
        functions=("CDR",),
        channels=("PJSIP/1??",),
        caller_ids=("+4930*",),
        destinations=("DE", "!+49900"),
        trunks=("gold",),
        max_priority=9,
    )


def test_names_become_numbers_at_load() -> None:
    user, group = pwd.getpwall()[-1], grp.getgrall()[-1]

    role = read(f'users = ["{user.pw_name}"]\ngroups = ["{group.gr_name}"]')

    assert (role.users, role.groups) == ({user.pw_uid}, {group.gr_gid})


def test_every_mistake_is_told_at_once() -> None:
    found = mistakes_in(
        """
        [roles.sales]
        users = ["rooot", "*", 1001, 4294967295, true]
        groups = ["rooot"]
        may = ["sumbit"]
        max_priority = 3
        context = ["leads"]
        destinations = ["Germany"]
        """
    )

    assert found["roles.sales.users.0"].startswith("There is no user 'rooot' on this machine.")
    assert 'Did you mean "root"?' in found["roles.sales.users.0"]
    assert found["roles.sales.users.1"] == (
        '"*" is everybody: it stands alone, and under [roles.member] only.'
    )
    assert "roles.sales.users.2" not in found
    assert "between 0 and 4294967294" in found["roles.sales.users.3"]
    assert found["roles.sales.users.4"] == "Give a user's name in quotes, or its number."
    assert 'Did you mean "root"?' in found["roles.sales.groups.0"]
    assert 'Did you mean "submit"?' in found["roles.sales.may.0"]
    assert found["roles.sales.max_priority"] == "Give 5 or more."
    assert 'Did you mean "contexts"?' in found["roles.sales.context"]
    assert "'Germany': This is no destination" in found["roles.sales.destinations"]


def test_a_role_that_nobody_is_in_is_a_mistake() -> None:
    found = mistakes_in('[roles.sales]\nmay = ["submit"]\n[roles.all]\nusers = ["*"]')

    assert found == {
        "roles.sales": "Nobody is in this role: give it users, groups or both.",
        "roles.all.users": 'Only [roles.member] takes "*": whoever is in no other role is in that one.',
    }


def test_a_trunk_that_is_not_there_is_a_mistake() -> None:
    trunk = '[trunks.gold]\nchannel = "PJSIP/{digits}@gold"'
    role = '[roles.sales]\nusers = "root"\ntrunks = ["gld", "g*"]'

    assert mistakes_in(f"{trunk}\n{role}") == {
        "roles.sales.trunks": "There is no [trunks.gld] and no [providers.gld], only gold."
        ' Did you mean "gold"?'
    }


@pytest.mark.parametrize("users", ["", 'users = ["*"]', 'users = "*"'])
def test_the_role_member_is_everybodys(users: str) -> None:
    config = from_text(f'[roles.member]\n{users}\nmay = ["view-own"]', SYSTEM)

    (member,) = roles(config.roles)
    assert (member.users, member.groups, member.rights) == (set(), set(), {Right.VIEW_OWN})
