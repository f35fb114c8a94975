"""The forms of what is sent and answered."""

from typing import Any

from dialerd.core.model import Disposition, OnDoubt
from dialerd.core.states import State
from dialerd.core.tasks import KINDS
from dialerd.intake import document
from dialerd.intake.api.openapi.parts import COUNT, ONE_OR_MANY, SECONDS, TEXT, TIME, array_of, object_of, ref
from dialerd.intake.api.problems import TITLES


def schemas() -> dict[str, Any]:
    """Every form by its name."""
    found = {
        "Job": _job(),
        "Attempt": _attempt(),
        "Jobs": object_of({"batch": TEXT, "jobs": array_of("Job")}, "batch", "jobs"),
        "Page": object_of({"jobs": array_of("Job"), "next": {"type": ["string", "null"]}}, "jobs", "next"),
        "BatchAnswer": _batch_answer(),
        "Event": object_of(
            {"id": COUNT, "at": TIME, "job": TEXT, "type": TEXT, "data": {"type": "object"}},
            *("id", "at", "job", "type", "data"),
        ),
        "Problem": _problem(),
        "Resolution": object_of({"as": {"enum": ["completed", "failed", "requeue"]}}, "as"),
        "Status": _status(),
        "Health": object_of({"status": {"const": "ok"}}, "status"),
    }
    return found | _document_schemas()


def _document_schemas() -> dict[str, Any]:
    """The job document's own schema, its inner definitions moved to where OpenAPI has them."""
    schema: dict[str, Any] = _moved(document.json_schema())
    inner = schema.pop("$defs", {})
    schema.pop("$schema", None)
    schema.pop("$id", None)
    return {"JobDocument": schema, **inner}


def _moved(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: each.replace("#/$defs/", "#/components/schemas/") if name == "$ref" else _moved(each)
            for name, each in value.items()
        }
    return [_moved(each) for each in value] if isinstance(value, list) else value


def _job() -> dict[str, Any]:
    properties = {
        "id": {"type": "string", "pattern": "^[0-9a-hjkmnp-tv-z]{13}$"},
        "kind": {"enum": list(KINDS)},
        "state": {"enum": [state.value for state in State]},
        "reason": TEXT,
        "requested": {
            "enum": ["cancel", "hold"],
            "description": "Asked of a call under way, and not certain yet",
        },
        "owner": {**COUNT, "description": "The uid that submitted it"},
        "key": TEXT,
        "batch": TEXT,
        "tags": {"type": "array", "items": TEXT},
        "priority": {"type": "integer", "minimum": 0, "maximum": 9},
        "created": TIME,
        "updated": TIME,
        "not_before": TIME,
        "not_after": TIME,
        "to": ONE_OR_MANY,
        "trunk": TEXT,
        "channel": ONE_OR_MANY,
        "ring": {"enum": ["each", "any"]},
        "application": TEXT,
        "data": TEXT,
        "context": TEXT,
        "extension": TEXT,
        "dialplan_priority": COUNT,
        "play": TEXT,
        "caller_id": object_of({"name": TEXT, "number": TEXT}),
        "variables": {"type": "object", "additionalProperties": TEXT},
        "account": TEXT,
        "wait_time": COUNT,
        "codecs": {"type": "array", "items": TEXT},
        "early_media": {"type": "boolean"},
        **_TASK,
        "max_retries": COUNT,
        "retry_time": COUNT,
        "on_doubt": {"enum": [choice.value for choice in OnDoubt]},
        "hours": ONE_OR_MANY,
        "recipient_timezone": TEXT,
        "retry": TEXT,
        "max_dials": COUNT,
        "kill_after": {**COUNT, "description": "Seconds"},
        "report_url": TEXT,
        "trunks": {"type": "array", "items": TEXT, "description": "The same as ways, of a call"},
        "disposition": {"enum": [disposition.value for disposition in Disposition]},
        "retries": {**COUNT, "description": "Tries that count against max_retries"},
        "attempt_count": COUNT,
        "attempts": array_of("Attempt"),
        "last": {**ref("LastAttempt"), "description": "With last=1: the newest attempt"},
        "redacted": {"const": True, "description": "Numbers, data and variables were taken out"},
    }
    return object_of(
        properties, "id", "kind", "state", "owner", "priority", "created", "updated", "attempt_count"
    )


