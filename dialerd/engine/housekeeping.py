"""Housekeeping: what is looked after once a minute or hour, outside the engine's thread."""

import time
from collections.abc import Sequence
from pathlib import Path

from dialerd.core.errors import Broken, Overloaded
from dialerd.core.figures import Stuck, stuck_sentence
from dialerd.core.states import ENDED
from dialerd.engine.engine import Engine
from dialerd.engine.retention import clear_files
from dialerd.store.base import Reader
from dialerd.store.figures import Figures

LOOK_EVERY_S = 60.0
CLEAR_EVERY_S = 3600.0


class Housekeeper:
    """Tells of what is stuck, and clears old files away. look() is called often, and does little."""

    def __init__(
        self, engine: Engine, reader: Reader, figures: Figures, folders: Sequence[Path], keep_s: int | None
    ) -> None:
        """`keep_s`: how many seconds files are kept in `folders`; None for ever."""
        self._engine, self._reader, self._figures = engine, reader, figures
        self._folders, self._keep_s = folders, keep_s
        self.problems: list[str] = []
        self.stuck: list[Stuck] = []
        self._look_at = self._clear_at = 0.0

    def look(self) -> None:
        """What is due of it."""
        mono = self._engine.clock.mono()
        if mono >= self._look_at:
            self._look_at = mono + LOOK_EVERY_S
            self._count_stuck()
        if self._keep_s is not None and mono >= self._clear_at:
            self._clear_at = mono + CLEAR_EVERY_S
            self._clear(time.time() - self._keep_s)

    def _count_stuck(self) -> None:
        try:
            self.stuck = self._figures.stuck(self._engine.limits.by_state(), self._engine.clock.now())
        except Overloaded:  # asked again in a minute
            return
        except Broken as error:
            self.problems = [str(error)]
            return
        self.problems = [stuck_sentence(each) for each in self.stuck]

    def _clear(self, before: float) -> None:
        try:
            clear_files(self._folders, before, self._is_evidence)
        except Broken as error:  # what may be evidence stays
            self.problems = [str(error)]

    def _is_evidence(self, name: str) -> bool:
        """The call file of a job in doubt is kept until a person has decided."""
        found = self._reader.job(name.partition(".")[0])
        return found is not None and found[0].state not in ENDED
