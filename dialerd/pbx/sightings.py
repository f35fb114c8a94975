"""What a call file says of its call: the lines that Asterisk adds to it.

`StartRetry: PID ATTEMPT (TIME)` is appended in `outgoing` when the call begins, `Status: WORD` in
`outgoing_done` when it is over. The file is seen there before its Status line is: none yet means not yet.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dialerd.core.signals import Place, Sighting
from dialerd.pbx.folders import read_file

_ADDED = re.compile(rb"^(?:StartRetry|EndRetry|AbortRetry|DelayedRetry|Status): .*(?=\n)", re.MULTILINE)
_STATUSES = ("Completed", "Expired", "Failed")
_LINES_KEPT = 50
_UNREADABLE = "(dialerd may not read this file, so Asterisk made it anew)"
_TELLING = (Place.DONE, Place.OUTGOING, Place.TAKEN, Place.STAGED)


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of a call file as it lies in one folder: the lines that Asterisk added."""

    lines: tuple[str, ...]
    mtime: float

    @property
    def started(self) -> bool:
        """Whether Asterisk has begun the call."""
        return any(line.startswith("StartRetry:") or line == _UNREADABLE for line in self.lines)

    @property
    def status(self) -> str | None:
        """What the call came to; None while the line is not there or not whole."""
        words = [line.removeprefix("Status: ").strip() for line in self.lines if line.startswith("Status: ")]
        return words[-1] if words and words[-1] in _STATUSES else None


def read_copy(path: Path) -> Copy | None:
    """The copy at this path, or None.

    One that we may not read is not the one that we gave: Asterisk made its name anew, to add a line.
    """
    try:
        found = read_file(path)
    except PermissionError:
        return Copy((_UNREADABLE,), 0.0)
    if found is None:
        return None
    data, state = found
    added = [line.decode(errors="replace") for line in _ADDED.findall(data)]
    return Copy(tuple(added[:1] + added[1:][-_LINES_KEPT:]), state.st_mtime)


def sighting_of(name: str, copies: Mapping[Place, Copy]) -> Sighting:
    """What all copies of one file say together."""
    places = [place for place in _TELLING if place in copies]
    if not places:
        return Sighting(name, Place.GONE)
    first = copies[places[0]]
    status = first.status if places[0] is Place.DONE else None
    return Sighting(
        name,
        places[0],
        started=any(copies[place].started for place in places),
        status=status,
        ended=first.mtime if status else None,
        lines=tuple(line for place in places for line in copies[place].lines),
        also=tuple(places[1:]),
    )
