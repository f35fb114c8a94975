"""What a report says: JSON, made of an event and of what never changes in its job, so that each repetition
says the same."""

import json
from typing import Any

from dialerd.core.model import Attempt, Job
from dialerd.core.tasks import Received
from dialerd.core.times import format_when
from dialerd.reports.ports import Report


def message_id(event: int) -> str:
    """What a report is known by: the same for each sink and each repetition."""
    return f"evt_{event}"


def body(report: Report) -> bytes:
    """The report as JSON (docs/reports.md has an example)."""
    event = report.event
    details = {
        name: value for name, value in event.data.items() if name not in ("state", "reason", "attempt")
    }
    data = {
        "job": _job(report.job),
        "state": event.data.get("state"),
        "reason": event.data.get("reason"),
        "attempt": _attempt(report),
        "message": _message(report.job.task) if isinstance(report.job.task, Received) else None,
        "details": details or None,
    }
    document = {
        "id": message_id(event.id),
        "type": f"{_kind(report.job)}.{event.type}",
        "timestamp": format_when(event.at),
        "data": _given(data),
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _kind(job: Job) -> str:
    """What a report is about: of what came in, whether it was an sms, a fax or a call."""
    return job.task.what if isinstance(job.task, Received) else job.kind


def _message(task: Received) -> dict[str, Any]:
    """What came in, whole: there is nothing else to ask for it."""
    shown = {
        "provider": task.provider,
        "ref": task.ref or None,
        "sender": task.sender,
        "to": task.dest,
        "body": task.body or None,
        "media": list(task.media) or None,
        "pages": task.pages,
        "price": task.price,
    }
    return _given(shown)


def _job(job: Job) -> dict[str, Any]:
    return _given(
        {
            "id": job.id,
            "kind": job.kind,
            "owner": job.owner,
            "key": job.key,
            "batch": job.batch,
            "tags": list(job.tags) or None,
            "to": list(job.call.to) or None,
            "channel": job.call.channel,
            "account": job.call.account,
            "created": format_when(job.created),
        }
    )


def _attempt(report: Report) -> dict[str, Any] | None:
    """The attempt that the event is about: the newest that had begun by then."""
    begun = [each for each in report.attempts if each.begun <= report.event.at]
    return _shown(begun[-1]) if begun else None


def _shown(attempt: Attempt) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "number": attempt.number,
        "trunk" if attempt.channel or attempt.trunk is None else "provider": attempt.trunk,
        "begun": format_when(attempt.begun),
        "ended": attempt.ended and format_when(attempt.ended),
        "ref": attempt.ref,
        "told": attempt.evidence.get("told"),
    }
    if attempt.result is not None:
        result = attempt.result
        shown["disposition"] = result.disposition.value
        shown["hangup_cause"] = result.hangup_cause
        shown["ring_seconds"] = result.ring_seconds
        shown["talk_seconds"] = result.talk_seconds
        shown["detail"] = result.detail or None
        shown["word"] = result.word or None
        shown |= {name: getattr(result, name) for name in ("price", "currency", "parts", "recording")}
    return _given(shown)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
