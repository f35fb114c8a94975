"""Whether a request is one that an OpenAPI file allows: its operation, required fields, names, types, enums
and patterns."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest

from dialerd.providers.wire import FORM, Request

SPECS = Path(__file__).resolve().parents[3] / "shared" / "specs"
"""Beside the project, where the machine has them."""

_DEEP = re.compile(r"([^\[\]]+)|\[([^\[\]]*)\]")
_PYTHON = {
    "string": str,
    "boolean": bool,
    "object": dict,
    "array": list,
    "number": int | float,
    "integer": int,
    "null": type(None),
}


def spec(name: str) -> Any:
    """An OpenAPI file; skips the tests where it is not there, or can't be read."""
    path = SPECS / name
    if not path.exists():
        pytest.skip(f"there is no {path}: the published API is not compared", allow_module_level=True)
    if path.suffix == ".json":
        return json.loads(path.read_text())
    yaml = pytest.importorskip("yaml", reason="PyYAML is not there to read the published API")
    with path.open() as file:
        return yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def violations(api: Any, request: Request, prefix: str = "") -> list[str]:
    """What the file has against a request. `prefix`: of its paths, which ours leave out."""
    return list(_Check(api).request(request, prefix))


class _Check:
    def __init__(self, api: Any) -> None:
        self.api = api

    def request(self, request: Request, prefix: str) -> Iterator[str]:
        path, _, _ = request.path.partition("?")
        template, item = self.item(prefix + path)
        operation = item.get(request.method.lower()) if item else None
        if template is None or item is None or operation is None:
            yield f"there is no {request.method} {path}"
            return
        parameters = [
            self.deref(each) for each in (*item.get("parameters", ()), *operation.get("parameters", ()))
        ]
        yield from self.in_path(template, prefix + path, parameters)
        yield from self.in_query(request, [each for each in parameters if each["in"] == "query"])
        yield from self.in_body(request, self.deref(operation.get("requestBody") or {}))

    def item(self, path: str) -> tuple[str | None, Any]:
        """The path of the file that fits, one without parameters first."""
        fits = [each for each in self.api["paths"] if re.fullmatch(_pattern(each), path)]
        best = min(fits, key=lambda each: each.count("{"), default=None)
        return best, self.api["paths"][best] if best is not None else None

    def in_path(self, template: str, path: str, parameters: list[Any]) -> Iterator[str]:
        found = re.fullmatch(_pattern(template), path)
        assert found is not None
        names = re.findall(r"\{([^}]+)\}", template)
        schemas = {each["name"]: each.get("schema", {}) for each in parameters if each["in"] == "path"}
        for name, value in zip(names, found.groups(), strict=True):
            yield from self.value(name, unquote(value), schemas.get(name, {}))

    def in_query(self, request: Request, parameters: list[Any]) -> Iterator[str]:
        pairs = (
            parse_qsl(request.query, keep_blank_values=True)
            if isinstance(request.query, str)
            else request.query
        )
        schemas = {each["name"]: each.get("schema", {}) for each in parameters}
        for name, value in pairs:
            schema = self.of_query(name, schemas)
            if schema is None:
                yield f"query: there is no {name}"
            else:
                yield from self.value(f"query: {name}", value, schema)
        for each in parameters:
            if each.get("required") and each["name"] not in {name.partition("[")[0] for name, _ in pairs}:
                yield f"query: {each['name']} is required"

    def of_query(self, name: str, schemas: Mapping[str, Any]) -> Any:
        """The schema of a name such as filter[to][eq], which is of the style deepObject; None for none."""
        if name in schemas:
            return schemas[name]
        first, *steps = [plain or inside for plain, inside in _DEEP.findall(name)]
        schema = self.deref(schemas.get(first))
        for step in steps if schema is not None else ():
            free = schema.get("additionalProperties") is True
            schema = self.deref(schema.get("properties", {}).get(step))
            if schema is None:
                return {} if free else None
        return schema

    def in_body(self, request: Request, body: Any) -> Iterator[str]:
        content = body.get("content", {})
        kind, sent = _sent(request)
        if kind is None:
            if body.get("required"):
                yield "a body is required"
        elif kind not in content:
            if sent:
                yield f"there is no body of {kind}, only {', '.join(content)}"
        else:
            schema = content[kind]["schema"]
            yield from (
                self.pairs(sent, schema) if kind != "application/json" else self.value("", sent, schema)
            )

    def pairs(self, sent: Any, schema: Any) -> Iterator[str]:
        """A form: a name that is repeated must be an array."""
        schema = self.deref(schema)
        properties = schema.get("properties", {})
        for name, value in sent:
            if name not in properties:
                yield f"there is no {name}"
                continue
            inside = self.deref(properties[name])
            many = inside.get("type") == "array"
            if not many and [each for each, _ in sent].count(name) > 1:
                yield f"{name} is repeated"
            yield from self.value(name, value, inside["items"] if many else inside)
        yield from (f"{name} is required" for name in schema.get("required", ()) if name not in dict(sent))

    def value(self, where: str, value: Any, schema: Any) -> Iterator[str]:
        schema = self.deref(schema)
        yield from self.combined(where, value, schema)
        if not isinstance(value, str) and not _is(value, schema.get("type")):
            yield f"{where}: {value!r} is no {schema['type']}"
        if isinstance(value, str):
            yield from _text(where, value, schema)
        if type(value) is int and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            yield f"{where}: {value} is out of bounds"
        if isinstance(value, dict):
            yield from self.object(where, value, schema)
        if isinstance(value, list):
            for index, each in enumerate(value):
                yield from self.value(f"{where}[{index}]", each, schema.get("items", {}))

    def object(self, where: str, value: Mapping[str, Any], schema: Any) -> Iterator[str]:
        properties = self.properties(schema)
        for name, each in value.items():
            if name in properties:
                yield from self.value(f"{where}.{name}", each, properties[name])
            elif properties:
                yield f"there is no {where}.{name}"
        yield from (f"{where}.{name} is required" for name in schema.get("required", ()) if name not in value)

    def properties(self, schema: Any) -> dict[str, Any]:
        """Those of all parts of a schema."""
        schema = self.deref(schema)
        found = dict(schema.get("properties", {}))
        for part in (*schema.get("allOf", ()), *schema.get("oneOf", ()), *schema.get("anyOf", ())):
            found = {**self.properties(part), **found}
        return found

    def combined(self, where: str, value: Any, schema: Any) -> Iterator[str]:
        for part in schema.get("allOf", ()):
            required = self.deref(part).get("required", ())
            yield from (f"{where}.{name} is required" for name in required if name not in value)
        for key in ("oneOf", "anyOf"):
            parts = [self.deref(part) for part in schema.get(key, ())]
            fits = [part for part in parts if self.fits(value, part)]
            if parts and (not fits or (key == "oneOf" and len(fits) > 1)):
                yield f"{where}: it fits {len(fits)} of {key}"

    def fits(self, value: Any, part: Any) -> bool:
        """By type, and by the names that it has or has not."""
        if not _is(value, part.get("type")):
            return False
        given = value if isinstance(value, dict) else {}
        forbidden = [name for name, each in part.get("properties", {}).items() if each == {"not": {}}]
        return set(part.get("required", ())) <= set(given) and not set(forbidden) & set(given)

    def deref(self, value: Any) -> Any:
        while isinstance(value, dict) and "$ref" in value:
            found = self.api
            for step in value["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            value = found
        return value


def _pattern(template: str) -> str:
    """A path of the file as a regular expression."""
    return "".join(
        "([^/]+?)" if each.startswith("{") else re.escape(each) for each in re.split(r"(\{[^}]+\})", template)
    )


def _sent(request: Request) -> tuple[str | None, Any]:
    """A request's body, and what it is sent as."""
    if request.parts:
        return "multipart/form-data", [*(request.form or ()), *((each.name, "…") for each in request.parts)]
    if request.form is not None:
        return FORM, list(request.form)
    return ("application/json", request.json) if request.json is not None else (None, None)


def _is(value: Any, kind: Any) -> bool:
    kinds = kind if isinstance(kind, list) else [kind]
    if kind is None:
        return True
    if isinstance(value, bool):
        return "boolean" in kinds
    return any(isinstance(value, _PYTHON[each]) for each in kinds)


def _text(where: str, value: str, schema: Any) -> Iterator[str]:
    """A text; forms and queries have numbers and flags as texts."""
    kinds = schema.get("type") if isinstance(schema.get("type"), list) else [schema.get("type")]
    if "integer" in kinds and not re.fullmatch(r"-?\d+", value):
        yield f"{where}: {value!r} is no integer"
    if "boolean" in kinds and value not in ("true", "false"):
        yield f"{where}: {value!r} is no boolean"
    if "enum" in schema and value not in map(str, schema["enum"]):
        yield f"{where}: {value!r} is none of {schema['enum']}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where}: {value!r} does not fit {schema['pattern']}"
    if len(value) > schema.get("maxLength", len(value)):
        yield f"{where}: it is too long"
    formats = {
        "date-time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
        "uri": r"https?://.+",
        "uuid": r"[0-9a-f-]{36}",
    }
    form = formats.get(schema.get("format", ""))
    if form is not None and not re.fullmatch(form, value):
        yield f"{where}: {value!r} is no {schema['format']}"
