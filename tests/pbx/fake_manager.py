"""An AMI server that behaves, until it is told how to misbehave."""

import contextlib
import socket
import threading
from collections.abc import Callable, Mapping

Action = Mapping[str, str]
Respond = Callable[["Line", Action], None]

UP = {"CoreStartupDate": "2026-01-02", "CoreStartupTime": "03:04:05", "CoreCurrentCalls": "0"}


class Line:
    """One connection, as the server sees it."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def answer(self, action: Action, response: str = "Success", **headers: str) -> None:
        lines = {"Response": response, "ActionID": action["ActionID"], **headers}
        self.send(message(lines))

    def event(self, name: str, **headers: str) -> None:
        self.send(message({"Event": name, "Privilege": "call,all", **headers}))

    def cut(self) -> None:
        self.sock.shutdown(socket.SHUT_RDWR)


class FakeManager:
    """Listens on a loopback port. `responses` says how an action of a name is answered; no entry: Success.

    `greeting` is what a client sees first; with `deaf` set, actions are read and not answered.
    """

    def __init__(self) -> None:
        self.greeting = b"Asterisk Call Manager/11.0.0\r\n"
        self.deaf = False
        self.actions: list[Action] = []
        self.lines: list[Line] = []
        self.status = dict(UP)
        self.settings = {"AsteriskVersion": "22.10.1", "CoreMaxCalls": "0"}
        self.responses: dict[str, Respond] = {
            "CoreSettings": lambda line, action: line.answer(action, **self.settings),
            "CoreStatus": lambda line, action: line.answer(action, **self.status),
            "Setvar": self._set_variable,
            "Ping": lambda line, action: line.answer(action, Ping="Pong"),
        }
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        with contextlib.suppress(OSError):  # closed before
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for line in self.lines:
            line.sock.close()
        for thread in self._threads:
            thread.join(5)

    @property
    def line(self) -> Line:
        return self.lines[-1]

    def asked(self, name: str) -> list[Action]:
        return [action for action in self.actions if action["Action"] == name]

    def _set_variable(self, line: Line, action: Action) -> None:
        line.answer(action)
        line.event(
            "VarSet", Channel="none", Uniqueid="none", Variable=action["Variable"], Value=action["Value"]
        )

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            line = Line(sock)
            self.lines.append(line)
            thread = threading.Thread(target=self._serve, args=(line,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, line: Line) -> None:
        try:
            line.send(self.greeting)
            with line.sock.makefile("rb") as stream:
                action: dict[str, str] = {}
                for raw in stream:
                    key, colon, value = raw.decode().rstrip("\r\n").partition(": ")
                    if colon:
                        action[key] = value
                    else:
                        self._respond(line, action)
                        action = {}
        except (OSError, ValueError):
            return

    def _respond(self, line: Line, action: Action) -> None:
        self.actions.append(action)
        if not self.deaf:
            self.responses.get(action["Action"], lambda line, action: line.answer(action))(line, action)


def message(headers: Mapping[str, str]) -> bytes:
    return "".join(f"{key}: {value}\r\n" for key, value in headers.items()).encode() + b"\r\n"
