"""What a job asks of a provider, as JSON-able values: the fields of its document."""

from collections.abc import Iterable
from typing import Any

from dialerd.core.model import Job
from dialerd.core.steps import PRIVATE
from dialerd.core.tasks import (
    Conference,
    Fax,
    Ivr,
    NumberOrder,
    Received,
    Script,
    Sms,
    Step,
    Task,
)


def of_script(script: Script | None) -> dict[str, Any]:
    """The fields of a call that a provider makes."""
    if script is None:
        return {}
    return {
        "connect": script.connect,
        "flow": script.flow,
        "play_url": script.play_url,
        "say": script.say,
        "language": script.language,
        "longest": script.longest,
        "record": script.record or None,
        "extra": dict(script.extra),
    }


def provider_of(job: Job) -> str | None:
    """The provider of a job that has no other way."""
    if isinstance(job.task, Received):
        return job.task.provider
    by_provider = job.task is not None or (job.call.trunk is None and job.call.channel is None)
    return job.ways[0] or None if by_provider and len(job.ways) == 1 else None


def of_task(task: Task) -> dict[str, Any]:
    """The fields of a job that is no call."""
    match task:
        case Sms():
            return _sms(task)
        case Fax():
            return _fax(task)
        case Conference():
            caller = _caller(task.caller_id)
            return {"room": task.room, "caller_id": caller, "extra": dict(task.extra)}
        case Ivr():
            return _ivr(task)
        case NumberOrder():
            return {"order": task.verb, "number": task.subject, "details": dict(task.details)}
        case Received():
            return _received(task)


def _sms(task: Sms) -> dict[str, Any]:
    return {
        "body": task.body,
        "template": task.template,
        "sender": task.sender,
        "media": list(task.media),
        "urgent": task.urgent or None,
        "bulk": task.bulk or None,
        "extra": dict(task.extra),
    }


def _fax(task: Fax) -> dict[str, Any]:
    return {
        "document": task.document,
        "media_type": task.media_type,
        "size": task.size,
        "pages": task.pages,
        "filename": task.filename,
        "caller_id": _caller(task.caller_id),
        "header": task.header,
        "extra": dict(task.extra),
    }


def _ivr(task: Ivr) -> dict[str, Any]:
    return {
        "message": task.message,
        "steps": steps_of(task.steps),
        "caller_id": _caller(task.caller_id),
        "longest": task.longest,
        "session": task.session,
        "extra": dict(task.extra),
    }


def _received(task: Received) -> dict[str, Any]:
    return {
        "what": task.what,
        "ref": task.ref,
        "sender": task.sender,
        "dest": task.dest,
        "body": task.body,
        "media": list(task.media),
        "pages": task.pages,
        "price": task.price,
    }


def steps_of(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """Steps as people write them (core/steps.py reads them)."""
    return [_step(step) for step in steps]


def _step(step: Step) -> dict[str, Any]:
    if step.verb in ("play", "monitor", "hangup"):
        return {step.verb: step.message or ""}
    fields = {
        "to": step.dest,
        "message": step.message,
        "caller_id": step.caller_id,
        "max_digits": step.max_digits,
        "timeout": step.timeout,
        "attempts": step.attempts,
        "longest": step.longest,
        "on": {digits: steps_of(inner) for digits, inner in step.on_digits} or None,
        "on_failure": steps_of(step.on_failure) or None,
    }
    return {step.verb: {name: value for name, value in fields.items() if value is not None}}


def _caller(caller_id: str | None) -> dict[str, str] | None:
    if caller_id is None:
        return None
    return {"name" if caller_id == PRIVATE else "number": caller_id}
