"""GET /metrics: what Prometheus reads, made in a thread of the loop's pool."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from dialerd.core.roles import Right
from dialerd.intake.api import body
from dialerd.intake.api.connection import caller_of
from dialerd.intake.api.openapi.parts import READ, TEXT, describe

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus' text format (prometheus.io/docs/instrumenting/exposition_formats)."""

Handler = Callable[[web.BaseRequest, str], Awaitable[web.StreamResponse]]


def metrics_table(metrics: Callable[[], bytes] | None) -> dict[str, dict[str, Handler]]:
    """The route, where there are metrics."""
    if metrics is None:
        return {}

    async def show(request: web.BaseRequest, query: str) -> web.Response:
        body.query(query, ())
        caller_of(request).require(Right.VIEW_ALL, "read the metrics")
        return await text_of(metrics)

    return {"/metrics": {"GET": show}}


async def text_of(metrics: Callable[[], bytes]) -> web.Response:
    """The metrics as they are now."""
    text = await asyncio.get_running_loop().run_in_executor(None, metrics)
    return web.Response(body=text, headers={"Content-Type": MEDIA_TYPE})


OPENAPI_PATHS: dict[str, Any] = {
    "/metrics": {
        "get": describe(
            "Metrics, in Prometheus' text format",
            {200: {"content": {"text/plain": {"schema": TEXT}}}},
            READ,
        )
    }
}
