"""What a job asks of a provider, to JSON and back. Fields that have their default are left out."""

from dataclasses import MISSING, fields
from functools import cache
from typing import Any

from dialerd.core.tasks import KINDS, Script, Step, Task


def to_document(value: Task | Script | Step) -> dict[str, Any]:
    """The fields that say something."""
    cls: Any = type(value)
    defaults = _defaults(cls)
    found = {name: getattr(value, name) for name in defaults}
    return {name: _plain(each) for name, each in found.items() if each != defaults[name]}


def script_of(document: dict[str, Any]) -> Script:
    """The script in a document."""
    return Script(**{name: _frozen(value) for name, value in document.items()})


def task_of(kind: str, document: dict[str, Any]) -> Task:
    """The task in the document of a job of this kind."""
    made = KINDS[kind]
    assert made is not None
    if "steps" in document:
        document = {**document, "steps": _steps(document["steps"])}
    return made(**{name: _frozen(value) for name, value in document.items()})


def _steps(documents: list[dict[str, Any]]) -> tuple[Step, ...]:
    return tuple(_step(document) for document in documents)


def _step(document: dict[str, Any]) -> Step:
    document = dict(document)
    if "on_digits" in document:
        document["on_digits"] = tuple((digits, _steps(steps)) for digits, steps in document["on_digits"])
    if "on_failure" in document:
        document["on_failure"] = _steps(document["on_failure"])
    return Step(**document)


def _plain(value: Any) -> Any:
    if isinstance(value, Step):
        return to_document(value)
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _frozen(value: Any) -> Any:
    """Lists as tuples, however deep."""
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value


@cache
def _defaults(cls: Any) -> dict[str, Any]:
    return {field.name: None if field.default is MISSING else field.default for field in fields(cls)}
