"""A real daemon, and where it is wanted a real Asterisk, for one benchmark."""

import os
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

from scripts.benchmarks.figures import folder
from tests.asterisk import Asterisk
from tests.daemon import Daemon
from tests.users import ASTERISK_GID, ASTERISK_UID, DIALERD_GID, DIALERD_UID, give


class Rig:
    """`with Rig(...) as rig`: both run inside, and are gone after. `prepared` is the seconds that came before
    the daemon's start.

    `options` are Asterisk's, and `pjsip` is put behind its pjsip.conf. `sections` are more of dialerd's
    configuration, `spooling` goes into [asterisk].
    """

    def __init__(
        self,
        asterisk: bool,
        state: Path | None = None,
        options: Mapping[str, str] | None = None,
        sections: Mapping[str, Mapping[str, Any]] | None = None,
        ami: bool = True,
        pjsip: str = "",
        **spooling: Any,
    ) -> None:
        self.asterisk = Asterisk(22, options) if asterisk else None
        if self.asterisk is not None:
            self.asterisk.configure("pjsip.conf", pjsip)
        self._state, self._spooling, self._sections, self._ami = state, spooling, sections or {}, ami
        self._folder = folder()
        self.prepared = 0.0

    def __enter__(self) -> "Rig":
        begin = perf_counter()
        spool = give(self._folder.__enter__(), DIALERD_UID, DIALERD_GID, 0o755)
        give(self._outgoing(spool), DIALERD_UID, DIALERD_GID)
        if self.asterisk is not None:
            self.asterisk.start()
        if self._state is not None:
            for path in (self._state, *self._state.iterdir()):
                give(path, DIALERD_UID, DIALERD_GID)
        settings = {
            "asterisk": self._spooling,
            "log": {"level": "warning"},
            "queue": {"max_jobs": 10_000_000},
            **self._sections,
        }
        if self.asterisk is None:
            settings["asterisk"] = {**self._spooling, "user": str(DIALERD_UID)}
        self.daemon = Daemon(self.asterisk or spool, settings, ami=self._ami, state=self._state)
        self.prepared = perf_counter() - begin
        self.daemon.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.daemon.remove()
        if self.asterisk is not None:
            self.asterisk.remove()
        self._folder.__exit__(None, None, None)

    def give_to_asterisk(self, path: Path) -> None:
        """As root, hands a file to Asterisk's user."""
        give(path, ASTERISK_UID, ASTERISK_GID, 0o600)

    @staticmethod
    def _outgoing(spool: Path) -> Path:
        path = spool / "outgoing"
        path.mkdir()
        return path


def rss_mib(pid: int) -> float:
    """Resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(os.strerror(3))
