"""Exit codes of dialerctl: what became of a call can be told from the code alone (docs/client.md)."""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

from dialerd.client import (
    ClientError,
    KeyConflict,
    NoPermission,
    NoSuchJob,
    NotAllowed,
    NotPermitted,
    Refused,
    TryLater,
    Unreachable,
    WaitTimeout,
)

DONE = 0
NOT_DONE = 1
USAGE = 2
WARNED = 3
BUSY = 10
NO_ANSWER = 11
CONGESTION = 12
FAILED = 13
EXPIRED = 14
CANCELLED = 15
HELD = 16
UNDER_WAY = 17
REFUSED = 65
UNREACHABLE = 69
TRY_LATER = 75
NO_PERMISSION = 77
INTERRUPTED = 130

MEANINGS = (
    (DONE, "done; with --wait: every call was answered, every message went through"),
    (
        NOT_DONE,
        "not done: no such job, or not allowed in its state; a check found a problem; a provider refuses the"
        " account or gave no clear answer; with --wait: some did and some did not",
    ),
    (USAGE, "wrong usage, or a file that can't be read"),
    (WARNED, "check found nothing worse than warnings"),
    (BUSY, "busy"),
    (NO_ANSWER, "no answer"),
    (CONGESTION, "congestion, or the channel was unavailable"),
    (FAILED, "failed otherwise"),
    (EXPIRED, "expired"),
    (CANCELLED, "cancelled"),
    (HELD, "held: in doubt, or by an operator"),
    (UNDER_WAY, "still under way after --timeout"),
    (REFUSED, "the job (or a row of the file) was refused: it has mistakes, or a provider said no"),
    (UNREACHABLE, "the daemon can't be reached"),
    (TRY_LATER, "a bound is reached, or a provider is away: try later"),
    (NO_PERMISSION, "no permission: for the socket, or by your roles"),
    (INTERRUPTED, "interrupted"),
)
"""What each says; 10 to 16 come only of --wait and watch."""


def help() -> str:
    """The codes for --help."""
    lines = (
        fill(text, 78, initial_indent=f"  {code:<4}", subsequent_indent=" " * 6) for code, text in MEANINGS
    )
    return "\n".join(["\b", "Exit codes:", *lines])


_STATES = {"completed": DONE, "expired": EXPIRED, "cancelled": CANCELLED, "held": HELD}
_DISPOSITIONS = {
    "BUSY": BUSY,
    "NOANSWER": NO_ANSWER,
    "CONGESTION": CONGESTION,
    "CHANUNAVAIL": CONGESTION,
    "CANCELLED": CANCELLED,
}
_ERRORS: tuple[tuple[type[ClientError], int], ...] = (
    (Unreachable, UNREACHABLE),
    (NoPermission, NO_PERMISSION),
    (NotPermitted, NO_PERMISSION),
    (TryLater, TRY_LATER),
    (Refused, REFUSED),
    (KeyConflict, REFUSED),
    (NoSuchJob, NOT_DONE),
    (NotAllowed, NOT_DONE),
    (WaitTimeout, UNDER_WAY),
)


def of_job(job: Mapping[str, Any]) -> int:
    """What a job came to; it is read with its attempts."""
    state = job["state"]
    if state in _STATES:
        return _STATES[state]
    if state != "failed":
        return UNDER_WAY
    return _DISPOSITIONS.get(disposition(job), FAILED)


def of_jobs(jobs: Sequence[Mapping[str, Any]]) -> int:
    """What several jobs came to: the one code that all have, else "not done"."""
    codes = {of_job(job) for job in jobs}
    return codes.pop() if len(codes) == 1 else NOT_DONE


def of_error(error: ClientError) -> int:
    """Why nothing was done."""
    return next((code for kind, code in _ERRORS if isinstance(error, kind)), NOT_DONE)


def disposition(job: Mapping[str, Any]) -> str:
    """How the last attempt ended, empty where none did."""
    attempts = job.get("attempts") or [{}]
    return str(attempts[-1].get("disposition", ""))
