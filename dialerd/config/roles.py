"""The section [roles.NAME]: who has a role, what he may do, and what jobs of his may ask for."""

import fnmatch
import grp
import pwd
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from dialerd.config.crossing import missing_way
from dialerd.config.destinations import DestinationTexts
from dialerd.config.fields import Patterns, Section, as_tuple
from dialerd.core.errors import Mistake
from dialerd.core.roles import MEMBER, MEMBER_PRIORITY, ORDINARY, Right, Role, with_included
from dialerd.core.texts import nearest

EVERYBODY = "*"
_GREATEST_ID = 2**32 - 2
"""4294967295 stands for "no user" (chown(2))."""


def _id(value: object, kind: str, known: Mapping[str, int]) -> int:
    """The number of a user or a group, from its name or number."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:20])
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value <= _GREATEST_ID:
            raise ValueError(f"{value} is no {kind}'s number: it lies between 0 and {_GREATEST_ID}.")
        return value
    if not isinstance(value, str):
        raise ValueError(f"Give a {kind}'s name in quotes, or its number.")
    if value not in known:
        tool = "useradd" if kind == "user" else "groupadd"
        raise ValueError(
            f"There is no {kind} {value[:80]!r} on this machine.{nearest(value, known)}"
            f" Make it with {tool}, or give its number."
        )
    return known[value]


def _ids(value: object) -> object:
    """A list, or one name or number that stands for one."""
    return (value,) if isinstance(value, int) else as_tuple(value)


def _everybody(value: object) -> object:
    """Users as they are written; "*" alone is everybody, which needs no list."""
    return () if _ids(value) == (EVERYBODY,) else _ids(value)


def _user(value: object) -> int:
    if value == EVERYBODY:
        raise ValueError(f'"{EVERYBODY}" is everybody: it stands alone, and under [roles.{MEMBER}] only.')
    try:
        known = {value: pwd.getpwnam(value).pw_uid} if isinstance(value, str) else {}
    except (KeyError, ValueError):
        known = {each.pw_name: each.pw_uid for each in pwd.getpwall()}
    return _id(value, "user", known)


def _group(value: object) -> int:
    try:
        known = {value: grp.getgrnam(value).gr_gid} if isinstance(value, str) else {}
    except (KeyError, ValueError):
        known = {each.gr_name: each.gr_gid for each in grp.getgrall()}
    return _id(value, "group", known)


def _few(values: tuple[Any, ...], most: int) -> tuple[Any, ...]:
    if len(values) > most:
        raise ValueError(f"There are {len(values)}: {most} are the most. Make a group of them.")
    return values


_Users = Annotated[
    tuple[Annotated[int, BeforeValidator(_user)], ...],
    BeforeValidator(_everybody),
    AfterValidator(partial(_few, most=10_000)),
]
_Groups = Annotated[tuple[Annotated[int, BeforeValidator(_group)], ...], BeforeValidator(_ids)]
_May = Annotated[
    tuple[Literal["submit", "view-own", "view-all", "operate-own", "operate", "admin"], ...],
    BeforeValidator(as_tuple),
]


class RoleSettings(Section):
    """One role. The lists hold shell patterns (`*`, `?`); one that is left out is what [calls] says."""

    users: _Users = ()
    groups: _Groups = ()
    may: _May = tuple(right.value for right in ORDINARY)
    contexts: Patterns | None = None
    applications: Patterns | None = None
    functions: Patterns | None = None
    channels: Patterns | None = None
    caller_ids: Patterns | None = None
    destinations: DestinationTexts | None = None
    trunks: Patterns | None = None
    max_priority: Annotated[int, Field(ge=5, le=9)] = MEMBER_PRIORITY

    def role(self, name: str) -> Role:
        """What core needs to know of it."""
        same = ("contexts", "applications", "functions", "channels", "caller_ids", "destinations", "trunks")
        return Role(
            name,
            frozenset(self.users),
            frozenset(self.groups),
            with_included(map(Right, self.may)),
            max_priority=self.max_priority,
            **{field: getattr(self, field) for field in same},
        )


def roles(sections: Mapping[str, RoleSettings]) -> tuple[Role, ...]:
    """All roles of the configuration."""
    return tuple(settings.role(name) for name, settings in sections.items())


def roles_mistakes(raw: Mapping[str, Any]) -> Iterator[Mistake]:
    """What only shows across sections, from the whole of the TOML: roles that nobody is in, and patterns
    of ways out that fit none."""
    sections, trunks, providers = (_table(raw.get(name)) for name in ("roles", "trunks", "providers"))
    for name, section in sections.items():
        if name != MEMBER:
            yield from _nobody(name, _table(section))
        patterns = as_tuple(_table(section).get("trunks"))
        for pattern in patterns if isinstance(patterns, tuple) else ():
            if isinstance(pattern, str) and not fnmatch.filter((*trunks, *providers), pattern):
                yield missing_way(f"roles.{name}.trunks", pattern, trunks, providers)


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _nobody(name: str, section: Mapping[str, Any]) -> Iterator[Mistake]:
    if as_tuple(section.get("users")) == (EVERYBODY,):
        what = f'Only [roles.{MEMBER}] takes "{EVERYBODY}": whoever is in no other role is in that one.'
        yield Mistake(f"roles.{name}.users", what)
    elif not section.get("users") and not section.get("groups"):
        yield Mistake(f"roles.{name}", "Nobody is in this role: give it users, groups or both.")
