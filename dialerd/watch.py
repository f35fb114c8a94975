"""Being woken when something stirs in a folder. The one file that knows watchdog.

A watch only wakes: events can be lost (the kernel's queue overflows, a folder is replaced, watchdog's thread
ends), so whoever is woken lists the folder, and lists it now and then unasked.
"""

import logging
import os
import threading
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from watchdog.events import (
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.api import ObservedWatch
from watchdog.observers.inotify import InotifyEmitter, InotifyObserver
from watchdog.observers.inotify_c import InotifyConstants

from dialerd.core.meters import NOBODY, Meters
from dialerd.log import get_logger

if TYPE_CHECKING:
    from watchdog.observers.inotify_c import Mask  # a name that watchdog 6 does not have

log = get_logger(__name__)

_INOTIFY_LOG = logging.getLogger("watchdog.observers.inotify_c")

Kind = Literal["closed", "moved", "deleted"]
"""closed: after writing; moved: into the folder."""

Wake = Callable[[Path, str], object]
"""Called in watchdog's thread with the folder and the file's name; "" means: look at all of it."""

_EVENTS: dict[Kind, type[FileSystemEvent]] = {
    "closed": FileClosedEvent,
    "moved": FileCreatedEvent,  # what watchdog makes of IN_MOVED_TO where it was not told of IN_MOVED_FROM
    "deleted": FileDeletedEvent,
}
_MASKS: dict[type[FileSystemEvent], int] = {
    FileClosedEvent: InotifyConstants.IN_CLOSE_WRITE,
    FileCreatedEvent: InotifyConstants.IN_MOVED_TO,
    FileDeletedEvent: InotifyConstants.IN_DELETE,
}


class FolderWatch:
    """Watches folders, not what lies deeper. start(), tend() and stop() belong to one thread."""

    def __init__(self, folders: Mapping[Path, Collection[Kind]], wake: Wake, meters: Meters = NOBODY) -> None:
        self._meters, self._lost = meters, threading.Event()
        self._overflows = _Overflows(self._overflowed)
        self._folders = {folder: [_EVENTS[kind] for kind in kinds] for folder, kinds in folders.items()}
        self._wake = wake
        self._observer: _Observer | None = None
        self._armed: dict[Path, tuple[ObservedWatch, tuple[int, int]]] = {}
        self._problems: list[str] = []

    def start(self) -> None:
        """Begins to watch. A folder that is not there yet is watched from the first tend() that finds it."""
        _INOTIFY_LOG.addFilter(self._overflows)
        _INOTIFY_LOG.setLevel(logging.WARNING)
        self.tend()

    def stop(self) -> None:
        """Ends the watch; returns when no more calls of `wake` will come."""
        _INOTIFY_LOG.removeFilter(self._overflows)
        self._end_observer()

    def _end_observer(self) -> None:
        observer, self._observer = self._observer, None
        self._armed.clear()
        if observer is not None:
            observer.stop()
            observer.join()

    @property
    def alive(self) -> bool:
        """Whether watchdog's thread still hands on events: an exception in `wake` ends it."""
        return self._observer is not None and self._observer.is_alive()

    def tend(self) -> list[str]:
        """Mends the watch: call it every few seconds. Returns a sentence for each folder not watched now.

        A dead thread is replaced, a folder that came back or was replaced by another is watched again, and
        `wake` is then called with "" (in the caller's thread), since something may have been missed.
        """
        problems: list[str] = []
        if self._lost.is_set():
            self._lost.clear()
            for folder in self._folders:
                self._wake(folder, "")
        if not self.alive:
            self._replace_observer(problems)
        if self._observer is not None:
            for folder in self._folders:
                self._tend_folder(self._observer, folder, problems)
        for problem in problems:
            if problem not in self._problems:
                log.warning("folder_watch_impaired", why=problem)
        self._problems = problems
        return problems

    def _overflowed(self) -> None:
        """The kernel dropped events. The folders are listed at the next tend(): this may be the thread that
        has to read on."""
        self._lost.set()
        self._meters.stirred("overflow")

    def _replace_observer(self, problems: list[str]) -> None:
        if self._observer is not None:
            log.warning("folder_watch_restarted")
            self._meters.stirred("restarted")
            self._end_observer()
        try:
            self._observer = _Observer()
            self._observer.start()
        except OSError as error:
            self._observer = None
            problems.append(f"No folder can be watched ({error.strerror}); they are looked at now and then.")

    def _tend_folder(self, observer: "_Observer", folder: Path, problems: list[str]) -> None:
        try:
            found = folder.stat()
        except OSError as error:
            self._disarm(observer, folder)
            problems.append(f"The folder {folder} can't be watched: {error.strerror}.")
            return
        identity = (found.st_dev, found.st_ino)
        if (
            folder in self._armed
            and self._armed[folder][1] == identity
            and observer.watches(self._armed[folder][0])
        ):
            return
        self._disarm(observer, folder)
        try:
            handler = _Handler(folder, self._wake)
            watch = observer.schedule(handler, str(folder), event_filter=self._folders[folder])
        except OSError as error:
            problems.append(
                f"The folder {folder} can't be watched ({error.strerror}); it is looked at now and then."
            )
            return
        self._armed[folder] = watch, identity
        self._wake(folder, "")

    def _disarm(self, observer: "_Observer", folder: Path) -> None:
        watch, _ = self._armed.pop(folder, (None, None))
        if watch is not None:
            self._meters.stirred("rearmed")
            observer.unschedule(watch)


class _Overflows(logging.Filter):
    """Hears watchdog say that the kernel's queue has overflowed; it has no other way to tell (7.1)."""

    def __init__(self, told: Callable[[], None]) -> None:
        super().__init__()
        self._told = told

    def filter(self, record: logging.LogRecord) -> bool:
        if str(record.msg).startswith("Inotify queue overflowed"):
            self._told()
        return True


class _Handler(FileSystemEventHandler):
    def __init__(self, folder: Path, wake: Wake) -> None:
        self._folder = folder
        self._wake = wake

    def dispatch(self, event: FileSystemEvent) -> None:
        self._wake(self._folder, os.path.basename(os.fsdecode(event.src_path)))


class _Emitter(InotifyEmitter):
    """Asks the kernel for just what was asked of us.

    watchdog adds IN_MOVED_FROM where moves are asked for. After a file was moved out it then keeps everything
    back for half a second, waiting for the other half of the move (measured with 7.1).
    """

    def get_event_mask_from_filter(self) -> "Mask":
        mask: int = InotifyConstants.IN_DELETE_SELF
        for event in self._event_filter or ():
            mask |= _MASKS[event]
        return cast("Mask", mask)


class _Observer(InotifyObserver):
    def __init__(self) -> None:
        super().__init__()
        self._emitter_class = _Emitter

    def watches(self, watch: ObservedWatch) -> bool:
        """Whether the thread that reads this folder's events lives: it ends when the folder is deleted."""
        return any(emitter.watch == watch and emitter.is_alive() for emitter in self.emitters)
