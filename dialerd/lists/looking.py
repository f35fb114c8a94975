"""Looking now and then, in a thread of its own, whether files have changed."""

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from dialerd.log import get_logger

log = get_logger(__name__)

LOOK_EVERY_S = 3.0
STOP_LIMIT_S = 10.0
Stamp = tuple[int, ...]
"""What tells one state of a file from another: mtime in ns, size, inode, device. Empty: there is no file."""


def stamp(path: Path) -> Stamp:
    """The file's state now."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev)


def opened(path: Path) -> BinaryIO:
    """A regular file to read; a fifo does not hang. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "it is not a file")
    return os.fdopen(descriptor, "rb")


class Looker:
    """Calls `look` each few seconds until it is stopped."""

    def __init__(self, name: str, look: Callable[[], object], every: float) -> None:
        self._look, self._every = look, every
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends it; returns when no more looks will come, or after STOP_LIMIT_S where one hangs at a disk. May
        be called twice."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_LIMIT_S)

    def _run(self) -> None:
        while not self._stopping.wait(self._every):
            try:
                self._look()
            except Exception:  # the thread's outermost frame: a bug must not end the looking for good
                log.exception("list_look_failed")