_TEXTS = {"type": "object", "additionalProperties": TEXT}
_TASK = {
    "ways": {
        "type": "array",
        "items": TEXT,
        "description": "The trunks and providers that may take it, in order, where there are several",
    },
    "provider": {**TEXT, "description": "The only one that takes it, or that it came from"},
    "connect": TEXT,
    "flow": TEXT,
    "play_url": TEXT,
    "say": TEXT,
    "language": TEXT,
    "longest": {**COUNT, "description": "Seconds"},
    "record": {"const": True},
    "body": TEXT,
    "template": TEXT,
    "sender": TEXT,
    "media": {"type": "array", "items": TEXT},
    "urgent": {"const": True},
    "bulk": {"const": True},
    "document": TEXT,
    "media_type": TEXT,
    "size": {**COUNT, "description": "Bytes"},
    "pages": COUNT,
    "filename": TEXT,
    "header": TEXT,
    "room": TEXT,
    "steps": {"type": "array", "items": {"type": "object"}},
    "message": TEXT,
    "session": TEXT,
    "order": TEXT,
    "number": TEXT,
    "details": _TEXTS,
    "extra": _TEXTS,
    "what": {"enum": ["sms", "fax", "call"], "description": "Of what was received"},
    "ref": {**TEXT, "description": "The provider's id of what was received"},
    "dest": {**TEXT, "description": "The number of yours that it came to"},
    "price": {**TEXT, "description": "Of what was received"},
}
"""What providers carry (intake/present_tasks.py)."""


def _status() -> dict[str, Any]:
    properties = {
        "version": TEXT,
        "uptime_seconds": {"type": "number"},
        "jobs": {"type": "object", "additionalProperties": COUNT, "description": "Counts by state"},
        "asterisk": {"type": "object"},
        "spool": {"type": "object"},
        "problems": {"type": "array", "items": TEXT},
        "last_event": COUNT,
    }
    return {
        **object_of(properties, "version", "jobs", "problems", "last_event"),
        "additionalProperties": True,
    }


def _attempt() -> dict[str, Any]:
    properties = {
        "number": {"type": "integer", "minimum": 1},
        "trunk": {**TEXT, "description": "Or else provider"},
        "channel": TEXT,
        "provider": TEXT,
        "ref": {**TEXT, "description": "The provider's id of it"},
        "begun": TIME,
        "handed_over": TIME,
        "ended": TIME,
        "disposition": {"enum": [disposition.value for disposition in Disposition]},
        "permanent": {"type": "boolean"},
        "hangup_cause": {"type": "integer", "description": "Q.850"},
        "ring_seconds": SECONDS,
        "talk_seconds": SECONDS,
        "action_failed": {"type": "boolean"},
        "detail": TEXT,
        "warning": TEXT,
        "opt_out": TEXT,
        "word": {**TEXT, "description": "The provider's own word for how it ended"},
        "price": {**TEXT, "description": "As the provider writes it"},
        "currency": TEXT,
        "parts": {**COUNT, "description": "Segments, or pages"},
        "recording": TEXT,
        "evidence": {"type": "object"},
    }
    return object_of(properties, "number", "begun")


def _batch_answer() -> dict[str, Any]:
    job = object_of(
        {"id": TEXT, "state": {"enum": list(State)}, "key": {"type": ["string", "null"]}},
        "id",
        "state",
        "key",
    )
    line = {"line": {"type": "integer", "minimum": 1}}
    good = object_of(
        {**line, "status": {"enum": [200, 201]}, "jobs": {"type": "array", "items": job}},
        "line",
        "status",
        "jobs",
    )
    judged = object_of(
        {
            **line,
            "status": {"const": 200},
            "verdict": {"enum": ["now", "later", "refused"], "description": "Only with dry_run=1"},
            "rule": TEXT,
            "why": TEXT,
            "at": {"type": ["string", "null"], "format": "date-time"},
            "to": {"type": "array", "items": TEXT},
            "call_file": {"type": "string", "description": "Of the first line that would be called"},
        },
        *("line", "status", "verdict", "rule", "why", "at", "to"),
    )
    bad = {"allOf": [ref("Problem"), {"type": "object", "properties": line, "required": ["line"]}]}
    return {"oneOf": [good, judged, bad]}


def _problem() -> dict[str, Any]:
    rule = {**TEXT, "description": "The rule that refuses; absent where it is plainly wrong"}
    mistake = object_of({"where": TEXT, "what": TEXT, "rule": rule}, "where", "what")
    properties = {
        "type": {"enum": [f"urn:dialerd:problem:{name}" for name in TITLES]},
        "title": TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": TEXT,
        "mistakes": {"type": "array", "items": mistake, "minItems": 1},
        "job": {"type": "string", "description": "The job that has the key"},
        "key": TEXT,
        "retry_after": {**COUNT, "description": "Seconds, as in Retry-After"},
        "line": {"type": "integer", "description": "In a batch, the line's number"},
        "rule": rule,
        "provider": {**TEXT, "description": "The provider that it is of"},
    }
    return object_of(properties, "type", "title", "status", "detail")
