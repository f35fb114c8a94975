"""Errors as RFC 9457 problem documents: one table from our errors to HTTP's."""

import json
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from dialerd.core.errors import (
    Broken,
    DialerError,
    InvalidJob,
    KeyConflict,
    Mistake,
    NoSuchJob,
    NotAllowed,
    NotPermitted,
    Overloaded,
)

TYPE = "application/problem+json"
_RETRY_AFTER_S = 5
TITLES = {
    "unreadable": "The request can't be read",
    "not-found": "There is nothing at this address",
    "no-such-job": "There is no such job",
    "method-not-allowed": "This address does not take this method",
    "too-slow": "The request did not arrive in time",
    "key-conflict": "This key stands for another job",
    "not-allowed": "The job's state does not allow this",
    "not-permitted": "You may not do this",
    "too-large": "The request is too large",
    "unsupported-encoding": "The request is encoded in a way that is not taken",
    "invalid-job": "The job has mistakes",
    "invalid-request": "The request has mistakes",
    "too-many-connections": "You have too many connections",
    "overloaded": "A bound is reached",
    "refused-by-provider": "The provider refuses it",
    "account-refused": "The provider refuses the account",
    "unavailable": "The provider did not do it",
    "unconfirmed": "It is not known whether it was done",
    "bug": "dialerd made a mistake",
}
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Problem(Exception):
    """An answer that is no success. `members` go into the document beside RFC 9457's own."""

    def __init__(self, status: int, name: str, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status, self.name, self.detail, self.members = status, name, detail, members
        self.headers: dict[str, str] = {}
        self.close = False

    def document(self) -> dict[str, Any]:
        """The problem document (RFC 9457, section 3)."""
        return {
            "type": f"urn:dialerd:problem:{self.name}",
            "title": TITLES[self.name],
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }


def encode(value: Any) -> bytes:
    """JSON as we send it. A lone surrogate, which can't be UTF-8, is sent as a question mark."""
    text: str = _encode(value)
    return text.encode("utf-8", "replace")


def mistakes(found: Iterable[Mistake]) -> list[dict[str, str]]:
    """Mistakes as they stand in a problem document."""
    return [_told(mistake) for mistake in found]


def _told(mistake: Mistake) -> dict[str, str]:
    told = {"where": mistake.where, "what": mistake.what}
    return {**told, "rule": mistake.rule} if mistake.rule else told


def invalid(found: list[Mistake], status: int = 422, name: str = "invalid-request") -> Problem:
    """A problem that lists every mistake."""
    detail = str(found[0]) if len(found) == 1 else f"There are {len(found)} mistakes; the first is {found[0]}"
    return Problem(status, name, detail, mistakes=mistakes(found))


def from_error(error: DialerError) -> Problem:
    """The problem that an error of ours is to the client."""
    match error:
        case InvalidJob():
            return invalid(error.mistakes, name="invalid-job")
        case KeyConflict():
            return Problem(409, "key-conflict", str(error), job=error.job_id, key=error.key)
        case NoSuchJob():
            return Problem(404, "no-such-job", str(error))
        case NotPermitted():
            return Problem(403, "not-permitted", str(error), rule=error.rule)
        case NotAllowed():
            return Problem(409, "not-allowed", str(error))
        case Overloaded():
            return overloaded(str(error), error.retry_after)
        case Broken():
            return overloaded(str(error), _RETRY_AFTER_S)
    raise error


def overloaded(detail: str, retry_after: int = _RETRY_AFTER_S) -> Problem:
    """503: nothing was done; the client may ask again after `retry_after` seconds."""
    problem = Problem(503, "overloaded", detail, retry_after=retry_after)
    problem.headers["Retry-After"] = str(retry_after)
    return problem


def respond(problem: Problem) -> web.Response:
    """The problem as a response."""
    body = encode(problem.document())
    response = web.Response(
        status=problem.status, body=body, headers={**problem.headers, "Content-Type": TYPE}
    )
    if problem.close:
        response.force_close()
    return response


def raw(problem: Problem) -> bytes:
    """The problem as bytes, for a connection on which no request was understood."""
    body = encode(problem.document())
    head = f"HTTP/1.1 {problem.status} {problem.name}\r\nContent-Type: {TYPE}\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
