"""GET /openapi.json: every route, what it takes and all that it may answer (OpenAPI 3.1)."""

from functools import cache
from typing import Any

from dialerd import __version__
from dialerd.core.model import Disposition, OnDoubt
from dialerd.core.states import State
from dialerd.intake import document
from dialerd.intake.api.problems import TITLES, TYPE

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_TIME = {"type": "string", "format": "date-time", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}
_SECONDS = {"type": ["number", "null"]}
_ONE_OR_MANY = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
_CODES = {
    400: "The request, or its JSON, can't be read",
    404: "There is no such job",
    408: "The request did not arrive in time",
    409: "The key stands for another job, or the job's state does not allow this",
    413: "The request is too large",
    415: "The body has a Content-Encoding",
    422: "There are mistakes in it; all of them are listed",
    429: "This user has too many connections",
    503: "A bound is reached; nothing was accepted",
}
_READ = (422, 429, 503)
_WRITE = (400, 408, 413, 415, 422, 429, 503)
_VERBS = {
    "cancel": "Cancel a job. 202: the call is under way; the job is cancelled once that is certain",
    "hold": "Hold a job until it is released. 202: its call file is being taken back",
    "release": "Let a held job go on",
    "requeue": "Try a failed or expired job again",
    "resolve": "Say what became of a job in doubt",
}


@cache
def openapi() -> dict[str, Any]:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "dialerd",
            "version": __version__,
            "description": "Call jobs over a Unix socket: curl --unix-socket /run/dialerd/dialerd.sock http://dialerd/v1/jobs",
        },
        "servers": [{"url": "http://dialerd"}],
        "paths": _paths(),
        "components": {"schemas": _schemas()},
    }


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = {
        "/v1/jobs": {"post": _submit(), "get": _list()},
        "/v1/jobs/batch": {"post": _batch()},
        "/v1/jobs/{id}": {
            "parameters": [_ID],
            "get": _route("Show a job with its attempts", {200: _json("Job")}, (404, *_READ)),
        },
        "/v1/events": {"get": _events()},
        "/v1/status": {"get": _route("How the daemon is", {200: _json("Status")}, _READ)},
        "/healthz": {"get": _route("Whether it lives", {200: _json("Health")}, (429, 503))},
        "/openapi.json": {"get": _route("This document", {200: _content({"type": "object"})}, (429, 503))},
    }
    for verb, summary in _VERBS.items():
        good = {200: _json("Job"), **({202: _json("Job")} if verb in ("cancel", "hold") else {})}
        route = _route(summary, good, (404, 409, *_WRITE))
        if verb == "resolve":
            route["parameters"] = [
                _query("as", {"enum": ["completed", "failed", "requeue"]}, "Instead of a body")
            ]
            route["requestBody"] = _content(_ref("Resolution"))
        paths[f"/v1/jobs/{{id}}/{verb}"] = {"parameters": [_ID], "post": route}
    return paths


def _submit() -> dict[str, Any]:
    several = {"oneOf": [_ref("Job"), _ref("Jobs")]}
    route = _route(
        "Submit a job; a document with several numbers makes several",
        {
            201: {"description": "Accepted, and on disk", **_content(several)},
            200: {"description": "Accepted before, under this key; as it stands now", **_content(several)},
        },
        (409, *_WRITE),
    )
    return {**route, "parameters": [_KEY], "requestBody": {"required": True, **_content(_ref("JobDocument"))}}


def _list() -> dict[str, Any]:
    route = _route("List jobs, newest first", {200: _json("Page")}, _READ)
    states = {"type": "string", "description": ", ".join(State)}
    return {
        **route,
        "parameters": [
            _query("state", states, "One or more states, with commas between"),
            _query("batch", _TEXT, "Jobs of this batch"),
            _query("tag", _TEXT, "Jobs with this tag"),
            _query("key", _TEXT, "Jobs with this key"),
            _query("to", _TEXT, "Jobs to this number: E.164 (with %2B for +) or an extension"),
            _query("owner", _COUNT, "Jobs of this user (a uid)"),
            _query(
                "limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}, "Jobs on a page"
            ),
            _query("cursor", _TEXT, "`next` of the page before"),
        ],
    }


def _batch() -> dict[str, Any]:
    ndjson = {"application/x-ndjson": {"schema": _TEXT}}
    route = _route(
        "Submit many jobs, one JSON document a line; one answer a line, as they are accepted",
        {200: {"description": "One BatchAnswer a line, in order", "content": ndjson}},
        (415, 422, 429, 503),
    )
    batch = _query(
        "batch",
        _TEXT,
        "The batch of lines that name none; without Idempotency-Key also what keys derive from",
    )
    return {**route, "parameters": [_KEY, batch], "requestBody": {"required": True, "content": ndjson}}


def _events() -> dict[str, Any]:
    stream = {
        "description": "Server-sent events; `data` is an Event",
        "content": {"text/event-stream": {"schema": _TEXT}},
    }
    last = {
        "name": "Last-Event-ID",
        "in": "header",
        "schema": _TEXT,
        "description": "As `after`, and before it",
    }
    return {
        **_route("What happens", {200: stream}, _READ),
        "parameters": [
            last,
            _query("after", _COUNT, "Begin behind this event; default: the newest, or 0 with follow=0"),
            _query("follow", {"enum": ["0", "1"], "default": "1"}, "0: end at the newest event"),
            _query("job", _TEXT, "Events of this job"),
            _query("batch", _TEXT, "Events of this batch's jobs"),
            _query("type", _TEXT, "One or more event types, with commas between"),
        ],
    }


