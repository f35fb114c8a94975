"""The last member of a backup: what it is, and what is in it. A backup without one is not whole."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from dialerd.core.errors import DialerError
from dialerd.core.times import format_when

NAME = "manifest.json"
FORM = 1
"""Of the archive. A later dialerd may write another one."""


class Unfit(DialerError):
    """This backup can't be used; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in it: bytes, and their SHA-256."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """`schemas`: the versions of the databases' tables by file. `jobs`: how many are in each state.
    `stopped`: no dialerd ran on the state when it was taken."""

    version: str
    taken: datetime
    host: str
    stopped: bool
    schemas: Mapping[str, int]
    jobs: Mapping[str, int]
    members: Sequence[Member]
    form: int = FORM

    def to_bytes(self) -> bytes:
        """As it is written."""
        told = {**asdict(self), "taken": format_when(self.taken)}
        return json.dumps(told, indent=1).encode() + b"\n"

    def summary(self) -> dict[str, Any]:
        """Ready for JSON, without the list of the members."""
        return {
            "version": self.version,
            "taken": format_when(self.taken),
            "host": self.host,
            "stopped": self.stopped,
            "schemas": dict(self.schemas),
            "jobs": dict(self.jobs),
            "files": len(self.members),
            "bytes": sum(member.size for member in self.members),
        }


def read(data: bytes) -> Manifest:
    """What a manifest says. Raises Unfit."""
    try:
        told = json.loads(data)
        if told["form"] > FORM:
            raise Unfit(
                f"The backup was made by dialerd {_word(told['version'])}, in a form that is newer than this."
            )
        return Manifest(
            version=_word(told["version"]),
            taken=datetime.fromisoformat(told["taken"]).astimezone(UTC),
            host=_word(told["host"]),
            stopped=told["stopped"] is True,
            schemas={_word(name): int(version) for name, version in told["schemas"].items()},
            jobs={_word(state): int(count) for state, count in told["jobs"].items()},
            members=[Member(str(m["name"]), int(m["size"]), str(m["sha256"])) for m in told["members"]],
        )
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise Unfit(f"The backup's manifest can't be read ({type(error).__name__}).") from None


def _word(value: object) -> str:
    """A text that a terminal may show. Raises ValueError."""
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError("not printable")
    return value
