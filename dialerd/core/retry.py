"""When a call that did not get through is tried again."""

from datetime import datetime, timedelta

from dialerd.core.model import Disposition, Job, Result


def next_try(job: Job, result: Result, ended: datetime) -> datetime | None:
    """When to try again after this result, counted from the end of the attempt; None for never."""
    if result.disposition in (Disposition.ANSWERED, Disposition.CANCELLED) or result.permanent:
        return None
    if job.retries >= job.max_retries:
        return None
    return ended + timedelta(seconds=job.retry_time)
