"""systemd's journal by its native protocol, so that each field of a log line can be asked for.

Facts: systemd.io/JOURNAL_NATIVE_PROTOCOL (one datagram an entry; NAME=value, or NAME, a newline, the length
as 64 bits little-endian, and the value where that holds newlines) and systemd.journal-fields(7) (names:
capital letters, digits and _, at most 64).
"""

import re
import socket
from collections.abc import Mapping
from pathlib import Path

SOCKET = "/run/systemd/journal/socket"
IDENTIFIER = "dialerd"

MOST_BYTES = 100_000
"""A longer entry would need a file descriptor to be passed, and is written to stderr."""

_FOREIGN = re.compile(r"[^A-Z0-9_]")
_LONGEST_NAME = 64


class Journal:
    """A socket to the journal. Safe from any thread: an entry is one datagram."""

    def __init__(self, path: str = SOCKET) -> None:
        """Raises OSError where there is no journal."""
        if not Path(path).is_socket():
            raise FileNotFoundError(path)
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)

    def send(self, message: str, priority: int, fields: Mapping[str, object]) -> bool:
        """Writes one entry; False where the journal did not take it. Fields get DIALERD_ before theirs."""
        named = {
            "MESSAGE": message,
            "PRIORITY": str(priority),
            "SYSLOG_IDENTIFIER": IDENTIFIER,
            **{_name(name): _text(value) for name, value in fields.items()},
        }
        entry = b"".join(_field(name, value) for name, value in named.items())
        if len(entry) > MOST_BYTES:
            return False
        try:
            self._socket.sendto(entry, self._path)
        except OSError:
            return False
        return True

    def __del__(self) -> None:
        """The log is set up anew, in tests: nobody closes what it used."""
        if hasattr(self, "_socket"):
            self._socket.close()


def _name(name: str) -> str:
    return f"DIALERD_{_FOREIGN.sub('_', name.upper())}"[:_LONGEST_NAME]


def _text(value: object) -> str:
    if isinstance(value, list | tuple | set | frozenset):
        return " ".join(map(str, value))
    return "" if value is None else str(value)


def _field(name: str, value: str) -> bytes:
    data = value.encode("utf-8", "backslashreplace")
    if b"\n" not in data:
        return name.encode() + b"=" + data + b"\n"
    return name.encode() + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"
