"""GET /openapi.json: every route, what it takes and all that it may answer (OpenAPI 3.1).

The routes of a module are described in it, by its OPENAPI_PATHS and OPENAPI_SCHEMAS; those about jobs, events
and the daemon in `paths`. This package is imported by those modules, so it imports them only when asked.
"""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from dialerd import __version__
from dialerd.intake.api.openapi.paths import paths
from dialerd.intake.api.openapi.schemas import schemas

_MODULES = (
    *("backups", "check", "documents", "figures", "lists", "metrics"),
    *("orders", "providers", "reports", "whoami"),
)
_API = "dialerd.intake.api"


@cache
def openapi() -> dict[str, Any]:
    """The whole document."""
    modules = [import_module(f"{_API}.{name}") for name in _MODULES if find_spec(f"{_API}.{name}")]
    all_paths, all_schemas = paths(), schemas()
    for module in modules:
        for path, operations in module.OPENAPI_PATHS.items():
            all_paths[path] = {**all_paths.get(path, {}), **operations}
        all_schemas |= getattr(module, "OPENAPI_SCHEMAS", {})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "dialerd",
            "version": __version__,
            "description": "Call jobs over a Unix socket: curl --unix-socket /run/dialerd/dialerd.sock http://dialerd/v1/jobs",
        },
        "servers": [{"url": "http://dialerd"}],
        "paths": all_paths,
        "components": {"schemas": all_schemas},
    }
