"""The routes that ask providers: one for each read and act of the table (core/operations.py)."""

from typing import Any

from dialerd.core.operations import OPERATIONS, Effect, Operation, Parameter
from dialerd.core.receipts import AccountState, Area, Number, Price, Receipt, RouteEntry
from dialerd.intake.api.openapi.parts import (
    READ,
    TEXT,
    WRITE,
    answer_of,
    array_of,
    content,
    describe,
    object_of,
    query,
    ref,
)

_KINDS: dict[str, dict[str, Any]] = {
    "text": TEXT,
    "number": {**TEXT, "description": "E.164, or as it is dialled at home"},
    "owned": {**TEXT, "description": "E.164 with +, or the provider's id of the number"},
    "dest": {**TEXT, "description": "A number, or room:NAME"},
    "time": {**TEXT, "description": "ISO 8601, a day (UTC), or how long ago: 1d ago"},
    "integer": {"type": "integer", "minimum": 0},
    "flag": {"type": "boolean"},
}
_NAME = {"name": "name", "in": "path", "required": True, "schema": TEXT}
_RAW = query("raw", {"enum": ["0", "1"], "default": "0"}, "1: with the provider's own record, as it came")
_ONLY = query("provider", TEXT, "Ask only this one; may be repeated")
_BAD = (*WRITE[:2], 404, *WRITE[2:], 502, 504)
_OPEN = {"type": "object", "additionalProperties": True}


def _route(operation: Operation, method: str, summary: str, schema: str) -> dict[str, Any]:
    """A read by GET has its parameters in the query; all else has them in the body."""
    route = describe(
        summary, {200: answer_of(schema)}, (403, 404, 422, 429, 502, 503, 504) if method == "get" else _BAD
    )
    if method == "get":
        return {**route, "parameters": [_RAW, *map(_in_query, operation.parameters)]}
    given = {each.name: {**_KINDS[each.kind], "title": each.help} for each in operation.parameters}
    required = [each.name for each in operation.parameters if each.required]
    body = {"required": bool(required), **content(object_of(given, *required))}
    return {**route, "parameters": [_RAW], "requestBody": body}


def _in_query(parameter: Parameter) -> dict[str, Any]:
    found = query(parameter.name, _KINDS[parameter.kind], parameter.help)
    return {**found, "required": True} if parameter.required else found


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = {
        "/v1/providers": {
            "get": describe(
                "The accounts with providers, and how they stand", {200: answer_of("Providers")}, READ
            )
        },
        "/v1/providers/check": {
            "post": {
                **describe(
                    "Ask each whether it answers, with what costs nothing",
                    {200: answer_of("Checks")},
                    (404, *WRITE[1:]),
                ),
                "parameters": [_ONLY],
            }
        },
    }
    for operation in OPERATIONS.values():
        if operation.effect is Effect.JOB:
            continue
        methods = ("get", "post") if operation.effect is Effect.READ else ("post",)
        one = {method: _route(operation, method, operation.help, "ProviderAnswer") for method in methods}
        paths[f"/v1/providers/{{name}}/{operation.name}"] = {"parameters": [_NAME], **one}
        if operation.effect is Effect.READ:
            summary = f"{operation.help} Of all providers that can be asked"
            several = {method: _route(operation, method, summary, "ProviderAnswers") for method in methods}
            paths[f"/v1/ask/{operation.name}"] = {"parameters": [_ONLY], **several}
    return paths


def _record(value: type) -> dict[str, Any]:
    """Any of the members that a value may have; numbers may have more (what we know of them)."""
    return {**_OPEN, "description": (value.__doc__ or "").split("\n\n")[0].replace("\n    ", " ")}


_ITEMS = [_record(each) for each in (Receipt, Number, Area, Price, RouteEntry, AccountState)]
_ANSWER = {
    "provider": TEXT,
    "value": {"anyOf": _ITEMS, "description": "What a single thing is"},
    "items": {
        "type": "array",
        "items": {"anyOf": _ITEMS},
        "description": "What a list holds, all pages of it",
    },
}
_STATES = ["reachable", "refused", "unreachable", "unknown"]
_CHECK = {
    "provider": TEXT,
    "state": {"enum": _STATES},
    "asked": {**TEXT, "description": "The operation that it was asked for"},
    "what": {**TEXT, "description": "Why it is not reachable"},
    "value": _OPEN,
    "error": ref("Problem"),
}
_STANDINGS = ["up", "paused", "refused", "waits", "out of order", "on trial", "capped"]
_PROVIDER = {
    "name": TEXT,
    "type": TEXT,
    "operations": {"type": "array", "items": TEXT},
    "state": {"enum": _STANDINGS},
}

OPENAPI_PATHS: dict[str, Any] = _paths()
OPENAPI_SCHEMAS: dict[str, Any] = {
    "Provider": {**object_of(_PROVIDER, *_PROVIDER), "additionalProperties": True},
    "Providers": object_of({"providers": array_of("Provider")}, "providers"),
    "ProviderCheck": object_of(_CHECK, "provider", "state"),
    "Checks": object_of({"checks": array_of("ProviderCheck")}, "checks"),
    "ProviderAnswer": object_of(_ANSWER, "provider"),
    "ProviderAnswers": object_of({"answers": array_of("ProviderAnswerOrError")}, "answers"),
    "ProviderAnswerOrError": object_of({**_ANSWER, "error": ref("Problem")}, "provider"),
}
"""What openapi.json says of these routes."""
