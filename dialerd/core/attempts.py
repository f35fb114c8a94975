"""The numbers of attempts: 1, 2, 3, and after a restore from a backup in a range of their own.

A number stands in the name of a call file and in what providers are sent, and is never used twice. What was
tried between a backup and its restore is not known any more, so a restore begins a new thousand that no
attempt can have had: the seconds from ORIGIN on say which.
"""

from datetime import UTC, datetime

ROUND = 1000
"""A job has fewer attempts than this, so that its thousand says of which restore it is."""

LONGEST = 15
"""No attempt's number has more digits."""

ORIGIN = datetime(2026, 1, 1, tzinfo=UTC)


def round_of(restored: datetime) -> int:
    """The number above which attempts are counted after a restore at this time."""
    return max(int((restored - ORIGIN).total_seconds()), 1) * ROUND


def following(attempts: int, floor: int) -> int:
    """The number of the next attempt of a job whose newest one has the number `attempts`."""
    return attempts + 1 if attempts >= floor else floor + count(attempts) + 1


def count(attempts: int) -> int:
    """How many attempts a job has had whose newest one has this number."""
    return attempts % ROUND
