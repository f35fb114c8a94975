"""What the engine does for the ways in. Futures are concurrent ones: they resolve in the engine's thread."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

from dialerd.core.errors import InvalidJob, KeyConflict, Overloaded
from dialerd.core.model import Attempt, Draft, Event, Job
from dialerd.core.signals import Accepted, JobFilter, Order, Preview, Submission

Answer = Accepted | InvalidJob | KeyConflict | Overloaded
"""What one submission came to.

The errors are values here, so that one refused job does not stop the others.
"""


class Desk(Protocol):
    """Accepts jobs and commands, and lets jobs and events be read.

    The reading calls are quick and thread-safe.
    """

    def submit(self, submissions: list[Submission], /) -> Future[list[Answer]]:
        """One answer per submission, all on disk when the future resolves.

        Raises Overloaded at once at a bound.
        """

    def command(self, job_id: str, verb: str, actor_uid: int, as_: str | None = None) -> Future[Job]:
        """Carries out an operator's word. The future raises NoSuchJob or NotAllowed."""

    def order(self, scope: str, word: str | None, actor_uid: int, reason: str = "") -> Future[None]:
        """Gives a standing order: `word` is "paused" or "cancelled", None lets go on.

        The future raises NotAllowed where there is no such trunk or batch.
        """

    def orders(self) -> list[Order]:
        """The orders that stand."""

    def trunks(self) -> list[dict[str, Any]]:
        """The trunks as they stand, ready for JSON."""

    def preview(self, drafts: list[Draft], owner: int, /) -> list[Preview]:
        """What would become of each draft if it was accepted now; nothing is."""

    def job(self, job_id: str, /) -> tuple[Job, list[Attempt]]:
        """A job with its attempts. Raises NoSuchJob."""

    def jobs(self, wanted: JobFilter, /) -> list[Job]:
        """The newest jobs that fit, newest first."""

    def events(
        self,
        after: int,
        limit: int,
        job: str | None = None,
        batch: str | None = None,
        types: Sequence[str] = (),
        owner: int | None = None,
        upto: int | None = None,
    ) -> list[Event]:
        """The oldest events behind `after` that fit, oldest first."""

    def last_event(self) -> int:
        """The id of the newest event, 0 where there is none."""

    def subscribe(self, callback: Callable[[int], None], /) -> Callable[[], None]:
        """Calls back in the engine's thread with the newest event's id after each commit.

        Returns what ends that.
        """

    def status(self) -> dict[str, Any]:
        """The state of the daemon, ready for JSON."""
