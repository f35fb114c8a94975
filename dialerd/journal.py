"""systemd's journal by its native protocol, so that each field of a log line can be asked for.

Facts: systemd.io/JOURNAL_NATIVE_PROTOCOL (one datagram an entry; NAME=value, or NAME, a newline, the length
as 64 bits little-endian, and the value where that holds newlines) and systemd.journal-fields(7) (names:
capital letters, digits and _, at most 64).
"""

import re
import socket
import struct
from collections.abc import Mapping
from pathlib import Path

SOCKET = "/run/systemd/journal/socket"
IDENTIFIER = "dialerd"

MOST_BYTES = 100_000
"""A longer entry would need a file descriptor to be passed, and is written to stderr."""

WAIT_S = 0.5
"""How long one entry waits for a journal that has no room. The next ones do not, until it has taken one."""

_WARNING = 4
_FOREIGN = re.compile(r"[^A-Z0-9_]")
_LONGEST_NAME = 64


def printable(text: str, but: str = "") -> str:
    """A text for a terminal: what is not printable as in a text of JSON, but for the letters in `but`."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in but else _escaped(each) for each in text)


def _escaped(letter: str) -> str:
    if letter in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[letter]
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


class Journal:
    """A socket to the journal. Safe from any thread: an entry is one datagram."""

    def __init__(self, path: str = SOCKET) -> None:
        """Raises OSError where there is no journal."""
        if not Path(path).is_socket():
            raise FileNotFoundError(path)
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        wait = struct.pack("@ll", 0, int(WAIT_S * 1_000_000))  # a timeout of Python's would turn in a loop
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, wait)
        self._lost = 0

    def send(self, message: str, priority: int, fields: Mapping[str, object]) -> bool:
        """Writes one entry; False where the journal does not take it. Fields get DIALERD_ before theirs.

        Where the journal stands still, so that there is no room in its socket, entries are lost, since
        calls go before the log. Once it goes on, it is told how many they were.
        """
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
            self._socket.sendto(entry, socket.MSG_DONTWAIT if self._lost else 0, self._path)
        except BlockingIOError:
            self._lost += 1
            return True
        except OSError:
            return False
        if self._lost:
            self._tell_of_the_lost()
        return True

    def _tell_of_the_lost(self) -> None:
        lost, self._lost = self._lost, 0
        self.send(f"log_entries_lost count={lost}", _WARNING, {"event": "log_entries_lost", "count": lost})

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
