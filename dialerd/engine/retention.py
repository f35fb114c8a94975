"""Retention: what ended long ago is redacted, then purged, in small steps when nothing else is to be done."""

import stat
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from dialerd.core.states import ENDED, State
from dialerd.log import get_logger
from dialerd.store.retention import START, Place, Tidied

log = get_logger(__name__)

KEYS_KEPT = timedelta(days=7)
"""How long a key refuses a second job after the job that it stands for was purged."""

FILES_A_STEP = 1000


class Tidying(Protocol):
    """The store's verbs as retention uses them (store/retention.py)."""

    def purge(
        self,
        now: datetime,
        before: datetime,
        states: Sequence[State],
        limit: int,
        place: Place = START,
        needed: int | None = None,
    ) -> Tidied:
        """Removes jobs that ended before a time."""

    def redact(self, before: datetime, limit: int, place: Place = START, needed: int | None = None) -> Tidied:
        """Takes the people out of jobs that ended before a time."""

    def forget_keys(self, before: datetime, limit: int) -> int:
        """Frees the keys of jobs that were purged before a time."""


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """Seconds. `keep`: how long ended jobs are kept; `redact_after`: when the people in them go. None: for
    ever. `step` is the most jobs of one step; a step is done every `pause`, every `rest` where nothing was
    left, and from the first job on again every `round`."""

    keep: int | None = 90 * 86400
    redact_after: int | None = 30 * 86400
    step: int = 100
    pause: float = 1.0
    rest: float = 60.0
    round: float = 86400.0


@dataclass(frozen=True, slots=True)
class Tidy:
    """An operator's word: purge (or redact) what ended before a time, one step of it, from `place` on."""

    verb: str
    before: datetime
    states: tuple[State, ...] = ENDED
    place: Place = START
    answer: Future[Tidied] = field(default_factory=Future)


class _Round:
    """One kind of work, and how far it has come. Times are monotonic seconds."""

    def __init__(self, name: str, work: Callable[[datetime, Place], Tidied]) -> None:
        self.name, self.work = name, work
        self.place, self.due, self.anew, self.done = START, 0.0, 0.0, 0

    def step(self, now: datetime, mono: float, settings: RetentionSettings) -> bool:
        """Does one step; whether it changed anything."""
        if mono >= self.anew:
            self.place, self.anew = START, mono + settings.round
        tidied = self.work(now, self.place)
        self.place = tidied.place or self.place
        self.due = mono + (settings.rest if tidied.place is None else settings.pause)
        self.done += tidied.count
        if tidied.place is None and self.done:
            log.info(self.name, count=self.done)
            self.done = 0
        return tidied.count > 0


class Retention:
    """The engine's thread calls step() when it is idle. `oldest_needed` tells the first event that is still
    to be reported to somebody, None where none is."""

    def __init__(
        self, store: Tidying, settings: RetentionSettings, oldest_needed: Callable[[], int | None]
    ) -> None:
        self._store, self._settings, self._needed = store, settings, oldest_needed
        self._rounds = [_Round("keys_freed", self._free_keys)]
        if settings.redact_after is not None:
            self._rounds.append(_Round("jobs_redacted", self._redact))
        if settings.keep is not None:
            self._rounds.append(_Round("jobs_purged", self._purge))

    def step(self, now: datetime, mono: float) -> bool:
        """Does a little of what is due, inside the engine's transaction; whether it changed anything."""
        due = min(self._rounds, key=lambda each: each.due)
        return mono >= due.due and due.step(now, mono, self._settings)

    def asked(self, message: Tidy, now: datetime) -> Tidied:
        """Does one step of what an operator asks for."""
        limit, needed = self._settings.step, self._needed()
        if message.verb == "redact":
            return self._store.redact(message.before, limit, message.place, needed)
        return self._store.purge(now, message.before, message.states, limit, message.place, needed)

    def _purge(self, now: datetime, place: Place) -> Tidied:
        before = now - timedelta(seconds=self._settings.keep or 0)
        return self._store.purge(now, before, ENDED, self._settings.step, place, self._needed())

    def _redact(self, now: datetime, place: Place) -> Tidied:
        before = now - timedelta(seconds=self._settings.redact_after or 0)
        return self._store.redact(before, self._settings.step, place, self._needed())

    def _free_keys(self, now: datetime, place: Place) -> Tidied:
        count = self._store.forget_keys(now - KEYS_KEPT, self._settings.step)
        return Tidied(count, place if count == self._settings.step else None)


def clear_files(
    folders: Iterable[Path], before: float, spare: Callable[[str], bool] = lambda name: False
) -> int:
    """Removes files that were put into these folders before a time (seconds since the epoch), at most
    FILES_A_STEP; how many it were. `spare` says of a file's name whether it is still needed.

    The time is that of the rename into the folder (st_ctime, inode(7)): a call file's mtime lies ahead.
    Folders in them, and what may not be removed, are left alone.
    """
    removed = 0
    for folder in folders:
        for path in _files(folder):
            if removed == FILES_A_STEP:
                return removed
            removed += _removed(path, before, spare)
    return removed


def _files(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []


def _removed(path: Path, before: float, spare: Callable[[str], bool]) -> bool:
    try:
        found = path.lstat()
        if stat.S_ISDIR(found.st_mode) or found.st_ctime >= before or spare(path.name):
            return False
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        log.warning("old_file_kept", path=str(path), why=str(error))
        return False
    return True
