from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialerd.core.destinations import Destinations
from dialerd.core.errors import Mistake, NotPermitted, Refusal
from dialerd.core.policy import Rules, Trunk, priority_refused
from dialerd.core.roles import (
    ORDINARY_MEMBER,
    Caller,
    Permits,
    Right,
    Role,
    Roles,
    destination_lists,
    with_included,
)
from dialerd.core.routing import Wish, ways_for

ANNA, BERT, CARLA = 1001, 1002, 1003
SALES, NIGHT = 2001, 2002
GERMANY = Destinations.parse(["DE"])
BASE = Rules(
    trunks={name: Trunk(name, f"PJSIP/{{digits}}@{name}") for name in ("gold", "silver")},
    destinations=GERMANY,
    contexts=("survey",),
)


def role(name: str = "sales", *rights: Right, **fields: Any) -> Role:
    given = with_included(rights) if rights else ORDINARY_MEMBER.rights
    return Role(name, users=frozenset({ANNA}), rights=given, **fields)


def refusal(caller: Caller, right: Right) -> str:
    with pytest.raises(NotPermitted) as caught:
        caller.require(right)
    return str(caught.value)


@pytest.mark.parametrize(
    ("right", "brings"),
    [
        (Right.SUBMIT, {"submit"}),
        (Right.VIEW_OWN, {"view-own"}),
        (Right.VIEW_ALL, {"view-own", "view-all"}),
        (Right.OPERATE_OWN, {"view-own", "operate-own"}),
        (Right.OPERATE, {"view-own", "view-all", "operate-own", "operate"}),
        (Right.ADMIN, {"submit", "view-own", "view-all", "operate-own", "operate", "admin"}),
    ],
)
def test_a_right_brings_the_lesser_ones(right: Right, brings: set[str]) -> None:
    assert {str(each) for each in with_included([right])} == brings


def test_an_ordinary_member_sees_and_operates_on_his_own_jobs_only() -> None:
    member = Roles().caller(ANNA, ())

    assert member.names == ("member",)
    assert {str(right) for right in member.rights} == {"submit", "view-own", "operate-own"}
    assert [member.may_see(ANNA), member.may_see(BERT)] == [True, False]
    assert [member.may_operate(ANNA), member.may_operate(BERT)] == [True, False]


def test_who_may_view_all_may_not_operate_on_it() -> None:
    auditor = Caller(ANNA, roles=(role("auditors", Right.VIEW_ALL),))

    assert [auditor.may_see(BERT), auditor.may_operate(BERT), auditor.may_operate(ANNA)] == [
        True,
        False,
        False,
    ]


def test_an_admin_may_everything_whatever_the_roles_say() -> None:
    roles = Roles((role("nothing", contexts=()),), admins=frozenset({0, ANNA}))

    assert roles.caller(ANNA, ()).rights == frozenset(Right)
    assert roles.caller(0, ()).rules(BASE).contexts == ("survey",)


def test_a_role_is_had_by_user_or_by_any_group() -> None:
    sales = Role("sales", users=frozenset({ANNA}), groups=frozenset({SALES, NIGHT}))
    roles = Roles((sales,))

    names = [
        roles.caller(uid, groups).names
        for uid, groups in ((ANNA, ()), (BERT, (7, NIGHT)), (BERT, (7,)), (CARLA, ()))
    ]

    assert names == [("sales",), ("sales",), ("member",), ("member",)]


def test_the_role_member_is_for_whoever_is_in_no_other() -> None:
    member = Role("member", rights=frozenset({Right.VIEW_OWN}))
    roles = Roles((member, role("sales", Right.SUBMIT)))

    assert [Right.VIEW_OWN in roles.caller(uid, ()).rights for uid in (ANNA, BERT)] == [False, True]


def test_a_role_member_that_names_groups_leaves_all_others_without_rights() -> None:
    roles = Roles((Role("member", groups=frozenset({SALES})),))

    assert roles.caller(ANNA, (SALES,)).names == ("member",)
    assert roles.caller(BERT, ()).rights == frozenset()


def test_a_refusal_names_the_right_the_roles_and_the_line_that_would_give_it() -> None:
    sales = role("sales", Right.SUBMIT, Right.OPERATE_OWN)

    told = refusal(Caller(ANNA, roles=(sales, role("night", Right.VIEW_OWN))), Right.VIEW_ALL)

    assert told == (
        "You (user 1001) may not see other users' jobs: that takes the right view-all, and your roles are"
        " sales and night, which give submit, operate-own. The administrator can give it in the"
        ' configuration, under [roles.sales]: may = ["submit", "view-all", "operate-own"]'
    )


def test_a_member_is_told_of_a_role_of_his_own_and_not_to_open_everybodys() -> None:
    told = refusal(Roles().caller(ANNA, ()), Right.OPERATE)

    assert "your role is member, which gives submit, operate-own." in told
    assert told.endswith('under [roles.NAME] with users = ["1001"]: may = ["submit", "operate"]')


def test_whoever_has_no_role_is_told_so() -> None:
    told = refusal(Caller(ANNA, roles=()), Right.SUBMIT)

    assert "may not submit jobs: that takes the right submit, and you have no role." in told


