"""What we tell systemd (sd_notify(3)): ready, status, signs of life; and the sockets that it opened for us
(sd_listen_fds(3)). With units.py, the file that knows pystemd.

pystemd comes with the extra `dialerd[systemd]`. Without NOTIFY_SOCKET and LISTEN_PID nothing is told and
nothing needed.
"""

import os
import time
from typing import Any

from dialerd.core.errors import ConfigError, Mistake

_SOCKET = "NOTIFY_SOCKET"

_MOST_BYTES = 2000
"""systemd throws away what is longer than PIPE_BUF, 4096 bytes (NOTIFY_BUFFER_MAX in its source)."""


def require() -> None:
    """Raises ConfigError where systemd waits for our word (NOTIFY_SOCKET) and pystemd is missing."""
    if os.environ.get(_SOCKET) and _pystemd_daemon() is None:
        what = "systemd waits to be notified, which takes pystemd. Install it: pip install 'dialerd[systemd]'"
        raise ConfigError([Mistake(_SOCKET, what)])


def inherited_sockets() -> list[int]:
    """The descriptors of the sockets that systemd opened for this very process; they are asked for once.

    Raises ConfigError where there are some and pystemd is missing.
    """
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    daemon = _pystemd_daemon()
    if daemon is None:
        what = "systemd hands a socket over, which takes pystemd. Install it: pip install 'dialerd[systemd]'"
        raise ConfigError([Mistake("LISTEN_FDS", what)])
    count = daemon.listen_fds(1)
    for name in ("LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)
    return list(range(daemon.LISTEN_FDS_START, daemon.LISTEN_FDS_START + max(count, 0)))


def _pystemd_daemon() -> Any:
    try:
        from pystemd import daemon
    except ImportError:
        return None
    return daemon


class Notifier:
    """Speaks to the service manager that started us; does nothing where there is none.

    `interval` is how many seconds may lie between two calls of watchdog() (half of what the manager allows,
    as sd_watchdog_enabled(3) advises), or None where it does not watch this process.
    """

    def __init__(self) -> None:
        self._daemon = _pystemd_daemon() if os.environ.get(_SOCKET) else None
        allowed = self._daemon.watchdog_enabled(False) if self._daemon else 0
        self.interval: float | None = allowed / 2_000_000 if allowed else None
        self._status = ""

    def ready(self) -> None:
        """Everything is up: jobs are taken."""
        self._tell(READY=1)

    def status(self, text: str) -> None:
        """One line for `systemctl status`; told only when it changed."""
        line = " ".join(text.split()).encode(errors="replace")[:_MOST_BYTES].decode(errors="ignore")
        if line != self._status:
            self._status = line
            self._tell(STATUS=line)

    def watchdog(self) -> None:
        """A sign of life, where the manager watches for it."""
        if self.interval is not None:
            self._tell(WATCHDOG=1)

    def reloading(self) -> None:
        """The configuration is read again; ready() says when that is done."""
        self._tell(RELOADING=1, MONOTONIC_USEC=time.monotonic_ns() // 1000)

    def stopping(self) -> None:
        """We are on our way out."""
        self._tell(STOPPING=1)

    def _tell(self, **states: int | str) -> None:
        if self._daemon is not None:
            self._daemon.notify(False, *(f"{name}={value}" for name, value in states.items()))
