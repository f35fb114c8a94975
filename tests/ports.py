"""Ports of 127.0.0.1 for the programs under test, each of them one program's alone.

A port of the kernel's own choice may be somebody's connection by the time the program listens, or while it is
down and to come back. These lie below the kernel's range, and runs side by side count on from one another.
"""

import fcntl
import os
import random
import socket
from pathlib import Path

_FIRST, _AFTER = 10_000, 20_000
"""Calls' media take 20000 to 29999 (scripts/asterisk/rtp.conf), the kernel 32768 and more."""


def free_port() -> int:
    """A port on which nobody listens, neither TCP nor UDP, and that is not given again for a long time."""
    with Path(f"/tmp/dialerd-ports-{os.geteuid()}").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        port = int(file.read() or random.randrange(_FIRST, _AFTER))
        while not _is_free(port):
            port = _after(port)
        file.truncate(0)
        file.write(str(_after(port)))
    return port


def _after(port: int) -> int:
    return port + 1 if port + 1 < _AFTER else _FIRST


def _is_free(port: int) -> bool:
    with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        try:
            stream.bind(("127.0.0.1", port))
            datagrams.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
