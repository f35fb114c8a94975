"""A figure with its aim, and the machines that more than one benchmark needs."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dialerd.core.model import Call, Job
from dialerd.core.states import State
from dialerd.engine.engine import SystemClock
from dialerd.store.sqlite import SqliteStore


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. `better` is "higher" or "lower"; `note` holds the absolute figures behind a
    ratio."""

    name: str
    value: float
    aim: float
    better: str
    note: str = ""

    @property
    def met(self) -> bool:
        return self.value >= self.aim if self.better == "higher" else self.value <= self.aim


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A fresh folder on the disk that holds /tmp."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as path:
        yield Path(path)


def a_job(store: SqliteStore, number: int) -> Job:
    """A typical job."""
    now = SystemClock().now()
    call = Call(to=(f"+4930{number:08d}",), trunk="main", play="hello-world", caller_id_number="4930999")
    return Job(store.new_id(now), 1000, State.QUEUED, call, created=now, updated=now, key=f"bench-{number}")


def fill(path: Path, count: int) -> None:
    """A store with so many queued jobs, all due."""
    store = SqliteStore(path)
    for start in range(0, count, 5000):
        with store.transaction():
            for number in range(start, min(start + 5000, count)):
                store.add_job(a_job(store, number), b"0" * 32)
    store.close()
