"""A drop folder on a real file system, with a desk that remembers what it accepted."""

import os
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from dialerd.core.destinations import Destinations
from dialerd.core.errors import InvalidJob, Mistake
from dialerd.core.policy import Rules, Trunk
from dialerd.core.signals import Submission
from dialerd.intake.dropbox import Dropbox, DropSettings
from tests.intake.desk import MemoryDesk
from tests.waiting import until

RULES = Rules(
    trunks={"t": Trunk("t", "Local/{digits}@t")},
    default_trunk="t",
    destinations=Destinations.parse(["*"]),
)
SOON = int(time.time()) + 86400
GOOD = {"to": "+4930123456", "play": "hello-world"}
JOB = b'{"to": "+4930123456", "play": "hello-world"}'


def csv(*numbers: str, head: str = "to;play") -> str:
    """A spreadsheet with a row for each number."""
    return "\n".join([head, *(f"{number};beep" for number in numbers), ""])


class Killed(BaseException):
    """The daemon dies here."""


def callfile(data: bytes, mtime: float, now: float) -> dict[str, Any]:
    """A parser of call files that takes one line."""
    if data != b"Channel: Local/100\n":
        raise InvalidJob([Mistake("line 1", "It is not the one line that this parser takes.")])
    later = {"not_before": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(mtime))} if mtime > now else {}
    return {**GOOD, **later, "notes": ["Archive was ignored."]}


class Desk(MemoryDesk):
    """Remembers all drafts; `on_submit` and `on_answer` may raise what the engine could."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Submission] = []
        self.on_submit: Callable[[list[Submission]], None] = lambda submissions: None
        self.on_answer: Callable[[], None] = lambda: None

    def submit(self, submissions: list[Submission]) -> "Future[list[Any]]":
        self.on_submit(submissions)
        self.seen += submissions
        future = super().submit(submissions)
        if self.open.is_set():
            future.exception()
            self.on_answer()
        return future

    @property
    def accepted(self) -> list[Any]:
        return [event.job for event in self.log if event.type == "accepted"]


class Place:
    """One drop folder and what is in it. Each `box` is a daemon's run on it; the desk outlives them."""

    def __init__(self, folder: Path, desk: Desk) -> None:
        self.folder, self.desk = folder, desk
        self.drop, self.claimed, self.rejected = (folder / name for name in ("drop", "claimed", "rejected"))
        self.now = 0.0
        self.runs: list[Dropbox] = []
        self.box = self.new()

    def new(self, **settings: Any) -> Dropbox:
        """A run of the daemon, from its start on. Nothing is waited for, unless a setting says so."""
        patience = {
            "still_seconds": 0.0,
            "look_seconds": 0.05,
            "longest_wait_seconds": 0.02,
            "drop_mode": 0o1777,
        }
        chosen = DropSettings(self.folder, **{**patience, **settings})
        self.box = Dropbox(chosen, self.desk, RULES, callfile, clock=lambda: time.time() + self.now)
        self.box.prepare()
        self.runs.append(self.box)
        return self.box

    def close(self) -> None:
        """Ends all runs."""
        for box in self.runs:
            box.stop()

    def put(self, name: str, data: bytes | str, owner: int | None = None) -> Path:
        path = self.drop / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        if owner is not None:
            os.chown(path, owner, owner)
        return path

    def look(self, times: int = 1) -> None:
        """Looks so many times; a look at a long file takes as many as it needs."""
        for _ in range(times):
            self.box.look()
            while self.box._long():
                self.box.look()

    def look_until(self, predicate: Callable[[], object], seconds: float = 10.0) -> None:
        """Looks again and again, until the predicate holds."""

        def looked() -> object:
            self.look()
            return predicate()

        until(looked, seconds)

    def reason(self, name: str) -> str:
        return (self.rejected / f"{name}.reason").read_text()

    def names(self) -> dict[str, list[str]]:
        """What lies where."""
        folders = {"drop": self.drop, "claimed": self.claimed, "rejected": self.rejected}
        return {name: sorted(os.listdir(folder)) for name, folder in folders.items() if os.listdir(folder)}
