"""A message bus with a systemd on it that knows one unit: as much of D-Bus as libsystemd's client needs.

D-Bus specification, "Message Protocol" and "Authentication Protocol"; org.freedesktop.systemd1(5).
"""

import socket
import struct
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

_CALL, _RETURN, _SIGNAL = 1, 2, 4
_PATH, _INTERFACE, _MEMBER, _REPLY, _TO, _FROM, _SIGNATURE = 1, 2, 3, 5, 6, 7, 8
_SIGNATURES = {_PATH: "o", _REPLY: "u", _SIGNATURE: "g"}
_UNIT = "/org/freedesktop/systemd1/unit/asterisk_2eservice"


class Bus:
    """Listens at `path`. `silent`: takes calls and answers none."""

    def __init__(self, path: Path) -> None:
        self.path, self.silent = path, False
        self.properties: dict[str, str | bytes] = {
            "LoadState": "loaded",
            "ActiveState": "active",
            "SubState": "running",
            "InvocationID": bytes.fromhex("0123456789abcdef" * 2),
        }
        self.asked: list[tuple[str, str]] = []
        self.rules: list[str] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._clients: list[socket.socket] = []
        self._serial, self._lock = 0, threading.Lock()

    def __enter__(self) -> "Bus":
        self._listener.bind(str(self.path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop()

    def change(self, **properties: str | bytes) -> None:
        """Other properties, and the signal that says so."""
        self.properties.update(properties)
        fields = {
            _PATH: _UNIT,
            _INTERFACE: "org.freedesktop.DBus.Properties",
            _MEMBER: "PropertiesChanged",
            _FROM: ":1.0",
            _SIGNATURE: "sa{sv}as",
        }
        body = _text("org.freedesktop.systemd1.Unit")
        body += b"\0" * (-len(body) % 4) + struct.pack("<I", 0)
        body += b"\0" * (-len(body) % 8) + struct.pack("<I", 0)
        for client in self._clients:
            self._send(client, _SIGNAL, fields, body)

    def drop(self) -> None:
        """Closes all connections."""
        for client in self._clients:
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        self._clients = []

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as file, suppress(OSError, EOFError, struct.error):
            _authenticate(client, file)
            self._clients.append(client)
            while True:
                serial, fields, body = _read(file)
                if not self.silent:
                    self._answer(client, serial, fields, body)

    def _answer(self, client: socket.socket, serial: int, fields: dict[int, Any], body: bytes) -> None:
        call = (fields.get(_INTERFACE, ""), fields[_MEMBER])
        self.asked.append(call)
        signature, answer = "", b""
        if call[1] == "Hello":
            signature, answer = "s", _text(":1.1")
        elif call[1] == "AddMatch":
            self.rules.append(_read_text(body, 0)[0])
        elif call[1] == "Get":
            _, end = _read_text(body, 0)
            value = self.properties[_read_text(body, end + -end % 4)[0]]
            signature, answer = "v", _variant(value)
        head = {_REPLY: serial, _TO: ":1.1", _FROM: ":1.0"} | ({_SIGNATURE: signature} if signature else {})
        self._send(client, _RETURN, head, answer)

    def _send(self, client: socket.socket, kind: int, fields: dict[int, Any], body: bytes) -> None:
        packed = b""
        for code, value in fields.items():
            packed += b"\0" * (-len(packed) % 8)
            signature = _SIGNATURES.get(code, "s")
            packed += bytes([code]) + _signature(signature)
            if signature == "g":
                packed += _signature(value)
            else:
                packed += b"\0" * (-len(packed) % 4)
                packed += struct.pack("<I", value) if signature == "u" else _text(value)
        with self._lock:
            self._serial += 1
            head = struct.pack("<cBBBIII", b"l", kind, 0, 1, len(body), self._serial, len(packed)) + packed
            with suppress(OSError):
                client.sendall(head + b"\0" * (-len(head) % 8) + body)


def _authenticate(client: socket.socket, file: Any) -> None:
    file.read(1)
    while (line := file.readline()) and not line.startswith(b"BEGIN"):
        if line.startswith(b"AUTH EXTERNAL"):
            client.sendall(b"DATA\r\n" if line.strip() == b"AUTH EXTERNAL" else b"OK " + b"0" * 32 + b"\r\n")
        elif line.startswith(b"DATA"):
            client.sendall(b"OK " + b"0" * 32 + b"\r\n")
        elif line.startswith(b"NEGOTIATE_UNIX_FD"):
            client.sendall(b"AGREE_UNIX_FD\r\n")


def _read(file: Any) -> tuple[int, dict[int, Any], bytes]:
    """A message: its serial, its header's fields, its body. Raises EOFError or struct.error at the end."""
    start = file.read(16)
    length, serial, size = struct.unpack("<III", start[4:])
    data = file.read(size + -size % 8)
    fields: dict[int, Any] = {}
    at = 0
    while at < size:
        at += -at % 8
        code, signature = data[at], data[at + 2 : at + 2 + data[at + 1]].decode()
        at += 3 + data[at + 1]
        if signature == "g":
            fields[code] = data[at + 1 : at + 1 + data[at]].decode()
            at += 2 + data[at]
            continue
        at += -at % 4
        if signature == "u":
            fields[code], at = struct.unpack_from("<I", data, at)[0], at + 4
        else:
            fields[code], at = _read_text(data, at)
    return serial, fields, file.read(length)


def _read_text(data: bytes, at: int) -> tuple[str, int]:
    (size,) = struct.unpack_from("<I", data, at)
    return data[at + 4 : at + 4 + size].decode(), at + 5 + size


def _text(value: str) -> bytes:
    return struct.pack("<I", len(value)) + value.encode() + b"\0"


def _signature(value: str) -> bytes:
    return bytes([len(value)]) + value.encode() + b"\0"


def _variant(value: str | bytes) -> bytes:
    head = _signature("s" if isinstance(value, str) else "ay")
    head += b"\0" * (-len(head) % 4)
    return head + (_text(value) if isinstance(value, str) else struct.pack("<I", len(value)) + value)
