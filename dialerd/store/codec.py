"""Values to rows and back. Times are whole milliseconds since the epoch; the rest of a value is JSON."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import MISSING, asdict, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from dialerd.core import ids
from dialerd.core.errors import Broken
from dialerd.core.model import Attempt, Call, Disposition, Event, Job, OnDoubt, Result, Terms
from dialerd.core.states import WAITING, State
from dialerd.store import tasks

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

JOB_COLUMNS = (
    "id, owner, state, priority, ready, not_before, not_after, updated, attempts, retries, reason,"
    " requested, batch, number, trunk, turn, disposition, look_at, kind, document"
)


def to_ms(time: datetime | None) -> int | None:
    """A time as a column holds it."""
    return None if time is None else (time - _EPOCH) // _MILLISECOND


def from_ms(ms: int | None) -> datetime | None:
    """A column's time, as aware UTC."""
    return None if ms is None else _EPOCH + ms * _MILLISECOND


def moment(ms: int) -> datetime:
    """A column's time that is always there."""
    return _EPOCH + ms * _MILLISECOND


def number(job_id: str) -> int:
    """A job's id as its column holds it."""
    return ids.to_number(job_id)


def job_row(job: Job) -> tuple[Any, ...]:
    """A job as a row of JOB_COLUMNS."""
    called = job.call.to[0] if job.call.to else None
    document: dict[str, Any] = {"call": _call_document(job.call), "created": to_ms(job.created)}
    if job.key is not None:
        document["key"] = job.key
    if job.tags:
        document["tags"] = job.tags
    if job.max_retries is not None:
        document["max_retries"] = job.max_retries
    if job.retry_time is not None:
        document["retry_time"] = job.retry_time
    document["on_doubt"] = job.on_doubt
    if job.terms != _NO_TERMS:
        document["terms"] = _sparse(job.terms)
    if job.task is not None:
        document["task"] = tasks.to_document(job.task)
    if job.ways != (job.way,):
        document["ways"] = job.ways
    identity = (ids.to_number(job.id), job.owner, job.state, job.priority, ready(job))
    times = (to_ms(job.not_before), to_ms(job.not_after), to_ms(job.updated))
    standing = (job.attempts, job.retries, job.reason, job.requested)
    return (*identity, *times, *standing, job.batch, called, *place(job), job.kind, _dump(document))


def place(job: Job) -> tuple[str, int, str | None, int | None]:
    """The columns `trunk`, `turn`, `disposition` and `look_at`."""
    return job.way, job.turn, job.disposition, to_ms(job.look_at)


def ready(job: Job) -> int | None:
    """The column `ready`: whether a waiting job is due, as far as it was when it was last written."""
    if job.state not in WAITING:
        return None
    return int(job.not_before is None or job.not_before <= job.updated)


def row_job(row: tuple[Any, ...]) -> Job:
    """The job in a row of JOB_COLUMNS. Raises Broken for a row that can't be read."""
    with _readable("job", row[0]):
        return _job(row)


def _job(row: tuple[Any, ...]) -> Job:
    id_, owner, state, priority, _, not_before, not_after, updated, *standing = row
    attempts, retries, reason, requested, batch, _, way, turn, disposition, look_at, kind, text = standing
    document = json.loads(text)
    return Job(
        id=ids.to_text(id_),
        owner=owner,
        state=State(state),
        call=_call(document["call"]),
        created=_EPOCH + document["created"] * _MILLISECOND,
        updated=_EPOCH + updated * _MILLISECOND,
        key=document.get("key"),
        batch=batch,
        tags=tuple(document.get("tags", ())),
        priority=priority,
        not_before=from_ms(not_before),
        not_after=from_ms(not_after),
        max_retries=document.get("max_retries"),
        retry_time=document.get("retry_time"),
        on_doubt=OnDoubt(document["on_doubt"]),
        attempts=attempts,
        retries=retries,
        reason=reason,
        requested=requested,
        terms=_terms(document["terms"]) if "terms" in document else _NO_TERMS,
        ways=tuple(document.get("ways", (way,))),
        way=way,
        turn=turn,
        disposition=None if disposition is None else Disposition(disposition),
        redacted=document.get("redacted", False),
        task=tasks.task_of(kind, document["task"]) if "task" in document else None,
        look_at=from_ms(look_at),
    )


