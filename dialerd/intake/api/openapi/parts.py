"""What the description of every route is made of."""

from typing import Any

from dialerd.intake.api.problems import TYPE

TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": 0}
TIME = {"type": "string", "format": "date-time", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}
SECONDS = {"type": ["number", "null"]}
ONE_OR_MANY = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}
_CODES = {
    400: "The request, or its JSON, can't be read",
    403: "This user may not do it",
    404: "There is no such job",
    408: "The request did not arrive in time",
    409: "The key stands for another job, or the job's state does not allow this",
    413: "The request is too large",
    415: "The body has a Content-Encoding",
    422: "There are mistakes in it; all of them are listed",
    429: "This user has too many connections",
    502: "The provider refuses the account",
    503: "A bound is reached; nothing was accepted",
    504: "The provider gave no clear answer: it may have been done",
}
READ = (403, 422, 429, 503)
WRITE = (400, 403, 408, 413, 415, 422, 429, 503)
ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 13, "maxLength": 13},
}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": TEXT,
    "description": "The key of a document that has none; in a batch, KEY/LINE for each line that has none",
}


def describe(summary: str, good: dict[int, dict[str, Any]], bad: tuple[int, ...]) -> dict[str, Any]:
    """A route: what it does, its good answers by status, and the statuses of its problems."""
    problem = {"content": {TYPE: {"schema": ref("Problem")}}}
    answers = {str(code): {"description": summary, **answer} for code, answer in good.items()}
    answers |= {str(code): {"description": _CODES[code], **problem} for code in bad}
    answers["default"] = {"description": "Any other error", **problem}
    return {"summary": summary, "responses": answers}


def object_of(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    """An object with these members and no others."""
    schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema


def array_of(name: str) -> dict[str, Any]:
    """A list of what the schema `name` is."""
    return {"type": "array", "items": ref(name)}


def ref(name: str) -> dict[str, str]:
    """What the schema `name` is."""
    return {"$ref": f"#/components/schemas/{name}"}


def content(schema: dict[str, Any]) -> dict[str, Any]:
    """JSON of this form."""
    return {"content": {"application/json": {"schema": schema}}}


def answer_of(name: str) -> dict[str, Any]:
    """JSON of the form of the schema `name`."""
    return content(ref(name))


def query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    """A parameter behind the `?`."""
    return {"name": name, "in": "query", "schema": schema, "description": description}
