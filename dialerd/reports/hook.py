"""Runs hook commands: a fixed argv, the report on standard input, a time limit, and then all of it is killed.

What the command may do is cut down by reports/confine.py, which becomes the command.
"""

import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dialerd.reports import confine

OUTPUT_BYTES = 4096
"""How much of what a hook prints is kept: the end."""

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
_PIECE = 65536


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended. `code` is negative for a signal, None where it was killed at its time limit."""

    code: int | None
    output: str


class Hooks:
    """Runs commands, and knows which run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[int] = set()
        self._stopped = False

    def run(self, command: Sequence[str], text: bytes, seconds: float) -> Ran:
        """Runs a command with this on its standard input. Raises OSError where it can't be begun."""
        process = self._begin(command, text)
        try:
            over, output = _watch(process, seconds)
        finally:
            self._kill(process.pid)  # before wait(): until then the group's number can't be another's
            code = process.wait()
            with self._lock:
                self._running.discard(process.pid)
            assert process.stdout is not None
            process.stdout.close()
        return Ran(code if over else None, output.decode(errors="replace").strip())

    def stop(self) -> None:
        """Kills all that runs; nothing is begun any more."""
        with self._lock:
            self._stopped = True
            for pid in self._running:
                with suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)

    def _begin(self, command: Sequence[str], text: bytes) -> "subprocess.Popen[bytes]":
        source = os.memfd_create("report")
        try:
            os.write(source, text)
            os.lseek(source, 0, os.SEEK_SET)
            with self._lock:
                if self._stopped:
                    raise OSError(0, "dialerd is stopping")
                process = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(Path(confine.__file__).resolve()), *command],
                    stdin=source,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    cwd="/",
                    env=ENVIRONMENT,
                    start_new_session=True,
                )
                self._running.add(process.pid)
                return process
        finally:
            os.close(source)

    def _kill(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _watch(process: "subprocess.Popen[bytes]", seconds: float) -> tuple[bool, bytes]:
    """Reads what a command prints until it ends or its time is over. Whether it ended, and the output's
    end."""
    assert process.stdout is not None
    end, kept = time.monotonic() + seconds, bytearray()
    pipe, ended = process.stdout.fileno(), os.pidfd_open(process.pid)
    os.set_blocking(pipe, False)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(ended, selectors.EVENT_READ)
            selector.register(pipe, selectors.EVENT_READ)
            while (left := end - time.monotonic()) > 0:
                ready = [key.fd for key, _ in selector.select(left)]
                if ended in ready:  # its children may print on: what is in the pipe is enough
                    with suppress(BlockingIOError):
                        _read(pipe, kept)
                    return True, bytes(kept)
                if pipe in ready and not _read(pipe, kept):
                    selector.unregister(pipe)
        return False, bytes(kept)
    finally:
        os.close(ended)


def _read(pipe: int, kept: bytearray) -> bool:
    """Takes in one piece, and keeps the end of all. False at the end of it."""
    piece = os.read(pipe, _PIECE)
    kept += piece
    del kept[:-OUTPUT_BYTES]
    return bool(piece)