def attempt_row(
    attempt: Attempt,
) -> tuple[int, int, str, str | None, str | None, int | None, str | None]:
    """An attempt as a row of its table."""
    document: dict[str, Any] = {"channel": attempt.channel, "begun": to_ms(attempt.begun)}
    if attempt.trunk is not None:
        document["trunk"] = attempt.trunk
    if attempt.handed_over is not None:
        document["handed_over"] = to_ms(attempt.handed_over)
    if attempt.ended is not None:
        document["ended"] = to_ms(attempt.ended)
    if attempt.asterisk is not None:
        document["asterisk"] = attempt.asterisk
    if attempt.boot is not None:
        document["boot"] = attempt.boot
    if attempt.ref is not None:
        document["ref"] = attempt.ref
    if attempt.result is not None:
        document["result"] = _sparse(attempt.result)
    if attempt.evidence:
        document["evidence"] = attempt.evidence
    disposition = None if attempt.result is None else attempt.result.disposition.value
    figures = (attempt.trunk, disposition, to_ms(attempt.ended), attempt.ref)
    return ids.to_number(attempt.job), attempt.number, _dump(document), *figures


def row_attempt(row: tuple[int, int, str]) -> Attempt:
    """The attempt in a row. Raises Broken for a row that can't be read."""
    with _readable(f"attempt {row[1]} of the job", row[0]):
        return _attempt(row)


def _attempt(row: tuple[int, int, str]) -> Attempt:
    job, number, text = row
    document = json.loads(text)
    result = document.get("result")
    return Attempt(
        job=ids.to_text(job),
        number=number,
        trunk=document.get("trunk"),
        channel=document["channel"],
        begun=_EPOCH + document["begun"] * _MILLISECOND,
        handed_over=from_ms(document.get("handed_over")),
        ended=from_ms(document.get("ended")),
        asterisk=document.get("asterisk"),
        boot=document.get("boot"),
        result=None if result is None else _result(result),
        evidence=document.get("evidence", {}),
        ref=document.get("ref"),
    )


def row_event(row: tuple[int, int, int, str, str]) -> Event:
    """The event in a row. Raises Broken for a row that can't be read."""
    id_, at, job, type_, data = row
    with _readable(f"event {id_} of the job", job):
        return Event(id_, _EPOCH + at * _MILLISECOND, ids.to_text(job), type_, json.loads(data))


@contextmanager
def _readable(what: str, job: int) -> Iterator[None]:
    """No dialerd writes what can't be read again: the file was changed, or the disk is bad."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, OverflowError) as error:
        name = ids.to_text(job) if isinstance(job, int) else "(none)"
        raise Broken(
            f"The {what} {name} can't be read ({type(error).__name__}): the store is damaged."
            " Stop dialerd and run dialerctl fsck."
        ) from error


def event_data(data: dict[str, Any]) -> str:
    """An event's data as its column holds it."""
    return _dump(data) if data else "{}"


_NO_TERMS = Terms()
_DEFAULTS = {
    cls: {f.name: f.default for f in fields(cls) if f.default is not MISSING} for cls in (Call, Result, Terms)
}


def _sparse(value: Call | Result | Terms) -> dict[str, Any]:
    """The fields that differ from their defaults: most of a call's do not."""
    defaults = _DEFAULTS[type(value)]
    names = value.__slots__
    return {
        name: setting
        for name in names
        if (setting := getattr(value, name)) is not None and setting != defaults.get(name, MISSING)
    }


def _call_document(call: Call) -> dict[str, Any]:
    document = _sparse(call)
    if call.script is not None:
        document["script"] = tasks.to_document(call.script)
    return document


def _call(document: dict[str, Any]) -> Call:
    for name in ("to", "codecs"):
        if name in document:
            document[name] = tuple(document[name])
    if "variables" in document:
        document["variables"] = tuple((name, value) for name, value in document["variables"])
    if "script" in document:
        document["script"] = tasks.script_of(document["script"])
    return Call(**document)


def _terms(document: dict[str, Any]) -> Terms:
    return Terms(**{**document, "windows": tuple(document.get("windows", ()))})


def _result(document: dict[str, Any]) -> Result:
    return Result(**{**document, "disposition": Disposition(document["disposition"])})


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False, default=asdict)


def state(word: str) -> State:
    """The state of this name. Raises Broken for a word that is none."""
    try:
        return State(word)
    except ValueError:
        raise Broken(
            f"A job has the state {word!r:.40}, which there is not: the store is damaged."
            " Stop dialerd and run dialerctl fsck."
        ) from None


def _dump(document: Any) -> str:
    return _ENCODER.encode(document)
