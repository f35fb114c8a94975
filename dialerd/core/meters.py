"""What the parts tell whoever counts (dialerd/metrics). They are handed a Meters; by default nobody counts.

A meter is quick, never raises, and may be called from any thread. Seconds are always seconds.
"""

from collections.abc import Mapping
from typing import Any, Literal

from dialerd.core.errors import DeliveryError, DialerError
from dialerd.core.model import Attempt, Job, Result

Door = Literal["socket", "folder"]
"""Where jobs come in."""

Loss = Literal["overflow", "rearmed", "restarted"]
"""What a folder watch may have lost events by: the kernel's queue overflowed, a folder was watched anew, or
all of them, since watchdog's thread had ended."""

Outcome = Literal["delivered", "failed", "dropped"]
"""What a try to deliver a report came to; dropped: the queue had forgotten its event."""


class Meters:
    """Whoever counts; by itself it counts nothing."""

    def noted(self, job: Job, type: str, facts: Mapping[str, Any], since_s: float) -> None:
        """An event of a job is on disk. `since_s` is the time since the job's last change of state."""

    def attempted(self, job: Job, attempt: Attempt, result: Result | None, settled_s: float) -> None:
        """An attempt is over and on disk; without a result it is in doubt. `settled_s` is the time from its
        end until then."""

    def taken(self, jobs: int, seconds: float) -> None:
        """A submit of so many jobs was answered: the time from the inbox to the disk."""

    def turned(self, messages: int, seconds: float) -> None:
        """One turn of the engine with so many messages."""

    def committed(self, seconds: float) -> None:
        """One commit of the store, sync to disk and all."""

    def refused(self, door: Door, error: DialerError) -> None:
        """A job was refused at the door."""

    def asked(self, provider: str, sending: bool, error: DeliveryError | None, seconds: float) -> None:
        """One request to a provider is over. `sending`: it may cost money or ring a phone."""

    def reported(self, sink: str, outcome: Outcome) -> None:
        """One try to deliver a report is over, and its outcome is on disk."""

    def stirred(self, loss: Loss) -> None:
        """A folder watch may have lost events; the folder is listed."""


NOBODY = Meters()
