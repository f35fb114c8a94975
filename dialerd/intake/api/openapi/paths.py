"""The routes about jobs, events and the daemon itself."""

from typing import Any

from dialerd.core.states import State
from dialerd.intake.api.openapi.parts import (
    COUNT,
    ID,
    KEY,
    READ,
    TEXT,
    WRITE,
    answer_of,
    content,
    describe,
    query,
    ref,
)

_VERBS = {
    "cancel": "Cancel a job. 202: the call is under way; the job is cancelled once that is certain",
    "hold": "Hold a job until it is released. 202: its call file is being taken back",
    "release": "Let a held job go on",
    "requeue": "Try a failed or expired job again",
    "resolve": "Say what became of a job in doubt",
}


def paths() -> dict[str, Any]:
    """Every route by its address."""
    paths: dict[str, Any] = {
        "/v1/jobs": {"post": _submit(), "get": _list()},
        "/v1/jobs/batch": {"post": _batch()},
        "/v1/jobs/{id}": {
            "parameters": [ID],
            "get": describe("Show a job with its attempts", {200: answer_of("Job")}, (404, *READ)),
        },
        "/v1/events": {"get": _events()},
        "/v1/status": {"get": describe("How the daemon is", {200: answer_of("Status")}, READ)},
        "/healthz": {"get": describe("Whether it lives", {200: answer_of("Health")}, (429, 503))},
        "/openapi.json": {"get": describe("This document", {200: content({"type": "object"})}, (429, 503))},
    }
    for verb, summary in _VERBS.items():
        good = {200: answer_of("Job"), **({202: answer_of("Job")} if verb in ("cancel", "hold") else {})}
        route = describe(summary, good, (404, 409, *WRITE))
        if verb == "resolve":
            route["parameters"] = [
                query("as", {"enum": ["completed", "failed", "requeue"]}, "Instead of a body")
            ]
            route["requestBody"] = content(ref("Resolution"))
        paths[f"/v1/jobs/{{id}}/{verb}"] = {"parameters": [ID], "post": route}
    return paths


def _submit() -> dict[str, Any]:
    several = {"oneOf": [ref("Job"), ref("Jobs")]}
    route = describe(
        "Submit a job; a document with several numbers makes several",
        {
            201: {"description": "Accepted, and on disk", **content(several)},
            200: {"description": "Accepted before, under this key; as it stands now", **content(several)},
        },
        (409, *WRITE),
    )
    return {**route, "parameters": [KEY], "requestBody": {"required": True, **content(ref("JobDocument"))}}


def _list() -> dict[str, Any]:
    route = describe("List jobs, newest first", {200: answer_of("Page")}, READ)
    states = {"type": "string", "description": ", ".join(State)}
    return {
        **route,
        "parameters": [
            query("state", states, "One or more states, with commas between"),
            query("batch", TEXT, "Jobs of this batch"),
            query("kind", TEXT, "Jobs of this kind: call, sms, fax, conference, ivr, number, received"),
            query("tag", TEXT, "Jobs with this tag"),
            query("key", TEXT, "Jobs with this key"),
            query("to", TEXT, "Jobs to this number: E.164 (with %2B for +) or an extension"),
            query("owner", COUNT, "Jobs of this user (a uid)"),
            query(
                "limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}, "Jobs on a page"
            ),
            query("last", {"enum": ["1"]}, "Each job with its newest attempt, as `last`"),
            query("cursor", TEXT, "`next` of the page before"),
        ],
    }


def _batch() -> dict[str, Any]:
    ndjson = {"application/x-ndjson": {"schema": TEXT}}
    route = describe(
        "Submit many jobs, one JSON document a line; one answer a line, as they are accepted",
        {200: {"description": "One BatchAnswer a line, in order", "content": ndjson}},
        (403, 415, 422, 429, 503),
    )
    batch = query(
        "batch",
        TEXT,
        "The batch of lines that name none; without Idempotency-Key also what keys derive from",
    )
    dry = query("dry_run", {"enum": ["0", "1"], "default": "0"}, "1: judge each line, and accept none")
    return {**route, "parameters": [KEY, batch, dry], "requestBody": {"required": True, "content": ndjson}}


def _events() -> dict[str, Any]:
    stream = {
        "description": "Server-sent events; `data` is an Event",
        "content": {"text/event-stream": {"schema": TEXT}},
    }
    last = {
        "name": "Last-Event-ID",
        "in": "header",
        "schema": TEXT,
        "description": "As `after`, and before it",
    }
    return {
        **describe("What happens", {200: stream}, READ),
        "parameters": [
            last,
            query("after", COUNT, "Begin behind this event; default: the newest, or 0 with follow=0"),
            query("follow", {"enum": ["0", "1"], "default": "1"}, "0: end at the newest event"),
            query("job", TEXT, "Events of this job"),
            query("batch", TEXT, "Events of this batch's jobs"),
            query("type", TEXT, "One or more event types, with commas between"),
        ],
    }
