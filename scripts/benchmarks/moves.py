"""When files come into a folder, seen from outside: inotify(7) over the C library, in a thread of its own."""

import ctypes
import os
import struct
import threading
from pathlib import Path
from time import time

MOVED_TO = 0x80
_EVENT = struct.Struct("iIII")
_LOOK_S = 0.2


class Moves:
    """`with Moves(folder) as moves`: file name → time (seconds since the epoch) of its rename into the
    folder."""

    def __init__(self, folder: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd = libc.inotify_init1(os.O_CLOEXEC)
        self._seen: dict[str, float] = {}
        if libc.inotify_add_watch(self._fd, os.fsencode(folder), MOVED_TO) < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(folder))
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> "Moves":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """The thread ends with the process: it sleeps in read(2)."""

    def all(self) -> dict[str, float]:
        """What has come by now, a copy."""
        return self._seen.copy()

    def count(self) -> int:
        """How many files have come."""
        return len(self._seen)

    def of(self, name: str) -> float | None:
        """When the file of this name came; None while it has not."""
        return self._seen.get(name)

    def _read(self) -> None:
        while True:
            data = os.read(self._fd, 1 << 16)
            now, place = time(), 0
            while place < len(data):
                _, _, _, length = _EVENT.unpack_from(data, place)
                place += _EVENT.size
                name = data[place : place + length].rstrip(b"\0").decode()
                self._seen.setdefault(name, now)
                place += length
