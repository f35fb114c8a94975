"""Figures about many jobs, jobs with their last attempt, and tidying up what ended long ago."""

from collections.abc import Iterator, Sequence
from typing import Any

from dialerd.client.asking import Asks, query
from dialerd.client.fields import Job

_PAGE = 1000


class Figures:
    """The client's methods on the whole queue."""

    def qshape(self: Asks, state: Sequence[str] | None = None, owner: int | None = None) -> dict[str, Any]:
        """How old the jobs in these states are, by trunk. `ages` has a count for each of `minutes`, and one
        for what is older."""
        return self._get("/v1/qshape" + query({"state": state or None, "owner": owner}))

    def stats(
        self: Asks,
        since: str | None = None,
        until: str | None = None,
        by: str = "hour",
        owner: int | None = None,
    ) -> list[dict[str, Any]]:
        """What the attempts that ended between two times (ISO 8601) came to, by trunk and hour or day.

        Without `since`: in the last day.
        """
        asked = {"since": since, "until": until, "by": by, "owner": owner}
        found: list[dict[str, Any]] = self._get("/v1/stats" + query(asked))["stats"]
        return found

    def jobs_with_last(
        self: Asks, before: str | None = None, **filters: str | int | Sequence[str] | None
    ) -> Iterator[Job]:
        """The jobs that fit, newest first, page by page, each with its newest attempt as `last` where there
        is one. `before`: only those older than this job id. Filters as in `jobs`."""
        cursor: str | None = before
        while True:
            page = self._get("/v1/jobs" + query({**filters, "last": 1, "limit": _PAGE, "cursor": cursor}))
            yield from page["jobs"]
            cursor = page["next"]
            if cursor is None:
                return

    def purge(self: Asks, before: str, states: Sequence[str] = (), dry_run: bool = False) -> Iterator[int]:
        """Removes the jobs that ended before a time (ISO 8601), step by step; yields how many each step
        removed. With `dry_run` it only counts."""
        asked: dict[str, Any] = {"before": before, "dry_run": dry_run}
        return _steps(self, "/v1/purge", {**asked, "states": list(states)} if states else asked)

    def redact(self: Asks, before: str) -> Iterator[int]:
        """Takes the people out of the jobs that ended before a time (ISO 8601), step by step; yields how
        many jobs each step changed."""
        return _steps(self, "/v1/redact", {"before": before})


def _steps(client: Asks, target: str, asked: dict[str, Any]) -> Iterator[int]:
    cursor = None
    while True:
        answer = client._call("POST", target, {**asked, "cursor": cursor})[1]
        yield int(answer["count"])
        cursor = answer["next"]
        if cursor is None:
            return
