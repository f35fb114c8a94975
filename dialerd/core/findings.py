"""Findings: what looking at one thing came to, and how much it matters."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """By weight, the worst first."""

    ERROR = "error"
    """Jobs can't be done, or may be lost or repeated."""
    WARNING = "warning"
    """It goes on, but a person should act."""
    NOTE = "note"
    """Good to know."""
    SKIPPED = "not looked at"
    """It could not be seen from where we are."""
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Finding:
    """Of one thing (`name`): what was found, and what to do about it, each in a sentence."""

    name: str
    verdict: Verdict
    found: str
    todo: str = ""

    @property
    def good(self) -> bool:
        """Whether nobody has to act."""
        return self.verdict not in (Verdict.ERROR, Verdict.WARNING)


_WEIGHT = {verdict: place for place, verdict in enumerate(Verdict)}


def by_weight(findings: Iterable[Finding]) -> list[Finding]:
    """The worst first; those of one weight stay in their order."""
    return sorted(findings, key=lambda each: _WEIGHT[each.verdict])


def ok(name: str, found: str) -> Finding:
    """All is well."""
    return Finding(name, Verdict.OK, found)


def note(name: str, found: str, todo: str = "") -> Finding:
    """Good to know."""
    return Finding(name, Verdict.NOTE, found, todo)


def warning(name: str, found: str, todo: str = "") -> Finding:
    """A person should act."""
    return Finding(name, Verdict.WARNING, found, todo)


def error(name: str, found: str, todo: str = "") -> Finding:
    """A person must act."""
    return Finding(name, Verdict.ERROR, found, todo)


def skipped(name: str, found: str, todo: str = "") -> Finding:
    """It could not be looked at."""
    return Finding(name, Verdict.SKIPPED, found, todo)
