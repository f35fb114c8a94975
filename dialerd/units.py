"""Watches one of systemd's units over D-Bus: whether it runs, and when it was started again. With systemd.py,
the file that knows pystemd.

A signal only wakes; the truth is the unit's properties, which are read after each signal and every few
seconds (org.freedesktop.systemd1(5): LoadState, ActiveState, SubState, InvocationID).
"""

import os
import select
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from dialerd.core.signals import UnitSeen
from dialerd.log import get_logger

log = get_logger(__name__)

LOOK_EVERY_S = 15.0
"""How often the unit is looked at where no signal says that it changed."""

RETRY_S = (1.0, 5.0, 15.0)
"""Pauses before the bus is opened again; the last one from then on."""

ANSWER_LIMIT_S = 2
"""While pystemd waits for an answer it holds Python's lock, so that all of dialerd waits."""

DOWN = ("inactive", "failed", "deactivating", "auto-restart")
"""States in which a unit that is loaded certainly takes no work, or won't be there for its end."""

_MESSAGES = 64
_MANAGER = b"org.freedesktop.systemd1"
_ROOT = b"/org/freedesktop/systemd1"
_UNIT = b"org.freedesktop.systemd1.Unit"


class UnitWatch:
    """Tells `post` of a unit (a UnitSeen) at the start and whenever something is new, from a thread of its
    own. `once` is for tests: how long to wait instead of LOOK_EVERY_S and RETRY_S."""

    def __init__(self, unit: str, post: Callable[[UnitSeen], None], once: float | None = None) -> None:
        self.unit, self._post, self._once = unit, post, once
        self._told: UnitSeen | None = None
        self._tries = 0
        self._known = threading.Event()
        self._wake, self._waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="unit", daemon=True)

    def start(self) -> None:
        """Begins to watch. Returns when the first word is said, or should have been."""
        os.environ.setdefault("SYSTEMD_BUS_TIMEOUT", str(ANSWER_LIMIT_S))  # sd_bus_get_method_call_timeout(3)
        self._thread.start()
        self._known.wait(2 * ANSWER_LIMIT_S)

    def stop(self, timeout: float = 2 * ANSWER_LIMIT_S) -> None:
        """Ends."""
        self._stopping.set()
        with suppress(OSError):
            os.write(self._waker, b"x")
        self._thread.join(timeout)
        if not self._thread.is_alive():
            os.close(self._wake)
            os.close(self._waker)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._follow()
            except ImportError:
                self._tell(self._unknown("pystemd is missing (pip install 'dialerd[systemd]')"))
                return
            except _bus_errors() as error:
                self._tell(self._unknown(str(error).strip() or type(error).__name__))
            pause = RETRY_S[min(self._tries, len(RETRY_S) - 1)] if self._once is None else self._once
            self._tries += 1
            self._stopping.wait(pause)

    def _follow(self) -> None:
        """Reads the unit's state again and again, until the connection ends."""
        from pystemd.dbuslib import DBus, path_encode

        path = path_encode(_ROOT + b"/unit", self.unit.encode())
        bus = DBus()
        try:
            bus.open()
            _subscribe(bus, path)
            while not self._stopping.is_set():
                self._tell(_seen(bus, path, self.unit))
                self._tries = 0
                self._await(bus)
        finally:
            bus.close()

    def _await(self, bus: Any) -> None:
        """Until something was heard, or it is time to look."""
        seconds = LOOK_EVERY_S if self._once is None else self._once
        heard = select.poll()  # select() can't wait for a descriptor above 1023
        for descriptor in (bus.get_fd(), self._wake):
            heard.register(descriptor, select.POLLIN)
        heard.poll(seconds * 1000)
        for _ in range(_MESSAGES):  # what is read from the socket is handed out one by one
            bus.process()

    def _tell(self, seen: UnitSeen) -> None:
        if seen == self._told:
            return
        self._told = seen
        say = log.warning if seen.problem or seen.down else log.info
        say("unit_changed", unit=seen.unit, state=seen.state, why=seen.problem)
        self._post(seen)
        self._known.set()

    def _unknown(self, why: str) -> UnitSeen:
        what = f"systemd can't be asked about {self.unit}, so calls go on as if it ran: {why}."
        return UnitSeen(self.unit, "unknown", problem=what)


def _bus_errors() -> tuple[type[Exception], ...]:
    """What pystemd raises where the bus does not answer."""
    from pystemd.dbusexc import DBusBaseError

    return (DBusBaseError, OSError)


def _subscribe(bus: Any, path: bytes) -> None:
    """Has systemd tell of the unit's changes (Manager.Subscribe: it sends no signals where nobody asked)."""
    bus.match_signal(_MANAGER, path, b"org.freedesktop.DBus.Properties", b"PropertiesChanged", _woken)
    bus.call_method(_MANAGER, _ROOT, b"org.freedesktop.systemd1.Manager", b"Subscribe", [])


def _woken(message: Any, error: Any = None, userdata: Any = None) -> None:
    """A signal has come: the state is read anew by whoever processes the bus."""


def _seen(bus: Any, path: bytes, unit: str) -> UnitSeen:
    """The unit as it stands. Raises what _bus_errors() names."""

    def read(name: bytes, kind: bytes) -> Any:
        return bus.get_property(_MANAGER, path, _UNIT, name, kind)

    loaded, state = read(b"LoadState", b"s").decode(), read(b"ActiveState", b"s").decode()
    if read(b"SubState", b"s").startswith(b"auto-restart"):  # "activating", but it waits to be started again
        state = "auto-restart"
    if loaded != "loaded" and state in DOWN:
        what = (
            f"There is no unit {unit} that systemd could run ({loaded}), so calls go on as if Asterisk did:"
            " set service under [asterisk] to the right one."
        )
        return UnitSeen(unit, loaded, problem=what)
    run = bytes(read(b"InvocationID", b"ay")).hex()
    return UnitSeen(unit, state, down=state in DOWN, run=None if state in DOWN else run or None)
