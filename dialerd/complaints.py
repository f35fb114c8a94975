"""The log of what the status complains of: since when, and until when."""

import re
from collections.abc import Sequence

from dialerd.log import get_logger

log = get_logger(__name__)

_FIGURES = re.compile(r"\d+")


class Complaints:
    """Tells the log of each complaint once when it comes, and once when it is gone. Complaints that differ in
    their figures only, such as a number of seconds, are one."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def told(self, problems: Sequence[str]) -> Sequence[str]:
        """What the status complains of now, which the log has been told."""
        found = {_FIGURES.sub("#", each): each for each in problems}
        for kind, what in found.items():
            if kind not in self._told:
                log.warning("problem", what=what)
        for kind, what in self._told.items():
            if kind not in found:
                log.info("problem_gone", what=what)
        self._told = found
        return problems
