"""Who may do what: rights, the roles that give them, and the callers that have the roles (docs/roles.md).

A caller is a user and his groups, by the kernel's word. What one of his roles allows, he may: a further role
never takes anything away. Only roles that may submit say what may be submitted.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any

from dialerd.core.destinations import Destinations, Match
from dialerd.core.errors import NotPermitted
from dialerd.core.policy import Rules

MEMBER = "member"
"""The role of whoever is in no other."""

ADMIN = "admin"
"""The role of root and of dialerd's own user."""

MEMBER_PRIORITY = 7
"""The highest priority of an ordinary member: from 8 on, jobs use what is kept free for urgent calls."""

_CALLERS = 1024
"""So many callers are remembered, each with the rules that are his."""


class Right(StrEnum):
    """What a role may give."""

    SUBMIT = "submit"
    VIEW_OWN = "view-own"
    VIEW_ALL = "view-all"
    OPERATE_OWN = "operate-own"
    OPERATE = "operate"
    ADMIN = "admin"


INCLUDES: Mapping[Right, tuple[Right, ...]] = {
    Right.VIEW_ALL: (Right.VIEW_OWN,),
    Right.OPERATE_OWN: (Right.VIEW_OWN,),
    Right.OPERATE: (Right.OPERATE_OWN, Right.VIEW_ALL),
    Right.ADMIN: (Right.SUBMIT, Right.OPERATE),
}
"""The rights that come with a right."""

DEEDS: Mapping[Right, str] = {
    Right.SUBMIT: "submit jobs",
    Right.VIEW_OWN: "see jobs",
    Right.VIEW_ALL: "see other users' jobs",
    Right.OPERATE_OWN: "change what becomes of a job",
    Right.OPERATE: "change what becomes of other users' jobs",
    Right.ADMIN: "administer dialerd",
}
"""What may not be done without a right."""

ORDINARY = (Right.SUBMIT, Right.OPERATE_OWN)
"""What an ordinary member may: submit jobs, see them, and cancel, hold and release them."""


def with_included(rights: Iterable[Right]) -> frozenset[Right]:
    """The rights, and all that come with them."""
    found: set[Right] = set()
    for right in rights:
        found |= {right, *with_included(INCLUDES.get(right, ()))}
    return frozenset(found)


def without_included(rights: Iterable[Right]) -> list[Right]:
    """The rights but for those that come with another, in order."""
    given = set(rights)
    implied = {each for right in given for each in with_included(INCLUDES.get(right, ()))}
    return [right for right in Right if right in given - implied]


@dataclass(frozen=True, slots=True)
class Role:
    """Who has it (uids, gids), which rights it gives, and what jobs under it may ask for.

    The lists hold shell patterns, `destinations` those of core/destinations.py; None means what [calls] says,
    and an empty list nothing at all.
    """

    name: str
    users: frozenset[int] = frozenset()
    groups: frozenset[int] = frozenset()
    rights: frozenset[Right] = with_included(ORDINARY)
    contexts: tuple[str, ...] | None = None
    applications: tuple[str, ...] | None = None
    functions: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None
    caller_ids: tuple[str, ...] | None = None
    destinations: tuple[str, ...] | None = None
    trunks: tuple[str, ...] | None = None
    max_priority: int | None = None

    def has(self, uid: int, groups: frozenset[int]) -> bool:
        """Whether this user is in it."""
        return uid in self.users or not self.groups.isdisjoint(groups)


ORDINARY_MEMBER = Role(MEMBER, max_priority=MEMBER_PRIORITY)
_ADMINISTRATOR = Role(ADMIN, rights=frozenset(Right))

_LISTS = ("contexts", "applications", "functions", "channels", "caller_ids")


