"""A request's body and query, read within bounds of size and time."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl

from aiohttp import web

from dialerd.core.errors import Mistake
from dialerd.core.texts import nearest
from dialerd.intake.api.problems import Problem, invalid
from dialerd.intake.api.settings import ApiSettings

_MAX_PARAMETERS = 50


def too_large(limit: int) -> Problem:
    """413, after which the connection closes: what is still under way is not wanted."""
    problem = Problem(
        413, "too-large", f"A request's body may have {limit} bytes. Send many jobs to /v1/jobs/batch."
    )
    problem.close = True
    return problem


def too_slow(seconds: float) -> Problem:
    """408, after which the connection closes."""
    problem = Problem(408, "too-slow", f"The request's body did not arrive within {seconds:g} seconds.")
    problem.close = True
    return problem


async def prepare(request: web.BaseRequest) -> None:
    """Refuses what we would not read, and says go on to clients that ask first (Expect: 100-continue)."""
    if "Content-Encoding" in request.headers:
        problem = Problem(415, "unsupported-encoding", "Send the body as it is, without a Content-Encoding.")
        problem.close = True
        raise problem
    if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


async def read(request: web.BaseRequest, settings: ApiSettings) -> bytes:
    """The whole body. Raises Problem for one that is too large, too slow or encoded."""
    limit = settings.max_body
    if (request.content_length or 0) > limit:
        raise too_large(limit)
    await prepare(request)
    content = request.content
    if content.is_eof():
        return content.read_nowait()
    pieces = bytearray()
    async with in_time(settings.read_timeout):
        while piece := await content.readany():
            pieces += piece
            if len(pieces) > limit:
                raise too_large(limit)
    return bytes(pieces)


@asynccontextmanager
async def in_time(seconds: float) -> AsyncIterator[None]:
    """Raises the problem "too slow" where the block takes longer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise too_slow(seconds) from None


def query(text: str, known: Collection[str]) -> Mapping[str, list[str]]:
    """The parameters behind the `?`, each with all its values.

    Raises Problem for unknown ones, with the nearest name.
    """
    found: dict[str, list[str]] = {}
    if not text:
        return found
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_PARAMETERS)
    except (ValueError, UnicodeDecodeError):
        raise Problem(
            400, "unreadable", "The address's parameters are too many, or not percent-encoded UTF-8."
        ) from None
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    unknown = [
        Mistake(f"query.{name}", f"There is no parameter {name!r} here.{nearest(name, known)}")
        for name in found
        if name not in known
    ]
    if unknown:
        raise invalid(unknown)
    return found


def whole_number(values: list[str] | None, where: str, default: int, low: int, high: int) -> int:
    """The last of the values as an integer, or the default. Raises Problem."""
    if not values:
        return default
    text = values[-1]
    if text.isascii() and text.isdigit() and len(text) < 20 and low <= int(text) <= high:
        return int(text)
    raise invalid([Mistake(where, f"{text[:40]!r} is no whole number from {low} to {high}.")])
