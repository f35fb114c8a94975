"""Exit codes of dialerctl: what became of a call can be told from the code alone (docs/client.md)."""

from collections.abc import Mapping, Sequence
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

HELP = """\
\b
Exit codes:
  0   done; with --wait: every call was answered, every message went through
  1   not done: no such job, not allowed in its state, or (with --wait) some did and some did not;
      a provider refuses the account or gave no clear answer
  2   wrong usage
  10  busy                     14  expired
  11  no answer                15  cancelled
  12  congestion, unavailable  16  held: in doubt, or by an operator
  13  failed                   17  still under way after --timeout
  65  the job (or a row of the file) was refused: it has mistakes, or a provider said no
  69  the daemon can't be reached
  75  a bound is reached, or a provider is away: try later
  77  no permission: for the socket, or by your roles
  130 interrupted
"""
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
