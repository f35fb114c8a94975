"""Connection: one TCP connection to Asterisk's manager: reading, matching answers to actions, time limits."""

import contextlib
import select
import socket
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from dialerd.pbx import wire
from dialerd.pbx.wire import Answer, LineLost

ANSWER_S = 5.0

ANSWER_AT_MOST_S = 60.0
"""How long an answer may take while other messages keep coming."""

RECEIVE = 1 << 16
MAX_BACKLOG = 30_000
"""Events received but not yet looked at. Above it we stop reading, and Asterisk waits."""

ROUND = 500
"""Events handed out before the wire is looked at again."""


class Connection:
    """The thread that makes it and calls pump() owns it and gets the events. Actions may come from any."""

    def __init__(
        self,
        wanted: Callable[[bytes, bytes], bool],
        on_event: Callable[[wire.Headers], None],
        answer_s: float = ANSWER_S,
    ) -> None:
        """`wanted`: whether an event (name, message) is to be parsed and handed to `on_event`.

        `answer_s`: how long Asterisk may be silent while an answer is due.
        """
        self._wanted, self._on_event, self._answer_s = wanted, on_event, answer_s
        self._owner = threading.get_ident()
        self._sock: socket.socket | None = None
        self._wake_read, self._wake_write = socket.socketpair()
        self._splitter = wire.Splitter()
        self._backlog: deque[bytes] = deque()
        self._lock = threading.Lock()
        self._waiters: dict[str, Future[Answer]] = {}
        self._token = uuid.uuid4().hex[:12]
        self._sequence = 0
        self._given_up = False
        self.heard = time.monotonic()

    def connected(self) -> bool:
        """Whether there is a connection."""
        return self._sock is not None

    def connect(self, host: str, port: int = 5038) -> None:
        """Connects and reads the greeting. Raises LineLost or OSError."""
        self._sock = socket.create_connection((host, port), self._answer_s)
        greeting = b""
        while not greeting.endswith(b"\n"):
            byte = self._sock.recv(1)
            greeting += byte
            if not byte or len(greeting) > 200:
                break
        if not greeting.startswith(wire.GREETING):
            raise LineLost(f"what listens there is not Asterisk's manager (it said {greeting[:40]!r})")
        self._sock.setblocking(False)

    def close(self) -> None:
        """Ends the connection; everyone who waits for an answer is told."""
        with self._lock:
            sock, self._sock = self._sock, None
            waiters, self._waiters = self._waiters, {}
        for waiter in waiters.values():
            waiter.set_exception(LineLost("the connection to Asterisk ended"))
        for each in (sock, self._wake_read, self._wake_write):
            if each is not None:
                each.close()

    def give_up(self) -> None:
        """Makes every pump() raise LineLost from now on, also one that waits. From any thread."""
        self._given_up = True
        with contextlib.suppress(OSError):
            self._wake_write.send(b"!")

    def send_action(self, cdict: Mapping[str, Any] | None = None, **kwargs: Any) -> Answer:
        """Sends one action and returns its own answer. Raises ValueError for a value with a line break, and
        LineLost where no answer came."""
        with self._lock:
            self._sequence += 1
            action_id = f"{self._token}-{self._sequence}"
        data = wire.render({**(cdict or {}), **kwargs, "ActionID": action_id})
        waiter: Future[Answer] = Future()
        with self._lock:
            if self._sock is None:
                raise LineLost("not connected to Asterisk")
            self._waiters[action_id] = waiter
            _send(self._sock, data, self._answer_s)
        try:
            return self._wait_for(waiter)
        except TimeoutError:
            raise LineLost(f"Asterisk did not answer within {self._answer_s:g} s; it may be frozen") from None
        finally:
            self._waiters.pop(action_id, None)

    def pump(self, timeout: float) -> None:
        """Waits up to `timeout` seconds for messages and hands them out. Raises LineLost."""
        if not self._backlog:
            self._wait_readable(timeout)
        if self._given_up:
            raise LineLost("dialerd is stopping")
        self._receive()
        for _ in range(min(len(self._backlog), ROUND)):
            message = self._backlog.popleft()
            self._on_event(wire.headers(message))

    def _wait_for(self, waiter: "Future[Answer]") -> Answer:
        if threading.get_ident() != self._owner:
            return waiter.result(self._answer_s)
        begun = time.monotonic()
        self.heard = begun
        while not waiter.done():
            now = time.monotonic()
            left = min(self.heard + self._answer_s, begun + ANSWER_AT_MOST_S) - now
            if left <= 0:
                raise TimeoutError
            self.pump(left)
        return waiter.result(0)

    def _wait_readable(self, timeout: float) -> None:
        poll = select.poll()
        poll.register(self._socket(), select.POLLIN)
        poll.register(self._wake_read, select.POLLIN)
        poll.poll(max(0.0, timeout) * 1000)

    def _receive(self) -> None:
        """Takes all that lies ready off the wire before it is looked at: Asterisk cuts slow readers off."""
        sock = self._socket()
        while len(self._backlog) < MAX_BACKLOG:
            try:
                data = sock.recv(RECEIVE)
            except BlockingIOError:
                return
            if not data:
                raise LineLost("Asterisk closed the connection")
            self.heard = time.monotonic()
            self._sort(self._splitter.feed(data))
            if len(data) < RECEIVE:
                return

    def _sort(self, messages: list[bytes]) -> None:
        for message in messages:
            name = wire.event_name(message)
            if name is None:
                self._answer(message)
            elif self._wanted(name, message):
                self._backlog.append(message)

    def _answer(self, message: bytes) -> None:
        answer = Answer(message)
        waiter = self._waiters.get(answer.headers.get("ActionID", ""))
        if waiter is not None and not waiter.done():
            waiter.set_result(answer)

    def _socket(self) -> socket.socket:
        if self._sock is None:
            raise LineLost("not connected to Asterisk")
        return self._sock


def _send(sock: socket.socket, data: bytes, seconds: float) -> None:
    """Sends all of it. Raises LineLost when Asterisk takes nothing for so long."""
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    while data:
        if not poll.poll(seconds * 1000):
            raise LineLost("Asterisk takes nothing more; it may be frozen")
        data = data[sock.send(data) :]
