"""What there is to do in the drop folder: claims that were left, and entries that are settled and become
claims."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dialerd.intake import dropbox_files as files
from dialerd.intake.dropbox_companions import is_companion
from dialerd.intake.dropbox_files import Claim, DropSettings, Folders, shown
from dialerd.intake.dropbox_rejects import Rejects
from dialerd.log import get_logger

log = get_logger(__name__)

_MOST_STUCK = 1000


@dataclass(frozen=True, slots=True)
class _Stuck:
    """An entry that could not be moved; said once, and tried again when it is due or has changed."""

    seen: tuple[int, int]
    due: float


class Listing:
    """Lists the folders, however many entries they have, without holding them all in memory."""

    def __init__(
        self, folders: Folders, settings: DropSettings, rejects: Rejects, clock: Callable[[], float]
    ) -> None:
        self._folders, self._settings, self._rejects, self._clock = folders, settings, rejects, clock
        self._stuck: dict[str, _Stuck] = {}

    def left(self) -> Iterator[Claim]:
        """What lies claimed and is still. Raises OSError."""
        with os.scandir(self._folders.claimed) as entries:
            for entry in entries:
                claim = files.claim_of(Path(entry.path))
                if claim is not None and self._is_still(entry):
                    yield claim

    def _is_still(self, entry: os.DirEntry[str]) -> bool:
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return False
        return files.is_still(status, self._clock(), self._settings.still_seconds)

    def new(self, closed: set[str]) -> Iterator[tuple[Claim, os.stat_result]]:
        """Claims what is settled, or known as `closed`; with each what it was when it was chosen. Raises
        OSError.

        The renames are on disk before anything of it can be accepted: if a power cut undid one, the file
        would be claimed again and its rows accepted again, under other keys.
        """
        group: list[tuple[Claim, os.stat_result]] = []
        with os.scandir(self._folders.drop) as entries:
            for entry in entries:
                if claimed := self._claim(entry, closed):
                    group.append(claimed)
                if len(group) >= self._settings.chunk:
                    yield from self._synced(group)
                    group = []
        yield from self._synced(group)
        drop = self._folders.drop
        self._stuck = {name: each for name, each in self._stuck.items() if os.path.lexists(drop / name)}

    def _synced(self, group: list[tuple[Claim, os.stat_result]]) -> list[tuple[Claim, os.stat_result]]:
        if group:
            files.sync_folder(self._folders.claimed)
            files.sync_folder(self._folders.drop)
        return group

    def _claim(self, entry: os.DirEntry[str], closed: set[str]) -> tuple[Claim, os.stat_result] | None:
        if files.is_ignored(entry.name):
            return None
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return None
        if is_companion(entry.name) and not files.is_still(
            status, self._clock(), self._settings.lone_seconds
        ):
            return None
        if not self._is_settled(entry, status, closed) or self._is_stuck(entry.name, status):
            return None
        try:
            return files.claim(self._folders, entry.name), status
        except FileNotFoundError:
            return None
        except OSError as error:
            self._say_stuck(entry.name, status, error)
            return None

    def _is_settled(self, entry: os.DirEntry[str], status: os.stat_result, closed: set[str]) -> bool:
        still = self._settings.still_seconds
        return entry.name in closed or files.is_settled(Path(entry.path), status, self._clock(), still)

    def _is_stuck(self, name: str, status: os.stat_result) -> bool:
        stuck = self._stuck.get(name)
        return stuck is not None and stuck.seen == _sight(status) and stuck.due > time.monotonic()

    def _say_stuck(self, name: str, status: os.stat_result, error: OSError) -> None:
        """Once for each entry, in the log and in `rejected`; of very many the last ones stay unsaid."""
        known = self._stuck.get(name)
        if known is None and len(self._stuck) >= _MOST_STUCK:
            return
        self._stuck[name] = _Stuck(_sight(status), time.monotonic() + self._settings.stuck_seconds)
        if known is not None and known.seen == _sight(status):
            return
        log.warning("drop_entry_stuck", name=shown(name), reason=error.strerror)
        try:
            self._rejects.stuck(name, status, self._clock(), error)
        except OSError as worse:
            log.warning("reason_not_written", name=shown(name), reason=worse.strerror)


def _sight(status: os.stat_result) -> tuple[int, int]:
    return status.st_ino, status.st_ctime_ns
