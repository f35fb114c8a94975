"""GET /v1/whoami: as whom dialerd sees the caller, and what he may."""

from typing import Any

from aiohttp import web

from dialerd.core.policy import Rules, usable
from dialerd.core.roles import Right, destination_lists
from dialerd.intake.api import body
from dialerd.intake.api.connection import permit_of
from dialerd.intake.api.jobs import answer
from dialerd.intake.api.openapi.parts import COUNT, READ, TEXT, answer_of, describe, object_of

_LISTS = ("contexts", "applications", "functions", "channels", "caller_ids")


async def whoami(request: web.BaseRequest, query: str) -> web.Response:
    """GET /v1/whoami: open to everybody who may connect."""
    body.query(query, ())
    permit = permit_of(request)
    caller = permit.caller
    found = {
        "uid": caller.uid,
        "groups": sorted(caller.groups),
        "roles": list(caller.names),
        "rights": [right for right in Right if right in caller.rights],
        "may_use": _may_use(permit.rules) if Right.SUBMIT in caller.rights else None,
    }
    return answer(200, found)


def _may_use(rules: Rules) -> dict[str, Any]:
    return {
        **{name: list(getattr(rules, name)) for name in _LISTS},
        "destinations": destination_lists(rules.destinations),
        "trunks": [name for name in rules.trunks if usable(name, rules)],
        "max_priority": rules.max_priority,
    }


_TEXTS = {"type": "array", "items": TEXT}
_IDS = {"type": "array", "items": COUNT}
_USE = {
    **{name: {**_TEXTS, "description": "Shell patterns"} for name in _LISTS},
    "destinations": {
        "type": "array",
        "items": _TEXTS,
        "description": "A public number may be called where one of these lists allows it",
    },
    "trunks": _TEXTS,
    "max_priority": COUNT,
}
_WHOAMI = {
    "uid": COUNT,
    "groups": {**_IDS, "description": "gids of the process that asks"},
    "roles": _TEXTS,
    "rights": {"type": "array", "items": {"enum": [right.value for right in Right]}},
    "may_use": {
        "anyOf": [object_of(_USE, *_USE), {"type": "null"}],
        "description": "What jobs may ask for; null for whoever may not submit",
    },
}
OPENAPI_PATHS: dict[str, Any] = {
    "/v1/whoami": {
        "get": describe("As whom dialerd sees you, and what you may", {200: answer_of("Whoami")}, READ)
    }
}
OPENAPI_SCHEMAS: dict[str, Any] = {"Whoami": object_of(_WHOAMI, *_WHOAMI)}
