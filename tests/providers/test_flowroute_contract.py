"""Requests to Flowroute against its OpenAPI file of January 2018, where that lies beside the project.

The file is older than what developer.flowroute.com describes; ELSEWHERE lists where it says less or something
else, with what it says.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dialerd.core.operations import OPERATIONS
from dialerd.core.tasks import Sms
from dialerd.providers.wire import Request
from tests.providers.test_flowroute import ASKED, JOBS, NEWER, OURS, TO, WRAPPED, errand

SPEC = Path(__file__).resolve().parents[3] / "shared" / "specs" / "flowroute_20180117.yaml"

ELSEWHERE = {
    "numbers.configure": "there is no PATCH /v2/numbers/12012673227",
    "numbers.release": "there is no DELETE /v2/numbers/12012673227",
    "iso_country": "there is no parameter iso_country",
    "version 2.2": "there is no POST /v2.2/messages",
    "wrapped": "body: 'from' is a required property",
}
"""By operation, or by what is asked for beyond its rows in the table: the first thing that the file has
against it."""

Spec = Mapping[str, Any]


@pytest.fixture(scope="module")
def spec() -> Spec:
    if not SPEC.exists():
        pytest.skip("Flowroute's OpenAPI file does not lie in ../shared/specs.")
    yaml = pytest.importorskip(
        "yaml", reason="PyYAML, which reads Flowroute's OpenAPI file, is not installed."
    )
    found: Spec = yaml.safe_load(SPEC.read_text())
    return found


def broken(spec: Spec, request: Request) -> list[str]:
    """What the file has against a request."""
    found = _operation(spec, request)
    if found is None:
        return [f"there is no {request.method} {request.path}"]
    assert not isinstance(request.query, str)
    parameters = {each["name"]: each for each in found.get("parameters", []) if each["in"] == "query"}
    return [*_in_query(parameters, dict(request.query)), *_in_body(spec, found, request)]


def _operation(spec: Spec, request: Request) -> Mapping[str, Any] | None:
    """The operation of the file; a path without places to fill in goes first."""
    for path in sorted(spec["paths"], key=lambda each: "{" in each):
        pattern = re.sub(r"\\{[^/]+\\}", "[^/]+", re.escape(path))
        operation = spec["paths"][path].get(request.method.lower())
        if re.fullmatch(pattern, request.path) and operation is not None:
            return dict(operation)
    return None


def _in_query(parameters: Mapping[str, Any], query: Mapping[str, str]) -> Iterator[str]:
    for name, value in query.items():
        if name not in parameters:
            yield f"there is no parameter {name}"
        else:
            yield from _value(name, parameters[name]["schema"], value)
    for name, each in parameters.items():
        if each.get("required") and name not in query:
            yield f"the parameter {name} is missing"


def _value(name: str, schema: Mapping[str, Any], value: str) -> Iterator[str]:
    if schema["type"] == "integer" and not re.fullmatch("-?[0-9]+", value):
        yield f"the parameter {name} is no integer"
    if schema.get("format") == "date-time" and datetime.fromisoformat(value).tzinfo is None:
        yield f"the parameter {name} has no zone"


def _in_body(spec: Spec, operation: Mapping[str, Any], request: Request) -> Iterator[str]:
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return
    if request.media_type not in content:
        yield f"the media type {request.media_type} is not taken"
        return
    schema = {**content[request.media_type]["schema"], "components": spec["components"]}
    for error in Draft202012Validator(schema).iter_errors(request.json):
        yield f"body: {error.message}"


@pytest.mark.parametrize(("operation", "request_"), [(row[0], row[2]) for row in (*JOBS, *ASKED)])
def test_every_request_of_the_table_is_one_of_the_file(spec: Spec, operation: str, request_: Request) -> None:
    wrong = broken(spec, request_)

    expected = ELSEWHERE.get(operation)
    assert wrong == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("what", "request_"),
    [
        ("iso_country", NEWER.numbers_search(country="BE")),
        ("version 2.2", NEWER.sms_send(errand(Sms("Hello", sender=OURS), TO))),
        ("wrapped", WRAPPED.sms_send(errand(Sms("Hello", sender=OURS), TO))),
    ],
)
def test_what_the_file_does_not_know_yet_is_what_we_say_it_is(
    spec: Spec, what: str, request_: Request
) -> None:
    assert broken(spec, request_)[0] == ELSEWHERE[what]


def test_operations_that_the_file_lacks_are_operations_of_ours() -> None:
    assert {name for name in ELSEWHERE if "." in name and " " not in name} <= set(OPERATIONS)
