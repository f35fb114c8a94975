"""What the owners of dropped files may: by their uid, and the groups that the group database has for them."""

import time

from dialerd.core.roles import Permit, Permits
from dialerd.intake.people import groups_of

_REMEMBERED_S = 10.0
"""The group database is asked once in this time for a user, however many files he drops."""

_MOST_OWNERS = 1000


class Owners:
    """The owners seen lately. Used by one thread."""

    def __init__(self, permits: Permits) -> None:
        self._permits = permits
        self._seen: dict[int, tuple[float, Permit]] = {}

    def permit(self, uid: int) -> Permit:
        """What this user may."""
        now = time.monotonic()
        due, permit = self._seen.get(uid, (now, None))
        if permit is None or due <= now:
            permit = self._permits.of(uid, groups_of(uid))
            if len(self._seen) >= _MOST_OWNERS:
                self._seen.clear()
            self._seen[uid] = now + _REMEMBERED_S, permit
        return permit