@dataclass(frozen=True, slots=True)
class Caller:
    """A user who asks for something, the groups that he has right now, and his roles."""

    uid: int
    groups: frozenset[int] = frozenset()
    roles: tuple[Role, ...] = (ORDINARY_MEMBER,)
    rights: frozenset[Right] = field(init=False)

    def __post_init__(self) -> None:
        given = (right for role in self.roles for right in role.rights)
        object.__setattr__(self, "rights", with_included(given))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of his roles."""
        return tuple(dict.fromkeys(role.name for role in self.roles))

    def require(self, right: Right, deed: str = "") -> None:
        """Raises NotPermitted where he has not this right. `deed` is what he wants to do, such as "see
        jobs"."""
        if right not in self.rights:
            raise NotPermitted(self._refusal(right, deed or DEEDS[right]))

    def may_see(self, owner: int) -> bool:
        """Whether he may see this owner's jobs."""
        return (Right.VIEW_OWN if owner == self.uid else Right.VIEW_ALL) in self.rights

    def may_operate(self, owner: int) -> bool:
        """Whether he may cancel, hold, release, requeue and resolve this owner's jobs."""
        return (Right.OPERATE_OWN if owner == self.uid else Right.OPERATE) in self.rights

    def require_operate(self, owner: int) -> None:
        """Raises NotPermitted where he may not operate on this owner's jobs."""
        self.require(Right.OPERATE_OWN if owner == self.uid else Right.OPERATE)

    def rules(self, base: Rules) -> Rules:
        """What his jobs may ask for: all that one of his roles allows, which is what `base` has where the
        role has no list."""
        roles = [role for role in self.roles if Right.SUBMIT in with_included(role.rights)]
        if not roles:
            return replace(base, role=", ".join(self.names), orders=False)
        changes: dict[str, Any] = {
            name: _union(getattr(base, name), [getattr(role, name) for role in roles]) for name in _LISTS
        }
        limited = (*_LISTS, "destinations", "trunks")
        most = [base.max_priority if role.max_priority is None else role.max_priority for role in roles]
        return replace(
            base,
            **changes,
            destinations=_destinations(base.destinations, [role.destinations for role in roles]),
            usable_trunks=_union(base.usable_trunks, [role.trunks for role in roles]),
            max_priority=max(most),
            orders=base.orders and Right.ADMIN in self.rights,
            role=", ".join(dict.fromkeys(role.name for role in roles)),
            listed_by_role=frozenset(
                name for name in limited if all(getattr(role, name) is not None for role in roles)
            ),
        )

    def _refusal(self, right: Right, deed: str) -> str:
        roles = " and ".join(self.names)
        given = ", ".join(without_included(self.rights)) or "no right at all"
        several = f"your roles are {roles}, which give {given}"
        one = f"your role is {roles}, which gives {given}"
        has = several if len(self.names) > 1 else one if roles else "you have no role"
        named = [name for name in self.names if name not in (MEMBER, ADMIN)]
        section = f"[roles.{named[0]}]" if named else f'[roles.NAME] with users = ["{self.uid}"]'
        of = next((role.rights for role in self.roles if named and role.name == named[0]), self.rights)
        line = ", ".join(f'"{each}"' for each in without_included({*of, right}))
        return (
            f"You (user {self.uid}) may not {deed}: that takes the right {right}, and {has}."
            f" The administrator can give it in the configuration, under {section}: may = [{line}]"
        )


def destination_lists(destinations: Destinations) -> list[list[str]]:
    """The patterns as they are written: a number may be called where one of the lists allows it."""
    parts = destinations.parts if isinstance(destinations, _AnyOf) else (destinations,)
    return [
        [pattern if allowed else f"!{pattern}" for pattern, allowed in part.patterns.items()]
        for part in parts
    ]


def _union(base: tuple[str, ...], lists: Iterable[tuple[str, ...] | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for some in lists for each in (base if some is None else some)))


@dataclass(frozen=True, slots=True)
class _AnyOf(Destinations):
    """What one of several lists allows, whatever the others deny."""

    parts: tuple[Destinations, ...] = ()

    def __hash__(self) -> int:
        return hash(self.parts)

    def best(self, e164: str) -> Match | None:
        found = [match for part in self.parts if (match := part.best(e164)) is not None]
        return max(found, key=lambda match: (match.allowed, match.specific), default=None)


def _destinations(base: Destinations, lists: Iterable[tuple[str, ...] | None]) -> Destinations:
    parts = tuple(dict.fromkeys(base if texts is None else Destinations.parse(texts) for texts in lists))
    return parts[0] if len(parts) == 1 else _AnyOf(parts=parts)


@dataclass(frozen=True)
class Roles:
    """The roles of the configuration. `admins` are uids that may do everything whatever stands there."""

    roles: tuple[Role, ...] = ()
    admins: frozenset[int] = frozenset({0})

    def caller(self, uid: int, groups: Iterable[int]) -> Caller:
        """The user with all the roles that he is in; [roles.member] is for those who are in no other."""
        there = frozenset(groups)
        return Caller(uid, there, tuple(self._roles_of(uid, there)))

    def widest(self, base: Rules) -> Rules:
        """What somebody may: what accepted jobs are held to, since a role may list what [calls] does not."""
        anybody = Caller(-1, roles=(ORDINARY_MEMBER, *self.roles))
        return replace(
            anybody.rules(base),
            max_priority=base.max_priority,
            role="",
            listed_by_role=frozenset(),
            orders=base.orders,
        )

    def _roles_of(self, uid: int, groups: frozenset[int]) -> Iterator[Role]:
        named = [role for role in self.roles if role.name != MEMBER and role.has(uid, groups)]
        if uid in self.admins:
            yield _ADMINISTRATOR
        elif not named and self._is_member(uid, groups):
            yield self._member
        yield from named

    def _is_member(self, uid: int, groups: frozenset[int]) -> bool:
        everyone = not (self._member.users or self._member.groups)
        return everyone or self._member.has(uid, groups)

    @cached_property
    def _member(self) -> Role:
        return next((role for role in self.roles if role.name == MEMBER), ORDINARY_MEMBER)


@dataclass(frozen=True, slots=True)
class Permit:
    """A caller, and the rules that his jobs must keep to."""

    caller: Caller
    rules: Rules


class Permits:
    """The rules and the roles as they are now, together: a reload puts another in this one's place."""

    def __init__(self, rules: Rules, roles: Roles) -> None:
        self.rules, self.roles = rules, roles
        self._of = lru_cache(_CALLERS)(self._make)

    def of(self, uid: int, groups: frozenset[int]) -> Permit:
        """A caller's, worked out once."""
        return self._of(uid, groups)

    def _make(self, uid: int, groups: frozenset[int]) -> Permit:
        caller = self.roles.caller(uid, groups)
        return Permit(caller, caller.rules(self.rules))
