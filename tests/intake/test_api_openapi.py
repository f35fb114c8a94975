"""/openapi.json says what is so: every route's live answers, the good and the bad, are checked against it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dialerd.core.errors import Overloaded
from dialerd.core.model import Disposition
from dialerd.core.states import State
from dialerd.intake.api import backups, documents, figures, lists, metrics, providers, reports, whoami
from dialerd.intake.api import check as looked_at
from tests.intake.serving import JOB, Heard, Served, ndjson

NONE = "0000000000000"


@dataclass(frozen=True)
class Case:
    """A request of a route and the status that it is answered with."""

    route: str
    status: int
    body: Any = None
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    state: State = State.QUEUED
    missing: bool = False
    setup: Callable[[Served], None] = lambda served: None


def paused(served: Served, scope: str) -> None:
    served.ask("POST", "/v1/pause", {"scope": scope, "reason": "why"})


def full(served: Served) -> None:
    served.desk.refuse = Overloaded("The queue is full.", 5)


GZIP = {"Content_Encoding": "gzip"}
LARGE = b" " * (1 << 20) + b"{}"
RICH = {
    **JOB,
    "caller_id": '"Office" <100>',
    "variables": {"A": "1"},
    "account": "sales",
    "codecs": ["ulaw"],
    "early_media": True,
    "tags": ["blue"],
    "not_before": "in 1h",
    "not_after": "in 2h",
    "batch": "spring",
    "max_retries": 2,
}
CASES = [
    Case("POST /v1/jobs", 201, JOB),
    Case("POST /v1/jobs", 201, RICH),
    Case("POST /v1/jobs", 201, {"to": "+493012345678", "application": "Echo", "data": "x"}),
    Case("POST /v1/jobs", 201, {**JOB, "to": ["+493012345678", "+493012345679"], "ring": "any"}),
    Case("POST /v1/jobs", 201, {**JOB, "to": ["+493012345678", "+493012345679"]}),
    Case("POST /v1/jobs", 200, {**JOB, "key": "present"}),
    Case("POST /v1/jobs", 400, b"{"),
    Case("POST /v1/jobs", 409, {**JOB, "key": "present", "priority": 9}),
    Case("POST /v1/jobs", 413, LARGE),
    Case("POST /v1/jobs", 415, JOB, headers=GZIP),
    Case("POST /v1/jobs", 422, {"to": 1}),
    Case("POST /v1/jobs", 503, JOB, setup=full),
    Case("GET /v1/jobs", 200),
    Case("GET /v1/jobs", 200, query="?limit=1"),
    Case("GET /v1/jobs", 422, query="?x=1"),
    Case(
        "POST /v1/jobs/batch",
        200,
        ndjson(JOB, {**JOB, "key": "k"}, {**JOB, "key": "present", "priority": 9}) + b"{\n",
    ),
    Case("POST /v1/jobs/batch", 200, ndjson({**JOB, "key": "k"}), setup=full),
    Case("POST /v1/jobs/batch", 200, ndjson(JOB, {"to": 1}), query="?dry_run=1"),
    Case("POST /v1/jobs/batch", 415, b"", headers=GZIP),
    Case("POST /v1/jobs/batch", 422, b"", query="?x=1"),
    Case("GET /v1/jobs/{id}", 200),
    Case("GET /v1/jobs/{id}", 404, missing=True),
    Case("GET /v1/jobs/{id}", 422, query="?x=1"),
    Case("GET /v1/events", 200, query="?follow=0"),
    Case("GET /v1/events", 422, query="?after=x"),
    Case("GET /v1/status", 200),
    Case("GET /v1/status", 422, query="?x=1"),
    Case("GET /v1/orders", 200, setup=lambda served: paused(served, "all")),
    Case("GET /v1/orders", 422, query="?x=1"),
    Case("GET /v1/trunks", 200),
    Case("GET /v1/trunks", 422, query="?x=1"),
    Case("POST /v1/batches/{name}/cancel", 200),
    Case("POST /v1/batches/{name}/cancel", 409, query="?owner=4242"),
    Case("POST /v1/batches/{name}/cancel", 422, query="?owner=x"),
    Case("GET /healthz", 200),
    Case("GET /openapi.json", 200),
]
for route, body in (
    ("POST /v1/pause", {"scope": "all"}),
    ("POST /v1/resume", {"scope": "batch:spring"}),
    ("POST /v1/batches/{name}/cancel", {}),
):
    CASES += [
        Case(route, 200, body),
        Case(route, 400, b"{"),
        Case(route, 413, LARGE),
        Case(route, 415, body, headers=GZIP),
        Case(route, 422, {"scpe": "all"}),
    ]
    if body:
        CASES.append(Case(route, 409, {"scope": "trunk:none"}))
VERBS = {
    "cancel": (State.QUEUED, State.COMPLETED),
    "hold": (State.QUEUED, State.COMPLETED),
    "release": (State.HELD, State.QUEUED),
    "requeue": (State.FAILED, State.QUEUED),
    "resolve": (State.HELD, State.QUEUED),
}
for verb, (allowed, not_allowed) in VERBS.items():
    route, body = f"POST /v1/jobs/{{id}}/{verb}", {"as": "completed"} if verb == "resolve" else None
    CASES += [
        Case(route, 200, body, state=allowed),
        Case(route, 400, b"{", state=allowed),
        Case(route, 404, body, missing=True),
        Case(route, 409, body, state=not_allowed),
        Case(route, 413, LARGE),
        Case(route, 415, {}, headers=GZIP),
        Case(route, 422, body, query="?x=1"),
    ]
CASES.append(Case("POST /v1/jobs/{id}/cancel", 202, state=State.SUBMITTED))
ELSEWHERE = {403: "test_api_orders", 408: "test_api_hostile", 429: "test_api_hostile"}
"""Answers that take time or crowds to bring about, where they are tested. They share one form: Problem."""

OTHERS = {
    path
    for module in (looked_at, backups, documents, figures, lists, metrics, providers, reports, whoami)
    for path in module.OPENAPI_PATHS
}
"""Routes whose own tests hold their answers against their description."""


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Served(tmp_path_factory.mktemp("api") / "s") as served:
        return served.ask("GET", "/openapi.json").json


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path / "s") as running:
        yield running


def operation(described: Any, route: str) -> Any:
    method, path = route.split()
    return described["paths"][path][method.lower()]


def check(described: Any, schema: Any, value: Any) -> None:
    whole = {**schema, "components": described["components"]}
    jsonschema.Draft202012Validator(whole).validate(value)


def ask(served: Served, case: Case) -> Heard:
    job = served.ask("POST", "/v1/jobs", {**JOB, "key": "present"}).json
    served.ask("POST", "/v1/jobs", {**JOB, "key": "of a batch", "batch": "spring"})
    served.desk.end(job["id"], Disposition.ANSWERED)
    served.desk.put(job["id"], case.state, "why")
    case.setup(served)
    method, path = case.route.split()
    return served.ask(
        method,
        path.replace("{id}", NONE if case.missing else job["id"]).replace("{name}", "spring") + case.query,
        case.body,
        **case.headers,
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.route} {case.status}")
def test_an_answer_is_as_described(served: Served, described: Any, case: Case) -> None:
    heard = ask(served, case)
    assert heard.status == case.status
    answer = operation(described, case.route)["responses"][str(case.status)]
    (content_type,) = answer["content"]
    assert heard.type.split(";")[0] == content_type
    schema = answer["content"][content_type]["schema"]
    if content_type == "application/x-ndjson":
        for line in heard.lines:
            check(described, {"$ref": "#/components/schemas/BatchAnswer"}, line)
    elif content_type == "text/event-stream":
        for line in heard.data.splitlines():
            if line.startswith(b"data: "):
                check(described, {"$ref": "#/components/schemas/Event"}, json.loads(line[6:]))
    else:
        check(described, schema, heard.json)


def test_every_described_answer_of_every_route_has_a_case(described: Any) -> None:
    described_answers = {
        (f"{method.upper()} {path}", int(status))
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
        if method != "parameters" and path not in OTHERS
        for status in operation["responses"]
        if status != "default" and int(status) not in ELSEWHERE
    }
    refusable = {(route, status) for route, status in described_answers if status == 503}
    tried = {(case.route, case.status) for case in CASES}
    hold = {("POST /v1/jobs/{id}/hold", 202)}
    assert described_answers - tried - refusable - hold == set()
    assert {route for route, _ in tried} == {route for route, _ in described_answers}


def test_a_submitted_document_fits_the_described_one(described: Any) -> None:
    check(described, {"$ref": "#/components/schemas/JobDocument"}, RICH)
    with pytest.raises(jsonschema.ValidationError):
        check(described, {"$ref": "#/components/schemas/JobDocument"}, {**JOB, "wait_tme": 1})


def test_every_reference_leads_somewhere(described: Any) -> None:
    schemas = set(described["components"]["schemas"])
    text = json.dumps(described)
    named = {part.split('"')[0] for part in text.split('"$ref": "#/components/schemas/')[1:]}
    assert named <= schemas
    assert text.count('"$ref"') == text.count('"$ref": "#/components/schemas/')
    for schema in described["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