def test_a_list_of_the_role_stands_in_place_of_what_calls_says() -> None:
    rules = Caller(ANNA, roles=(role(contexts=("leads",), applications=()),)).rules(BASE)

    assert (rules.contexts, rules.applications, rules.functions) == (("leads",), (), BASE.functions)
    assert rules.role == "sales"
    assert rules.listed_by_role == {"contexts", "applications"}


def test_several_roles_allow_what_any_of_them_does() -> None:
    roles = (role("a", contexts=("leads",)), role("b", contexts=("leads", "alarm")), role("c"))

    assert Caller(ANNA, roles=roles[:2]).rules(BASE).contexts == ("leads", "alarm")
    assert Caller(ANNA, roles=roles).rules(BASE).contexts == ("leads", "alarm", "survey")


def test_a_role_that_may_not_submit_widens_nothing() -> None:
    roles = (role("a", contexts=("leads",)), role("auditors", Right.VIEW_ALL))

    assert Caller(ANNA, roles=roles).rules(BASE).contexts == ("leads",)


def test_destinations_of_several_roles_are_allowed_by_any_of_them_whatever_another_denies() -> None:
    roles = (role("a", destinations=("DE", "AT", "!+43900")), role("b", destinations=("+43900", "FR")))

    allowed = Caller(ANNA, roles=roles).rules(BASE).destinations

    numbers = ("+4930123456", "+431234567", "+43900123456", "+33123456789", "+12125550100")
    assert [allowed.allows(number) for number in numbers] == [True, True, True, True, False]
    assert destination_lists(allowed) == [["DE", "AT", "!+43900"], ["+43900", "FR"]]


def test_destinations_of_the_role_may_be_fewer_than_all_others_have() -> None:
    rules = Caller(ANNA, roles=(role(destinations=("+4930",)),)).rules(BASE)

    assert [rules.destinations.allows(number) for number in ("+4930123456", "+4989123456")] == [True, False]


def test_a_trunk_that_is_not_the_roles_is_refused_by_the_role() -> None:
    rules = Caller(ANNA, roles=(role(trunks=("sil*",)),)).rules(BASE)

    with pytest.raises(Refusal, match="The role sales may not use trunk 'gold'") as caught:
        ways_for("+4930123456", Wish(trunk="gold"), rules)

    assert caught.value.rule == "role"
    assert ways_for("+4930123456", Wish(trunk="silver"), rules) == ("+4930123456", ("silver",))


def test_a_member_has_no_urgent_priority_and_the_best_of_several_roles_counts() -> None:
    member = Roles().caller(ANNA, ()).rules(BASE)
    both = Caller(ANNA, roles=(role("a", max_priority=6), role("b", max_priority=9))).rules(BASE)

    assert (member.max_priority, both.max_priority) == (7, 9)
    assert list(priority_refused(7, member)) == []
    assert list(priority_refused(8, member)) == [
        Mistake(
            "priority",
            "8 is not allowed here: 7 is the highest. The administrator can allow it under [roles.member]:"
            " max_priority = 8",
            "role",
        )
    ]


def test_accepted_jobs_are_held_to_what_some_role_allows() -> None:
    roles = Roles((role(destinations=("AT",), caller_ids=("+43*",)),))

    widest = roles.widest(replace(BASE, caller_ids=("+49*",)))

    assert [widest.destinations.allows(n) for n in ("+4930123456", "+431234567", "+33123456789")] == [
        True,
        True,
        False,
    ]
    assert widest.caller_ids == ("+49*", "+43*")
    assert widest.role == ""


def test_what_a_caller_may_is_worked_out_once() -> None:
    permits = Permits(BASE, Roles((role(),)))

    assert permits.of(ANNA, frozenset({1})) is permits.of(ANNA, frozenset({1}))
    assert permits.of(ANNA, frozenset()).caller.names == ("sales",)


texts = st.none() | st.lists(st.sampled_from("abc"), max_size=3).map(tuple)
rights = st.frozensets(st.sampled_from(list(Right))).map(with_included)
any_role = st.builds(
    Role,
    st.sampled_from(["x", "y"]),
    rights=rights,
    contexts=texts,
    trunks=texts,
    max_priority=st.none() | st.integers(5, 9),
    destinations=st.none() | st.sampled_from([(), ("DE",), ("*", "!+4930"), ("+4930",)]),
)


@given(
    st.lists(any_role, max_size=3), any_role, st.sampled_from(["+4930123456", "+4989123456", "+431234567"])
)
def test_a_further_role_takes_nothing_away(roles: list[Role], further: Role, number: str) -> None:
    before, after = Caller(ANNA, roles=tuple(roles)), Caller(ANNA, roles=(*roles, further))
    old, new = before.rules(BASE), after.rules(BASE)

    assert before.rights <= after.rights
    if Right.SUBMIT in before.rights:
        assert set(old.contexts) <= set(new.contexts)
        assert set(old.usable_trunks) <= set(new.usable_trunks)
        assert old.max_priority <= new.max_priority
        assert new.destinations.allows(number) or not old.destinations.allows(number)
