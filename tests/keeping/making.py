"""A state folder with something of everything in it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from dialerd.core.budget import Used
from dialerd.core.model import Attempt, Call, Disposition, Job, OnDoubt, Result
from dialerd.core.signals import Order
from dialerd.core.states import State
from dialerd.core.tasks import Fax, Sms
from dialerd.documents import DocumentSettings, FolderOfDocuments
from dialerd.keeping.backup import make
from dialerd.store.reports import ReportStore
from dialerd.store.sqlite import SqliteStore
from tests.core.test_documents import pdf

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=5)
FLYING = (State.ACTIVE, State.SUBMITTED)
OPEN = (State.QUEUED, State.DEFERRED, *FLYING, State.HELD)
ENDED = (State.COMPLETED, State.FAILED, State.EXPIRED, State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Made:
    """The folder, its calls by state, a message that its provider has, and a fax that waits."""

    folder: Path
    calls: dict[State, Job]
    message: Job
    fax: Job
    document: str


def state_in(folder: Path) -> Made:
    """Makes it."""
    folder.mkdir(mode=0o700, exist_ok=True)
    documents = FolderOfDocuments(DocumentSettings(folder / "documents"))
    documents.prepare()
    paper = documents.put(1000, pdf(1))
    with opened(folder) as store, store.transaction():
        calls = {state: _call(store, state) for state in State}
        message = _sent(store, Sms("Hello"), State.SUBMITTED, 1)
        fax = _sent(store, Fax(paper.id, paper.media_type, paper.size), State.QUEUED, 0)
        store.save_order(Order("batch:1000:spring", "paused", 1000, NOW, "rain"))
        store.add_usage("2026-11-21", "all", Used(7, 420, 9000))
        store.save_session("cloud", "s-1", message.id)
        newest = store.add_event(NOW, fax.id, "waits", {"state": "queued"})
    with closing(ReportStore(folder)) as reports:
        reports.add_sink("webhooks.crm", newest)
        reports.take_up("webhooks.crm", [(newest, fax.id)], newest, NOW)
    (folder / "stop-lists").mkdir()
    (folder / "stop-lists" / "opt-out.txt").write_text("+493011111\n")
    (folder / "numbers.json").write_text('{"cloud": {}}')
    (folder / "listener.key").write_bytes(bytes(32))
    (folder / "lock").write_text("dialerd, pid 1\n")
    return Made(folder, calls, message, fax, paper.id)


def _call(store: SqliteStore, state: State) -> Job:
    waits = state in (State.QUEUED, State.DEFERRED)
    attempts = 0 if state is State.QUEUED else 1
    job = Job(
        store.new_id(NOW),
        1000,
        state,
        Call(to=("+4930123456",), trunk="main", play="hello-world"),
        created=NOW,
        updated=NOW,
        key=f"key-{state}",
        batch="spring",
        tags=("blue",),
        attempts=attempts,
        reason="held by an operator" if state is State.HELD else "",
        on_doubt=OnDoubt.RETRY if state is State.SUBMITTED else OnDoubt.HOLD,
        not_before=NOW + timedelta(hours=1) if state is State.DEFERRED else None,
        ways=("main", "backup"),
        way="main",
    )
    store.add_job(job, b"digest")
    store.add_event(NOW, job.id, "accepted", {"state": "queued"})
    if attempts:
        over = not waits and state not in (*FLYING, State.HELD)
        result = Result(Disposition.BUSY, hangup_cause=17) if over or waits else None
        ended = None if result is None else NOW
        store.save_attempt(Attempt(job.id, 1, "main", "PJSIP/1@main", NOW, NOW, ended, result=result))
    return job


def _sent(store: SqliteStore, task: Any, state: State, attempts: int) -> Job:
    look_at = NOW + timedelta(seconds=10) if attempts else None
    call = Call(to=("+4930999",))
    ours: dict[str, Any] = {"task": task, "attempts": attempts, "look_at": look_at}
    job = Job(store.new_id(NOW), 1000, state, call, NOW, NOW, ways=("cloud",), way="cloud", **ours)
    store.add_job(job, b"digest")
    store.add_event(NOW, job.id, "accepted", {"state": "queued"})
    if attempts:
        store.save_attempt(Attempt(job.id, 1, "cloud", "", NOW, handed_over=NOW, ref="m-1"))
    return job


@contextmanager
def opened(folder: Path) -> Iterator[SqliteStore]:
    """The queue of a state folder."""
    with closing(SqliteStore(folder)) as store:
        yield store


def all_jobs(folder: Path) -> dict[str, Job]:
    """Every job of a state folder, by id."""
    with opened(folder) as store:
        numbers = [row[0] for row in store._db.execute("SELECT id FROM jobs")]
        from dialerd.core import ids

        found = (store.find_job(ids.to_text(number)) for number in numbers)
        return {job.id: job for job in found if job is not None}


def backup_of(folder: Path, stopped: bool = False) -> BytesIO:
    """A backup of a state folder, ready to be read."""
    return BytesIO(b"".join(make(folder, stopped)))


def empty(folder: Path) -> Path:
    """A state folder without a state."""
    folder.mkdir(mode=0o700)
    return folder


__all__ = ["ENDED", "FLYING", "LATER", "NOW", "OPEN", "Made", "replace"]