def _route(summary: str, good: dict[int, dict[str, Any]], bad: tuple[int, ...]) -> dict[str, Any]:
    problem = {"content": {TYPE: {"schema": _ref("Problem")}}}
    answers = {str(code): {"description": summary, **answer} for code, answer in good.items()}
    answers |= {str(code): {"description": _CODES[code], **problem} for code in bad}
    answers["default"] = {"description": "Any other error", **problem}
    return {"summary": summary, "responses": answers}


def _schemas() -> dict[str, Any]:
    schemas = {
        "Job": _job(),
        "Attempt": _attempt(),
        "Jobs": _object({"batch": _TEXT, "jobs": _array("Job")}, "batch", "jobs"),
        "Page": _object({"jobs": _array("Job"), "next": {"type": ["string", "null"]}}, "jobs", "next"),
        "BatchAnswer": _batch_answer(),
        "Event": _object(
            {"id": _COUNT, "at": _TIME, "job": _TEXT, "type": _TEXT, "data": {"type": "object"}},
            *("id", "at", "job", "type", "data"),
        ),
        "Problem": _problem(),
        "Resolution": _object({"as": {"enum": ["completed", "failed", "requeue"]}}, "as"),
        "Status": _status(),
        "Health": _object({"status": {"const": "ok"}}, "status"),
    }
    return schemas | _document_schemas()


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
        "kind": {"const": "call"},
        "state": {"enum": [state.value for state in State]},
        "reason": _TEXT,
        "requested": {
            "enum": ["cancel", "hold"],
            "description": "Asked of a call under way, and not certain yet",
        },
        "owner": {**_COUNT, "description": "The uid that submitted it"},
        "key": _TEXT,
        "batch": _TEXT,
        "tags": {"type": "array", "items": _TEXT},
        "priority": {"type": "integer", "minimum": 0, "maximum": 9},
        "created": _TIME,
        "updated": _TIME,
        "not_before": _TIME,
        "not_after": _TIME,
        "to": _ONE_OR_MANY,
        "trunk": _TEXT,
        "channel": _ONE_OR_MANY,
        "ring": {"enum": ["each", "any"]},
        "application": _TEXT,
        "data": _TEXT,
        "context": _TEXT,
        "extension": _TEXT,
        "dialplan_priority": _COUNT,
        "play": _TEXT,
        "caller_id": _object({"name": _TEXT, "number": _TEXT}),
        "variables": {"type": "object", "additionalProperties": _TEXT},
        "account": _TEXT,
        "wait_time": _COUNT,
        "codecs": {"type": "array", "items": _TEXT},
        "early_media": {"type": "boolean"},
        "max_retries": _COUNT,
        "retry_time": _COUNT,
        "on_doubt": {"enum": [choice.value for choice in OnDoubt]},
        "retries": {**_COUNT, "description": "Tries that count against max_retries"},
        "attempt_count": _COUNT,
        "attempts": _array("Attempt"),
    }
    return _object(
        properties, "id", "kind", "state", "owner", "priority", "created", "updated", "attempt_count"
    )


def _status() -> dict[str, Any]:
    properties = {
        "version": _TEXT,
        "uptime_seconds": {"type": "number"},
        "jobs": {"type": "object", "additionalProperties": _COUNT, "description": "Counts by state"},
        "asterisk": {"type": "object"},
        "spool": {"type": "object"},
        "problems": {"type": "array", "items": _TEXT},
        "last_event": _COUNT,
    }
    return {**_object(properties, "version", "jobs", "problems", "last_event"), "additionalProperties": True}


def _attempt() -> dict[str, Any]:
    properties = {
        "number": {"type": "integer", "minimum": 1},
        "trunk": _TEXT,
        "channel": _TEXT,
        "begun": _TIME,
        "handed_over": _TIME,
        "ended": _TIME,
        "disposition": {"enum": [disposition.value for disposition in Disposition]},
        "permanent": {"type": "boolean"},
        "hangup_cause": {"type": "integer", "description": "Q.850"},
        "ring_seconds": _SECONDS,
        "talk_seconds": _SECONDS,
        "action_failed": {"type": "boolean"},
        "detail": _TEXT,
        "warning": _TEXT,
        "evidence": {"type": "object"},
    }
    return _object(properties, "number", "channel", "begun")


def _batch_answer() -> dict[str, Any]:
    job = _object(
        {"id": _TEXT, "state": {"enum": list(State)}, "key": {"type": ["string", "null"]}},
        "id",
        "state",
        "key",
    )
    line = {"line": {"type": "integer", "minimum": 1}}
    good = _object(
        {**line, "status": {"enum": [200, 201]}, "jobs": {"type": "array", "items": job}},
        "line",
        "status",
        "jobs",
    )
    bad = {"allOf": [_ref("Problem"), {"type": "object", "properties": line, "required": ["line"]}]}
    return {"oneOf": [good, bad]}


def _problem() -> dict[str, Any]:
    mistake = _object({"where": _TEXT, "what": _TEXT}, "where", "what")
    properties = {
        "type": {"enum": [f"urn:dialerd:problem:{name}" for name in TITLES]},
        "title": _TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": _TEXT,
        "mistakes": {"type": "array", "items": mistake, "minItems": 1},
        "job": {"type": "string", "description": "The job that has the key"},
        "key": _TEXT,
        "retry_after": {**_COUNT, "description": "Seconds, as in Retry-After"},
        "line": {"type": "integer", "description": "In a batch, the line's number"},
    }
    return _object(properties, "type", "title", "status", "detail")


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema


def _array(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _ref(name)}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _json(name: str) -> dict[str, Any]:
    return _content(_ref(name))


def _query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": description}


_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 13, "maxLength": 13},
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": _TEXT,
    "description": "The key of a document that has none; in a batch, KEY/LINE for each line that has none",
}
